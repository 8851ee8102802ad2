//! Somebody else's pushes, in the window between any two steps of ours.

use super::{Remote, Server, Store, blob};

/// What somebody else pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Another session.
    Elsewhere,
    /// Another file of our session, and a field.
    Beside,
    /// The transcript of our session, with other content.
    Over,
    /// The transcript of our session, with the content that we have.
    Twin,
}

/// The session that rivals push to, besides others.
pub(super) const SESSION: &str = "s";
const TRANSCRIPT: &str = "raw.jsonl";

impl Rival {
    /// Pushes, as another clone would: content first, then the reference. `number` makes each push another one.
    pub(super) fn push(self, number: usize, server: &mut Server, remote: &mut Remote, store: &Store) {
        let path = |name: &str| format!("sessions/{SESSION}/{name}");
        if self == Rival::Elsewhere {
            return remote.commit([(format!("sessions/elsewhere-{number}/notes.md"), b"notes".to_vec())]);
        }
        let (name, content) = match self {
            Rival::Beside | Rival::Elsewhere => (format!("rival-{number}.md"), format!("beside {number}").into_bytes()),
            Rival::Over => (TRANSCRIPT.to_owned(), format!("{{\"type\":\"user\",\"over\":{number}}}\n").into_bytes()),
            Rival::Twin => {
                let ours = store.owed.iter().find(|(path, _)| path.ends_with(TRANSCRIPT));
                let Some((_, bytes)) = ours else { return };
                (TRANSCRIPT.to_owned(), bytes.clone())
            }
        };
        let named = blob(&content);
        let before = remote.tree().get(&path("meta.json")).cloned().unwrap_or_else(|| {
            let fresh = "{\n  \"version\": \"1.0\",\n  \"session_name\": \"s\",\n  \"session_id\": \"ses_rival\",";
            format!("{fresh}\n  \"files\": {{}}\n}}").into_bytes()
        });
        let text = String::from_utf8_lossy(&before).into_owned();
        let entry = format!("{{ \"storage\": \"lfs\", \"oid\": \"sha256:{}\", \"size\": {} }}", named.oid, named.size);
        let mut manifest = with_entry(&text, &name, &entry);
        if name == TRANSCRIPT {
            manifest = with_count(&manifest, super::entries(&content));
        }
        if self == Rival::Beside {
            manifest = manifest.replacen('{', &format!("{{\n  \"zz_rival_{number}\": [1.50],"), 1);
        }
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", named.oid, named.size);
        server.objects.insert(named.oid, content);
        let named_before = remote.names().clone();
        remote.commit([(path("meta.json"), manifest.into_bytes()), (path(&name), pointer.into_bytes())]);
        // Whoever takes a blob's last name away registers it.
        let unnamed: Vec<_> = named_before.difference(remote.names()).copied().collect();
        remote.registered.extend(unnamed);
    }
}

/// The manifest with this count of entries.
fn with_count(text: &str, count: u64) -> String {
    const FIELD: &str = "\"entry_count\": ";
    match text.find(FIELD).map(|at| at + FIELD.len()) {
        None => text.replacen('{', &format!("{{\n  {FIELD}{count},"), 1),
        Some(start) => {
            let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
            format!("{}{count}{}", &text[..start], &text[start + digits..])
        }
    }
}

/// The manifest with one entry more, or another one of that name; every other byte stays.
fn with_entry(text: &str, name: &str, entry: &str) -> String {
    let quoted = format!("\"{name}\"");
    let files = text.find("\"files\"").unwrap_or(0);
    let open = files + text[files..].find('{').unwrap_or(0) + 1;
    if let Some(at) = text[open..].find(&quoted) {
        let start = open + at + text[open + at..].find('{').unwrap_or(0);
        let end = start + text[start..].find('}').unwrap_or(0) + 1;
        return format!("{}{entry}{}", &text[..start], &text[end..]);
    }
    let comma = if text[open..].trim_start().starts_with('}') { "" } else { "," };
    format!("{}\n    {quoted}: {entry}{comma}{}", &text[..open], &text[open..])
}
