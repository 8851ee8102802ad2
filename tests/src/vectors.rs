//! The judge of conformance vectors: a file in, a verdict for each vector out.
//!
//! What a pure function answers is asked of that function. What a client decides (retry, wait, split, give up, follow,
//! resume) is asked of a running operation: a scripted host plays the server and looks at the next step. Reading is
//! tolerant, judging is strict: a section, an expectation or a word that no judge knows is a failure, never a pass.

mod backoff;
mod batch;
mod clock;
mod endpoint;
mod expiry;
mod fields;
mod locks;
mod pointer;
mod redirect;
mod requests;
mod resume;
mod retry_after;
mod scripted;
mod transfer_status;

use crate::engine::Engine;
use serde_json::Value;
use std::collections::BTreeMap;

/// The format of vector files that is known here.
const FORMAT: u64 = 1;
/// The committed vectors.
pub const COMMITTED: &str = include_str!("../vectors/lfs-vectors.json");
/// Advisory vectors that hydrant answers otherwise, and why: a name and a sentence a line.
const ADVISORY: &str = include_str!("../vectors/advisory.txt");

/// Judges one vector of a section.
type Judge = fn(&dyn Engine, &Value) -> Result<(), String>;

/// Every section of a file and its judge.
const SECTIONS: [(&str, Judge); 11] = [
    ("pointer", pointer::judge),
    ("batch", batch::judge),
    ("endpoint", endpoint::judge),
    ("expiry", expiry::judge),
    ("backoff", backoff::judge),
    ("retry_after", retry_after::judge),
    ("transfer_status", transfer_status::judge),
    ("resume", resume::judge),
    ("redirect", redirect::judge),
    ("requests", requests::judge),
    ("locks", locks::judge),
];

/// What became of the vectors of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Vectors answered as expected, with those that may differ.
    pub passed: usize,
    /// Name and difference.
    pub failed: Vec<(String, String)>,
    /// Name and reason of the advisory vectors that differ as the committed list says.
    pub excused: Vec<(String, String)>,
}

/// Judges every vector of a file. `Err` when the text is no such file at all.
pub fn judge(engine: &dyn Engine, text: &str) -> Result<Verdicts, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| format!("the file is not JSON: {error}"))?;
    let file = file.as_object().ok_or("the file is not a JSON object")?;
    if file.get("format").is_some_and(|format| format.as_u64() != Some(FORMAT)) {
        return Err(format!("the file's format is not {FORMAT}"));
    }
    let advisory = advisory()?;
    let mut verdicts = Verdicts::default();
    for (section, vectors) in file.iter().filter_map(|(section, value)| Some((section, value.as_array()?))) {
        let Some((_, judge)) = SECTIONS.iter().find(|(known, _)| known == section) else {
            verdicts.failed.push((section.clone(), "no judge knows this section".to_owned()));
            continue;
        };
        for (at, vector) in vectors.iter().enumerate() {
            let name = name(section, at, vector);
            let may_differ = vector.get("advisory").and_then(Value::as_bool) == Some(true);
            match (judge(engine, vector), advisory.get(name.as_str())) {
                (Ok(()), _) => verdicts.passed += 1,
                (Err(_), Some(reason)) if may_differ => {
                    verdicts.passed += 1;
                    verdicts.excused.push((name, (*reason).to_owned()));
                }
                (Err(difference), _) => verdicts.failed.push((name, difference)),
            }
        }
    }
    if verdicts.passed == 0 && verdicts.failed.is_empty() {
        return Err("the file holds no vectors".to_owned());
    }
    Ok(verdicts)
}

/// The committed list of advisory vectors that may differ.
pub fn advisory() -> Result<BTreeMap<&'static str, &'static str>, String> {
    let lines = ADVISORY.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').ok_or_else(|| format!("the advisory list gives no reason: {line}"))).collect()
}

/// What a vector is called in reports: its section and its name, or what it has instead of one.
fn name(section: &str, at: usize, vector: &Value) -> String {
    let word = |key: &str| match vector.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let words: Vec<String> = match word("name") {
        Some(name) => vec![name],
        None => ["method", "status", "header", "retry_number", "max_retry_delay_s"]
            .iter()
            .filter_map(|key| word(key))
            .collect(),
    };
    if words.is_empty() { format!("{section}/{at}") } else { format!("{section}/{}", words.join("-")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Native;

    fn verdicts(text: &str) -> Verdicts {
        judge(&Native, text).expect("a file of vectors")
    }

    #[test]
    fn what_no_judge_knows_is_a_failure() {
        assert_eq!(verdicts(r#"{"novelty": [{}]}"#).failed.len(), 1);
        assert_eq!(
            verdicts(r#"{"transfer_status": [{"method": "GET", "status": 200, "expect": "dance"}]}"#).failed.len(),
            1
        );
        assert_eq!(verdicts(r#"{"pointer": [{"name": "x", "input": "x", "expect": {"perhaps": 1}}]}"#).failed.len(), 1);
        assert!(judge(&Native, r#"{"format": 2, "pointer": []}"#).is_err());
        assert!(judge(&Native, r#"{"format": 1}"#).is_err());
        assert!(judge(&Native, "[").is_err());
    }

    #[test]
    fn a_wrong_expectation_is_seen_in_every_section() {
        for wrong in [
            r#"{"pointer": [{"name": "x", "input": "x", "expect": {"error": "bad-oid", "class": "malformed"}}]}"#,
            r#"{"retry_after": [{"header": "7", "expect": {"parsed": true, "delay_ms": 7001, "wait": true}}]}"#,
            r#"{"retry_after": [{"header": "7", "max_retry_time_s": 6, "expect": {"wait": true}}]}"#,
            r#"{"backoff": [{"retry_number": 2, "max_retry_delay_s": 10, "expect_delay_ms": 1000}]}"#,
            r#"{"transfer_status": [{"method": "GET", "status": 404, "expect": "retry"}]}"#,
            r#"{"transfer_status": [{"method": "PUT", "status": 503, "expect": "final"}]}"#,
            r#"{"transfer_status": [{"method": "VERIFY", "status": 422, "expect": "ok"}]}"#,
            r#"{"transfer_status": [{"method": "VERIFY", "status": 401, "expect": "final"}]}"#,
            r#"{"transfer_status": [{"method": "GET", "status": 500, "expect": "re-batch"}]}"#,
            r#"{"resume": [{"name": "x", "have": 4, "size": 9, "response": null, "expect": {"range": null}}]}"#,
            r#"{"resume": [{"have": 4, "size": 9, "response": {"status": 200}, "expect": {"action": "append"}}]}"#,
            r#"{"locks": [{"call": "verify", "status": 501, "body": {}, "expect": {"ours": [], "theirs": []}}]}"#,
            r#"{"endpoint": [{"operation": "upload", "config": {"lfs.url": "https://a"}, "expect": {"url": ""}}]}"#,
        ] {
            let verdicts = verdicts(wrong);
            assert_eq!((verdicts.passed, verdicts.failed.len()), (0, 1), "{wrong}");
        }
    }
}
