//! Merges two versions of a manifest without asking anybody. Counters take the maximum, lists the union, any other
//! field the value of the side that changed it. The id and all entries stay as the remote has them, and so does the
//! number of entries if the remote has another transcript.

use super::edit::{FIXED, check, clear_members, set_members};
use super::{Field, SCHEMA, root};
use crate::name::TRANSCRIPT;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::order::{SortedMap, SortedSet};
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::json::{Kind, Member, Value};

/// The number of entries in the transcript.
const ENTRY_COUNT: &str = "entry_count";

/// Applies to `theirs` what `ours` changed since `base`. Where both changed a field, ours is the newer one, but an
/// empty text never replaces another. `files` stays as theirs has it: entries come from proof alone.
pub fn merge(base: Option<&[u8]>, theirs: &[u8], ours: &[u8]) -> Result<Vec<u8>, Error> {
    let base = base.map(|base| Ok((base, root(base)?))).transpose()?;
    let (ours_root, theirs_root) = (root(ours)?, root(theirs)?);
    let base_members = base.as_ref().map_or(&[][..], |(_, root)| root.members());
    // A manifest may have very many fields that we do not know, so nothing here looks at all of them for each one.
    let (base_fields, our_fields) = (fields(base_members), fields(ours_root.members()));
    let their_fields = fields(theirs_root.members());
    let was = |key: &str| base.as_ref().and_then(|(text, _)| Some(spelled(text, present(&base_fields, key)?)));
    let their_transcript = transcript(&theirs_root);
    let another_transcript = their_transcript.is_some() && their_transcript != transcript(&ours_root);
    let mut set = Vec::new();
    for member in ours_root.members() {
        let (key, mine) = (member.key.as_ref(), &member.value);
        if key == "files" || (key == ENTRY_COUNT && another_transcript) {
            continue;
        }
        let Some(yours) = present(&their_fields, key) else {
            // Removed by them and unchanged by us: it stays removed.
            if was(key).as_deref() != Some(&spelled(ours, mine)) || FIXED.contains(&key) {
                set.push((key, raw(ours, mine).to_owned()));
            }
            continue;
        };
        let (mine_text, yours_text) = (spelled(ours, mine), spelled(theirs, yours));
        if mine_text == yours_text || FIXED.contains(&key) {
            continue;
        }
        let value = match field(key) {
            Some(Field::Counter) if mine.integer() > yours.integer() => raw(ours, mine).to_owned(),
            Some(Field::Counter) => continue,
            _ if is_list(ours, mine) && is_list(theirs, yours) => union(theirs, yours, ours, mine),
            _ if was(key).as_deref() == Some(&mine_text) || mine.text() == Some("") => continue,
            _ => raw(ours, mine).to_owned(),
        };
        set.push((key, value));
    }
    let merged = set_members(theirs, set)?;
    let merged_root = root(&merged)?;
    let gone = |member: &Member<'_>| {
        let (key, value) = (member.key.as_ref(), &member.value);
        let stays = key == "files" || FIXED.contains(&key) || present(&our_fields, key).is_some();
        let now = (value.kind != Kind::Null).then(|| spelled(&merged, value));
        !stays && base_fields.get(key).is_some() && was(key) == now
    };
    let merged = clear_members(&merged, &merged_root, gone);
    check(&merged)?;
    Ok(merged)
}

type Fields<'a> = SortedMap<&'a str, &'a Value<'a>>;

fn fields<'a>(members: &'a [Member<'_>]) -> Fields<'a> {
    members.iter().map(|member| (member.key.as_ref(), &member.value)).collect()
}

/// The value of a field; `null` counts as absent.
fn present<'a>(fields: &Fields<'a>, key: &str) -> Option<&'a Value<'a>> {
    fields.get(key).copied().filter(|value| value.kind != Kind::Null)
}

/// What the transcript of a session hashes to, as its manifest says.
fn transcript(root: &Value<'_>) -> Option<String> {
    root.get("files")?.get(TRANSCRIPT)?.get("oid")?.text().map(str::to_owned)
}

fn field(key: &str) -> Option<Field> {
    SCHEMA.iter().find(|(name, _)| *name == key).map(|(_, field)| *field)
}

fn is_list(text: &[u8], value: &Value<'_>) -> bool {
    text.get(value.span.start) == Some(&b'[')
}

/// Theirs, then what only ours has.
fn union(theirs_text: &[u8], theirs: &Value<'_>, ours_text: &[u8], ours: &Value<'_>) -> String {
    let known: SortedSet<String> = theirs.items().iter().map(|item| spelled(theirs_text, item)).collect();
    let new: Vec<&Value<'_>> = ours.items().iter().filter(|item| !known.contains(&spelled(ours_text, item))).collect();
    let whole = raw(theirs_text, theirs);
    let Some(last) = theirs.items().last() else { return raw(ours_text, ours).to_owned() };
    let blank = leading_blank(theirs_text, theirs);
    let end = last.span.end - theirs.span.start;
    let added: String = new.iter().map(|item| format!(",{blank}{}", raw(ours_text, item))).collect();
    format!("{}{added}{}", &whole[..end], &whole[end..])
}

/// The white space in front of the first item.
fn leading_blank(text: &[u8], list: &Value<'_>) -> String {
    let first = list.items().first().map_or(list.span.end, |item| item.span.start);
    String::from_utf8_lossy(&text[list.span.start + 1..first]).into_owned()
}

/// The bytes a value stands in.
fn raw<'a>(text: &'a [u8], value: &Value<'_>) -> &'a str {
    core::str::from_utf8(&text[value.span.clone()]).unwrap_or_default()
}

/// The same without white space between its parts, to compare two values.
fn spelled(text: &[u8], value: &Value<'_>) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let mut seen = String::new();
    for c in raw(text, value).chars() {
        if in_text || !c.is_ascii_whitespace() {
            seen.push(c);
        }
        match c {
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::merge;

    /// base, theirs, ours, merged; fields beside a session id and empty files.
    const TABLE: [(&str, &str, &str, &str); 12] = [
        ("", "", "", ""),
        ("\"title\": \"a\"", "\"title\": \"b\"", "\"title\": \"a\"", "\"title\": \"b\""),
        ("\"title\": \"a\"", "\"title\": \"a\"", "\"title\": \"c\"", "\"title\": \"c\""),
        ("\"title\": \"a\"", "\"title\": \"b\"", "\"title\": \"c\"", "\"title\": \"c\""),
        ("", "\"title\": \"b\"", "\"title\": \"\"", "\"title\": \"b\""),
        ("\"title\": \"a\"", "", "\"title\": \"a\"", ""),
        ("\"title\": \"a\"", "\"title\": \"a\"", "", ""),
        ("\"title\": \"a\"", "\"title\": \"b\"", "", "\"title\": \"b\""),
        ("\"turn_count\": 1", "\"turn_count\": 7", "\"turn_count\": 3", "\"turn_count\": 7"),
        ("\"turn_count\": 1", "\"turn_count\": 2", "\"turn_count\": 3", "\"turn_count\": 3"),
        (
            "\"linked_prs\": [1]",
            "\"linked_prs\": [1, {\"a\": 2}, 4]",
            "\"linked_prs\": [1, {\"a\":2}, 3]",
            "\"linked_prs\": [1, {\"a\": 2}, 4,3]",
        ),
        ("", "\"zz_new\": 1", "\"zz_other\": {\"x\": 2}", "\"zz_new\": 1, \"zz_other\": {\"x\": 2}"),
    ];

    fn manifest(fields: &str) -> String {
        let comma = if fields.is_empty() { "" } else { ", " };
        format!("{{\"session_id\": \"s\", \"files\": {{}}{comma}{fields}}}")
    }

    /// Shows I8 and I13.
    #[test]
    fn both_keep_what_they_changed() {
        for (base, theirs, ours, expected) in TABLE {
            let [base, theirs, ours] = [base, theirs, ours].map(manifest);
            let merged = merge(Some(base.as_bytes()), theirs.as_bytes(), ours.as_bytes()).expect("mergeable");
            let merged: serde_free::Value = serde_free::value(&merged);
            assert_eq!(merged, serde_free::value(manifest(expected).as_bytes()), "{base} {theirs} {ours}");
        }
    }

    /// Values without order of members, for comparing.
    mod serde_free {
        use alloc::collections::BTreeMap;
        use hydrant_lfs::text::json;

        pub(super) type Value = BTreeMap<String, String>;

        pub(super) fn value(text: &[u8]) -> Value {
            let root = json::parse(text).expect("JSON");
            root.members().iter().map(|m| (m.key.clone().into_owned(), super::super::spelled(text, &m.value))).collect()
        }
    }

    /// Shows I3: what is derived from bytes goes with the reference to these bytes.
    #[test]
    fn the_count_of_entries_goes_with_the_transcript() {
        let manifest = |content: char, count: &str| {
            let oid = content.to_string().repeat(64);
            let entry = format!("{{\"oid\": \"sha256:{oid}\", \"size\": 1}}");
            format!("{{\"session_id\": \"s\", \"files\": {{\"raw.jsonl\": {entry}}}{count}}}")
        };
        let count = |number: u64| format!(", \"entry_count\": {number}");
        let (theirs, ours) = (manifest('a', &count(1)), manifest('b', &count(16)));
        let merged = |base: &str, theirs: &str, ours: &str| {
            let merged = merge(Some(base.as_bytes()), theirs.as_bytes(), ours.as_bytes()).expect("mergeable");
            String::from_utf8(merged).expect("text")
        };
        assert_eq!(merged(&ours, &theirs, &ours), theirs, "theirs is another transcript");
        let same = manifest('a', &count(3));
        assert_eq!(merged(&theirs, &theirs, &same), same, "of the same bytes the larger count is the later one");
        let uncounted = manifest('a', "");
        assert_eq!(merged(&ours, &uncounted, &ours), uncounted, "nothing is known of theirs");
    }

    #[test]
    fn the_id_is_theirs() {
        let (theirs, ours) = (manifest(""), manifest("").replace("\"s\"", "\"t\""));
        let merged = merge(None, theirs.as_bytes(), ours.as_bytes()).expect("mergeable");
        assert_eq!(merged, theirs.as_bytes());
    }

    /// Where each field reads the whole text once more, this takes minutes.
    #[test]
    fn a_manifest_may_have_very_many_fields() {
        let many = |count: usize, value: &str| {
            let fields: Vec<String> = (0..count).map(|at| format!("\"k{at}\": {value}")).collect();
            manifest(&fields.join(", "))
        };
        let (base, ours) = (many(20_000, "1"), many(20_000, "2"));
        let merged = merge(Some(base.as_bytes()), base.as_bytes(), ours.as_bytes()).expect("mergeable");
        assert_eq!(merged, ours.as_bytes(), "ours changed all");
        let merged = merge(None, manifest("").as_bytes(), ours.as_bytes()).expect("mergeable");
        assert_eq!(merged.len(), ours.len(), "ours has all");
        let merged = merge(Some(base.as_bytes()), base.as_bytes(), manifest("").as_bytes()).expect("mergeable");
        assert_eq!(merged, manifest("").as_bytes(), "ours removed all");
    }
}
