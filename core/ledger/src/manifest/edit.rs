//! Changes of single fields: the value's bytes are replaced, or a member is inserted or removed. All other bytes stay.
//!
//! New members go where the schema has their field, with the white space of their neighbours, so that two programs that
//! make the same change write the same bytes.

use super::{ENTRY, Field, FileRef, Manifest, SCHEMA, Storage, guard, malformed, root};
use crate::name;
use crate::proof::Proof;
use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::Range;
use hydrant_lfs::order::{SortedMap, sorted};
use hydrant_lfs::text::error::{Code, Error, quote};
use hydrant_lfs::text::json::{self, Kind, Member, Value, quoted};
use hydrant_lfs::text::oid::Oid;

/// Fields that are never edited once written: ids and names stay, and entries of `files` need proof.
pub(super) const FIXED: [&str; 10] = [
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
/// Bytes of `stop_detail`; its other writer has the same limit.
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

/// Whether a text field already has this value.
pub(crate) fn says(text: &[u8], name: &str, value: &str) -> bool {
    root(text).is_ok_and(|root| root.get(name).and_then(|value| value.text()).unwrap_or_default() == value)
}

/// A new entry of `files`.
#[derive(Debug)]
pub enum Entry {
    /// In Git LFS: the proof that its blob is on the server.
    Proved(Proof),
    /// In git, with this many bytes.
    InGit(u64),
}

/// Sets entries of `files`, in one pass. Other entries, and other members of an entry, stay.
pub fn record(text: &[u8], entries: SortedMap<String, Entry>) -> Result<Vec<u8>, Error> {
    let text = if root(text)?.get("files").is_some() { text.to_vec() } else { set_field(text, "files", "{}")? };
    let manifest = Manifest::parse(&text)?;
    let known: SortedMap<&str, &FileRef> = manifest.files().iter().map(|file| (file.name.as_str(), file)).collect();
    let root = root(&text)?;
    let files = root.get("files").ok_or_else(|| malformed("files is not an object"))?;
    let members: SortedMap<&str, &Value<'_>> =
        files.members().iter().map(|member| (member.key.as_ref(), &member.value)).collect();
    let mut splices = Vec::new();
    let mut new = Vec::new();
    for (name, entry) in entries {
        let file = known.get(name.as_str());
        fits(&name, entry.storage(), file.copied())?;
        let values = values(&entry);
        if file.is_none() {
            new.push((name, object(&values)));
            continue;
        }
        let entry = members.get(name.as_str()).ok_or_else(|| malformed("an entry is not an object"))?;
        // An entry without `storage` stays without it.
        for (key, value) in values.iter().filter(|(key, _)| *key != "storage") {
            let rank = |other: &str| ENTRY.iter().position(|name| *name == other);
            splices.push(put(&text, entry, key, value, rank));
        }
    }
    splices.extend(insert_entries(&text, files, &new));
    let text = apply_all(&text, splices);
    check(&text)?;
    Ok(text)
}

/// Whether [`record`] can enter these files; checked before anything is sent.
pub(crate) fn recordable<'a>(text: &[u8], files: impl Iterator<Item = (&'a str, Storage)>) -> Result<(), Error> {
    let manifest = Manifest::parse(text)?;
    let known: SortedMap<&str, &FileRef> = manifest.files().iter().map(|file| (file.name.as_str(), file)).collect();
    let mut files = files;
    files.try_for_each(|(name, storage)| fits(name, storage, known.get(name).copied()))
}

fn fits(name: &str, storage: Storage, entry: Option<&FileRef>) -> Result<(), Error> {
    if let Some(flaw) = name::flaw(name) {
        return Err(malformed(format!("the file name \"{}\" is not allowed: {flaw}", quote(name))));
    }
    // An entry that cannot be used is not ours to repair: what it meant is unknown.
    if let Some(flaw) = entry.and_then(|entry| entry.flaw.as_ref()) {
        return Err(flaw.clone());
    }
    if entry.is_some_and(|entry| entry.storage != storage) {
        return Err(Error::new(
            Code::Conflict,
            format_args!("the manifest stores {name} in another way, in git or in Git LFS"),
        ));
    }
    Ok(())
}

/// Removes entries from `files`: exactly those that name these blobs. All other bytes stay. Refused when an entry names
/// another blob, cannot be used or is not stored in Git LFS.
pub fn remove_entries(text: &[u8], entries: &SortedMap<&str, Oid>) -> Result<Vec<u8>, Error> {
    let manifest = Manifest::parse(text)?;
    let known: SortedMap<&str, &FileRef> = manifest.files().iter().map(|file| (file.name.as_str(), file)).collect();
    for (name, oid) in entries.iter() {
        let shown = quote(name);
        let Some(file) = known.get(name) else {
            return Err(Error::new(Code::NotFound, format_args!("the manifest names no file {shown}")));
        };
        if let Some(flaw) = &file.flaw {
            return Err(flaw.clone());
        }
        let Some(named) = file.oid else {
            return Err(Error::new(Code::Conflict, format_args!("the manifest says that {shown} is stored in git")));
        };
        if named != *oid {
            return Err(Error::new(Code::Conflict, format_args!("the manifest names {named} for {shown}, not {oid}")));
        }
    }
    let root = root(text)?;
    let files = root.get("files").ok_or_else(|| malformed("files is not an object"))?;
    let text = apply_all(text, take_out(files, |member| entries.contains_key(member.key.as_ref())));
    check(&text)?;
    Ok(text)
}

/// Adds a pass to the list of redactions. Earlier passes stay for ever.
pub(crate) fn add_redaction(text: &[u8], pass: &str) -> Result<Vec<u8>, Error> {
    const NAME: &str = "redactions";
    if !matches!(json::parse(pass.as_bytes()).map(|pass| pass.kind), Ok(Kind::Object(_))) {
        return Err(malformed("a pass of redaction is a JSON object"));
    }
    let root = root(text)?;
    let pass = pass.trim().replace('\n', "\n    ");
    let text = match root.get(NAME).map(|list| (list, list.items().last())) {
        Some((_, Some(last))) => {
            let end = last.span.end;
            apply_all(text, vec![Splice { range: end..end, text: format!(",\n    {pass}") }])
        }
        Some((list, None)) if !matches!(list.kind, Kind::Array(_) | Kind::Null) => {
            return Err(malformed("redactions is not a list"));
        }
        _ => set_field(text, NAME, &format!("[\n    {pass}\n  ]"))?,
    };
    check(&text)?;
    Ok(text)
}

/// Marks the session as still being recorded.
pub(crate) fn mark_draft(text: &[u8]) -> Result<Vec<u8>, Error> {
    let text = set_field(text, "draft", "true")?;
    check(&text)?;
    Ok(text)
}

impl Entry {
    fn storage(&self) -> Storage {
        match self {
            Entry::Proved(_) => Storage::Lfs,
            Entry::InGit(_) => Storage::Git,
        }
    }
}

/// The members of an entry and their texts, in the order in which they are written.
fn values(entry: &Entry) -> Vec<(&'static str, String)> {
    match entry {
        Entry::Proved(proof) => {
            let blob = proof.blob();
            let oid = format!("\"sha256:{}\"", blob.oid);
            vec![("storage", "\"lfs\"".to_owned()), ("oid", oid), ("size", blob.size.to_string())]
        }
        Entry::InGit(size) => vec![("storage", "\"git\"".to_owned()), ("size", size.to_string())],
    }
}

/// The check of every writer before it returns a text.
pub(super) fn check(text: &[u8]) -> Result<(), Error> {
    let manifest = Manifest::parse(text)?;
    for (field, value) in [("title", &manifest.title), ("summary", &manifest.summary)] {
        if let Some(leak) = guard::leak(value) {
            return Err(Error::new(Code::Rejected, format_args!("the {field} is not fit for users: {leak}")));
        }
    }
    Ok(())
}

fn one(text: &[u8], change: &Change) -> Result<Vec<u8>, Error> {
    let (Change::Text(name, _) | Change::Number(name, _) | Change::Clear(name)) = change;
    if FIXED.contains(&name.as_str()) {
        return Err(Error::new(Code::Rejected, format_args!("{name} never changes")));
    }
    let field = SCHEMA.iter().find(|(known, _)| known == name).map(|(_, field)| *field);
    match (change, field) {
        (_, None) => Err(Error::new(Code::Malformed, "a manifest has no such field")),
        (Change::Clear(_), _) => clear_field(text, name),
        (Change::Text(_, value), Some(Field::Text)) if value.is_empty() => clear_field(text, name),
        (Change::Text(_, value), Some(Field::Text)) if name == "stop_detail" && value.len() > STOP_DETAIL_BYTES_MAX => {
            Err(Error::new(Code::Limit, format_args!("stop_detail has more than {STOP_DETAIL_BYTES_MAX} bytes")))
        }
        (Change::Text(_, value), Some(Field::Text)) => set_field(text, name, &quoted(value)),
        (Change::Number(_, 0), Some(Field::Counter)) => clear_field(text, name),
        (Change::Number(_, value), Some(Field::Counter)) => set_field(text, name, &value.to_string()),
        _ => Err(Error::new(Code::Malformed, format_args!("{name} is a field of another type"))),
    }
}

pub(super) fn set_field(text: &[u8], name: &str, value: &str) -> Result<Vec<u8>, Error> {
    let root = root(text)?;
    let splice = put(text, &root, name, value, |other| SCHEMA.iter().position(|(known, _)| *known == other));
    Ok(apply_all(text, vec![splice]))
}

/// Sets members that may be unknown to this version; unknown ones that are new go last, in this order.
pub(super) fn set_members(text: &[u8], members: Vec<(&str, String)>) -> Result<Vec<u8>, Error> {
    let is_known = |name: &str| SCHEMA.iter().any(|(known, _)| *known == name);
    let mut text = text.to_vec();
    for (name, value) in members.iter().filter(|(name, _)| is_known(name)) {
        text = set_field(&text, name, value)?;
    }
    // There may be very many unknown ones: all of them in one pass.
    let root = root(&text)?;
    let present: SortedMap<&str, &Value<'_>> =
        root.members().iter().map(|member| (member.key.as_ref(), &member.value)).collect();
    let (mut splices, mut new) = (Vec::new(), Vec::new());
    for (name, value) in members.into_iter().filter(|(name, _)| !is_known(name)) {
        match present.get(name) {
            Some(there) => splices.push(Splice { range: there.span.clone(), text: value }),
            None => new.push(format!("{}: {value}", quoted(name))),
        }
    }
    if !new.is_empty() {
        splices.push(insert(&text, &root, root.members().len().checked_sub(1), &new, 1));
    }
    Ok(apply_all(&text, splices))
}

fn clear_field(text: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    Ok(clear_members(text, &root(text)?, |member| member.key == name))
}

/// Removes members of the manifest.
pub(super) fn clear_members(text: &[u8], root: &Value<'_>, gone: impl Fn(&Member<'_>) -> bool) -> Vec<u8> {
    apply_all(text, take_out(root, gone))
}

/// Removes members, each with the comma and the white space that belong to it.
fn take_out(object: &Value<'_>, gone: impl Fn(&Member<'_>) -> bool) -> Vec<Splice> {
    let members = object.members();
    let splice = |range| Splice { range, text: String::new() };
    let Some(first) = members.iter().position(|member| !gone(member)) else {
        return vec![splice(object.span.start + 1..object.span.end - 1)];
    };
    let leading = (first > 0).then(|| splice(members[0].key_span.start..members[first].key_span.start));
    let pairs = members[first..].windows(2).filter(|pair| gone(&pair[1]));
    let others = pairs.map(|pair| splice(pair[0].value.span.end..pair[1].value.span.end));
    leading.into_iter().chain(others).collect()
}

/// Entries are in the order of their names: a new one goes behind the last smaller one. `new` has the same order.
fn insert_entries(text: &[u8], files: &Value<'_>, new: &[(String, Vec<String>)]) -> Vec<Splice> {
    let members = files.members();
    let before = |name: &str| members.iter().rposition(|member| member.key.as_ref() < name);
    let mut groups: SortedMap<Option<usize>, Vec<String>> = SortedMap::default();
    for (name, value) in new {
        groups.or_default(before(name)).push(format!("{}: {}", quoted(name), value.join("\n")));
    }
    groups.into_iter().map(|(before, group)| insert(text, files, before, &group, 2)).collect()
}

/// The members of a new object, one a line, without indentation.
fn object(members: &[(&str, String)]) -> Vec<String> {
    let last = members.len().saturating_sub(1);
    let line = |(at, (key, value)): (usize, &(&str, String))| {
        format!("  \"{key}\": {value}{}", if at == last { "" } else { "," })
    };
    ["{".to_owned()].into_iter().chain(members.iter().enumerate().map(line)).chain(["}".to_owned()]).collect()
}

/// Replaces a member's value, or inserts the member behind the last one that `rank` orders before it.
fn put(text: &[u8], object: &Value<'_>, key: &str, value: &str, rank: impl Fn(&str) -> Option<usize>) -> Splice {
    if let Some(member) = object.members().iter().find(|member| member.key == key) {
        return Splice { range: member.value.span.clone(), text: value.to_owned() };
    }
    let own = rank(key);
    let before = object.members().iter().rposition(|member| rank(&member.key).is_some_and(|other| Some(other) < own));
    insert(text, object, before, &[format!("{}: {value}", quoted(key))], 1)
}

/// New members behind `before`, or in front of all others, with the white space of their neighbours.
fn insert(text: &[u8], object: &Value<'_>, before: Option<usize>, new: &[String], depth: usize) -> Splice {
    let members = object.members();
    let joined = |blank: &str| {
        let indented =
            |member: &String| member.replace('\n', &format!("\n{}", blank.rsplit('\n').next().unwrap_or_default()));
        new.iter().map(indented).collect::<Vec<_>>().join(&format!(",{blank}"))
    };
    match before {
        Some(at) => {
            let blank = leading_blank(text, object, members, at);
            let end = members[at].value.span.end;
            Splice { range: end..end, text: format!(",{blank}{}", joined(&blank)) }
        }
        None if !members.is_empty() => {
            let blank = leading_blank(text, object, members, 0);
            let start = members[0].key_span.start;
            Splice { range: start..start, text: format!("{},{blank}", joined(&blank)) }
        }
        None => {
            let blank = format!("\n{}", "  ".repeat(depth));
            let inner = object.span.start + 1..object.span.end - 1;
            Splice { range: inner, text: format!("{blank}{}\n{}", joined(&blank), "  ".repeat(depth - 1)) }
        }
    }
}

/// The white space between what comes before a member and its key.
fn leading_blank(text: &[u8], object: &Value<'_>, members: &[Member<'_>], at: usize) -> String {
    let from = if at == 0 { object.span.start + 1 } else { members[at - 1].value.span.end };
    let between = &text[from..members[at].key_span.start];
    String::from_utf8_lossy(between).replace(',', "")
}

pub(super) struct Splice {
    range: Range<usize>,
    text: String,
}

/// Applies splices that do not overlap, in any order.
fn apply_all(text: &[u8], splices: Vec<Splice>) -> Vec<u8> {
    let splices = sorted(splices, |a, b| a.range.start.cmp(&b.range.start));
    let mut out = Vec::with_capacity(text.len() + splices.iter().map(|splice| splice.text.len()).sum::<usize>());
    let mut at = 0;
    for splice in splices {
        out.extend_from_slice(&text[at..splice.range.start]);
        out.extend_from_slice(splice.text.as_bytes());
        at = splice.range.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}
