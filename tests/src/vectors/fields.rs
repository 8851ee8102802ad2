//! Reading a vector: each field by its key, with a sentence when it is not what it should be.

use super::clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::{Head, Header};
use hydrant_lfs::text::oid::{Blob, Oid};
use serde_json::{Map, Value};

/// A text that must be there.
pub(super) fn text<'a>(vector: &'a Value, key: &str) -> Result<&'a str, String> {
    vector.get(key).and_then(Value::as_str).ok_or_else(|| format!("the vector has no text {key}"))
}

/// A text that may be there.
pub(super) fn word<'a>(vector: &'a Value, key: &str) -> Option<&'a str> {
    vector.get(key).and_then(Value::as_str)
}

/// A number that must be there.
pub(super) fn number(vector: &Value, key: &str) -> Result<u64, String> {
    vector.get(key).and_then(Value::as_u64).ok_or_else(|| format!("the vector has no number {key}"))
}

/// An HTTP status that must be there.
pub(super) fn status(vector: &Value) -> Result<u16, String> {
    u16::try_from(number(vector, "status")?).map_err(|_| "the status is no status".to_owned())
}

/// A moment in milliseconds since 1970; without the key, the moment most vectors have.
pub(super) fn moment(vector: &Value, key: &str) -> Result<u64, String> {
    match word(vector, key) {
        None => Ok(clock::NOON),
        Some(date) => clock::parse(date).ok_or_else(|| format!("{key} is no date: {date}")),
    }
}

/// `download` or `upload`.
pub(super) fn direction(vector: &Value) -> Result<Direction, String> {
    match text(vector, "operation")? {
        "download" => Ok(Direction::Download),
        "upload" => Ok(Direction::Upload),
        other => Err(format!("no judge knows the operation {other}")),
    }
}

/// A list of `{oid, size}`.
pub(super) fn blobs(list: Option<&Value>) -> Result<Vec<Blob>, String> {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().map(blob).collect()
}

/// `{oid, size}`.
pub(super) fn blob(value: &Value) -> Result<Blob, String> {
    let oid = Oid::parse(text(value, "oid")?).ok_or("the vector asks about an oid that is none")?;
    Ok(Blob { oid, size: number(value, "size")? })
}

/// A list of texts that may be there.
pub(super) fn words(list: Option<&Value>) -> Option<Vec<String>> {
    list?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Status and headers of an answer. A header with several values is a list.
pub(super) fn head(vector: &Value) -> Result<Head, String> {
    Ok(Head { status: status(vector)?, headers: headers(vector.get("headers"))? })
}

/// Headers, as an object of name and value.
pub(super) fn headers(map: Option<&Value>) -> Result<Vec<Header>, String> {
    let mut headers = Vec::new();
    for (name, value) in map.and_then(Value::as_object).into_iter().flatten() {
        let values = match value {
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        for value in values {
            let value = value.as_str().ok_or_else(|| format!("the header {name} is no text"))?;
            headers.push(Header::new(name, value));
        }
    }
    Ok(headers)
}

/// The bytes of an answer: `body` is JSON, `body_text` is raw, `body_b64` is neither.
pub(super) fn body(vector: &Value) -> Result<Vec<u8>, String> {
    if let Some(raw) = word(vector, "body_text") {
        return Ok(raw.as_bytes().to_vec());
    }
    if vector.get("body_b64").is_some() {
        return base64(vector, "body_b64");
    }
    Ok(vector.get("body").map(|body| body.to_string().into_bytes()).unwrap_or_default())
}

/// Base64 bytes.
pub(super) fn base64(vector: &Value, key: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text(vector, key)?).map_err(|error| format!("{key} is not base64: {error}"))
}

/// Every expectation must be met: a key that `actual` lacks is one that no judge knows.
pub(super) fn meets(expect: &Map<String, Value>, actual: &Value) -> Result<(), String> {
    for (key, expected) in expect {
        match actual.get(key) {
            None => return Err(format!("{key}: expected {expected}, got {actual}")),
            Some(got) if got != expected => return Err(format!("{key}: expected {expected}, got {got}")),
            Some(_) => {}
        }
    }
    Ok(())
}

/// The vector's expectations, as an object.
pub(super) fn expect(vector: &Value) -> Result<&Map<String, Value>, String> {
    vector.get("expect").and_then(Value::as_object).ok_or_else(|| "the vector expects nothing".to_owned())
}
