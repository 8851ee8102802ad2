//! Cookies that the user keeps in a file for git, in either form that git's manual names for `http.cookieFile`.
//!
//! They are read as curl reads them, which git leaves that to. Nothing prints them.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

use reqwest::Url;

use super::credential::is_one_line;
use crate::net::user_file;

/// Bytes of the file at most.
const COOKIE_FILE_BYTES_MAX: u64 = 4 << 20;

/// One cookie of the file.
#[derive(Clone)]
pub(super) struct Cookie {
    key: Key,
    is_secure: bool,
    /// Second of the Unix time at which it ends; none when it never does.
    ends: Option<u64>,
    /// `name=value`.
    pair: Vec<u8>,
}

/// What makes it another cookie.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    /// None in a `Set-Cookie` line without a domain: it is for every host that is asked.
    domain: Option<String>,
    /// It is for hosts below the domain, too.
    is_for_hosts_below: bool,
    path: String,
    name: Vec<u8>,
}

/// The cookies of a file; none when it is too large, is no regular file, or cannot be read.
pub(super) fn of_file(file: &Path, now: u64) -> Vec<Cookie> {
    // To open a pipe can take for ever.
    let text =
        if file.is_file() { user_file::read(file, COOKIE_FILE_BYTES_MAX).unwrap_or_default() } else { Vec::new() };
    of_text(&text, now)
}

/// The longest paths come first.
fn of_text(text: &[u8], now: u64) -> Vec<Cookie> {
    let mut later = HashSet::new();
    // From the end: the last line about a cookie is the one that counts, even where it says that it is over.
    let lines = text.split(|byte| *byte == b'\n').rev();
    let mut cookies: Vec<Cookie> =
        lines.filter_map(|line| cookie(line, now)).filter(|cookie| later.insert(cookie.key.clone())).collect();
    cookies.reverse();
    cookies.sort_by_key(|cookie| Reverse(cookie.key.path.len()));
    cookies
}

/// The value of the header `Cookie` for this URL; none when no cookie is for it.
pub(super) fn header(cookies: &[Cookie], url: &Url, now: u64) -> Option<Vec<u8>> {
    let pairs: Vec<&[u8]> = cookies.iter().filter(|one| one.is_for(url, now)).map(|one| one.pair.as_slice()).collect();
    (!pairs.is_empty()).then(|| pairs.join(b"; ".as_slice()))
}

impl Cookie {
    /// None for a pair that no header could hold.
    fn new(key: Key, value: &[u8]) -> Option<Self> {
        let pair = [key.name.as_slice(), b"=", value].concat();
        let is_sendable = !pair.iter().any(u8::is_ascii_control);
        is_sendable.then_some(Self { key, is_secure: false, ends: None, pair })
    }

    fn is_for(&self, url: &Url, now: u64) -> bool {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        // An address has no hosts below it.
        let is_name = url.domain().is_some();
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|above| above.ends_with('.'));
        let Key { domain, is_for_hosts_below, path, .. } = &self.key;
        let is_its_host =
            domain.as_deref().is_none_or(|domain| host == domain || (*is_for_hosts_below && is_name && below(domain)));
        let folder = path.strip_suffix('/').unwrap_or(path);
        let is_its_path = url.path().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_alive = self.ends.is_none_or(|ends| ends > now);
        is_its_host && is_its_path && is_alive && (!self.is_secure || url.scheme() == "https")
    }
}

/// The cookie of a line of either form.
fn cookie(line: &[u8], now: u64) -> Option<Cookie> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !is_one_line(line) {
        return None;
    }
    const SET_COOKIE: &[u8] = b"set-cookie:";
    match line.get(..SET_COOKIE.len()) {
        Some(name) if name.eq_ignore_ascii_case(SET_COOKIE) => of_header(&line[SET_COOKIE.len()..], now),
        _ => of_fields(line),
    }
}

/// `domain TAB hosts-below TAB path TAB secure TAB ends TAB name TAB value`, the form of Netscape and Mozilla.
fn of_fields(line: &[u8]) -> Option<Cookie> {
    let line = line.strip_prefix(b"#HttpOnly_").unwrap_or(line);
    if line.starts_with(b"#") {
        return None;
    }
    let fields: Vec<&[u8]> = line.splitn(7, |byte| *byte == b'\t').collect();
    let [domain, below, path, secure, ends, name, value @ ..] = fields.as_slice() else { return None };
    let text = |field: &[u8]| std::str::from_utf8(field).ok().map(str::to_owned);
    let is_true = |field: &[u8]| field.eq_ignore_ascii_case(b"TRUE");
    let key = Key {
        domain: Some(domain_of(&text(domain)?)),
        is_for_hosts_below: is_true(below),
        path: text(path)?,
        name: name.to_vec(),
    };
    // Some programs write parts of seconds.
    let ends: u64 = digits(text(ends)?.trim()).parse().ok()?;
    let cookie = Cookie::new(key, value.first().copied().unwrap_or_default())?;
    Some(Cookie { is_secure: is_true(secure), ends: Some(ends).filter(|ends| *ends > 0), ..cookie })
}

/// `name=value; Domain=…; Path=…; Max-Age=…; Expires=…; Secure`, as a server sets it.
fn of_header(line: &[u8], now: u64) -> Option<Cookie> {
    let mut parts = line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let pair = parts.next()?;
    let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
    let (name, value) = (name.trim_ascii().to_vec(), value[1..].trim_ascii());
    let mut cookie = Cookie::new(Key { domain: None, is_for_hosts_below: false, path: "/".into(), name }, value)?;
    let (mut max_age, mut expires) = (None, None);
    for part in parts.filter_map(|part| std::str::from_utf8(part).ok()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "domain" => {
                cookie.key.domain = Some(domain_of(value));
                cookie.key.is_for_hosts_below = true;
            }
            "path" if value.starts_with('/') => cookie.key.path = value.to_owned(),
            "secure" => cookie.is_secure = true,
            "max-age" => max_age = Some(end_of_age(value, now)),
            "expires" => expires = date(value),
            _ => {}
        }
    }
    cookie.ends = max_age.or(expires);
    Some(cookie)
}

fn domain_of(text: &str) -> String {
    text.trim().trim_start_matches('.').to_ascii_lowercase()
}

/// The digits that a text begins with.
fn digits(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

/// What is no number, or none above 0, is over.
fn end_of_age(text: &str, now: u64) -> u64 {
    match digits(text.trim_matches('"')) {
        "" => 0,
        digits => digits.parse().map_or(u64::MAX, |age: u64| if age == 0 { 0 } else { now.saturating_add(age) }),
    }
}

/// The second of a date in any of the forms that servers write; none of one that cannot be read.
fn date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (mut day, mut month, mut year, mut time) = (None, None, None, "0:00:00");
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':') {
        let begins = |name: &&str| word.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(name));
        if let Some(at) = MONTHS.iter().position(begins) {
            month = Some(at + 1);
        } else if let Ok(number) = word.parse::<u64>() {
            let field = if day.is_none() && word.len() <= 2 { &mut day } else { &mut year };
            field.get_or_insert(number);
        } else if word.contains(':') {
            time = word;
        }
    }
    let year = match year? {
        year @ 0..70 => 2000 + year,
        year @ 70..100 => 1900 + year,
        // Before the Unix time began.
        100..1970 => return Some(0),
        year => year,
    };
    let at = humantime::parse_rfc3339(&format!("{year:04}-{:02}-{:02}T{time:0>8}Z", month?, day?)).ok()?;
    at.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{date, header, of_file, of_text};
    use reqwest::Url;
    use std::path::Path;

    /// What is sent at a time; the file was read at 100.
    fn sent(file: &str, url: &str, now: u64) -> String {
        let url = Url::parse(url).expect("a URL");
        let found = header(&of_text(file.as_bytes(), 100), &url, now);
        String::from_utf8(found.unwrap_or_default()).expect("text")
    }

    #[test]
    fn which_cookies_go_where() {
        let file = "# Netscape HTTP Cookie File\n\
            h.example\tFALSE\t/\tFALSE\t0\ta\t1\n\
            .example\tTRUE\t/\tFALSE\t0\tb\t2\n\
            #HttpOnly_h.example\tFALSE\t/team\tFALSE\t0\tc\t3\n\
            h.example\tFALSE\t/\tTRUE\t0\td\t4\r\n\
            h.example\tFALSE\t/\tFALSE\t99\te\told\n\
            h.example\tFALSE\t/\tFALSE\t101\tf\t\n\
            Set-Cookie: g=7; Path=/team; Secure; HttpOnly\n\
            set-cookie: h=8; domain=.h.example\n\
            127.0.0.1\tTRUE\t/\tFALSE\t0\ti\t9\n\
            h.example\tnonsense\n";
        for (url, cookies) in [
            ("https://h.example/team/r", "c=3; g=7; a=1; b=2; d=4; f=; h=8"),
            ("http://h.example/team", "c=3; a=1; b=2; f=; h=8"),
            ("http://H.EXAMPLE/teams", "a=1; b=2; f=; h=8"),
            ("http://x.h.example/", "b=2; h=8"),
            ("http://xh.example/", "b=2"),
            ("http://127.0.0.1:8080/x", "i=9"),
            ("http://1.127.0.0.1.invalid/", ""),
            ("http://h.example.evil/", ""),
        ] {
            assert_eq!(sent(file, url, 100), cookies, "{url}");
        }
    }

    #[test]
    fn when_a_cookie_ends() {
        let header = |attributes: &str| format!("Set-Cookie: a=1{attributes}");
        let fields = |ends: &str| format!("h\tFALSE\t/\tFALSE\t{ends}\ta\t1");
        for (line, now, is_sent) in [
            (header(""), u64::MAX, true),
            (header("; Max-Age=0"), 100, false),
            (header("; Max-Age=-5"), 100, false),
            (header("; Max-Age=x"), 100, false),
            (header("; Max-Age="), 100, false),
            (header("; max-age=\"0\""), 100, false),
            (header("; max-age=\"10\""), 109, true),
            (header("; Max-Age=10"), 109, true),
            (header("; Max-Age=10"), 110, false),
            (header("; Max-Age=99999999999999999999999"), 1 << 40, true),
            (header("; Expires=Thu, 01 Jan 1970 00:02:00 GMT"), 119, true),
            (header("; Expires=Thu, 01 Jan 1970 00:02:00 GMT"), 120, false),
            (header("; expires=Thu, 01 Jan 1970 00:00:00 GMT"), 100, false),
            (header("; Expires=nonsense"), 100, true),
            (header("; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=10"), 109, true),
            (header("; Max-Age=0; Expires=Wed, 09 Nov 2099 23:12:40 GMT"), 100, false),
            (fields("0"), u64::MAX, true),
            (fields("120"), 119, true),
            (fields("120"), 120, false),
            (fields("120.9"), 119, true),
            (fields("120.9"), 120, false),
            (fields("-1"), 100, false),
            (fields(""), 100, false),
            (fields("x"), 100, false),
        ] {
            assert_eq!(sent(&line, "https://h/", now), if is_sent { "a=1" } else { "" }, "{line} at {now}");
        }
        for (text, second) in [
            ("Wed, 09 Nov 1999 23:12:40 GMT", Some(942_189_160)),
            ("Wed, 09-Nov-1999 23:12:40 GMT", Some(942_189_160)),
            ("Wednesday, 09-Nov-99 23:12:40 GMT", Some(942_189_160)),
            ("Wed Nov  9 23:12:40 1999", Some(942_189_160)),
            ("9 november 1999", Some(942_105_600)),
            ("Sat, 09 Nov 2024 3:02:01 GMT", Some(1_731_121_321)),
            ("Mon, 01 Jan 0001 00:00:00 GMT", Some(978_307_200)),
            ("Fri, 13 Dec 1901 20:45:52 GMT", Some(0)),
            ("Sun, 31 Feb 1999 00:00:00 GMT", None),
            ("09 1999", None),
            ("", None),
        ] {
            assert_eq!(date(text), second, "{text}");
        }
    }

    #[test]
    fn the_last_line_about_a_cookie_counts() {
        let line = |path: &str, ends: u64, pair: &str| format!("h\tFALSE\t{path}\tFALSE\t{ends}\t{pair}\n");
        for (lines, cookies) in [
            ([line("/", 0, "a\t1"), line("/", 0, "b\t2"), line("/", 0, "a\t3")], "b=2; a=3"),
            ([line("/", 0, "a\t1"), line("/", 0, "b\t2"), line("/", 5, "a\t3")], "b=2"),
            ([line("/", 0, "a\t1"), line("/x", 0, "a\t2"), line("/", 0, "a\t3")], "a=2; a=3"),
            (["Set-Cookie: a=1\n".into(), "Set-Cookie: a=2; Max-Age=0\n".into(), line("/", 0, "b\t3")], "b=3"),
            (["Set-Cookie: a = 1\n".into(), "set-cookie: a=2\n".into(), line("/", 0, "b\t3")], "a=2; b=3"),
        ] {
            assert_eq!(sent(&lines.concat(), "https://h/x", 100), cookies, "{lines:?}");
        }
    }

    #[test]
    fn what_no_header_can_hold_is_left_out() {
        for bad in ["\u{1}", "\u{7f}", "\t", "\0", "\r"] {
            for line in [format!("h\tFALSE\t/\tFALSE\t0\ta\tx{bad}y"), format!("Set-Cookie: a=x{bad}y")] {
                assert_eq!(sent(&format!("{line}\nSet-Cookie: b=2"), "https://h/", 100), "b=2", "{line:?}");
            }
        }
        assert_eq!(sent("Set-Cookie: a=1; odd=\u{1}\n", "https://h/", 100), "a=1");
    }

    #[test]
    fn only_a_regular_file_is_read() {
        assert!(of_file(Path::new("/dev/zero"), 0).is_empty() && of_file(Path::new("/"), 0).is_empty());
    }
}
