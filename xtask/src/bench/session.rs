//! The sessions that are published: files of one size, one of which is a transcript, always the same.

use super::data::{Blob, blob_of, once, write_random};
use super::ground::Ground;
use crate::failure::{Because, Failure, Result};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The name of the session.
pub(super) const SESSION: &str = "2026-05-04T09-30-mina-OxBnch";
/// A session without one is no session.
const TRANSCRIPT: &str = "raw.jsonl";
/// Words of an entry: enough that a transcript has as many lines for its length as real ones.
const ENTRY_CHARS: usize = 600;

/// Files of one session.
pub(super) struct SessionSet {
    name: &'static str,
    files: u64,
    bytes: u64,
}

/// Many small files.
pub(super) const SMALL: SessionSet = SessionSet { name: "session-small", files: 2_000, bytes: 8 << 10 };
/// A few of middling size.
pub(super) const MEDIUM: SessionSet = SessionSet { name: "session-medium", files: 20, bytes: 20_000_000 };

/// A session on the disk.
pub(super) struct Session {
    folder: PathBuf,
    /// Name and content of every file.
    pub(super) files: Vec<(String, Blob)>,
}

impl SessionSet {
    /// The session, made now unless it is there.
    pub(super) fn session(&self, ground: &Ground) -> Result<Session> {
        let (files, bytes) = (self.files, self.bytes);
        let folder = once(ground, self.name, &format!("a session of {files} files of {bytes} bytes"), |folder| {
            write_transcript(&folder.join(TRANSCRIPT), bytes).because("the transcript cannot be written")?;
            (1..files).try_for_each(|number| {
                write_random(&folder.join(format!("part-{number:04}.bin")), bytes, (files << 32) + number).map(drop)
            })
        })?;
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).because("the session cannot be read")? {
            let name = entry.because("the session cannot be read")?.file_name().to_string_lossy().into_owned();
            let blob = blob_of(&folder.join(&name))?;
            files.push((name, blob));
        }
        files.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(Session { folder, files })
    }
}

impl Session {
    /// Copies every file: what a client swaps or links must never be the data itself.
    pub(super) fn copy_to(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).because("the session's folder cannot be made")?;
        self.files.iter().try_for_each(|(name, _)| {
            let copied = fs::copy(self.folder.join(name), folder.join(name));
            copied.map(drop).because("the session cannot be copied")
        })
    }

    /// Every content file's name, as one setting.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|(name, _)| name.as_str()).collect();
        names.join(",")
    }
}

/// A header, entries up to this length, and a footer that counts them.
fn write_transcript(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let header = concat!(
        r#"{"type":"header","metadata":{"version":"1.0","created_at":"2026-05-04T09:30:00Z","#,
        r#""agent_id":"OxBnch","agent_type":"claude-code","username":"mina"}}"#
    );
    writeln!(out, "{header}")?;
    let content: String = "the upload keeps its place after a lost line and goes on from there; "
        .chars()
        .cycle()
        .take(ENTRY_CHARS)
        .collect();
    let (mut written, mut entries) = (header.len() as u64, 0_u64);
    while written < bytes {
        entries += 1;
        let kind = ["user", "assistant", "tool"][(entries % 3) as usize];
        let (minute, second) = (entries / 60 % 60, entries % 60);
        let time = format!("2026-05-04T10:{minute:02}:{second:02}Z");
        let line = format!(r#"{{"type":"{kind}","content":"{content}","seq":{entries},"timestamp":"{time}"}}"#);
        writeln!(out, "{line}")?;
        written += line.len() as u64 + 1;
    }
    writeln!(out, r#"{{"type":"footer","entry_count":{entries},"closed_at":"2026-05-04T12:00:00Z"}}"#)?;
    out.flush()
}

/// The oid and size that a pointer names.
pub(super) fn read_pointer(text: &str) -> Result<Blob> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let blob = value("oid sha256:").and_then(|oid| {
        let size = value("size ")?.parse().ok()?;
        Some(Blob { oid: oid.to_owned(), size })
    });
    blob.ok_or_else(|| Failure::new("the remote holds something else than a pointer"))
}

#[cfg(test)]
mod tests {
    use super::super::transfer::pointer;
    use super::*;

    #[test]
    fn a_transcript_is_json_of_about_the_length() {
        let path = std::env::temp_dir().join(format!("hydrant-bench-transcript-{}", std::process::id()));
        write_transcript(&path, 8 << 10).expect("temp file");
        let text = fs::read_to_string(&path).expect("just written");
        fs::remove_file(&path).expect("it can be removed");
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON");
        }
        assert!((8 << 10..10 << 10).contains(&text.len()), "{} bytes", text.len());
    }

    #[test]
    fn pointers_are_read_and_content_is_not() {
        let oid = "ab".repeat(32);
        assert_eq!(read_pointer(&pointer(&oid, 7)).expect("a pointer"), Blob { oid, size: 7 });
        assert!(read_pointer("content\n").is_err());
    }
}
