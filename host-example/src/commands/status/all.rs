//! The status of every session of a ledger, one after the other.
//!
//! The rule it keeps: what is kept of a session until the end is one line.

use hydrant_host::engine::Guest;
use hydrant_host::process::plain;
use hydrant_host::store::Store;
use serde_json::{Value, json};

use crate::coverage;
use crate::downloaded;
use crate::ending::{Ending, Fault};
use crate::ledger::{Ledger, Session};
use crate::report::{Output, Table, bytes_text, error_json, quote};
use crate::repository::Repository;

use super::{Journals, hydration_name, session_json, shown_title, total_bytes};

/// A ledger, and what decides about its sessions.
pub(super) struct All<'a> {
    pub(super) repository: &'a Repository,
    pub(super) ledger: &'a Ledger,
    pub(super) store: &'a Store,
    pub(super) journals: &'a Journals,
    pub(super) limit: u64,
}

impl All<'_> {
    /// Says it, in the form that was asked for.
    pub(super) fn say(&self, guest: &mut Guest, output: &mut Output) -> Result<Ending, Fault> {
        let names = self.ledger.sessions()?;
        if output.voice.json { self.report(guest, &names, output) } else { self.table(guest, &names, output) }
    }

    fn session(&self, guest: &mut Guest, name: &str) -> Result<Session, Fault> {
        self.ledger.session(guest, self.store, name, self.limit)
    }

    fn table(&self, guest: &mut Guest, names: &[String], output: &mut Output) -> Result<Ending, Fault> {
        let mut table = Table::new(&["session", ">files", ">size", "state", "title"]);
        let mut ending = Ending::Done;
        for name in names {
            match self.session(guest, name) {
                Ok(session) => {
                    let title = shown_title(guest, &session)?;
                    let more = if self.journals.has(name) { ", publish interrupted" } else { "" };
                    let state = format!("{}{more}", hydration_name(session.status.hydration));
                    let (files, bytes) = (session.manifest.files.len().to_string(), bytes_text(total_bytes(&session)));
                    table.row([quote(name.as_bytes()), files, bytes, state, title]);
                }
                Err(fault) => {
                    ending = Ending::SomeFailed;
                    let nothing = String::new;
                    table.row([quote(name.as_bytes()), nothing(), nothing(), "unreadable".into(), nothing()]);
                    output.warn(plain(&fault.detail));
                }
            }
        }
        if names.is_empty() {
            output.line("no sessions");
        } else {
            table.print(output);
        }
        Ok(ending)
    }

    fn report(&self, guest: &mut Guest, names: &[String], output: &mut Output) -> Result<Ending, Fault> {
        let mut checkout = coverage::checkout(self.repository, &[]);
        let mut listed = Vec::with_capacity(names.len());
        let mut ending = Ending::Done;
        for name in names {
            let (document, tally) = match self.session(guest, name) {
                Ok(session) => (self.document(guest, &session)?, session.tally),
                Err(fault) => {
                    ending = Ending::SomeFailed;
                    let error = error_json(fault.code, &fault.detail, None);
                    (json!({ "session": name, "error": error }), coverage::unreadable())
                }
            };
            // A text takes a tenth of the room of a tree of values.
            listed.push(document.to_string());
            checkout.sessions.push(tally);
        }
        let mut document = json!({ "ok": ending == Ending::Done });
        coverage::add(guest, &checkout, &mut document)?;
        output.bytes(with_list(&document, "sessions", &listed).as_bytes());
        Ok(ending)
    }

    fn document(&self, guest: &mut Guest, session: &Session) -> Result<Value, Fault> {
        let title = shown_title(guest, session)?;
        let mut document = session_json(session, &title);
        document["unfinished_publish"] = self.journals.has(&session.name).into();
        document["downloaded"] = downloaded::is_marked(&self.repository.store_dir(), &session.name).into();
        Ok(document)
    }
}

/// A document that is not empty, with one more member: a list, one line for each of its values.
fn with_list(document: &Value, key: &str, values: &[String]) -> String {
    let text = format!("{document:#}");
    let open = text.strip_suffix("\n}").unwrap_or(&text);
    let list = if values.is_empty() { "[]".to_owned() } else { format!("[\n    {}\n  ]", values.join(",\n    ")) };
    format!("{open},\n  \"{key}\": {list}\n}}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::with_list;

    #[test]
    fn the_list_becomes_part_of_the_document() {
        for values in [vec![], vec![json!({"a": 1})], vec![json!(1), json!("x\n}")]] {
            let texts: Vec<String> = values.iter().map(Value::to_string).collect();
            let text = with_list(&json!({"ok": true, "nested": {"n": null}}), "list", &texts);
            let read: Value = serde_json::from_str(&text).expect("one document");
            assert_eq!(read, json!({"ok": true, "nested": {"n": null}, "list": values}));
        }
    }
}
