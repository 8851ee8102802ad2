//! Header syntax: names, values, validators, media types and Retry-After.

use crate::text::dates;

/// The media type of the LFS API.
pub(crate) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// The name of a header: a token of RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c))
}

/// The value of a header: anything on one line that every platform can send (a browser's fetch takes Latin-1).
pub(crate) fn is_field_value(text: &str) -> bool {
    !text.contains(|c: char| (c.is_control() && c != '\t') || c > '\u{ff}')
}

/// What If-Range may hold: a strong entity tag or a date (RFC 9110 section 13.1.5).
pub(crate) fn is_validator(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("W/") && is_field_value(text)
}

/// Whether a Content-Type is JSON, as git-lfs compares it: case-sensitive, parameters allowed.
pub(crate) fn is_json(content_type: &str) -> bool {
    [LFS_JSON, "application/json"].iter().any(|media_type| {
        content_type.strip_prefix(media_type).is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
    })
}

/// Milliseconds that a Retry-After value asks for: whole seconds or an HTTP date (one in the past asks for none).
///
/// A number too large for its type is ignored: our own delays apply instead of an endless wait.
pub fn retry_after(value: &str, now: u64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit()) {
        return value.parse::<u64>().ok()?.checked_mul(1000);
    }
    let date = dates::http_date(value)?;
    Some(u64::try_from(date).unwrap_or(0).saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        for (text, expected) in [
            ("application/vnd.git-lfs+json", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=utf-8", true),
            ("text/html", false),
            ("application/jsonx", false),
            ("", false),
        ] {
            assert_eq!(is_json(text), expected, "{text}");
        }
    }
}
