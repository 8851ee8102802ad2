//! Merges two versions of a manifest without asking anybody. Counters take the maximum, lists the union, any other
//! field the value of the side that changed it. The id and all entries stay as the remote has them, and so does the
//! number of entries if the remote has another transcript.

use super::edit::{FIXED, check, clear_field, set_member};
use super::{Field, SCHEMA, root};
use crate::transcript::TRANSCRIPT;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::order::SortedSet;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::json::Value;

/// The number of entries in the transcript.
const ENTRY_COUNT: &str = "entry_count";

/// Applies to `theirs` what `ours` changed since `base`. Where both changed a field, ours is the newer one, but an
/// empty text never replaces another. `files` stays as theirs has it: entries come from proof alone.
pub fn merge(base: Option<&[u8]>, theirs: &[u8], ours: &[u8]) -> Result<Vec<u8>, Error> {
    let base = base.map(|base| Ok((base, root(base)?))).transpose()?;
    let was = |key: &str| base.as_ref().and_then(|(text, root)| Some(spelled(text, root.get(key)?)));
    let ours_root = root(ours)?;
    let their_transcript = transcript(&root(theirs)?);
    let another_transcript = their_transcript.is_some() && their_transcript != transcript(&ours_root);
    let mut merged = theirs.to_vec();
    for member in ours_root.members() {
        let (key, mine) = (member.key.as_ref(), &member.value);
        if key == "files" || (key == ENTRY_COUNT && another_transcript) {
            continue;
        }
        let theirs_root = root(&merged)?;
        let Some(yours) = theirs_root.get(key) else {
            // Removed by them and unchanged by us: it stays removed.
            if was(key).as_deref() != Some(&spelled(ours, mine)) || FIXED.contains(&key) {
                merged = set_member(&merged, key, raw(ours, mine))?;
            }
            continue;
        };
        let (mine_text, yours_text) = (spelled(ours, mine), spelled(&merged, yours));
        if mine_text == yours_text || FIXED.contains(&key) {
            continue;
        }
        let value = match field(key) {
            Some(Field::Counter) if mine.integer() > yours.integer() => raw(ours, mine).to_owned(),
            Some(Field::Counter) => continue,
            _ if is_list(ours, mine) && is_list(&merged, yours) => union(&merged, yours, ours, mine),
            _ if was(key).as_deref() == Some(&mine_text) || mine.text() == Some("") => continue,
            _ => raw(ours, mine).to_owned(),
        };
        merged = set_member(&merged, key, &value)?;
    }
    for member in base.as_ref().map_or(&[][..], |(_, root)| root.members()) {
        let key = member.key.as_ref();
        let unchanged = root(&merged)?.get(key).map(|yours| spelled(&merged, yours)) == was(key);
        if key != "files" && !FIXED.contains(&key) && ours_root.get(key).is_none() && unchanged {
            merged = clear_field(&merged, key)?;
        }
    }
    check(&merged)?;
    Ok(merged)
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
}
