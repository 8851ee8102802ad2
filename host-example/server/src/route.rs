//! What an address means. Keeps one rule: an address is read once, decoded once, and anything odd in it leads nowhere.

use percent_encoding::percent_decode_str;

use super::limits::REPOSITORY_BYTES_MAX;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Batch,
    Verify,
    Object { oid: String },
    Locks { repository: String },
    LocksVerify { repository: String },
    Unlock { repository: String, id: String },
}

impl Route {
    /// Reads a request's path. All repositories share one store, so only locks care which one is named.
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
        Some(match segments.as_slice() {
            ["verify"] => Route::Verify,
            [.., "objects", "batch"] => Route::Batch,
            ["objects", oid] => Route::Object { oid: (*oid).to_owned() },
            [before @ .., "locks", "verify"] => Route::LocksVerify { repository: repository(before)? },
            [before @ .., "locks", id, "unlock"] => {
                Route::Unlock { repository: repository(before)?, id: (*id).to_owned() }
            }
            [before @ .., "locks"] => Route::Locks { repository: repository(before)? },
            _ => return None,
        })
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

fn is_unfit(c: char) -> bool {
    c.is_control() || c == '/' || c == '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_a_repository() {
        let locks = |repository: &str| Some(Route::Locks { repository: repository.into() });
        for (path, route) in [
            ("/objects/batch", Some(Route::Batch)),
            ("/info/lfs/objects/batch", Some(Route::Batch)),
            ("/org/sub/repo.git/info/lfs/objects/batch", Some(Route::Batch)),
            ("//repo//objects/batch/", Some(Route::Batch)),
            ("/objects/abc", Some(Route::Object { oid: "abc".into() })),
            ("/repo/objects/abc", None),
            ("/verify", Some(Route::Verify)),
            ("/locks", locks("")),
            ("/repo.git/info/lfs/locks", locks("repo")),
            ("/repo/locks", locks("repo")),
            ("/a%20b/locks", locks("a b")),
            ("/repo/locks/verify", Some(Route::LocksVerify { repository: "repo".into() })),
            ("/repo/locks/12/unlock", Some(Route::Unlock { repository: "repo".into(), id: "12".into() })),
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
}
