//! A ledger with a remote, one session to publish, and everything that must survive it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hydrant_host::files::digest::blob_of;

use crate::scene::{Scene, noise};

pub const SESSION: &str = "2026-05-04T09-30-mina-OxQ7wd";

/// A user's clone of a ledger, the bare remote and the folder the session was recorded in.
pub struct World {
    pub scene: Scene,
    pub clone: PathBuf,
    pub remote: PathBuf,
    /// Content that is published from outside the work tree.
    pub recording: PathBuf,
    /// Everything that was ever content of the session, by name.
    pub content: BTreeMap<String, Vec<u8>>,
}

/// The transcript of a session with so many entries.
pub fn transcript(entries: usize) -> Vec<u8> {
    let mut text = String::from("{\"type\":\"header\",\"metadata\":{\"version\":\"1.0\"}}\n");
    for entry in 1..=entries {
        text += &format!("{{\"type\":\"user\",\"content\":\"words of entry {entry}\",\"seq\":{entry}}}\n");
    }
    (text + "{\"type\":\"footer\"}\n").into_bytes()
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Two files stand in place, and `summary.json` for git; the ledger holds another session and a file of the user's.
    pub fn new() -> Self {
        let scene = Scene::new();
        let remote = scene.path("remote.git");
        scene.git(&scene.folder, &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        scene.file("clone/notes.txt", b"one\n");
        scene.file("clone/sessions/other/meta.json", b"{\"session_id\": \"ses_other\", \"files\": {}}");
        let clone = scene.repository("clone");
        let world = Self { recording: scene.path("recording"), clone, remote, content: BTreeMap::new(), scene };
        world.git(&["config", "lfs.url", &world.scene.url()]);
        world.git(&["remote", "add", "origin", world.remote.to_str().expect("text")]);
        world.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        world
    }

    /// Puts content in the session's own folder.
    pub fn in_place(&mut self, name: &str, bytes: Vec<u8>) {
        self.scene.file(&format!("clone/sessions/{SESSION}/{name}"), &bytes);
        self.content.insert(name.to_owned(), bytes);
    }

    /// The usual session: a transcript, a blob, an empty file, a summary for git.
    pub fn record(&mut self) {
        self.in_place("raw.jsonl", transcript(40));
        self.in_place("session.md", noise(30_000, 5));
        self.in_place("plan.md", Vec::new());
        self.in_place("summary.json", b"{\"title\": \"x\"}".to_vec());
    }

    /// The journal of a publish that was interrupted when it had sent these bytes, and perhaps more.
    pub fn intend(&self, bytes: &[u8]) -> PathBuf {
        let text = format!("{{\"version\": 1, \"intended\": [[\"{}\", {}]]}}", blob_of(bytes).oid, bytes.len());
        self.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), text.as_bytes())
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.scene.git(&self.clone, arguments)
    }

    pub fn session_folder(&self) -> PathBuf {
        self.clone.join("sessions").join(SESSION)
    }

    /// Where hydrant keeps its state: beside the objects that all work trees share. Git is not asked, because the
    /// matrix would ask it a thousand times.
    pub fn state(&self) -> PathBuf {
        let git = self.clone.join(".git");
        let Ok(link) = fs::read_to_string(&git) else { return git.join("hydrant") };
        let git = Path::new(link.trim_start_matches("gitdir: ").trim());
        let common = fs::read_to_string(git.join("commondir")).unwrap_or_default();
        git.join(common.trim()).join("hydrant")
    }

    /// What the remote's branch holds under a path.
    pub fn remote_file(&self, path: &str) -> Option<Vec<u8>> {
        let output =
            self.scene.program("git", &self.remote).args(["cat-file", "blob", &format!("main:{path}")]).output();
        let output = output.expect("git runs");
        output.status.success().then_some(output.stdout)
    }

    /// What the LFS server holds under an oid.
    pub fn server_blob(&self, oid: &str) -> Option<Vec<u8>> {
        find(&self.scene.path("server"), oid).and_then(|path| fs::read(path).ok())
    }
}

/// The first file of this name below a folder.
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name) {
                return Some(found);
            }
        } else if entry.file_name() == name {
            return Some(path);
        }
    }
    None
}

/// The bytes of every regular file below a folder.
pub fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all.extend(files(&path));
        } else if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            all.push(fs::read(&path).unwrap_or_default());
        }
    }
    all
}
