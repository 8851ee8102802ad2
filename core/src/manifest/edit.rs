//! Changes of single fields: the value's bytes are replaced, or a member put in or taken out, and nothing else moves.
//!
//! New members take the place that their field has in the schema, and the look of their neighbours, so that two
//! programs that make the same change write the same bytes.

use super::{ENTRY, Field, Manifest, SCHEMA, Storage, guard, malformed, root};
use crate::error::{Code, Error, quote};
use crate::json::{Member, Value, quoted};
use crate::name;
use crate::upload::Receipt;
use std::ops::Range;

/// Fields that are never changed once written: ids never rotate, names never move, entries need proof.
const FIXED: [&str; 10] = [
    "version",
    "session_name",
    "user_id",
    "agent_id",
    "session_id",
    "continued_from_session_id",
    "created_at",
    "repo_id",
    "files",
    "username",
];
/// Bytes of `stop_detail`, as its other writer bounds it.
const STOP_DETAIL_BYTES_MAX: usize = 512;

/// A change of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a text field; the empty text removes it, because empty fields are not written.
    Text(String, String),
    /// Sets a counter; 0 removes it.
    Number(String, u64),
    /// Removes a field.
    Clear(String),
}

/// The same text with some fields changed. Refused when the result would show users what they must not see.
pub fn edit(text: &[u8], changes: &[Change]) -> Result<Vec<u8>, Error> {
    let mut text = text.to_vec();
    for change in changes {
        text = one(&text, change)?;
    }
    check(&text)?;
    Ok(text)
}

/// Sets the entry of a file from the proof that its blob is on the server. Other members of the entry stay.
pub fn record(text: &[u8], name: &str, receipt: Receipt) -> Result<Vec<u8>, Error> {
    if let Some(flaw) = name::flaw(name) {
        return Err(malformed(format!("the file \"{}\" cannot be named so: {flaw}", quote(name))));
    }
    let manifest = Manifest::parse(text)?;
    let existing = manifest.files().iter().find(|file| file.name == name);
    if existing.is_some_and(|file| file.storage != Storage::Lfs) {
        return Err(Error::new(Code::Conflict, format!("the manifest says that {name} is not stored out of band")));
    }
    let blob = receipt.blob();
    // An entry that cannot be used is not ours to repair: what it meant is unknown.
    if let Some(flaw) = existing.and_then(|file| file.flaw.as_ref()) {
        return Err(flaw.clone());
    }
    let (oid, size) = (format!("\"sha256:{}\"", blob.oid), blob.size.to_string());
    let mut text = if root(text)?.get("files").is_some() { text.to_vec() } else { set_field(text, "files", "{}")? };
    if existing.is_none() {
        let value = object(&[("storage", "\"lfs\""), ("oid", &oid), ("size", &size)]);
        text = splice_entry(&text, name, &value)?;
    } else {
        for (key, value) in [("oid", &oid), ("size", &size)] {
            let root = root(&text)?;
            let entry = root
                .get("files")
                .and_then(|files| files.get(name))
                .ok_or_else(|| malformed("an entry is not an object"))?;
            let splice = put(&text, entry, key, value, |other| ENTRY.iter().position(|name| *name == other));
            text = splice.apply(&text);
        }
    }
    check(&text)?;
    Ok(text)
}

/// What every writer checks before bytes leave it.
fn check(text: &[u8]) -> Result<(), Error> {
    let manifest = Manifest::parse(text)?;
    for (field, value) in [("title", &manifest.title), ("summary", &manifest.summary)] {
        if let Some(leak) = guard::leak(value) {
            return Err(Error::new(Code::Rejected, format!("the {field} is not fit for users: {leak}")));
        }
    }
    Ok(())
}

fn one(text: &[u8], change: &Change) -> Result<Vec<u8>, Error> {
    let (Change::Text(name, _) | Change::Number(name, _) | Change::Clear(name)) = change;
    if FIXED.contains(&name.as_str()) {
        return Err(Error::new(Code::Rejected, format!("{name} never changes")));
    }
    let field = SCHEMA.iter().find(|(known, _)| known == name).map(|(_, field)| *field);
    match (change, field) {
        (_, None) => Err(Error::new(Code::Malformed, "a manifest has no such field")),
        (Change::Clear(_), _) => clear_field(text, name),
        (Change::Text(_, value), Some(Field::Text)) if value.is_empty() => clear_field(text, name),
        (Change::Text(_, value), Some(Field::Text)) if name == "stop_detail" && value.len() > STOP_DETAIL_BYTES_MAX => {
            Err(Error::new(Code::Limit, format!("stop_detail has more than {STOP_DETAIL_BYTES_MAX} bytes")))
        }
        (Change::Text(_, value), Some(Field::Text)) => set_field(text, name, &quoted(value)),
        (Change::Number(_, 0), Some(Field::Counter)) => clear_field(text, name),
        (Change::Number(_, value), Some(Field::Counter)) => set_field(text, name, &value.to_string()),
        _ => Err(Error::new(Code::Malformed, format!("{name} is a field of another type"))),
    }
}

pub(super) fn set_field(text: &[u8], name: &str, value: &str) -> Result<Vec<u8>, Error> {
    let root = root(text)?;
    let splice = put(text, &root, name, value, |other| SCHEMA.iter().position(|(known, _)| *known == other));
    Ok(splice.apply(text))
}

fn clear_field(text: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    let root = root(text)?;
    let members = root.members();
    let Some(at) = members.iter().position(|member| member.key == name) else { return Ok(text.to_vec()) };
    let range = match (at.checked_sub(1).map(|at| &members[at]), members.get(at + 1)) {
        (Some(before), _) => before.value.span.end..members[at].value.span.end,
        (None, Some(after)) => members[at].key_span.start..after.key_span.start,
        (None, None) => root.span.start + 1..root.span.end - 1,
    };
    Ok(Splice { range, text: String::new() }.apply(text))
}

fn splice_entry(text: &[u8], name: &str, value: &[String]) -> Result<Vec<u8>, Error> {
    let root = root(text)?;
    let files = root.get("files").ok_or_else(|| malformed("files is not an object"))?;
    // Entries stand in the order of their names: a new one goes behind the last smaller one.
    let before = files.members().iter().rposition(|member| member.key.as_ref() < name);
    let lines = format!("{}: {}", quoted(name), value.join("\n"));
    Ok(insert(text, files, before, &lines, 2).apply(text))
}

/// The members of a new object, one a line, without indentation.
fn object(members: &[(&str, &str)]) -> Vec<String> {
    let last = members.len().saturating_sub(1);
    let line = |(at, (key, value)): (usize, &(&str, &str))| {
        format!("  \"{key}\": {value}{}", if at == last { "" } else { "," })
    };
    ["{".to_owned()].into_iter().chain(members.iter().enumerate().map(line)).chain(["}".to_owned()]).collect()
}

/// Replaces a member's value, or puts the member behind the last one that `rank` orders before it.
fn put(text: &[u8], object: &Value<'_>, key: &str, value: &str, rank: impl Fn(&str) -> Option<usize>) -> Splice {
    if let Some(member) = object.members().iter().find(|member| member.key == key) {
        return Splice { range: member.value.span.clone(), text: value.to_owned() };
    }
    let own = rank(key);
    let before = object.members().iter().rposition(|member| rank(&member.key).is_some_and(|other| Some(other) < own));
    insert(text, object, before, &format!("{}: {value}", quoted(key)), 1)
}

/// A new member behind `before`, or in front of all others, with the white space of its neighbours.
fn insert(text: &[u8], object: &Value<'_>, before: Option<usize>, member: &str, depth: usize) -> Splice {
    let members = object.members();
    let blank = |at: usize| leading_blank(text, object, members, at);
    let indented = |blank: &str| member.replace('\n', &format!("\n{}", blank.rsplit('\n').next().unwrap_or_default()));
    match before {
        Some(at) => {
            let blank = blank(at);
            let end = members[at].value.span.end;
            Splice { range: end..end, text: format!(",{blank}{}", indented(&blank)) }
        }
        None if !members.is_empty() => {
            let blank = blank(0);
            let start = members[0].key_span.start;
            Splice { range: start..start, text: format!("{},{blank}", indented(&blank)) }
        }
        None => {
            let blank = format!("\n{}", "  ".repeat(depth));
            let inner = object.span.start + 1..object.span.end - 1;
            Splice { range: inner, text: format!("{blank}{}\n{}", indented(&blank), "  ".repeat(depth - 1)) }
        }
    }
}

/// The white space between what comes before a member and its key.
fn leading_blank(text: &[u8], object: &Value<'_>, members: &[Member<'_>], at: usize) -> String {
    let from = if at == 0 { object.span.start + 1 } else { members[at - 1].value.span.end };
    let between = &text[from..members[at].key_span.start];
    String::from_utf8_lossy(between).replace(',', "")
}

struct Splice {
    range: Range<usize>,
    text: String,
}

impl Splice {
    fn apply(self, text: &[u8]) -> Vec<u8> {
        [&text[..self.range.start], self.text.as_bytes(), &text[self.range.end..]].concat()
    }
}
