//! What git and remotes say, for people and for the closed list of failures.
//!
//! Rule: the words are bounded and printable, and hold no login, no query and no absolute path of this machine.

use crate::contract::error::HostError;
use crate::contract::failure::{DETAIL_BYTES_MAX, of_io};
use crate::contract::types::{Failed, Failure};
use crate::git::GitFault;
use crate::process::ChildFault;
use crate::text::plain;

/// Words that tell of a login, with what they mean; the first one found counts.
const SIGNS: [(&str, Failure); 22] = [
    ("No space left on device", Failure::NoSpace),
    ("Disk quota exceeded", Failure::NoSpace),
    ("Authentication failed", Failure::Denied),
    ("could not read Username", Failure::Denied),
    ("could not read Password", Failure::Denied),
    ("terminal prompts disabled", Failure::Denied),
    ("Permission denied", Failure::Denied),
    ("Host key verification failed", Failure::Denied),
    ("returned error: 401", Failure::Denied),
    ("returned error: 403", Failure::Denied),
    ("couldn't find remote ref", Failure::NotFound),
    ("returned error: 404", Failure::NotFound),
    ("not found", Failure::NotFound),
    ("does not appear to be a git repository", Failure::NotFound),
    ("unable to access", Failure::Offline),
    ("Could not resolve", Failure::Offline),
    ("Connection", Failure::Offline),
    ("unexpected disconnect", Failure::Offline),
    ("hung up", Failure::Offline),
    ("early EOF", Failure::Offline),
    ("timed out", Failure::Offline),
    ("Could not read from remote", Failure::Offline),
];

/// A failure in our own words.
pub(super) fn failed(why: Failure, sentence: &str) -> Failed {
    crate::contract::failure::failed(why, sentence)
}

/// A failure in the words of whoever failed.
pub(super) fn refusal(why: Failure, words: &str) -> Failed {
    let words = scrubbed(words);
    failed(why, if words.is_empty() { "git refused without a word" } else { &words })
}

impl From<GitFault> for Failed {
    fn from(fault: GitFault) -> Self {
        match fault {
            GitFault::Child(ChildFault::Io(error)) => of_io(&error),
            GitFault::Child(ChildFault::TooSlow) => failed(Failure::TimedOut, "git took too long"),
            GitFault::Child(ChildFault::Stopped) => failed(Failure::Aborted, "stopped"),
            GitFault::Refused(words) => refusal(why_of(&words).unwrap_or(Failure::Io), &words),
            other => failed(Failure::Io, &other.to_string()),
        }
    }
}

/// A failure of a file.
pub(super) fn of_file(error: std::io::Error) -> Failed {
    of_io(&error)
}

/// A failure of this host in its own words.
pub(super) fn of_host(error: HostError) -> Failed {
    failed(Failure::Io, &error.to_string())
}

/// What the words of a git that talked to a remote tell of.
pub(super) fn why_of(words: &str) -> Option<Failure> {
    SIGNS.iter().find(|(sign, _)| words.contains(sign)).map(|(_, why)| *why)
}

/// Words without logins, queries and places of this machine.
pub(super) fn scrubbed(words: &str) -> String {
    let words = plain(words);
    let mut clean = String::with_capacity(words.len());
    let mut rest = words.as_str();
    while let Some(letter) = rest.chars().next() {
        let begins_word = clean.chars().last().is_none_or(|before| !before.is_alphanumeric() && before != '/');
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '<' | '>' | ')' | ']'))
            .unwrap_or(rest.len());
        let token = &rest[..end];
        if begins_word && is_place(token) {
            clean.push('…');
            rest = &rest[end..];
        } else if begins_word && let Some((scheme, beyond)) = token.split_once("://") {
            clean.push_str(scheme);
            clean.push_str("://");
            clean.push_str(bare_address(beyond));
            rest = &rest[end..];
        } else {
            clean.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
        if clean.len() > DETAIL_BYTES_MAX {
            break;
        }
    }
    clean
}

/// Whether a word names a place of this machine.
fn is_place(token: &str) -> bool {
    let path = token.strip_prefix("file://").unwrap_or(token);
    path.len() > 1 && path.starts_with('/') && !path.starts_with("//")
}

/// An address without userinfo and query.
fn bare_address(beyond: &str) -> &str {
    let authority_end = beyond.find(['/', '?', '#']).unwrap_or(beyond.len());
    let host = beyond[..authority_end].rfind('@').map_or(0, |at| at + 1);
    let end = beyond.find(['?', '#']).unwrap_or(beyond.len());
    &beyond[host..end.max(host)]
}

/// The first line of an answer.
pub(super) fn line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_queries_and_places_of_this_machine_are_taken_out() {
        let table = [
            (
                "fatal: unable to access 'https://me:secret@host/x.git/?t=1': no",
                "fatal: unable to access 'https://host/x.git/': no",
            ),
            ("error: failed to push some refs to '/home/me/x.git'", "error: failed to push some refs to '…'"),
            ("To file:///tmp/r.git", "To …"),
            ("remote: and/or read docs/x", "remote: and/or read docs/x"),
            ("ssh://git@host/a b", "ssh://host/a b"),
            ("gpg: /srv/keys/x: no", "gpg: … no"),
            ("https://a@b@host?x", "https://host"),
        ];
        for (said, shown) in table {
            assert_eq!(scrubbed(said), shown);
        }
        assert!(refusal(Failure::Refused, &"é/x ".repeat(5000)).detail.len() <= DETAIL_BYTES_MAX);
    }

    #[test]
    fn signs_tell_why() {
        assert_eq!(why_of("fatal: Authentication failed for 'x'"), Some(Failure::Denied));
        assert_eq!(why_of("fatal: unable to access 'x': Could not resolve host"), Some(Failure::Offline));
        assert_eq!(why_of("policy says no"), None);
    }
}
