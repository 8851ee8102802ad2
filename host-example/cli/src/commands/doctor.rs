//! `hydrant doctor`: what was left half done on this machine, each with one sentence and the command that ends it.
//!
//! The rules it keeps: without `--fix` it only looks; nobody is asked but the disk and git; what it cannot explain it
//! names. With `--fix` it does what it named, through the commands that do it, and nothing that could lose a byte. What
//! may stay as it is for ever is a note: it is said, and is no reason to end with 1.

mod appended;
mod conflicts;
mod drafts;
mod fix;
mod leftovers;
mod publishes;
mod sessions;
mod titles;

use std::env;
use std::os::unix::ffi::OsStrExt as _;

use hydrant_host::engine::Engine;
use hydrant_host::text::plain;
use hydrant_host::store::Store;
use serde_json::{Value, json};

use crate::cli::DoctorArgs;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::gitignore;
use hydrant_host::sessions::ledger::Ledger;
use crate::report::Output;
use hydrant_host::text::{bytes_text, count_text, quote};
use hydrant_host::repository::Repository;

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;

/// What kind of thing was found. The list is closed here; readers accept names they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A publish named what it would send, and proved nothing yet: some of it may be on the server, bound to nothing.
    PublishIntended,
    /// Everything is on the server, and the remote has not heard of it, as far as this clone knows.
    PublishUnpushed,
    /// The remote has it; branch, index and files here do not follow yet.
    PublishUnsettled,
    /// All agree, but content stands where its pointer belongs.
    PublishUnswapped,
    /// Only the journal is left.
    PublishUnclosed,
    /// A journal that cannot be read.
    PublishUnreadable,
    /// The register of orphans cannot be read, so nothing can be registered.
    RegisterUnreadable,
    /// A rewrite of unpushed commits was interrupted.
    RewriteInterrupted,
    /// Content that grew after its pointer took its place, or that nobody can explain.
    KeptContent,
    /// Content that was on its way out of the work tree when its process died.
    DisplacedContent,
    /// A temporary file of a process that is gone.
    Leftover,
    /// Unfinished downloads and temporary files of the cache that nobody went on with.
    CacheLeftovers,
    /// `index.lock` of a process of ours that is gone.
    IndexLock,
    /// A manifest that cannot be read.
    UnreadableManifest,
    /// A program went on writing to a file by its name, after a pointer took its place.
    AppendedPointer,
    /// Conflict markers, or a merge that is not resolved.
    Conflict,
    /// A manifest without an id of its own.
    LegacySession,
    /// A placeholder of a recording that nobody went on with for a day.
    OldDraft,
    /// A commit that a rewrite replaced, and that is still kept.
    BackupRef,
    /// The sessions' `.gitignore` lacks lines.
    Gitignore,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::PublishIntended => "publish-intended",
            Self::PublishUnpushed => "publish-unpushed",
            Self::PublishUnsettled => "publish-unsettled",
            Self::PublishUnswapped => "publish-unswapped",
            Self::PublishUnclosed => "publish-unclosed",
            Self::PublishUnreadable => "publish-unreadable",
            Self::RegisterUnreadable => "register-unreadable",
            Self::RewriteInterrupted => "rewrite-interrupted",
            Self::KeptContent => "kept-content",
            Self::DisplacedContent => "displaced-content",
            Self::Leftover => "leftover",
            Self::CacheLeftovers => "cache-leftovers",
            Self::IndexLock => "index-lock",
            Self::UnreadableManifest => "unreadable-manifest",
            Self::AppendedPointer => "appended-pointer",
            Self::Conflict => "conflict",
            Self::LegacySession => "legacy-session",
            Self::OldDraft => "old-draft",
            Self::BackupRef => "backup-ref",
            Self::Gitignore => "gitignore",
        }
    }
}

/// What `--fix` does about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    /// Nothing: the user decides.
    Yours,
    /// Finishes the publish of this session; with `true` its content here is taken again.
    Publish(String, bool),
    /// Puts a rewrite back.
    UndoRewrite,
    /// Moves this file of the work tree to `hydrant/kept`, or removes it where it is one of our pointers.
    PutAside(String),
    /// Takes content of this session that was on its way into the cache.
    TakeIn(String),
    /// Removes leftovers of the cache.
    Prune,
    /// Takes away our lock.
    Unlock,
    /// Writes the sessions' `.gitignore`.
    WriteGitignore,
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) session: Option<String>,
    /// Relative to the work tree, or a name in git's folder.
    pub(super) path: Option<String>,
    /// One sentence.
    pub(super) detail: String,
    /// What to run, or what to do.
    pub(super) run: String,
    pub(super) cure: Cure,
    pub(super) fixed: Option<Result<String, String>>,
}

impl Finding {
    pub(super) fn new(kind: Kind, detail: impl Into<String>, run: impl Into<String>, cure: Cure) -> Self {
        let (detail, run) = (detail.into(), run.into());
        Self { kind, session: None, path: None, detail, run, cure, fixed: None }
    }

    pub(super) fn of(mut self, session: &str) -> Self {
        self.session = Some(session.to_owned());
        self
    }

    /// Whether it may stay as it is for ever.
    fn is_note(&self) -> bool {
        matches!(self.kind, Kind::LegacySession | Kind::BackupRef) || self.cure == Cure::WriteGitignore
    }

    /// Whether there is still something to do about it.
    fn is_left(&self) -> bool {
        !self.is_note() && !matches!(self.fixed, Some(Ok(_)))
    }

    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// Where everything is looked for.
pub(super) struct Patient<'a> {
    pub(super) repository: &'a Repository,
    pub(super) engine: &'a Engine,
    pub(super) ledger: Ledger,
    pub(super) store: Store,
}

pub(crate) fn run(arguments: &DoctorArgs, output: &mut Output) -> Result<Ending, Fault> {
    if arguments.dry_run && !arguments.fix && !arguments.titles {
        return Err(Fault::misuse("--dry-run belongs to --fix or --titles; alone, doctor changes nothing anyway"));
    }
    let repository = Repository::around(&env::current_dir()?)?;
    let engine = Engine::load()?;
    let ledger = Ledger::of(&repository)?;
    if arguments.titles {
        if !arguments.dry_run {
            gitignore::exclude_locks(&repository)?;
        }
        return titles::run(&engine, &ledger, arguments.dry_run, output);
    }
    let store = Store::cache(&repository.store_dir())?;
    let patient = Patient { repository: &repository, engine: &engine, ledger, store };
    let mut findings = look(&patient)?;
    if arguments.fix && !arguments.dry_run {
        fix_all(&patient, &mut findings, arguments, output);
    }
    Ok(say(&patient, &findings, arguments, output))
}

fn fix_all(patient: &Patient<'_>, findings: &mut [Finding], arguments: &DoctorArgs, output: &mut Output) {
    for finding in findings.iter_mut() {
        if fix::fix(patient, finding, arguments, output) == fix::Then::Stop {
            return;
        }
    }
    let is_done = |one: &Finding| matches!((&one.cure, &one.fixed), (Cure::Publish(..), Some(Ok(_))));
    if !findings.iter().any(is_done) {
        return;
    }
    // One that could not follow may have waited for what another one brought.
    let waits = |one: &&mut Finding| one.kind == Kind::PublishUnsettled && matches!(one.fixed, Some(Err(_)));
    for finding in findings.iter_mut().filter(waits) {
        if fix::fix(patient, finding, arguments, output) == fix::Then::Stop {
            return;
        }
    }
}

fn look(patient: &Patient<'_>) -> Result<Vec<Finding>, Fault> {
    let mut findings = Vec::new();
    publishes::look(patient, &mut findings)?;
    leftovers::look(patient, &mut findings)?;
    sessions::look(patient, &mut findings)?;
    appended::look(patient, &mut findings)?;
    Ok(findings)
}

fn say(patient: &Patient<'_>, findings: &[Finding], arguments: &DoctorArgs, output: &mut Output) -> Ending {
    let notes = findings.iter().filter(|one| one.is_note()).count();
    let left = findings.iter().filter(|one| one.is_left()).count();
    let (adopted, adopted_bytes) = leftovers::adopted(patient.repository);
    output.json(&json!({
        "schema_version": SCHEMA_VERSION,
        "ok": left == 0,
        "fix": arguments.fix,
        "dry_run": arguments.dry_run,
        "findings": findings.iter().map(|one| finding_json(one, arguments)).collect::<Vec<_>>(),
        "adopted": { "files": adopted, "bytes": adopted_bytes },
    }));
    for one in findings {
        let about = match (&one.session, &one.path) {
            (Some(session), None) => format!("{}: ", quote(session.as_bytes())),
            (_, Some(path)) => format!("{}: ", quote(path.as_bytes())),
            (None, None) => String::new(),
        };
        output.line(format!("{about}{}", plain(&one.detail)));
        match &one.fixed {
            Some(Ok(done)) => output.line(format!("    done: {}", plain(done))),
            Some(Err(why)) => output.line(format!("    not fixed: {}", plain(why))),
            None if arguments.fix && one.cure != Cure::Yours => {
                output.line(format!("    --fix: {}", fix::plan(&one.cure)));
            }
            None => output.line(format!("    {}", one.run)),
        }
    }
    if adopted > 0 {
        let files = count_text(adopted, "file");
        output.note(format!("{files} gave way to pointers and serve as cache, {}", bytes_text(adopted_bytes)));
    }
    let found = findings.len() - notes;
    if findings.iter().any(Finding::is_left) && env::current_dir().is_ok_and(|here| here != patient.repository.top) {
        output.note(format!("paths are those of {}", quote(patient.repository.top.as_os_str().as_bytes())));
    }
    if found == 0 {
        output.line("nothing is half done here");
    } else {
        output.note(format!("{}, {left} left", count_text(found, "finding")));
    }
    if left == 0 { Ending::Done } else { Ending::SomeFailed }
}

fn finding_json(one: &Finding, arguments: &DoctorArgs) -> Value {
    let fix = match one.cure {
        Cure::Yours => Value::Null,
        _ => fix::plan(&one.cure).into(),
    };
    let mut document = json!({
        "kind": one.kind.name(), "severity": if one.is_note() { "note" } else { "finding" },
        "session": one.session, "path": one.path, "detail": one.detail, "run": one.run, "fix": fix,
    });
    if arguments.fix && !arguments.dry_run {
        document["fixed"] = matches!(one.fixed, Some(Ok(_))).into();
        document["result"] = match &one.fixed {
            Some(Ok(text) | Err(text)) => text.as_str().into(),
            None => Value::Null,
        };
    }
    document
}
