//! Whether everything that is named is really there: manifests, pointers, the last commit, the cache, the server.
//!
//! The rule it keeps: only looks. A server's word is not proof: `deep` fetches every blob and hashes it.

mod in_full;
mod last_commit;
mod pushed;
mod report;
mod server;
mod staged;
mod unnamed;
mod work_tree;

use std::collections::{BTreeMap, BTreeSet};

use self::last_commit::LastCommit;
pub use self::pushed::{Push, PushedRef};
pub use self::report::{Finding, VerifyReport};
use self::report::{Named, Seen};
use self::unnamed::Pointers;
use crate::contract::error::Fault;
use crate::contract::names::in_sessions;
use crate::contract::types::{Code, Direction};
use crate::repository::Repository;
use crate::sessions::coverage;
use crate::sessions::ledger::{Ledger, MANIFEST, Target, no_sessions};
use crate::store::{Look, Store};
use crate::tasks::assets;
use crate::tasks::client::Client;
use crate::tasks::content_in_git::commits::{self, InCommits};
use crate::tasks::endpoint::{self, ServerOptions};
use crate::tasks::passing::Passing;
use crate::tasks::status;
use crate::tasks::transfer::{self, Runner};
use crate::worktree::pointer_files::{self, Met};

/// What is verified, and how.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Sessions, by name or folder; all of them and the assets when none is named. Not together with `staged` or
    /// `push`.
    pub sessions: Vec<String>,
    /// Fetch every blob and hash it.
    pub deep: bool,
    /// Only what the next commit would add or change. In a hook: of a repository made by [`Repository::of_hook`].
    pub staged: bool,
    /// Only content that this push would send in full.
    pub push: Option<Push>,
    /// Ask no server.
    pub offline: bool,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

impl Client {
    /// Looks whether everything that is named in a repository is there.
    pub fn verify(&self, repository: &Repository, options: &VerifyOptions) -> Result<VerifyReport, Fault> {
        let is_of_all = options.staged || options.push.is_some();
        if is_of_all && !options.sessions.is_empty() {
            return Err(Fault::misuse("what is staged or pushed is verified as a whole: name no sessions"));
        }
        // What commits hold is git's alone to say: nobody's commit or push waits for a cache.
        let mut seen = match &options.push {
            Some(push) => pushed::look(self, repository, push)?,
            None if options.staged => staged::look(self, repository)?,
            None => everything(self, repository, options)?,
        };
        let mut asked = 0;
        if !seen.named.is_empty() && !options.offline {
            let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?;
            let server = &options.server;
            let destination = endpoint::of_repository(self, repository, Direction::Download, server, true)?;
            if options.deep {
                // What is fetched to be hashed is not kept: any place will do.
                let passing = if repository.can_keep() { None } else { Some(Passing::new()?) };
                let store = passing.as_ref().map_or_else(|| repository.cache(), Passing::store)?;
                let mut runner = Runner::new(self, destination, server, limit, |host| host.store(store))?;
                asked = server::fetch(&mut runner, &mut seen)?;
            } else {
                asked = server::ask(&mut Runner::new(self, destination, server, limit, |host| host)?, &mut seen)?;
            }
        }
        Ok(VerifyReport::of(seen, asked, options.deep, options.offline || options.push.is_some()))
    }
}

/// What stands here, what is committed, and what the cache has.
fn everything(client: &Client, repository: &Repository, options: &VerifyOptions) -> Result<Seen, Fault> {
    let store = repository.cache_to_read()?;
    let (mut seen, committed) = match repository.has_sessions()? {
        true => sessions(client, repository, &store, options)?,
        false if options.sessions.is_empty() => Default::default(),
        false => return Err(no_sessions()),
    };
    unnamed::look_at_commit(&committed, &mut seen);
    if options.sessions.is_empty() {
        let standing = assets(client, repository, &mut seen)?;
        unnamed::look_at_tree(repository, &committed, standing, &mut seen)?;
    }
    look_at_commits(client, repository, options, &mut seen)?;
    look_at_cache(&store, &mut seen)?;
    Ok(seen)
}

/// Manifests and pointers of sessions, and the last commit that they were compared with.
fn sessions(
    client: &Client,
    repository: &Repository,
    store: &Store,
    options: &VerifyOptions,
) -> Result<(Seen, LastCommit), Fault> {
    let ledger = Ledger::of(repository)?;
    let mut guest = client.guest()?;
    let limit = status::limit(&mut guest, repository, options.object_bytes_max)?;
    let mut names = Vec::new();
    for word in &options.sessions {
        match ledger.target(word, &repository.here) {
            Target::Session { name, .. } => names.push(name),
            Target::Other => return Err(coverage::no_session(repository, word)),
        }
    }
    let is_all = names.is_empty();
    if is_all {
        names = ledger.sessions()?;
    }
    let mut committed = LastCommit::of(repository, &mut guest, (!is_all).then_some(names.as_slice()))?;
    let mut seen = Seen { sessions: names.len(), ..Seen::default() };
    for name in &names {
        let standing = match work_tree::read(&ledger, &mut guest, name, limit) {
            Ok(standing) => standing,
            Err(fault) => {
                seen.find(format!("{name}/{MANIFEST}"), "", fault.code, fault.detail);
                continue;
            }
        };
        let first = seen.findings.len();
        for (file, state) in standing.manifest.files.iter().zip(&standing.files) {
            work_tree::look_at_file(&ledger, store, name, file, state, &mut seen)?;
        }
        committed.compare(name, &standing, &mut seen, first);
    }
    committed.look_in_full(repository, &mut seen)?;
    Ok((seen, committed))
}

/// Pointers of the working tree that belong to no session. Gives those in folders of sessions without a manifest.
fn assets(client: &Client, repository: &Repository, seen: &mut Seen) -> Result<Pointers, Fault> {
    let mut standing = Pointers::new();
    let walked = assets::search(client, repository, assets::Place::Top, &mut |met| {
        let path = String::from_utf8_lossy(met.path()).into_owned();
        let is_of_session = repository.is_of_session(met.path())?;
        let in_session = in_sessions(&path).filter(|_| is_of_session);
        match (met, in_session.and_then(|name| name.split_once('/'))) {
            (Met::Pointer(one), Some((session, file))) => {
                standing.entry(session.to_owned()).or_default().insert(file.to_owned(), one.pointer.oid);
            }
            (Met::Pointer(one), None) => {
                seen.assets += 1;
                seen.named.push(Named { name: path, oid: one.pointer.oid, size: one.pointer.size });
            }
            (Met::Broken(one), _) => {
                let name = in_session.unwrap_or(&path);
                seen.find(name, "", Code::Malformed, format!("line {}: {}", one.line, one.why));
            }
        }
        Ok(())
    })?;
    for place in pointer_files::unreadable(&walked, b"") {
        seen.find(place, "", Code::Host, pointer_files::UNREADABLE);
    }
    Ok(standing)
}

/// Tells of content that commits hold in full. What was told of a file of the last commit is not told again.
fn look_at_commits(
    client: &Client,
    repository: &Repository,
    options: &VerifyOptions,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let ledger = Ledger::of(repository)?;
    let is_wanted = |session: Option<&str>| {
        let is = |word: &String| match ledger.target(word, &repository.here) {
            Target::Session { name, .. } => session == Some(name.as_str()),
            Target::Other => false,
        };
        options.sessions.is_empty() || options.sessions.iter().any(is)
    };
    let told: BTreeSet<String> = seen.findings.iter().map(|one| one.name.clone()).collect();
    let InCommits { list, unknown } = commits::all(repository, &mut client.guest()?)?;
    seen.in_full_unknown = unknown;
    for one in list {
        let path = one.file.path.as_str();
        let is_of_session = repository.is_of_session(path.as_bytes())?;
        let name = in_sessions(path).filter(|_| is_of_session).unwrap_or(path);
        if is_wanted(one.file.session()) && !(one.at_tip && told.contains(name)) {
            seen.find(name, &one.file.oid, Code::Conflict, format!("{}; {}", one.place(), one.cure()));
        }
    }
    Ok(())
}

/// Hashes what the cache has of the blobs that are named, each once.
fn look_at_cache(store: &Store, seen: &mut Seen) -> Result<(), Fault> {
    let names = seen.named.iter().map(|named| ((named.oid.clone(), named.size), named.name.clone()));
    let unique: BTreeMap<(String, u64), String> = names.collect();
    for ((oid, size), name) in unique {
        let other = store.size_of(&oid).filter(|held| *held != size);
        let told = other.map(|held| format!("the cache holds {held} bytes, not {size}"));
        let detail = match store.open_verified(&oid, size)? {
            Look::Absent => told,
            Look::Content(_) => {
                seen.cached += 1;
                None
            }
            Look::Corrupt => Some(told.unwrap_or_else(|| "the cache holds something else under this oid".to_owned())),
        };
        if let Some(detail) = detail {
            seen.find(name, &oid, Code::Integrity, detail);
        }
    }
    Ok(())
}
