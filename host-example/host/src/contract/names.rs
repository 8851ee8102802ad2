//! Names and limits of the engine that this host needs where there is no engine at hand. A test asks the engine.

/// Folder of a ledger that holds the sessions.
pub const SESSIONS: &str = "sessions";
/// Name of a session's manifest, in the session's folder.
pub const MANIFEST: &str = "meta.json";
/// Name of a session's transcript, beside it.
pub const TRANSCRIPT: &str = "raw.jsonl";
/// The manifests of all sessions, as git matches paths.
pub(crate) const MANIFESTS: &str = ":(glob)sessions/*/meta.json";
/// A pointer is shorter than this many bytes.
pub const POINTER_BYTES_LIMIT: usize = 1024;
/// How every pointer begins that this project writes.
pub(crate) const POINTER_START: &[u8] = b"version https://git-lfs.github.com/spec/v1";
/// Git's filter that gives the files of which any could be a pointer.
pub(crate) const SMALL_FILES: &str = "--filter=blob:limit=1024";
/// Bytes of a chunk at most.
pub(crate) const CHUNK_BYTES_MAX: usize = 256 << 10;

/// What follows `sessions/` in a path of the repository.
pub(crate) fn in_sessions(path: &str) -> Option<&str> {
    path.strip_prefix(SESSIONS)?.strip_prefix('/')
}

/// The session whose folder a path leads into; none of an asset.
pub(crate) fn session_of(path: &str) -> Option<&str> {
    in_sessions(path)?.split_once('/').map(|(session, _)| session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    #[test]
    fn a_session_is_a_folder_beneath_the_one_of_the_sessions() {
        for path in ["sessions/a/x", "sessions/a/b/x", "sessions/a/meta.json", "sessions/a/"] {
            assert_eq!(session_of(path), Some("a"), "{path}");
        }
        for path in [
            "",
            "x",
            "sessions",
            "sessions/x",
            "sessions.bin",
            "sessions-a/b/x",
            "app/sessions/a/x",
            "media/a.bin",
            "sessions/a.bin",
        ] {
            assert_eq!(session_of(path), None, "{path}");
        }
    }

    #[test]
    fn they_are_those_of_the_engine() {
        let mut guest = Engine::load().and_then(|engine| engine.guest()).expect("an engine");
        let names = guest.names().expect("names");
        assert_eq!((&*names.sessions, &*names.manifest, &*names.transcript), (SESSIONS, MANIFEST, TRANSCRIPT));
        assert_eq!(MANIFESTS, format!(":(glob){SESSIONS}/*/{MANIFEST}"));
        let limits = guest.limits().expect("limits");
        assert_eq!(limits.pointer_bytes_below as usize, POINTER_BYTES_LIMIT);
        assert_eq!(limits.chunk_bytes_max as usize, CHUNK_BYTES_MAX);
        assert_eq!(SMALL_FILES, format!("--filter=blob:limit={POINTER_BYTES_LIMIT}"));
    }
}
