//! The status of every session of a ledger.
//!
//! The rule it keeps: what is kept of a session until the end is one line.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hydrant_host::engine::{Engine, Guest};
use hydrant_host::process::plain;
use hydrant_host::store::Store;
use serde_json::{Value, json};

use crate::coverage;
use crate::downloaded;
use crate::ending::{Ending, Fault};
use crate::ledger::{Ledger, SESSIONS, Session};
use crate::report::{Output, Table, bytes_text, error_json, quote};
use crate::repository::Repository;

use super::{session_json, shown_title, state_of, total_bytes};

/// Threads at most.
const THREADS_MAX: usize = 8;
/// Sessions that a thread takes at once.
const SESSIONS_A_PART: usize = 256;

/// A ledger, and what is known of it beforehand.
pub(super) struct All<'a> {
    pub(super) repository: &'a Repository,
    pub(super) engine: &'a Engine,
    pub(super) ledger: &'a Ledger,
    /// Sessions whose publish was interrupted.
    pub(super) journals: &'a BTreeSet<String>,
    /// The bound on objects that decides about `too-large`.
    pub(super) limit: u64,
}

/// What one thread looks with.
struct Eye {
    guest: Guest,
    store: Store,
}

impl All<'_> {
    /// Says it, in the form that was asked for; nothing where this is no ledger.
    pub(super) fn say(&self, guest: &mut Guest, output: &mut Output) -> Result<Option<Ending>, Fault> {
        let names = self.ledger.folders()?;
        if output.voice.json { self.report(guest, &names, output) } else { self.table(&names, output) }
    }

    fn table(&self, names: &[String], output: &mut Output) -> Result<Option<Ending>, Fault> {
        let rows = self.each(names, |eye, name| match self.session(eye, name) {
            Ok(None) => Ok(None),
            Ok(Some(session)) => Ok(Some(Ok(self.row(eye, &session)?))),
            Err(fault) => Ok(Some(Err((quote(name.as_bytes()), plain(&fault.detail))))),
        })?;
        let Some(rows) = rows else { return Ok(None) };
        let mut table = Table::new(&["session", ">files", ">size", "state", "title"]);
        let mut ending = Ending::Done;
        let is_empty = rows.is_empty();
        for row in rows {
            table.row(row.unwrap_or_else(|(name, why)| {
                ending = Ending::SomeFailed;
                output.warn(why);
                let nothing = String::new;
                [name, nothing(), nothing(), "unreadable".into(), nothing()]
            }));
        }
        let kept_out = coverage::kept_out(self.repository, &[SESSIONS.to_owned()])?.line();
        if !is_empty {
            table.print(output);
        } else if kept_out.is_none() {
            output.line("no sessions");
        }
        kept_out.iter().for_each(|line| output.line(line));
        Ok(Some(ending))
    }

    fn report(&self, guest: &mut Guest, names: &[String], output: &mut Output) -> Result<Option<Ending>, Fault> {
        let told = self.each(names, |eye, name| match self.session(eye, name) {
            Ok(None) => Ok(None),
            Ok(Some(session)) => Ok(Some((line_of(&self.document(eye, &session)?), session.status.tally))),
            Err(fault) => {
                let error = error_json(fault.code, &fault.detail, None);
                Ok(Some((line_of(&json!({ "session": name, "error": error })), coverage::unreadable())))
            }
        })?;
        let Some(told) = told else { return Ok(None) };
        let mut checkout = coverage::checkout(self.repository, &[]);
        let all_readable = !told.iter().any(|(_, tally)| tally.unreadable);
        checkout.sessions.extend(told.iter().map(|(_, tally)| *tally));
        let mut document = json!({ "ok": all_readable });
        coverage::add(guest, &checkout, &mut document)?;
        put_with_list(&document, "sessions", told.iter().map(|(text, _)| &**text), &mut |text| {
            output.bytes(text.as_bytes());
        });
        Ok(Some(if all_readable { Ending::Done } else { Ending::SomeFailed }))
    }

    /// Tells something of each folder that is a session, in the order of the names; each thread takes a part of them.
    /// Whether this is a ledger at all, git says meanwhile; none where it is not.
    fn each<T: Send>(
        &self,
        names: &[String],
        tell: impl Fn(&mut Eye, &str) -> Result<Option<T>, Fault> + Sync,
    ) -> Result<Option<Vec<T>>, Fault> {
        let parts: Vec<&[String]> = names.chunks(SESSIONS_A_PART).collect();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = parts.len().min(cores).clamp(1, THREADS_MAX);
        let next = AtomicUsize::new(0);
        // Whoever is done with a part takes the next one, because other programs slow each core down as they like.
        let take_parts = || -> Result<Vec<(usize, Vec<T>)>, Fault> {
            let mut eye = Eye { guest: self.engine.guest()?, store: Store::cache(&self.repository.store_dir())? };
            let mut told = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(at) else { return Ok(told) };
                let part = part.iter().filter_map(|name| tell(&mut eye, name).transpose());
                told.push((at, part.collect::<Result<_, _>>()?));
            }
        };
        thread::scope(|scope| {
            let asked = thread::Builder::new().spawn_scoped(scope, || self.repository.is_ledger());
            // Where no thread is to be had, this one does it all.
            let spawned: Vec<_> =
                (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_parts).ok()).collect();
            let mut told = take_parts()?;
            for thread in spawned {
                told.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            let is_ledger = match asked {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic))?,
                Err(_) => self.repository.is_ledger()?,
            };
            told.sort_unstable_by_key(|(at, _)| *at);
            Ok(is_ledger.then(|| told.into_iter().flat_map(|(_, part)| part).collect()))
        })
    }

    fn session(&self, eye: &mut Eye, name: &str) -> Result<Option<Session>, Fault> {
        self.ledger.find(&mut eye.guest, &eye.store, name, self.limit)
    }

    fn row(&self, eye: &mut Eye, session: &Session) -> Result<[String; 5], Fault> {
        let title = shown_title(&mut eye.guest, session)?;
        let more = if self.journals.contains(&session.name) { ", publish unfinished" } else { "" };
        let state = format!("{}{more}", state_of(session));
        let (files, bytes) = (session.manifest.files.len().to_string(), bytes_text(total_bytes(session)));
        Ok([quote(session.name.as_bytes()), files, bytes, state, title])
    }

    fn document(&self, eye: &mut Eye, session: &Session) -> Result<Value, Fault> {
        let title = shown_title(&mut eye.guest, session)?;
        let mut document = session_json(session, &title);
        document["unfinished_publish"] = self.journals.contains(&session.name).into();
        document["downloaded"] = downloaded::is_marked(&self.repository.store_dir(), &session.name).into();
        Ok(document)
    }
}

/// One value in one line, which takes a tenth of the room of a tree of values, and no room to grow.
fn line_of(value: &Value) -> Box<str> {
    value.to_string().into()
}

/// A document that is not empty, with one more member: a list, one line for each of its values. It is put piece by
/// piece, for a whole one of ten thousand sessions would be in memory beside them.
fn put_with_list<'a>(document: &Value, key: &str, values: impl Iterator<Item = &'a str>, put: &mut impl FnMut(&str)) {
    let text = format!("{document:#}");
    put(text.strip_suffix("\n}").unwrap_or(&text));
    put(&format!(",\n  \"{key}\": ["));
    let mut is_empty = true;
    for value in values {
        put(if is_empty { "\n    " } else { ",\n    " });
        put(value);
        is_empty = false;
    }
    put(if is_empty { "]\n}\n" } else { "\n  ]\n}\n" });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{line_of, put_with_list};

    #[test]
    fn the_list_becomes_part_of_the_document() {
        for values in [vec![], vec![json!({"a": 1})], vec![json!(1), json!("x\n}")]] {
            let lines: Vec<Box<str>> = values.iter().map(line_of).collect();
            let mut text = String::new();
            let document = json!({"ok": true, "nested": {"n": null}});
            put_with_list(&document, "list", lines.iter().map(|line| &**line), &mut |piece| text.push_str(piece));
            let read: Value = serde_json::from_str(&text).expect("one document");
            assert_eq!(read, json!({"ok": true, "nested": {"n": null}, "list": values}));
        }
    }
}
