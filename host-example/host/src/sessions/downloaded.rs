//! Which sessions' content was fetched from a server and not recorded here.
//!
//! A copy that was fetched looks like one that was made here, and whoever takes it for his own publishes somebody
//! else's session again. So before the first byte of a session is fetched, a mark is on the disk: a file of the
//! session's name in git's own folder, where no commit can place anything. A session that this clone published is its
//! own and gets none. The mark stays when the cache is cleared: it says where content came from, not that it is here.

use std::io;
use std::path::{Path, PathBuf};

use crate::contract::clock;
use crate::files::{Access, Dir, atomic};
use crate::sessions::remembered;

/// Folder beside the cache.
const FOLDER: &str = "downloaded";
/// First line of a mark: its form.
const FORM: &str = "hydrant downloaded 1";

/// Whether content of this session was fetched here.
pub(crate) fn is_marked(store_dir: &Path, session: &str) -> bool {
    path_of(store_dir, session).symlink_metadata().is_ok_and(|facts| facts.is_file())
}

/// Marks a session, durably, before anything of it is fetched. One that this clone published stays as it is.
pub(crate) fn mark(store_dir: &Path, session: &str, session_id: &str) -> io::Result<()> {
    if is_marked(store_dir, session) || !remembered::load(store_dir, session).session_id.is_empty() {
        return Ok(());
    }
    let dir = Dir::open_or_create(store_dir, Access::Owner)?.dir(FOLDER)?;
    let text = format!("{FORM}\n{session_id}\n{}\n", clock::now_rfc3339());
    atomic::replace(&dir, ".mark-", &dir, session, text.as_bytes())
}

fn path_of(store_dir: &Path, session: &str) -> PathBuf {
    store_dir.join(FOLDER).join(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stays_and_own_sessions_get_none() {
        let folder = std::env::temp_dir().join(format!("hydrant-downloaded-{}", std::process::id()));
        assert!(!is_marked(&folder, "theirs"));
        mark(&folder, "theirs", "ses_1").expect("a temp folder");
        mark(&folder, "theirs", "ses_1").expect("twice is once");
        let notes = remembered::Notes { session_id: "ses_2".into(), ..remembered::Notes::default() };
        remembered::save(&folder, "own", &notes).expect("a temp folder");
        mark(&folder, "own", "ses_2").expect("nothing to do");
        assert!(is_marked(&folder, "theirs") && !is_marked(&folder, "own"));
        std::fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
