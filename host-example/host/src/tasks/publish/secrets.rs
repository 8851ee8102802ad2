//! What a publish says of secrets: what is held back, and what goes out although it looks like one.

use std::io::Read;
use std::rc::Rc;

use crate::contract::error::Fault;
use crate::contract::report::{ErrorCode, ErrorReport};
use crate::contract::types::Code;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::gate::{AllowedSecret, Gate, HeldSecret};
use crate::sessions::ledger::{MANIFEST, path_in};
use crate::text::{count_text, quote, shell};

use super::recording::Recorded;
use super::scene::Scene;

/// What the gate said, in the names of the session's files.
#[derive(Default)]
pub(super) struct Secrets {
    /// Nothing was sent because of these.
    pub(super) held: Vec<HeldSecret>,
    pub(super) allowed: Vec<AllowedSecret>,
    /// Other content was sent before it was found.
    pub(super) sent: bool,
}

impl Scene<'_> {
    pub(super) fn gate(&self) -> Result<Rc<Gate>, Fault> {
        Gate::of(self.repository, &self.options.secrets.allow).map(Rc::new)
    }

    /// Looks through everything that goes out and is not content: the fields, the names, the manifest, and what git
    /// carries.
    pub(super) fn look_through_texts(&self, gate: &Gate) -> Result<(), Fault> {
        for (name, value) in &self.fields {
            gate.take_text(&format!("the field {name}"), value.as_bytes());
        }
        let names = self.recording.files.iter().map(|file| file.name.as_str());
        let names = [self.session.as_str()].into_iter().chain(names).collect::<Vec<_>>().join("\n");
        gate.take_text("the names of the files", names.as_bytes());
        let in_git = self.recording.files.iter().filter(|file| file.in_git).map(|file| file.read_by(&self.session));
        for path in [path_in(&self.session, MANIFEST)].into_iter().chain(in_git) {
            let unreadable = |error: &std::io::Error| Fault::local(&path, error);
            let Some(opened) = self.files.open(&path).map_err(|error| unreadable(&error))? else { continue };
            let mut text = Vec::new();
            opened.file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
            gate.take_text(&path, &text);
        }
        Ok(())
    }

    /// What the gate said so far.
    pub(super) fn secrets(&self, gate: &Gate, sent: bool) -> Secrets {
        let own = path_in(&self.session, "");
        let name_of = |read_by: &str| {
            let own_name = |file: &Recorded| {
                let within = read_by.strip_prefix(&file.read_by(&self.session))?;
                (within.is_empty() || within.starts_with('!')).then(|| format!("{}{within}", file.name))
            };
            let file = self.recording.files.iter().find_map(own_name);
            file.unwrap_or_else(|| read_by.strip_prefix(&own).unwrap_or(read_by).to_owned())
        };
        let held = |one: &HeldSecret| HeldSecret { file: name_of(&one.file), ..one.clone() };
        let allowed = |one: &AllowedSecret| AllowedSecret { file: name_of(&one.file), ..one.clone() };
        Secrets {
            held: gate.held().iter().map(held).collect(),
            allowed: gate.let_out().iter().map(allowed).collect(),
            sent,
        }
    }
}

impl Secrets {
    /// Why nothing is published; none where nothing is held back.
    pub(super) fn refusal(&self) -> Option<ErrorReport> {
        let first = self.held.first()?;
        let more = match self.held.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let what = match &first.why {
            Some(why) => format!("{}: {why}", quote(first.file.as_bytes())),
            None => format!("{}:{}: {}", quote(first.file.as_bytes()), first.line, first.kind),
        };
        let end = if self.sent { "nothing was pushed" } else { "nothing was sent" };
        let detail = format!("{what}{more}; {end}");
        Some(ErrorReport { code: ErrorCode(Code::Rejected), detail, retry_at_ms: None })
    }

    /// How to go on.
    pub(super) fn next(&self, session: &str) -> String {
        let unchecked = self.held.iter().filter(|one| one.why.is_some()).count();
        let allow = "`--allow FINGERPRINT --reason WHY` lets out what is no secret";
        if unchecked > 0 {
            let files = count_text(unchecked, "file");
            return format!("{files} cannot be looked through: `--exclude` leaves them out, and {allow}");
        }
        format!("`hydrant publish {} … --redact` publishes it without them; {allow}", shell(session))
    }
}
