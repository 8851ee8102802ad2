//! Cookies that the user keeps in a file for git, in either form that git's manual names for `http.cookieFile`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use reqwest::Url;

use super::credential::is_one_line;

/// Bytes of the file that are read.
const COOKIE_FILE_BYTES_MAX: u64 = 4 << 20;

/// One cookie of the file.
#[derive(Debug, PartialEq)]
struct Cookie {
    /// None in a `Set-Cookie` line without a domain: it is for every host that is asked.
    domain: Option<String>,
    /// It is for hosts below the domain, too.
    is_for_hosts_below: bool,
    path: String,
    is_secure: bool,
    /// Seconds of the Unix time at which it ends; 0 for never.
    ends: u64,
    /// `name=value`.
    pair: Vec<u8>,
}

/// The value of the header `Cookie` for this URL; none when no cookie is for it, or the file cannot be read.
pub(super) fn of_file(file: &Path, url: &Url, now: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file).ok()?.take(COOKIE_FILE_BYTES_MAX).read_to_end(&mut text).ok()?;
    header(&text, url, now)
}

fn header(text: &[u8], url: &Url, now: u64) -> Option<Vec<u8>> {
    let cookies = text.split(|byte| *byte == b'\n').filter_map(cookie);
    let pairs: Vec<Vec<u8>> = cookies.filter(|one| one.is_for(url, now)).map(|one| one.pair).collect();
    (!pairs.is_empty()).then(|| pairs.join(b"; ".as_slice()))
}

impl Cookie {
    fn is_for(&self, url: &Url, now: u64) -> bool {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        // An address has no hosts below it.
        let is_name = url.domain().is_some();
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|above| above.ends_with('.'));
        let is_its_host = self
            .domain
            .as_deref()
            .is_none_or(|domain| host == domain || (self.is_for_hosts_below && is_name && below(domain)));
        let folder = self.path.strip_suffix('/').unwrap_or(&self.path);
        let is_its_path = url.path().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_alive = self.ends == 0 || self.ends > now;
        is_its_host && is_its_path && is_alive && (!self.is_secure || url.scheme() == "https")
    }
}

/// The cookie of a line of either form.
fn cookie(line: &[u8]) -> Option<Cookie> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !is_one_line(line) {
        return None;
    }
    const SET_COOKIE: &[u8] = b"set-cookie:";
    match line.get(..SET_COOKIE.len()) {
        Some(name) if name.eq_ignore_ascii_case(SET_COOKIE) => of_header(&line[SET_COOKIE.len()..]),
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
    let domain = text(domain)?.to_ascii_lowercase();
    Some(Cookie {
        is_for_hosts_below: is_true(below),
        domain: Some(domain.strip_prefix('.').unwrap_or(&domain).to_owned()),
        path: text(path)?,
        is_secure: is_true(secure),
        ends: text(ends)?.trim().parse().ok()?,
        pair: [*name, b"=", value.first().copied().unwrap_or_default()].concat(),
    })
}

/// `name=value; Domain=…; Path=…; Secure`, as a server sets it.
fn of_header(line: &[u8]) -> Option<Cookie> {
    let mut parts = line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let pair = parts.next().filter(|pair| pair.contains(&b'='))?.to_vec();
    let mut cookie =
        Cookie { domain: None, is_for_hosts_below: false, path: "/".into(), is_secure: false, ends: 0, pair };
    for part in parts.filter_map(|part| std::str::from_utf8(part).ok()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim().to_ascii_lowercase();
                cookie.domain = Some(domain.strip_prefix('.').unwrap_or(&domain).to_owned());
                cookie.is_for_hosts_below = true;
            }
            "path" if value.starts_with('/') => cookie.path = value.trim().to_owned(),
            "secure" => cookie.is_secure = true,
            _ => {}
        }
    }
    Some(cookie)
}

#[cfg(test)]
mod tests {
    use super::header;
    use reqwest::Url;

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
            ("https://h.example/team/r", "a=1; b=2; c=3; d=4; f=; g=7; h=8"),
            ("http://h.example/team", "a=1; b=2; c=3; f=; h=8"),
            ("http://H.EXAMPLE/teams", "a=1; b=2; f=; h=8"),
            ("http://x.h.example/", "b=2; h=8"),
            ("http://xh.example/", "b=2"),
            ("http://127.0.0.1:8080/x", "i=9"),
            ("http://1.127.0.0.1.invalid/", ""),
            ("http://h.example.evil/", ""),
        ] {
            let found = header(file.as_bytes(), &Url::parse(url).expect("a URL"), 100);
            assert_eq!(String::from_utf8(found.unwrap_or_default()).expect("text"), cookies, "{url}");
        }
    }
}
