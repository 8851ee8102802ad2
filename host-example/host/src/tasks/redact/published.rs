//! A secret that was published already: the session is regenerated without it, and what still holds it is named.
//!
//! The rule it keeps: nobody can take back what was read, so the report never says that all is well again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use hydrant_secrets::rules::TOKENS;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::manifests::{FileStorage, Manifest};
use crate::contract::report::BlobReport;
use crate::contract::types::Code;
use crate::gate::copies::Copies;
use crate::gate::{Gate, HeldSecret, SecretOptions};
use crate::repository::{Repository, committed};
use crate::sessions::ledger::{MANIFEST, path_in};
use crate::store::Look;
use crate::tasks::client::Client;
use crate::tasks::endpoint::ServerOptions;
use crate::tasks::hydrate::HydrateOptions;
use crate::tasks::publish::{PublishReport, RegenerateOptions};
use crate::text::quote;

/// Which session, and how.
#[derive(Clone, Debug, Default)]
pub struct RedactPublishedOptions {
    /// Name of the session.
    pub session: String,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Push commits of this branch that were not pushed yet along.
    pub with_unpushed: bool,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

/// What stood in a published session, and what still holds it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RedactPublishedReport {
    /// Nothing was done.
    pub dry_run: bool,
    /// Name of the session.
    pub session: String,
    /// The secrets.
    pub secret_list: Vec<HeldSecret>,
    /// Blobs with them, which the server keeps: whoever runs it can remove them.
    pub blob_list: Vec<BlobReport>,
    /// Commits with a file that has them, newest first: rewriting the branch's history takes them out.
    pub commit_list: Vec<String>,
    /// What to revoke, by kind.
    pub revoke_list: Vec<Revoke>,
    /// What the regenerate did; null where nothing was done.
    pub regenerated: Option<PublishReport>,
}

/// A kind of secret that must be revoked where it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Revoke {
    /// The kind.
    pub kind: String,
    /// What it is.
    pub what: String,
    /// Where its provider tells of it; null for a kind without a provider.
    pub source: Option<String>,
}

impl RedactPublishedReport {
    /// Whether the ledger's branch has none of them any more.
    pub fn is_complete(&self) -> bool {
        self.secret_list.is_empty() || self.regenerated.as_ref().is_some_and(PublishReport::is_complete)
    }
}

impl Client {
    /// Looks through a published session, and publishes it anew without its secrets.
    pub fn redact_published(
        &self,
        repository: &Repository,
        options: &RedactPublishedOptions,
    ) -> Result<RedactPublishedReport, Fault> {
        let asked = HydrateOptions {
            targets: vec![options.session.clone()],
            server: options.server.clone(),
            object_bytes_max: options.object_bytes_max,
            ..HydrateOptions::default()
        };
        let hydrated = self.hydrate(repository, &asked)?;
        if !hydrated.transfer.is_complete() {
            let sentence = "not all content of the session could be fetched, so it cannot be looked through";
            return Err(Fault::failed(Code::Unfinished, sentence));
        }
        let published = Published::of(self, repository, &options.session)?;
        let copies = Copies::make(&repository.store_dir())?;
        published.copy_to(repository, &copies)?;
        let gate = Gate::of(repository, &[])?;
        published.look_through(&gate, &copies)?;
        let secret_list = gate.held();
        // What is found in a part of a file is found in the file.
        let has_some = |name: &str| {
            let within = |held: &HeldSecret| held.file.strip_prefix(name).map(str::to_owned);
            secret_list.iter().filter_map(within).any(|within| within.is_empty() || within.starts_with('!'))
        };
        let names = published.lfs.iter().map(|(name, _)| name).chain(&published.in_git);
        let files: BTreeSet<&str> = names.map(String::as_str).filter(|name| has_some(name)).collect();
        let mut report = RedactPublishedReport {
            dry_run: options.dry_run,
            session: options.session.clone(),
            blob_list: published.blobs(&files),
            commit_list: published.commits(repository, &gate, &files)?,
            revoke_list: to_revoke(&secret_list),
            regenerated: None,
            secret_list,
        };
        if options.dry_run || report.secret_list.is_empty() {
            return Ok(report);
        }
        let regenerate = RegenerateOptions {
            session: options.session.clone(),
            from: copies.folder().to_owned(),
            in_git: published.in_git.clone(),
            secrets: SecretOptions { redact: true, ..SecretOptions::default() },
            with_unpushed: options.with_unpushed,
            server: options.server.clone(),
            object_bytes_max: options.object_bytes_max,
            ..RegenerateOptions::default()
        };
        report.regenerated = Some(self.regenerate(repository, &regenerate)?);
        Ok(report)
    }
}

/// A session as its last commit has it.
struct Published {
    session: String,
    commit: String,
    lfs: Vec<(String, BlobReport)>,
    in_git: Vec<String>,
}

impl Published {
    fn of(client: &Client, repository: &Repository, session: &str) -> Result<Self, Fault> {
        let shown = quote(session.as_bytes());
        let none = || Fault::misuse(format!("the last commit has no session {shown}"));
        let commit = committed::commit(repository, "HEAD")?.ok_or_else(none)?;
        let path = path_in(session, MANIFEST);
        let text = committed::files(&repository.git, &commit, &[&path])?.pop().flatten().ok_or_else(none)?;
        let manifest: Manifest = client.guest()?.manifest_read(&text)?;
        let (mut lfs, mut in_git) = (Vec::new(), Vec::new());
        for file in manifest.files {
            match (file.storage, file.oid) {
                (FileStorage::Lfs, Some(oid)) => lfs.push((file.name, BlobReport { oid, size: file.size })),
                (FileStorage::Git, _) => in_git.push(file.name),
                _ => {}
            }
        }
        Ok(Self { session: session.to_owned(), commit, lfs, in_git })
    }

    fn copy_to(&self, repository: &Repository, copies: &Copies) -> Result<(), Fault> {
        let store = repository.store_to_read()?;
        for (name, blob) in &self.lfs {
            let shown = quote(name.as_bytes());
            let Look::Content(mut content) = store.open_verified(&blob.oid, blob.size)? else {
                return Err(Fault::failed(Code::Missing, format!("{shown}: its content is not here")));
            };
            let copied = copies.create(name).and_then(|mut copy| io::copy(&mut content, &mut copy));
            copied.map_err(|error| Fault::local(&shown, &error))?;
        }
        for name in &self.in_git {
            let shown = quote(name.as_bytes());
            let path = path_in(&self.session, name);
            let Some(text) = committed::files(&repository.git, &self.commit, &[&path])?.pop().flatten() else {
                continue;
            };
            let copied = copies.create(name).and_then(|mut copy| io::Write::write_all(&mut copy, &text));
            copied.map_err(|error| Fault::local(&shown, &error))?;
        }
        Ok(())
    }

    fn look_through(&self, gate: &Gate, copies: &Copies) -> Result<(), Fault> {
        for name in self.lfs.iter().map(|(name, _)| name).chain(&self.in_git) {
            let looked = fs::File::open(copies.folder().join(name))
                .and_then(|mut file| gate.sought().in_file(&mut file, |_| Ok(())));
            gate.take_look(name, &looked.map_err(|error| Fault::local(&quote(name.as_bytes()), &error))?);
        }
        Ok(())
    }

    fn blobs(&self, files: &BTreeSet<&str>) -> Vec<BlobReport> {
        self.lfs.iter().filter(|(name, _)| files.contains(name.as_str())).map(|(_, blob)| blob.clone()).collect()
    }

    /// Commits of all branches that brought a pointer to such a blob, or such a file itself.
    fn commits(&self, repository: &Repository, gate: &Gate, files: &BTreeSet<&str>) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        for (name, blob) in self.lfs.iter().filter(|(name, _)| files.contains(name.as_str())) {
            let path = path_in(&self.session, name);
            let search = format!("-S{}", blob.oid);
            let asked =
                ["--literal-pathspecs", "log", "--all", "--format=%H", &search, "--diff-filter=AM", "--", &path];
            found.extend(lines(&repository.git.read(&asked, b"")?));
        }
        for name in self.in_git.iter().filter(|name| files.contains(name.as_str())) {
            let path = path_in(&self.session, name);
            let asked = ["--literal-pathspecs", "log", "--all", "--format=%H", "--diff-filter=AM", "--", &path];
            for commit in lines(&repository.git.read(&asked, b"")?) {
                let text = committed::files(&repository.git, &commit, &[&path])?.pop().flatten();
                if text.is_some_and(|text| !gate.sought().in_text(&text).is_clean()) {
                    found.push(commit);
                }
            }
        }
        let mut seen = BTreeSet::new();
        found.retain(|commit| seen.insert(commit.clone()));
        Ok(found)
    }
}

fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn to_revoke(held: &[HeldSecret]) -> Vec<Revoke> {
    let kinds: BTreeMap<&str, ()> =
        held.iter().filter(|one| one.why.is_none()).map(|one| (one.kind.as_str(), ())).collect();
    let revoke = |kind: &&str| {
        let token = TOKENS.iter().find(|token| token.kind == *kind);
        Revoke {
            kind: (*kind).to_owned(),
            what: token.map_or("a secret", |token| token.what).to_owned(),
            source: token.map(|token| token.source.to_owned()),
        }
    };
    kinds.keys().map(revoke).collect()
}
