//! `hydrant restore`: content of a ledger goes back to its pointer, where something else names this very content.
//!
//! The rules it keeps: size and digest must equal the committed pointer at the same path or the manifest's entry; the
//! content is in the cache before the pointer stands in its place; whatever else stands there is refused and stays.

use std::collections::BTreeSet;
use std::env;

use hydrant_host::files::digest::blob_of_file;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::files::Opened;
use hydrant_host::text::plain;
use hydrant_host::worktree::restoring::{self, Restored};
use hydrant_host::worktree::scan::POINTER_BYTES_LIMIT;
use hydrant_host::store::Store;
use hydrant_host::contract::ledgers::Witness;
use hydrant_host::contract::manifests::FileStorage;
use hydrant_host::contract::pointers::{Kind, Sample};
use hydrant_host::contract::types::{Blob, Code};
use serde_json::{Value, json};

use crate::cli::RestoreArgs;
use hydrant_host::repository::committed;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::ledger::{Ledger, MANIFEST, SESSIONS, Target, path_in};
use crate::report::{Output, Table, error_json};
use hydrant_host::text::{bytes_text, quote, shell};
use hydrant_host::repository::Repository;

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;

/// One file.
struct File {
    path: String,
    blob: Option<Blob>,
    came: Came,
}

/// Paths that git is asked about at once, at most.
const PATHS_MAX: usize = 256;

/// What became of a file.
enum Came {
    /// A pointer stands there, or would with a dry run.
    Restored(Witness),
    /// A pointer stands there already, or nothing.
    Already(&'static str),
    /// It was refused, and is as it was.
    Refused(Fault),
}

pub(crate) fn run(arguments: &RestoreArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    if !repository.is_ledger()? {
        return Err(Fault::misuse("this repository holds no sessions"));
    }
    let engine = Engine::load()?;
    let ledger = Ledger::of(&repository)?;
    let mut guest = engine.guest()?;
    let mut store = Store::cache(&repository.store_dir())?;
    let head = committed::commit(&repository, "HEAD")?;
    let mut files = Vec::new();
    let chosen = chosen(&ledger, &mut guest, &arguments.targets)?;
    for one in &chosen {
        check_named(one, &repository, &ledger, &mut guest, head.as_deref())?;
    }
    for Chosen { session, names, .. } in chosen {
        let manifest = ledger.manifest_text(&session)?;
        let paths: Vec<String> = names.iter().map(|name| path_in(&session, name)).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let committed = match &head {
            Some(head) => committed::files(&repository, head, &paths)?,
            None => vec![None; paths.len()],
        };
        for ((name, path), committed) in names.iter().zip(&paths).zip(&committed) {
            let content = Content { name, path, committed: committed.as_deref(), manifest: &manifest };
            files.push(content.restore(&ledger, &mut guest, &mut store, arguments.dry_run));
        }
    }
    let ending = say(&files, arguments.dry_run, output);
    if let (Some(head), false) = (&head, arguments.dry_run) {
        tell_staged(&repository, head, &files, output)?;
    }
    Ok(ending)
}

/// Content that was staged stays in the index, and the next commit would take it in full.
fn tell_staged(repository: &Repository, head: &str, files: &[File], output: &mut Output) -> Result<(), Fault> {
    let restored = files.iter().filter(|file| matches!(file.came, Came::Restored(_)));
    let paths: Vec<&str> = restored.map(|file| file.path.as_str()).collect();
    let asked = ["--literal-pathspecs", "diff-index", "--cached", "--name-only", "--no-relative", "-z", head, "--"];
    for paths in paths.chunks(PATHS_MAX) {
        let staged = repository.git.read(&[&asked, paths].concat(), b"")?;
        for path in staged.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            let path = shell(&String::from_utf8_lossy(path));
            output.warn(format!("{path} is still staged with other content: git restore --staged -- {path}"));
        }
    }
    Ok(())
}

/// A session with the files that are meant.
#[derive(Default)]
struct Chosen {
    session: String,
    names: BTreeSet<String>,
    /// Those of them that stand on the command line.
    named: BTreeSet<String>,
}

fn chosen(ledger: &Ledger, guest: &mut Guest, words: &[String]) -> Result<Vec<Chosen>, Fault> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for word in words {
        let (session, file) = session_and_file(ledger, word)?;
        let names = match &file {
            Some(file) => BTreeSet::from([file.clone()]),
            None => {
                let manifest = guest.manifest_read(&ledger.manifest_text(&session)?)?;
                let content = manifest.files.into_iter().filter(|file| file.storage == FileStorage::Lfs);
                content.map(|file| file.name).collect()
            }
        };
        if names.contains(MANIFEST) {
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

/// Refuses a name on the command line that neither the work tree nor the manifest nor the last commit has: it is
/// misspelt, and what was meant would stay as it is.
fn check_named(
    chosen: &Chosen,
    repository: &Repository,
    ledger: &Ledger,
    guest: &mut Guest,
    head: Option<&str>,
) -> Result<(), Fault> {
    let Chosen { session, named, .. } = chosen;
    // What cannot be opened stands there, and is refused by its own sentence.
    let is_absent = |name: &&String| matches!(ledger.files().open(&path_in(session, name)), Ok(None));
    let absent: Vec<&String> = named.iter().filter(is_absent).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let manifest = guest.manifest_read(&ledger.manifest_text(session)?)?;
    let mut known: BTreeSet<String> = manifest.files.into_iter().map(|file| path_in(session, &file.name)).collect();
    if let Some(head) = head {
        let paths: Vec<String> = absent.iter().map(|name| path_in(session, name)).collect();
        let listed = committed::list(&committed::as_it_is(repository), head, SESSIONS, &paths)?;
        known.extend(listed.into_iter().map(|entry| entry.path));
    }
    match absent.into_iter().map(|name| path_in(session, name)).find(|path| !known.contains(path)) {
        Some(path) => Err(Fault::misuse(format!(
            "{} is no file: neither the work tree nor the manifest nor the last commit has it",
            quote(path.as_bytes())
        ))),
        None => Ok(()),
    }
}

/// What a word means. The path of a file may have folders below the session's.
fn session_and_file(ledger: &Ledger, word: &str) -> Result<(String, Option<String>), Fault> {
    let here = env::current_dir()?;
    if let Target::Session { name, file } = ledger.target(word, &here) {
        return Ok((name, file));
    }
    let nested = ledger.path_within(word, &here).and_then(|path| {
        let (session, file) = path.strip_prefix("sessions/")?.split_once('/')?;
        Some((session.to_owned(), file.to_owned()))
    });
    match nested {
        Some((session, file)) if matches!(ledger.target(&session, &here), Target::Session { .. }) => {
            Ok((session, Some(file)))
        }
        _ => Err(Fault::misuse(format!("{} is no session and no file of one", quote(word.as_bytes())))),
    }
}

/// One file and what names its content.
struct Content<'a> {
    name: &'a str,
    path: &'a str,
    committed: Option<&'a [u8]>,
    manifest: &'a [u8],
}

impl Content<'_> {
    fn restore(&self, ledger: &Ledger, guest: &mut Guest, store: &mut Store, dry_run: bool) -> File {
        let mut blob = None;
        let came = self.try_restore(ledger, guest, store, dry_run, &mut blob).unwrap_or_else(Came::Refused);
        File { path: self.path.to_owned(), blob, came }
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
        let Some(mut opened) = opened else { return Ok(Came::Already("nothing stands here")) };
        let revision = opened.revision.text();
        if is_pointer(guest, &mut opened)? {
            return Ok(Came::Already("a pointer stands here already"));
        }
        let blob = blob_of_file(&mut opened.file).map_err(|error| unreadable(&error))?;
        if !opened.unchanged().map_err(|error| unreadable(&error))? {
            return Err(Fault::failed(Code::Conflict, "it is written to right now"));
        }
        *found = Some(blob.clone());
        let proved = guest.restore(self.name, &blob, self.committed, Some(self.manifest))?;
        if restoring::cache_differs(store, &blob)? {
            return Err(cache_differs());
        }
        if dry_run {
            return Ok(Came::Restored(proved.witness));
        }
        match restoring::restore(ledger.files(), store, self.path, &revision, &blob, &proved.pointer)? {
            Restored::Swapped => Ok(Came::Restored(proved.witness)),
            Restored::Changed => Err(Fault::failed(Code::Conflict, "it changed meanwhile, and is as it is")),
            Restored::Absent => Ok(Came::Already("nothing stands here")),
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
    use std::io::{Read, Seek};
    if opened.size == 0 || opened.size >= POINTER_BYTES_LIMIT as u64 {
        return Ok(false);
    }
    let mut head = Vec::new();
    (&opened.file).take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head)?;
    opened.file.rewind()?;
    let file_size = head.len() as u64;
    Ok(matches!(guest.classify(&Sample { head, file_size })?, Kind::Pointer(_)))
}

fn say(files: &[File], dry_run: bool, output: &mut Output) -> Ending {
    let refused = files.iter().filter(|file| matches!(file.came, Came::Refused(_))).count();
    output.json(&json!({
        "schema_version": SCHEMA_VERSION, "ok": refused == 0, "dry_run": dry_run,
        "files": files.iter().map(file_json).collect::<Vec<_>>(),
    }));
    let mut table = Table::new(&["file", ">size", "state", ""]);
    for file in files {
        let size = file.blob.as_ref().map_or_else(String::new, |blob| bytes_text(blob.size));
        let (state, detail) = match &file.came {
            Came::Restored(witness) if dry_run => ("would be restored", named_by(*witness)),
            Came::Restored(witness) => ("restored", named_by(*witness)),
            Came::Already(why) => ("left", (*why).to_owned()),
            Came::Refused(fault) => ("refused", plain(&fault.detail)),
        };
        table.row([quote(file.path.as_bytes()), size, state.to_owned(), detail]);
    }
    table.print(output);
    if refused == 0 { Ending::Done } else { Ending::SomeFailed }
}

fn named_by(witness: Witness) -> String {
    match witness {
        Witness::Committed => "as the committed pointer says",
        Witness::Manifest => "as the manifest says",
    }
    .to_owned()
}

fn file_json(file: &File) -> Value {
    let (state, witness, detail) = match &file.came {
        Came::Restored(Witness::Committed) => ("restored", Some("committed"), None),
        Came::Restored(Witness::Manifest) => ("restored", Some("manifest"), None),
        Came::Already(why) => ("left", None, Some(*why)),
        Came::Refused(_) => ("refused", None, None),
    };
    let mut document = json!({
        "path": file.path, "state": state, "witness": witness, "detail": detail,
        "oid": file.blob.as_ref().map(|blob| &blob.oid), "size": file.blob.as_ref().map(|blob| blob.size),
    });
    if let Came::Refused(fault) = &file.came {
        document["error"] = error_json(fault.code, &fault.detail, None);
    }
    document
}
