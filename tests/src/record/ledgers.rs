//! The interface `ledgers`, written down.

use super::{Recorder, ended, form};
use crate::engine::{Engine, Ledgers};
use form::Form;
use hydrant_ledger::journal::Unfinished;
use hydrant_ledger::rules::drafts::Placeholder;
use hydrant_ledger::rules::readiness::{Checkout, Readiness};
use hydrant_ledger::rules::restore::Restored;
use hydrant_ledger::rules::titles::TitleRepair;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Blob;
use serde_json::{Value, json};

fn optional(text: Option<&[u8]>) -> Value {
    text.map_or(Value::Null, form::bytes)
}

impl<E: Engine> Ledgers for Recorder<E> {
    fn preserved_session_id(&self, manifest: Option<&[u8]>) -> Result<Option<String>, Error> {
        let id = self.engine.preserved_session_id(manifest);
        self.fallible("ledgers.preservedSessionId", json!([optional(manifest)]), id)
    }

    fn repair_title(&self, manifest: &[u8], summary: Option<&[u8]>) -> Result<TitleRepair, Error> {
        let args = json!([form::bytes(manifest), optional(summary)]);
        self.fallible("ledgers.repairTitle", args, self.engine.repair_title(manifest, summary))
    }

    fn set_title(&self, manifest: &[u8], title: &str) -> Result<Vec<u8>, Error> {
        let args = json!([form::bytes(manifest), title]);
        self.text("ledgers.setTitle", args, self.engine.set_title(manifest, title))
    }

    fn draft(&self, existing: Option<&[u8]>, transcript_is_there: bool, new: &Placeholder) -> Result<Vec<u8>, Error> {
        let args = json!([optional(existing), transcript_is_there, new.form()]);
        self.text("ledgers.draft", args, self.engine.draft(existing, transcript_is_there, new))
    }

    fn finalized(&self, manifest: &[u8]) -> Result<Vec<u8>, Error> {
        self.text("ledgers.finalized", json!([form::bytes(manifest)]), self.engine.finalized(manifest))
    }

    fn restore(
        &self,
        name: &str,
        content: Blob,
        committed: Option<&[u8]>,
        manifest: Option<&[u8]>,
    ) -> Result<Restored, Error> {
        let args = json!([name, content.form(), optional(committed), optional(manifest)]);
        self.fallible("ledgers.restore", args, self.engine.restore(name, content, committed, manifest))
    }

    fn sessions_gitignore(&self, existing: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
        let lines = self.engine.sessions_gitignore(existing);
        let told = lines.as_ref().map(|lines| optional(lines.as_deref()));
        let call = json!({"call": "ledgers.sessionsGitignore", "args": [optional(existing)]});
        self.lines.borrow_mut().push(ended(call, &told).to_string());
        lines
    }

    fn read_journal(&self, journal: &[u8]) -> Result<Unfinished, Error> {
        self.fallible("ledgers.readJournal", json!([form::bytes(journal)]), self.engine.read_journal(journal))
    }

    fn read_register(&self, register: &[u8]) -> Result<Vec<Blob>, Error> {
        self.fallible("ledgers.readRegister", json!([form::bytes(register)]), self.engine.read_register(register))
    }

    fn judge(&self, checkout: &Checkout) -> Result<Readiness, Error> {
        self.fallible("ledgers.judge", json!([checkout.form()]), self.engine.judge(checkout))
    }
}
