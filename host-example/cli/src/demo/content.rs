//! A made-up agent session: the same bytes for the same seed, in the shape that a recorder writes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Name of the session's folder.
pub(crate) const SESSION: &str = "2026-05-04T09-30-mina-OxQ7wd";
/// An older session, from before content was moved out of git.
pub(crate) const OLDER_SESSION: &str = "2025-11-18T14-05-mina-OxK2fa";
/// Records of the transcript between its header and its footer.
pub(crate) const ENTRIES: u64 = 22_000;
/// Bytes of the large attachment.
pub(crate) const ATTACHMENT_BYTES: u64 = 56 * 1024 * 1024;
/// Name of the large attachment.
pub(crate) const ATTACHMENT: &str = "workspace.tar";

const SEED: u64 = 0x6879_6472_616e_7431;
const REPO_ID: &str = "repo_0196a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b";

/// What the session's manifest says besides its id, its time, its files and how many entries it has.
pub(crate) const FIELDS: [(&str, &str); 9] = [
    ("username", "mina"),
    ("user_id", "usr_0196a1b2"),
    ("agent_id", "OxQ7wd"),
    ("agent_type", "claude-code"),
    ("model", "model-x"),
    ("title", "Make uploads survive a lost connection"),
    ("summary", "Uploads now resume where they broke, and a test cuts the line at every step."),
    ("stop_reason", "stopped"),
    ("repo_id", REPO_ID),
];

/// What the older session's manifest says besides its files.
pub(crate) const OLDER_META_HEAD: &str = r#"  "version": "1.0",
  "session_name": "2025-11-18T14-05-mina-OxK2fa",
  "username": "mina",
  "agent_id": "OxK2fa",
  "agent_type": "claude-code",
  "title": "Sort the importer's errors",
  "created_at": "2025-11-18T14:05:00Z",
  "entry_count": 40,
  "repo_id": "repo_0196a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b","#;

/// Kept in git as it is.
const SUMMARY_JSON: &str = r#"{
  "title": "Make uploads survive a lost connection",
  "summary": "Uploads now resume where they broke, and a test cuts the line at every step."
}"#;

/// Writes the files of the session, as they lie on the recorder's machine.
pub(crate) fn write_session(folder: &Path) -> io::Result<()> {
    let mut random = Random(SEED);
    write_transcript(&folder.join("raw.jsonl"), ENTRIES, "OxQ7wd", "2026-05-04", &mut random)?;
    write_attachment(&folder.join(ATTACHMENT), &mut random)?;
    std::fs::write(folder.join("context-trace.jsonl"), b"")?;
    std::fs::write(folder.join("summary.json"), SUMMARY_JSON)?;
    std::fs::write(folder.join("summary.md"), markdown("Make uploads survive a lost connection", 30, &mut random))?;
    std::fs::write(folder.join("session.md"), markdown("Session", 4000, &mut random))
}

/// Writes the files of the older session, small ones.
pub(crate) fn write_older_session(folder: &Path) -> io::Result<()> {
    let mut random = Random(SEED ^ 1);
    write_transcript(&folder.join("raw.jsonl"), 40, "OxK2fa", "2025-11-18", &mut random)?;
    std::fs::write(folder.join("session.md"), markdown("Sort the importer's errors", 20, &mut random))
}

fn write_transcript(path: &Path, entries: u64, agent: &str, day: &str, random: &mut Random) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    write!(out, r#"{{"type":"header","metadata":{{"version":"1.0","created_at":"{day}T09:30:00Z","#)?;
    write!(out, r#""agent_id":"{agent}","agent_type":"claude-code","agent_version":"2.4.1","model":"model-x","#)?;
    writeln!(out, r#""username":"mina","repo_id":"{REPO_ID}"}}}}"#)?;
    let mut text = String::new();
    for seq in 1..=entries {
        let (kind, words) = match seq % 11 {
            1 => ("user", 12 + random.below(40)),
            2 | 5 | 8 => ("assistant", 40 + random.below(220)),
            10 => ("system", 8 + random.below(16)),
            _ => ("tool", 60 + random.below(360)),
        };
        text.clear();
        random.prose(words, &mut text);
        let second = seq * 2;
        let (hour, minute, second) = (9 + second / 3600 % 15, second / 60 % 60, second % 60);
        let time = format!("{day}T{hour:02}:{minute:02}:{second:02}Z");
        writeln!(out, r#"{{"type":"{kind}","content":"{text}","seq":{seq},"timestamp":"{time}"}}"#)?;
    }
    writeln!(out, r#"{{"type":"footer","entry_count":{entries},"closed_at":"{day}T23:59:59Z"}}"#)?;
    out.flush()
}

/// Bytes that no compression could shorten, as archives and recordings are.
fn write_attachment(path: &Path, random: &mut Random) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut block = vec![0u8; 1 << 20];
    let mut left = ATTACHMENT_BYTES;
    while left > 0 {
        for word in block.chunks_exact_mut(8) {
            word.copy_from_slice(&random.next().to_le_bytes());
        }
        let length = left.min(block.len() as u64);
        // The block is 1 MiB, so the length fits.
        file.write_all(&block[..length as usize])?;
        left -= length;
    }
    Ok(())
}

fn markdown(title: &str, paragraphs: u64, random: &mut Random) -> String {
    let mut text = format!("# {title}\n");
    for _ in 0..paragraphs {
        text.push('\n');
        let words = 20 + random.below(60);
        random.prose(words, &mut text);
        text.push('\n');
    }
    text
}

/// SplitMix64: small, even enough for made-up content, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn prose(&mut self, words: u64, text: &mut String) {
        for at in 0..words {
            if at > 0 {
                text.push(' ');
            }
            let word = WORDS[(self.next() % WORDS.len() as u64) as usize];
            text.push_str(word);
        }
    }
}

const WORDS: [&str; 64] = [
    "the",
    "upload",
    "keeps",
    "its",
    "place",
    "after",
    "a",
    "lost",
    "line",
    "and",
    "goes",
    "on",
    "from",
    "byte",
    "we",
    "read",
    "file",
    "again",
    "test",
    "fails",
    "when",
    "server",
    "answers",
    "late",
    "so",
    "retry",
    "with",
    "range",
    "header",
    "if",
    "digest",
    "differs",
    "drop",
    "part",
    "then",
    "ask",
    "once",
    "more",
    "cargo",
    "check",
    "passes",
    "now",
    "let",
    "me",
    "look",
    "at",
    "journal",
    "entry",
    "before",
    "push",
    "branch",
    "moves",
    "only",
    "once",
    "confirmed",
    "src/transfer.rs:214",
    "fn resume()",
    "=> ok",
    "0 errors",
    "grep -n offset",
    "exit 0",
    "stat",
    "diff",
    "done.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_large_enough_and_always_the_same() {
        let folder = std::env::temp_dir().join(format!("hydrant-content-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temp folder");
        let transcript = folder.join("raw.jsonl");
        write_transcript(&transcript, ENTRIES, "OxQ7wd", "2026-05-04", &mut Random(SEED)).expect("temp file");
        let first = std::fs::read(&transcript).expect("just written");
        write_transcript(&transcript, ENTRIES, "OxQ7wd", "2026-05-04", &mut Random(SEED)).expect("temp file");
        assert!(first == std::fs::read(&transcript).expect("just written"));
        assert!(first.len() >= 20_000_000, "{} bytes", first.len());
        assert_eq!(first.iter().filter(|byte| **byte == b'\n').count() as u64, ENTRIES + 2);
        for line in first.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            serde_json::from_slice::<serde_json::Value>(line).expect("every line is JSON");
        }
        std::fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
