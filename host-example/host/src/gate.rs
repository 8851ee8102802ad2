//! Nothing of a session leaves this machine before it was looked through for secrets.
//!
//! The rules it keeps: content is looked through in the pass that hashes it, so what is let out is what was looked at;
//! no exit sends what was not let out; what cannot be looked through is not let out; no value is ever told or stored.
//!
//! | exit | what must be let out before |
//! | --- | --- |
//! | a file as the body of a request | the file, in the state it has now |
//! | a push to the ledger | all of its bytes, and the oid of every pointer |

mod allowed;
mod beside;
pub(crate) mod containers;
pub(crate) mod copies;
mod finding;
mod looking;
mod named_values;
mod own_rules;
mod verdicts;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

pub use allowed::Allowance;
use allowed::Allowed;
pub(crate) use beside::Beside;
pub use finding::{AllowedSecret, HeldSecret};
pub(crate) use looking::{Looked, Sought, each_piece, too_long};
use verdicts::Verdicts;

use crate::contract::error::Fault;
use crate::contract::names::{POINTER_BYTES_LIMIT, POINTER_START};
use crate::contract::types::PushFile;
use crate::files::digest::{OID_DIGITS, is_oid};
use crate::files::{Opened, Revision};
use crate::repository::Repository;

/// How a command passes the gate.
#[derive(Clone, Debug, Default)]
pub struct SecretOptions {
    /// What is let out although it looks like a secret.
    pub allow: Vec<Allowance>,
    /// Put markers in the places of secrets, and send that.
    pub redact: bool,
}

/// What is said of a thing that nothing is known of.
const HELD: &str = "it was not looked through for secrets";

/// Looks at what goes out, and remembers what may.
pub(crate) struct Gate {
    sought: Arc<Sought>,
    allowed: Allowed,
    passed: RefCell<Passed>,
}

/// What was looked through so far.
#[derive(Default)]
struct Passed {
    /// Files that may go out, by their name, in this state and with this oid.
    files: HashMap<String, (Revision, String)>,
    verdicts: Verdicts,
    /// What is held back, by the name of what it stands in.
    held: BTreeMap<String, Vec<HeldSecret>>,
    /// What goes out because the user said so.
    allowed: BTreeMap<String, Vec<AllowedSecret>>,
}

impl Gate {
    /// A gate of this repository, which lets out what was allowed here before, and `more`.
    pub(crate) fn of(repository: &Repository, more: &[Allowance]) -> Result<Self, Fault> {
        let sought = Sought::of(Some(repository))?;
        let allowed = Allowed::of(&repository.store_dir(), more)?;
        let verdicts = Verdicts::load(&repository.store_dir(), &allowed.keyed(&sought.identity()));
        let passed = RefCell::new(Passed { verdicts, ..Passed::default() });
        Ok(Self { sought: Arc::new(sought), allowed, passed })
    }

    /// Whether something was ever let out here.
    pub(crate) fn has_allowances(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// Whether a value goes out as it is.
    pub(crate) fn lets_out(&self, value: &[u8]) -> bool {
        self.has_allowances() && self.allowed.reason(&self.allowed.fingerprint(value)).is_some()
    }

    /// What is looked for, for a look in another thread.
    pub(crate) fn sought(&self) -> &Arc<Sought> {
        &self.sought
    }

    /// Looks through a text that goes out under this name.
    pub(crate) fn take_text(&self, name: &str, text: &[u8]) -> bool {
        self.judge(name, &self.sought.in_text(text))
    }

    /// Takes what a look came to, without letting anything out.
    pub(crate) fn take_look(&self, name: &str, looked: &Looked) {
        self.judge(name, looked);
    }

    /// Takes what a look through a file came to. False: it does not go out.
    pub(crate) fn take_file(&self, name: &str, revision: &Revision, looked: &Looked) -> bool {
        if !self.judge(name, looked) {
            return false;
        }
        let mut passed = self.passed.borrow_mut();
        passed.files.insert(name.to_owned(), (revision.clone(), looked.blob.oid.clone()));
        if looked.is_clean() {
            passed.verdicts.add(&looked.blob.oid);
        }
        true
    }

    /// Notes what is held back of it and what is allowed; whether nothing is held back.
    fn judge(&self, name: &str, looked: &Looked) -> bool {
        let (mut held, mut allowed) = (Vec::new(), Vec::new());
        for found in looked.findings() {
            let fingerprint = self.allowed.fingerprint(found.value);
            let file = found.member.map_or_else(|| name.to_owned(), |member| format!("{name}!{member}"));
            let (line, kind) = (found.line, found.kind.to_owned());
            match self.allowed.reason(&fingerprint) {
                Some(reason) => allowed.push(AllowedSecret { file, line, kind, reason: reason.to_owned() }),
                None => held.push(HeldSecret { file, line, kind, fingerprint, why: found.why.map(str::to_owned) }),
            }
        }
        let is_let_out = held.is_empty();
        let mut passed = self.passed.borrow_mut();
        // A file that changed is looked through again: what was found in it before counts no more.
        passed.held.insert(name.to_owned(), held);
        passed.allowed.insert(name.to_owned(), allowed);
        is_let_out
    }

    /// What is held back.
    pub(crate) fn held(&self) -> Vec<HeldSecret> {
        self.passed.borrow().held.values().flatten().cloned().collect()
    }

    /// What goes out although it looks like a secret.
    pub(crate) fn let_out(&self) -> Vec<AllowedSecret> {
        self.passed.borrow().allowed.values().flatten().cloned().collect()
    }

    /// The state in which a file was let out, and what it was.
    pub(crate) fn let_out_as(&self, name: &str) -> Option<(Revision, String)> {
        self.passed.borrow().files.get(name).cloned()
    }

    /// Why a file is held back, in a sentence.
    pub(crate) fn why_held(&self, name: &str) -> String {
        let passed = self.passed.borrow();
        let Some(held) = passed.held.get(name).and_then(|held| held.first()) else { return HELD.to_owned() };
        let what = match &held.why {
            Some(why) => why.clone(),
            None => format!("line {} has a secret, {}", held.line, held.kind),
        };
        format!("{what}; `--allow {} --reason WHY` lets it out", held.fingerprint)
    }

    /// The exit of the ledger. `open` opens the content of a pointer that was not looked through in this run.
    pub(crate) fn check_push(
        &self,
        files: &[PushFile],
        open: impl Fn(&str, &str) -> io::Result<Option<Opened>>,
    ) -> Result<(), String> {
        let known: BTreeSet<String> = self.passed.borrow().files.values().map(|(_, oid)| oid.clone()).collect();
        for file in files {
            let looked = self.sought.in_text(&file.bytes);
            // A pointer has the name of its content, of which more is known than that the pointer is clean.
            if !looked.is_clean() && !self.judge(&file.name, &looked) {
                return Err(format!("{} has a secret", file.name));
            }
            let Some(oid) = oid_of(&file.bytes) else { continue };
            if known.contains(oid) || self.passed.borrow().verdicts.has(oid) {
                continue;
            }
            let opened = open(&file.name, oid).map_err(|error| error.to_string())?;
            self.look_now(&file.name, oid, opened)?;
        }
        Ok(())
    }

    /// What was found in a push that did not go out, because the remote has all of it.
    pub(crate) fn forget(&self, files: &[PushFile]) {
        let mut passed = self.passed.borrow_mut();
        files.iter().for_each(|file| drop(passed.held.remove(&file.name)));
    }

    fn look_now(&self, name: &str, oid: &str, opened: Option<Opened>) -> Result<(), String> {
        let absent = || {
            format!(
                "the content of {name} is not here, so it cannot be looked through for secrets: publish the session \
                 again with its files"
            )
        };
        let mut opened = opened.ok_or_else(absent)?;
        let looked = self.sought.in_file(&mut opened.file, |_| Ok(())).map_err(|error| format!("{name}: {error}"))?;
        if looked.blob.oid != oid {
            return Err(absent());
        }
        match self.take_file(name, &opened.revision, &looked) {
            true => Ok(()),
            false => Err(format!("{name} has a secret, and the server has it already")),
        }
    }

    /// So that a publish that goes on later needs no content that may be gone by then.
    pub(crate) fn remember(&self) {
        self.passed.borrow().verdicts.save();
    }
}

/// The oid of a pointer; none of any other text, whatever it tells of pointers.
fn oid_of(bytes: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\noid sha256:";
    if !bytes.starts_with(POINTER_START) || bytes.len() >= POINTER_BYTES_LIMIT {
        return None;
    }
    let at = memchr::memmem::find(bytes, KEY)? + KEY.len();
    std::str::from_utf8(bytes.get(at..at + OID_DIGITS)?).ok().filter(|oid| is_oid(oid))
}
