//! Pointer text: what a file is, judged alone and as one of many.

use super::fields::{self, meets, word};
use crate::engine::{Engine, Sample};
use hydrant_lfs::git_lfs::pointer::{Extension, Kind};
use serde_json::{Value, json};

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let bytes = match word(vector, "input") {
        Some(text) => text.as_bytes().to_vec(),
        None => fields::base64(vector, "input_b64")?,
    };
    let sample = Sample::of(&bytes);
    let kind = engine.classify(&sample);
    let many = engine.classify_many(&[sample.clone(), Sample::of(b"content"), sample.clone()]);
    if many.first() != Some(&kind) || many.last() != Some(&kind) || many.len() != 3 {
        return Err("one file of many is judged otherwise than alone".to_owned());
    }
    let actual = match &kind {
        Kind::Pointer(it) => {
            let extension = |it: &Extension| {
                let oid = it.oid.to_string();
                json!({"priority": it.priority, "name": it.name, "oid": oid})
            };
            let extensions: Vec<Value> = it.extensions.iter().map(extension).collect();
            let (oid, size) = (it.blob.oid.to_string(), it.blob.size);
            json!({"ok": {"oid": oid, "size": size, "canonical": it.canonical, "extensions": extensions}})
        }
        Kind::Content(it) => json!({"error": it.flaw.name(), "class": "not-a-pointer"}),
        Kind::Malformed(it) => json!({"error": it.flaw.name(), "class": "malformed"}),
    };
    let expect = fields::expect(vector)?;
    match (expect.get("ok").and_then(Value::as_object), actual.get("ok")) {
        (Some(expected), Some(got)) => meets(expected, got)?,
        _ => meets(expect, &actual)?,
    }
    let strict = matches!(&kind, Kind::Pointer(it) if it.canonical);
    match vector.get("strict_accept").and_then(Value::as_bool) {
        Some(expected) if expected != strict => Err(format!("strict_accept: expected {expected}, got {strict}")),
        _ => closes_the_door(engine, &sample, &kind),
    }
}

/// What is a pointer or a broken one is never uploaded as content; the empty file is both and may be.
fn closes_the_door(engine: &dyn Engine, sample: &Sample, kind: &Kind) -> Result<(), String> {
    let shaped = engine.pointer_shaped(sample);
    let must = sample.file_size > 0 && !matches!(kind, Kind::Content(_));
    if must && !shaped {
        return Err("it could be uploaded as content".to_owned());
    }
    match kind {
        Kind::Pointer(_) => Ok(()),
        Kind::Content(finding) | Kind::Malformed(finding)
            if engine.explain(*finding).starts_with("not a pointer: ") =>
        {
            Ok(())
        }
        _ => Err("its finding has no sentence".to_owned()),
    }
}
