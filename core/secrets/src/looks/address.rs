//! Logins in addresses: `scheme://user:password@host`. Source: RFC 3986, section 3.2.1.

use crate::looks::plausible;
use core::ops::Range;

/// What stands between the scheme of an address and its login.
pub(crate) const SIGN: &[u8] = b"://";
/// Bytes of a login at most.
const LOGIN_BYTES_MAX: usize = 512;
/// What documentation writes in the place of a password.
const EXAMPLES: [&[u8]; 6] = [b"password", b"passwd", b"pass", b"pwd", b"pw", b"secret"];

/// The password of the address whose sign is here; where there is none, the name, if chance made it.
pub(crate) fn password(text: &[u8], sign: Range<usize>) -> Option<Range<usize>> {
    if sign.start == 0 || !text[sign.start - 1].is_ascii_alphanumeric() {
        return None;
    }
    let from = sign.end;
    let near = &text[from..text.len().min(from + LOGIN_BYTES_MAX)];
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'`<>\\,;|".contains(byte);
    let authority = &near[..near.iter().position(ends).unwrap_or(near.len())];
    let at = memchr::memrchr(b'@', authority)?;
    let login = &authority[..at];
    let Some(colon) = memchr::memchr(b':', login) else {
        return plausible::is_random(login).then_some(from..from + at);
    };
    let password = &login[colon + 1..];
    let is_word = EXAMPLES.iter().any(|word| password.eq_ignore_ascii_case(word));
    let is_shown = password.is_empty() || is_word || plausible::stands_for_another(password);
    (!is_shown).then_some(from + colon + 1..from + at)
}
