//! `hydrant pointer check` beside `git lfs pointer --check --strict`, on every pointer the project has: the fixtures
//! and the vectors. The exit codes must be equal, except where a vector says why they are not.

use super::Ground;
use super::exchange::hydrant;
use crate::failure::{Because, Failure, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A text, and whether a difference is meant.
struct Case {
    name: String,
    bytes: Vec<u8>,
    differs: bool,
}

/// Compares every case; names each that disagrees.
pub(crate) fn agree(ground: &Ground<'_>) -> Result<String> {
    let tests = ground.workspace.root.join("tests");
    let mut cases = vectors(&tests.join("vectors/lfs-vectors.json"))?;
    for folder in ["fixtures/pointers", "fixtures/pointers/edge", "fixtures/content"] {
        cases.extend(files(&tests.join(folder))?);
    }
    let (mut disagree, mut meant) = (Vec::new(), 0);
    for case in &cases {
        let path = ground.scratch.join("pointer");
        fs::write(&path, &case.bytes).because("a pointer cannot be written")?;
        let theirs = code(Command::new("git").args(["lfs", "pointer", "--check", "--strict", "--file"]).arg(&path))?;
        let ours = code(hydrant(ground).args(["pointer", "check"]).arg(&path))?;
        if ours == theirs {
            continue;
        }
        if case.differs {
            meant += 1;
        } else {
            disagree.push(format!("{} (hydrant {ours}, git-lfs {theirs})", case.name));
        }
    }
    if disagree.is_empty() {
        return Ok(format!("{} of {} agree, {meant} differ on purpose", cases.len() - meant, cases.len()));
    }
    ground.fail(format!("{} of {} disagree: {}", disagree.len(), cases.len(), disagree.join(", ")))
}

fn code(command: &mut Command) -> Result<i32> {
    let name = command.get_program().display().to_string();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.because(&name)?.code().ok_or_else(|| Failure::new(format!("{name} was killed")))
}

fn vectors(path: &Path) -> Result<Vec<Case>> {
    let text = fs::read_to_string(path).because("the vectors cannot be read")?;
    let vectors: Value = serde_json::from_str(&text).because("the vectors are not JSON")?;
    let list = vectors["pointer"].as_array().ok_or_else(|| Failure::new("the vectors hold no pointers"))?;
    let case = |vector: &Value| {
        let bytes = match (vector["input"].as_str(), vector["input_b64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(text)) => base64(text)?,
            (None, None) => return None,
        };
        let name = vector["name"].as_str()?.to_owned();
        Some(Case { name, bytes, differs: !vector["divergence"].is_null() })
    };
    list.iter().map(|vector| case(vector).ok_or_else(|| Failure::new("a vector has no name or no input"))).collect()
}

fn files(folder: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).because("the fixtures cannot be listed")?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let bytes = fs::read(entry.path()).because("a fixture cannot be read")?;
            cases.push(Case { name: entry.file_name().to_string_lossy().into_owned(), bytes, differs: false });
        }
    }
    Ok(cases)
}

/// Standard base64; none when a character does not belong.
fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == c)?;
        held = (held << 6 | value as u32) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_to_the_last_byte() {
        assert_eq!(base64("aGVsbG8gd29ybGQ=").as_deref(), Some(&b"hello world"[..]));
        assert_eq!(base64("AP8Q").as_deref(), Some(&[0, 255, 16][..]));
        assert_eq!(base64("a b"), None);
    }
}
