//! The logins of `.netrc`, where curl, and so git, finds them too.

use std::env;
use std::path::PathBuf;

use super::credential::{Credential, is_one_line};
use crate::net::secret::Secret;
use crate::net::user_file;

/// Bytes of the file that are read.
const NETRC_BYTES_MAX: u64 = 1 << 20;

/// A login for a host.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) credential: Credential,
    /// The file names this host; otherwise it gives this login to every host it does not name.
    pub(super) is_named: bool,
}

/// What the user's file says about a host. A file that is too large or cannot be read says nothing, as with curl.
pub(super) fn of_user(host: &str, user: Option<&[u8]>) -> Option<Found> {
    let path = PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".netrc");
    // A pipe in its place would be waited for.
    let text = path.is_file().then(|| user_file::read(&path, NETRC_BYTES_MAX))?;
    find(&text.ok()?, host, user)
}

/// One entry of the file.
#[derive(Default)]
struct Entry {
    /// The host; none for `default`.
    machine: Option<Vec<u8>>,
    login: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
}

/// The first entry for this host that has a password, and the user's name where one is known.
fn find(text: &[u8], host: &str, user: Option<&[u8]>) -> Option<Found> {
    // An IPv6 address stands there without its brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']').as_bytes();
    entries(text).into_iter().find_map(|entry| {
        if entry.machine.as_deref().is_some_and(|machine| !machine.eq_ignore_ascii_case(host)) {
            return None;
        }
        let login = entry.login.or_else(|| user.map(<[u8]>::to_vec)).unwrap_or_default();
        let password = entry.password.filter(|password| is_one_line(password))?;
        if user.is_some_and(|user| user != login) || !is_one_line(&login) {
            return None;
        }
        let credential = Credential::Basic(login, Secret::new(password));
        Some(Found { credential, is_named: entry.machine.is_some() })
    })
}

fn entries(text: &[u8]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    // The word whose value comes next; a value may stand on the next line.
    let mut awaited: Option<Vec<u8>> = None;
    let mut in_macro = false;
    for line in text.split(|byte| *byte == b'\n') {
        // Blanks do not end the text of a macro.
        in_macro &= !matches!(line, b"" | b"\r");
        if in_macro {
            continue;
        }
        for word in words(line) {
            let keyword = word.to_ascii_lowercase();
            match (awaited.take().as_deref(), keyword.as_slice()) {
                (Some(b"machine"), _) => entries.push(Entry { machine: Some(word), ..Entry::default() }),
                (Some(b"login"), _) => put(&mut entries, |entry| &mut entry.login, word),
                (Some(b"password"), _) => put(&mut entries, |entry| &mut entry.password, word),
                // The value of a word that says nothing here.
                (Some(_), _) => {}
                (None, b"macdef") => {
                    // Its name and its text go on to an empty line.
                    in_macro = true;
                    break;
                }
                (None, b"default") => entries.push(Entry::default()),
                (None, b"machine" | b"login" | b"password" | b"account") => awaited = Some(keyword),
                (None, _) => {}
            }
        }
    }
    entries
}

fn put(entries: &mut [Entry], field: fn(&mut Entry) -> &mut Option<Vec<u8>>, word: Vec<u8>) {
    if let Some(entry) = entries.last_mut() {
        field(entry).get_or_insert(word);
    }
}

/// The words of a line, up to one that begins with `#`. One in double quotes may hold blanks, and escapes behind a
/// backslash.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while let Some(first) = rest.first().filter(|first| **first != b'#') {
        if *first == b'"' {
            let (mut word, mut at) = (Vec::new(), 1);
            while let Some(byte) = rest.get(at).filter(|byte| **byte != b'"') {
                let escaped = rest.get(at + 1).filter(|_| *byte == b'\\');
                word.push(match escaped {
                    Some(b'n') => b'\n',
                    Some(b'r') => b'\r',
                    Some(b't') => b'\t',
                    Some(other) => *other,
                    None => *byte,
                });
                at += if escaped.is_some() { 2 } else { 1 };
            }
            words.push(word);
            rest = rest.get(at + 1..).unwrap_or_default();
        } else {
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            words.push(rest[..end].to_vec());
            rest = &rest[end..];
        }
        rest = rest.trim_ascii_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::net::login::Credential;

    /// `user:password`, and `*` before a login that is for every host.
    fn found(text: &str, host: &str, user: Option<&str>) -> String {
        match find(text.as_bytes(), host, user.map(str::as_bytes)) {
            None => "none".to_owned(),
            Some(found) => {
                let Credential::Basic(user, password) = &found.credential else { panic!("not user and password") };
                let text = [user, b":".as_slice(), password.expose()].concat();
                format!("{}{}", if found.is_named { "" } else { "*" }, String::from_utf8_lossy(&text))
            }
        }
    }

    #[test]
    fn entries_of_the_file() {
        for (text, host, user, expected) in [
            ("machine h login a password b", "h", None, "a:b"),
            ("machine h\n\tlogin a\n\tpassword b\n", "H", None, "a:b"),
            ("machine\nh\nlogin\na\npassword\nb", "h", None, "a:b"),
            ("machine x login n password n machine h password b login a", "h", None, "a:b"),
            ("machine h login a account z password b", "h", None, "a:b"),
            ("machine h login a password \"b \\\"c\\\\\"", "h", None, "a:b \"c\\"),
            ("machine h login a password \"\"", "h", None, "a:"),
            ("machine h password b", "h", None, ":b"),
            ("machine h login a", "h", None, "none"),
            ("machine h.example login a password b", "example", None, "none"),
            ("machine h login a password b", "h.evil", None, "none"),
            ("machine h login a password b machine h login c password d", "h", None, "a:b"),
            ("machine h login a password b machine h login c password d", "h", Some("c"), "c:d"),
            ("machine h login a password b", "h", Some("c"), "none"),
            ("machine h password b", "h", Some("c"), "c:b"),
            ("default login a password b", "h", None, "*a:b"),
            ("machine h login a password b\ndefault login c password d", "h", None, "a:b"),
            ("machine x login a password b\ndefault login c password d", "h", None, "*c:d"),
            ("# machine h login n password n\nmachine h login a password b", "h", None, "a:b"),
            ("  # machine h login n password n\nmachine h login a password b", "h", None, "a:b"),
            ("machine h login a # password n\npassword b", "h", None, "a:b"),
            ("machine h login a #password n\npassword b", "h", None, "a:b"),
            ("machine h login #n\na password b", "h", None, "a:b"),
            ("machine h login a password #b", "h", None, "none"),
            ("machine h login a password b#c", "h", None, "a:b#c"),
            ("machine h login \"#a\" password \"#b\"", "h", None, "#a:#b"),
            ("MACHINE h Login Login passWORD Machine", "h", None, "Login:Machine"),
            ("Default LOGIN a password b", "h", None, "*a:b"),
            ("macdef init\nmachine h login n password n\n\nmachine h login a password b", "h", None, "a:b"),
            ("MacDef init\nmachine h login n password n\n\r\nmachine h login a password b", "h", None, "a:b"),
            ("macdef init\nx\n \nmachine h login n password n\n\t\r\nmachine h login a password b", "h", None, "none"),
            ("macdef init machine h login n password n\n\nmachine h login a password b", "h", None, "a:b"),
            ("macdef\n\nmachine h login a password b", "h", None, "a:b"),
            ("macdef\nmachine h login a password b", "h", None, "none"),
            ("machine h login a password b\r\n", "h", None, "a:b"),
            ("machine ::1 login a password b", "[::1]", None, "a:b"),
            ("machine h login a password \"b\\nc\"", "h", None, "none"),
            ("login a password b", "h", None, "none"),
            ("machine", "h", None, "none"),
            ("machine h login a password \"b", "h", None, "a:b"),
            ("", "h", None, "none"),
        ] {
            assert_eq!(found(text, host, user), expected, "{text} {host} {user:?}");
        }
        let bytes = find(b"machine h login a password p\xe4ss", "h", None).expect("a login");
        let Credential::Basic(_, password) = bytes.credential else { panic!("not user and password") };
        assert_eq!(password.expose(), b"p\xe4ss");
    }
}
