//! Content goes back to its pointer, where something else names this very content.
//!
//! The rules it keeps: size and digest must equal the committed pointer at the same path or, of a session, the
//! manifest's entry; the content is in the cache before the pointer stands in its place; whatever else stands there is
//! refused and stays.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::ledgers;
use crate::contract::manifests::FileStorage;
use crate::contract::names::in_sessions;
use crate::contract::pointers::{Kind, Sample};
use crate::contract::report::ErrorReport;
use crate::contract::types::{Blob, Code};
use crate::engine::Guest;
use crate::files::Opened;
use crate::files::digest::blob_of_file;
use crate::repository::{Repository, committed};
use crate::sessions::coverage;
use crate::sessions::ledger::{Ledger, MANIFEST, SESSIONS, Target, path_in};
use crate::store::Store;
use crate::tasks::client::Client;
use crate::text::{plain, quote};
use crate::worktree::restoring::{self, Restored};
use crate::worktree::scan::POINTER_BYTES_LIMIT;

/// Paths that git is asked about at once, at most.
const PATHS_MAX: usize = 256;

/// Which content goes back to its pointer.
#[derive(Clone, Debug, Default)]
pub struct RestoreOptions {
    /// Files of the working tree, relative to the folder that the repository was opened in, or sessions: then all their
    /// content.
    pub targets: Vec<String>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RestoreReport {
    /// Nothing was changed: the states say what would be.
    pub dry_run: bool,
    /// Each file that was asked for.
    pub file_list: Vec<RestoredFile>,
    /// Paths of restored files whose content is still staged: the next commit would take it in full.
    #[serde(skip)]
    pub staged: Vec<String>,
}

/// One file that was asked for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RestoredFile {
    /// Its path in the working tree.
    pub path: String,
    /// What became of it.
    pub state: RestoreState,
    /// What names its content; null where it was not restored.
    pub witness: Option<Witness>,
    /// Why it was left; null in every other state.
    pub detail: Option<&'static str>,
    /// SHA-256 of the content that stood there; null where it was not read to its end.
    pub oid: Option<String>,
    /// Bytes of that content.
    pub size: Option<u64>,
    /// Why it was refused; null in every other state.
    pub error: Option<ErrorReport>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreState {
    /// A pointer stands there, or would with a dry run.
    Restored,
    /// A pointer stands there already, or nothing.
    Left,
    /// It is as it was.
    Refused,
}

/// What names the content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// The pointer that the last commit has at this path.
    Committed,
    /// The session's manifest.
    Manifest,
}

impl From<ledgers::Witness> for Witness {
    fn from(witness: ledgers::Witness) -> Self {
        match witness {
            ledgers::Witness::Committed => Self::Committed,
            ledgers::Witness::Manifest => Self::Manifest,
        }
    }
}

impl RestoreReport {
    /// Whether nothing was refused.
    pub fn is_complete(&self) -> bool {
        self.file_list.iter().all(|file| file.state != RestoreState::Refused)
    }
}

/// What became of a file that was not refused.
enum Came {
    Restored(Witness),
    Left(&'static str),
}

impl Client {
    /// Puts content of sessions and of assets back to its pointers.
    pub fn restore(&self, repository: &Repository, options: &RestoreOptions) -> Result<RestoreReport, Fault> {
        let ledger = Ledger::of(repository)?;
        let mut guest = self.guest()?;
        let mut store = if options.dry_run { repository.cache_to_read()? } else { repository.cache()? };
        let head = committed::commit(repository, "HEAD")?;
        let chosen = chosen(repository, &ledger, &mut guest, &options.targets)?;
        for one in &chosen {
            check_named(one, repository, &ledger, &mut guest, head.as_deref())?;
        }
        let mut file_list = Vec::new();
        for one in chosen {
            let manifest = one.session.as_ref().map(|session| ledger.manifest_text(session)).transpose()?;
            let paths: Vec<String> = one.names.iter().map(|name| one.path(name)).collect();
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let committed = match &head {
                Some(head) => committed::files(&repository.git, head, &paths)?,
                None => vec![None; paths.len()],
            };
            for ((name, path), committed) in one.names.iter().zip(&paths).zip(&committed) {
                let content = Content { name, path, committed: committed.as_deref(), manifest: manifest.as_deref() };
                file_list.push(content.restore(&ledger, &mut guest, &mut store, options.dry_run));
            }
        }
        let staged = match &head {
            Some(head) if !options.dry_run => {
                // The files are restored whatever git says here.
                staged(repository, head, &file_list).unwrap_or_else(|fault| {
                    self.watching().warned(&format!("it is not known what is still staged: {}", plain(&fault.detail)));
                    Vec::new()
                })
            }
            _ => Vec::new(),
        };
        Ok(RestoreReport { dry_run: options.dry_run, file_list, staged })
    }
}

/// Content that was staged stays in the index, and the next commit would take it in full.
fn staged(repository: &Repository, head: &str, files: &[RestoredFile]) -> Result<Vec<String>, Fault> {
    let restored = files.iter().filter(|file| file.state == RestoreState::Restored);
    let paths: Vec<&str> = restored.map(|file| file.path.as_str()).collect();
    let asked = ["--literal-pathspecs", "diff-index", "--cached", "--name-only", "--no-relative", "-z", head, "--"];
    let mut staged = Vec::new();
    for paths in paths.chunks(PATHS_MAX) {
        let listed = repository.git.read(&[&asked, paths].concat(), b"")?;
        let listed = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        staged.extend(listed.map(|path| String::from_utf8_lossy(path).into_owned()));
    }
    Ok(staged)
}

/// The files that are meant of a session, or of none.
#[derive(Default)]
struct Chosen {
    /// None: they are assets, and their names are their paths.
    session: Option<String>,
    names: BTreeSet<String>,
    /// Those of them that were asked for by name.
    named: BTreeSet<String>,
}

impl Chosen {
    fn path(&self, name: &str) -> String {
        self.session.as_ref().map_or_else(|| name.to_owned(), |session| path_in(session, name))
    }
}

fn chosen(repository: &Repository, ledger: &Ledger, guest: &mut Guest, words: &[String]) -> Result<Vec<Chosen>, Fault> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for word in words {
        let (session, file) = session_and_file(repository, ledger, word)?;
        let names = match (&session, &file) {
            (Some(session), None) => {
                let manifest = guest.manifest_read(&ledger.manifest_text(session)?)?;
                let content = manifest.files.into_iter().filter(|file| file.storage == FileStorage::Lfs);
                content.map(|file| file.name).collect()
            }
            (_, file) => file.iter().cloned().collect::<BTreeSet<String>>(),
        };
        if session.is_some() && names.contains(MANIFEST) {
            return Err(Fault::misuse("a manifest is no content"));
        }
        let at = chosen.iter().position(|known| known.session == session).unwrap_or_else(|| {
            chosen.push(Chosen { session, ..Chosen::default() });
            chosen.len() - 1
        });
        chosen[at].names.extend(names);
        chosen[at].named.extend(file);
    }
    Ok(chosen)
}

/// Refuses a name that neither the work tree nor the manifest nor the last commit has: it is misspelt, and what was
/// meant would stay as it is.
fn check_named(
    chosen: &Chosen,
    repository: &Repository,
    ledger: &Ledger,
    guest: &mut Guest,
    head: Option<&str>,
) -> Result<(), Fault> {
    // What cannot be opened stands there, and is refused by its own sentence.
    let is_absent = |name: &&String| matches!(ledger.files().open(&chosen.path(name)), Ok(None));
    let absent: Vec<String> = chosen.named.iter().filter(is_absent).map(|name| chosen.path(name)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let mut known = BTreeSet::new();
    if let Some(session) = &chosen.session {
        let manifest = guest.manifest_read(&ledger.manifest_text(session)?)?;
        known.extend(manifest.files.into_iter().map(|file| path_in(session, &file.name)));
    }
    for (head, paths) in head.iter().flat_map(|head| absent.chunks(PATHS_MAX).map(move |paths| (head, paths))) {
        let listed = committed::list(repository.as_it_is(), head, SESSIONS, paths)?;
        known.extend(listed.into_iter().map(|entry| entry.path));
    }
    match absent.into_iter().find(|path| !known.contains(path)) {
        Some(path) => Err(Fault::misuse(format!(
            "{} is no file: neither the work tree nor {}the last commit has it",
            quote(path.as_bytes()),
            if chosen.session.is_some() { "the manifest nor " } else { "" },
        ))),
        None => Ok(()),
    }
}

/// What a word means: a session, a file of one, or a file that belongs to none. The path of a file may have folders
/// below the session's.
fn session_and_file(
    repository: &Repository,
    ledger: &Ledger,
    word: &str,
) -> Result<(Option<String>, Option<String>), Fault> {
    let here = &repository.here;
    let shown = quote(word.as_bytes());
    if let Target::Session { name, file } = ledger.target(word, here)
        && repository.has_sessions()?
    {
        return Ok((Some(name), file));
    }
    if let Some(fault) = coverage::session_kept_out(repository, word)? {
        return Err(fault);
    }
    let Some(path) = ledger.path_within(word, here).filter(|path| !path.is_empty()) else {
        return Err(Fault::misuse(format!("{shown} is no session and no file of this work tree")));
    };
    if !repository.is_of_session(path.as_bytes())? {
        if ledger.files().within(&path).is_ok_and(|folder| folder.is_some()) {
            return Err(Fault::misuse(format!("{shown} is a folder: name its files")));
        }
        return Ok((None, Some(path)));
    }
    match in_sessions(&path).and_then(|within| within.split_once('/')) {
        Some((session, file)) if matches!(ledger.target(session, here), Target::Session { .. }) => {
            Ok((Some(session.to_owned()), Some(file.to_owned())))
        }
        _ => Err(Fault::misuse(format!("{shown} is no session and no file of one"))),
    }
}

/// One file and what names its content.
struct Content<'a> {
    name: &'a str,
    path: &'a str,
    committed: Option<&'a [u8]>,
    /// That of its session, if it belongs to one.
    manifest: Option<&'a [u8]>,
}

impl Content<'_> {
    fn restore(&self, ledger: &Ledger, guest: &mut Guest, store: &mut Store, dry_run: bool) -> RestoredFile {
        let mut blob = None;
        let came = self.try_restore(ledger, guest, store, dry_run, &mut blob);
        let (state, witness, detail) = match &came {
            Ok(Came::Restored(witness)) => (RestoreState::Restored, Some(*witness), None),
            Ok(Came::Left(why)) => (RestoreState::Left, None, Some(*why)),
            Err(_) => (RestoreState::Refused, None, None),
        };
        let (oid, size) = blob.map(|blob| (blob.oid, blob.size)).unzip();
        let error = came.err().as_ref().map(ErrorReport::from);
        RestoredFile { path: self.path.to_owned(), state, witness, detail, oid, size, error }
    }

    fn try_restore(
        &self,
        ledger: &Ledger,
        guest: &mut Guest,
        store: &mut Store,
        dry_run: bool,
        found: &mut Option<Blob>,
    ) -> Result<Came, Fault> {
        let unreadable = |error: &std::io::Error| Fault::local("it cannot be read", error);
        let opened = ledger.files().open(self.path).map_err(|error| unreadable(&error))?;
        let Some(mut opened) = opened else { return Ok(Came::Left("nothing stands here")) };
        let revision = opened.revision.text();
        if is_pointer(guest, &mut opened)? {
            return Ok(Came::Left("a pointer stands here already"));
        }
        let blob = blob_of_file(&mut opened.file).map_err(|error| unreadable(&error))?;
        if !opened.unchanged().map_err(|error| unreadable(&error))? {
            return Err(Fault::failed(Code::Conflict, "it is written to right now"));
        }
        *found = Some(blob.clone());
        let proved = guest.restore(self.name, &blob, self.committed, self.manifest)?;
        if restoring::cache_differs(store, &blob)? {
            return Err(cache_differs());
        }
        if dry_run {
            return Ok(Came::Restored(proved.witness.into()));
        }
        match restoring::restore(ledger.files(), store, self.path, &revision, &blob, &proved.pointer)? {
            Restored::Swapped => Ok(Came::Restored(proved.witness.into())),
            Restored::Changed => Err(Fault::failed(Code::Conflict, "it changed meanwhile, and is as it is")),
            Restored::Absent => Ok(Came::Left("nothing stands here")),
            Restored::CacheDiffers => Err(cache_differs()),
        }
    }
}

fn cache_differs() -> Fault {
    let sentence = "the cache holds other bytes under this oid: hydrant cache verify --yes removes them";
    Fault::failed(Code::Integrity, sentence)
}

/// Whether a pointer stands there. The file stands at its beginning afterwards.
fn is_pointer(guest: &mut Guest, opened: &mut Opened) -> Result<bool, Fault> {
    if opened.size == 0 || opened.size >= POINTER_BYTES_LIMIT as u64 {
        return Ok(false);
    }
    let mut head = Vec::new();
    (&opened.file).take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head)?;
    opened.file.rewind()?;
    let file_size = head.len() as u64;
    Ok(matches!(guest.classify(&Sample { head, file_size })?, Kind::Pointer(_)))
}
