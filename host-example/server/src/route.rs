//! What an address means. Keeps one rule: an address is read once, decoded once, and anything odd in it leads nowhere.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::limits::REPOSITORY_BYTES_MAX;

/// What stands in an address as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// Where a request goes: what it asks for, of which repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) repository: String,
    pub(super) place: Place,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Batch,
    Verify,
    Object { oid: String },
    Locks,
    LocksVerify,
    Unlock { id: String },
}

impl Route {
    /// Reads a request's path.
    pub(super) fn of(path: &str) -> Option<Route> {
        let segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8().ok())
            .collect::<Option<Vec<_>>>()?;
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        if segments.iter().any(|segment| matches!(*segment, "." | "..") || segment.contains(is_unfit)) {
            return None;
        }
        let (before, place) = match segments.as_slice() {
            [before @ .., "objects", "batch"] => (before, Place::Batch),
            [before @ .., "locks", "verify"] => (before, Place::LocksVerify),
            [before @ .., "verify"] => (before, Place::Verify),
            [before @ .., "locks", id, "unlock"] => (before, Place::Unlock { id: (*id).to_owned() }),
            [before @ .., "locks"] => (before, Place::Locks),
            // Last, because a repository may be called so: no object is called like one of the places above.
            [before @ .., "objects", oid] => (before, Place::Object { oid: (*oid).to_owned() }),
            _ => return None,
        };
        Some(Route { repository: repository(before)?, place })
    }
}

/// One name for the addresses of one repository: `/org/repo` and `/org/repo.git/info/lfs` are the same.
fn repository(segments: &[&str]) -> Option<String> {
    let segments = match segments {
        [before @ .., "info", "lfs"] => before,
        all => all,
    };
    let name = segments.join("/");
    let name = name.strip_suffix(".git").unwrap_or(&name);
    (name.len() <= REPOSITORY_BYTES_MAX).then(|| name.to_owned())
}

/// Where the API of a repository begins, beneath the server's address. `Route::of` leads back from there, whatever the
/// repository is called.
pub(super) fn beginning(repository: &str) -> String {
    match repository {
        "" => String::new(),
        name => format!("/{}.git/info/lfs", utf8_percent_encode(name, KEPT)),
    }
}

fn is_unfit(c: char) -> bool {
    c.is_control() || c == '/' || c == '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_a_repository() {
        let route = |repository: &str, place| Some(Route { repository: repository.into(), place });
        let object = || Place::Object { oid: "abc".into() };
        for (path, route) in [
            ("/objects/batch", route("", Place::Batch)),
            ("/info/lfs/objects/batch", route("", Place::Batch)),
            ("/org/sub/repo.git/info/lfs/objects/batch", route("org/sub/repo", Place::Batch)),
            ("//repo//objects/batch/", route("repo", Place::Batch)),
            ("/objects/abc", route("", object())),
            ("/repo/objects/abc", route("repo", object())),
            ("/repo.git/info/lfs/objects/abc", route("repo", object())),
            ("/verify", route("", Place::Verify)),
            ("/repo/verify", route("repo", Place::Verify)),
            ("/team/objects/locks", route("team/objects", Place::Locks)),
            ("/team/objects/locks/verify", route("team/objects", Place::LocksVerify)),
            ("/team/objects/locks/12/unlock", route("team/objects", Place::Unlock { id: "12".into() })),
            ("/team/objects/verify", route("team/objects", Place::Verify)),
            ("/team/objects/objects/batch", route("team/objects", Place::Batch)),
            ("/team/objects/objects/abc", route("team/objects", object())),
            ("/objects/locks", route("objects", Place::Locks)),
            ("/team/locks.git/info/lfs/verify", route("team/locks", Place::Verify)),
            ("/locks", route("", Place::Locks)),
            ("/repo.git/info/lfs/locks", route("repo", Place::Locks)),
            ("/repo/locks", route("repo", Place::Locks)),
            ("/a%20b/locks", route("a b", Place::Locks)),
            ("/repo/locks/verify", route("repo", Place::LocksVerify)),
            ("/repo/locks/12/unlock", route("repo", Place::Unlock { id: "12".into() })),
            ("/repo/locks/12", None),
            ("/a/../locks", None),
            ("/a/%2e%2e/locks", None),
            ("/a%2Fb/locks", None),
            ("/a%0Ab/locks", None),
            ("/a%FFb/locks", None),
            ("/", None),
            ("*", None),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
        assert_eq!(Route::of(&format!("/{}/locks", "r".repeat(REPOSITORY_BYTES_MAX + 1))), None);
    }

    #[test]
    fn every_repository_has_an_address_that_leads_back() {
        for name in ["", "repo", "team/media", "a b", "locks", "a/objects", "ünï%?#&", "x.git", "info/lfs"] {
            for (place, route) in [
                ("verify", Place::Verify),
                ("objects/batch", Place::Batch),
                ("objects/abc", Place::Object { oid: "abc".into() }),
                ("locks", Place::Locks),
                ("locks/verify", Place::LocksVerify),
                ("locks/12/unlock", Place::Unlock { id: "12".into() }),
            ] {
                let path = format!("{}/{place}", beginning(name));
                assert!(path.is_ascii() && !path.contains(['?', '#', ' ']), "{path}");
                assert_eq!(Route::of(&path), Some(Route { repository: name.into(), place: route }), "{path}");
            }
        }
    }
}
