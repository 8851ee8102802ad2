//! The effects of a publish through the loop: from the look at the ledger to the pointer in the place of content.

use std::fs;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use super::{perform, why};
use crate::contract::types::{
    Blob, Effect, Failure, Lookup, Push, PushFile, Reply, Saving, Settle, SettleFile, Swap, Task,
};
use crate::documents::Documents;
use crate::driver::effects::Effects;
use crate::driver::host::Host;
use crate::files::Files;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::git::Git;
use crate::remote::{Options, RemoteLedger};
use crate::store::Store;

const CONTENT: &str = "{\"type\":\"user\"}\n";
const MANIFEST: &str = "sessions/s/meta.json";
const RAW: &str = "sessions/s/raw.jsonl";

/// A clone of a ledger, and what git says in it.
struct Clone {
    scratch: Scratch,
    git: Git,
}

impl Clone {
    fn new() -> Self {
        let scratch = Scratch::new();
        let git = Git::find(std::path::Path::new("/")).expect("tests need git").alone(scratch.path());
        let git = ["GIT_AUTHOR", "GIT_COMMITTER"].iter().fold(git, |git, who| {
            git.with_variable(format!("{who}_NAME"), "a user").with_variable(format!("{who}_EMAIL"), "u@example.org")
        });
        let clone = Self { git: git.at(scratch.path()), scratch };
        clone.run(".", &["init", "--quiet", "--bare", "remote"]);
        clone.run(".", &["clone", "--quiet", "remote", "here"]);
        clone.run("here", &["commit", "--quiet", "--allow-empty", "--message", "begin"]);
        clone.run("here", &["push", "--quiet", "--set-upstream", "origin", "HEAD:main"]);
        fs::create_dir_all(clone.scratch.path().join("here/sessions/s")).expect("folders");
        fs::write(clone.scratch.path().join("here").join(RAW), CONTENT).expect("content");
        clone
    }

    fn run(&self, folder: &str, arguments: &[&str]) -> String {
        let answer = self.git.at(&self.scratch.path().join(folder)).read(arguments, b"").expect("git does it");
        String::from_utf8(answer).expect("text")
    }

    fn host(&self) -> Host {
        let here = self.scratch.path().join("here");
        let state = here.join(".git/hydrant");
        let found = RemoteLedger::preflight(&self.git.at(&here), "s", Options::default());
        let documents = Documents::beneath(&here).and_then(|documents| documents.with_state(&state));
        Host::builder()
            .store(Store::cache(&state).expect("a store"))
            .files(Files::beneath(&here).expect("the root"))
            .documents(documents.expect("its folders"))
            .ledger(found.unwrap_or_else(|refusal| panic!("{refusal}")).ledger)
            .build()
            .expect("a host")
    }
}

fn ask(host: &mut Host, effect: Effect) -> Reply {
    let mut replies = perform(host, vec![effect]);
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies.remove(0)
}

#[test]
fn a_session_goes_its_whole_way() {
    let clone = Clone::new();
    let mut host = clone.host();
    let names = Lookup { documents: vec![MANIFEST.into()], files: vec![RAW.into()] };
    let Reply::Ledger(ledger) = ask(&mut host, Effect::LoadLedger(names)) else { panic!("the ledger") };
    assert!(ledger.files.iter().all(|file| file.revision.is_none()));
    let reading = super::reading(RAW, true);
    let Some(Reply::At(expects)) = perform(&mut host, vec![reading]).pop() else { panic!("it is read") };

    let journal = |bytes: Option<&str>, replaces: Option<&str>| {
        let replaces = replaces.map(|text| blob_of(text.as_bytes()).oid);
        Effect::SaveDoc(Saving { name: "journal/s".into(), bytes: bytes.map(Into::into), replaces })
    };
    assert_eq!(ask(&mut host, journal(Some("{}"), None)), Reply::At(blob_of(b"{}").oid));
    assert_eq!(ask(&mut host, journal(Some("{}"), None)), Reply::Conflict);

    let blob = blob_of(CONTENT.as_bytes());
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size);
    let file = |name: &str, text: &str| PushFile { name: name.into(), bytes: text.into(), replaces: None };
    let push = Push { files: vec![file(MANIFEST, "{}\n"), file(RAW, &pointer)], message: "publish\n".into() };
    let Reply::At(tip) = ask(&mut host, Effect::PushLedger(push)) else { panic!("it is pushed") };
    let files = [MANIFEST, RAW].map(|name| SettleFile { name: name.into(), expects: None });
    assert_eq!(ask(&mut host, Effect::SettleLedger(Settle { tip, files: files.into() })), Reply::End);

    let swap = Swap { name: RAW.into(), expects, blob: blob.clone(), pointer: pointer.clone().into_bytes() };
    assert!(matches!(ask(&mut host, Effect::SwapFile(swap.clone())), Reply::At(_)));
    assert!(matches!(ask(&mut host, Effect::SwapFile(swap)), Reply::At(_)));
    assert_eq!(ask(&mut host, Effect::HasBlob(blob)), Reply::Present);
    assert_eq!(ask(&mut host, Effect::HasBlob(Blob { size: 1, ..blob_of(b"x") })), Reply::Absent);
    assert_eq!(ask(&mut host, journal(None, Some("{}"))), Reply::End);
    assert_eq!(clone.run("here", &["status", "--porcelain"]), "");
    assert_eq!(clone.run("here", &["show", &format!("origin/main:{RAW}")]), pointer);
}

#[test]
fn a_look_at_the_ledger_ends_soon_after_a_cancel() {
    let clone = Clone::new();
    let mut host = clone.host();
    clone.run("here", &["config", "remote.origin.uploadpack", "sleep 20; git-upload-pack"]);
    let runtime = host.runtime().expect("a loop");
    let shared = host.shared.clone();
    runtime.block_on(LocalSet::new().run_until(async move {
        let mut effects = Effects::new(shared);
        let lookup = Lookup { documents: vec![MANIFEST.into()], files: Vec::new() };
        assert!(effects.begin(Task { id: 1, effect: Effect::LoadLedger(lookup) }).is_none());
        let nothing = tokio::time::timeout(Duration::from_millis(200), effects.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        let cancelled = Instant::now();
        assert_eq!(why(&[effects.cancel(1).expect("open")]), Failure::Aborted);
        effects.settle().await;
        assert!(cancelled.elapsed() < Duration::from_secs(2), "{:?}", cancelled.elapsed());
    }));
}

#[test]
fn a_host_without_a_ledger_says_so() {
    let mut host = Host::builder().build().expect("a host");
    let lookup = Lookup { documents: Vec::new(), files: Vec::new() };
    assert_eq!(why(&[ask(&mut host, Effect::LoadLedger(lookup))]), Failure::Io);
    let blob = blob_of(b"x");
    let swap = Swap { name: RAW.into(), expects: String::new(), blob, pointer: Vec::new() };
    assert_eq!(why(&[ask(&mut host, Effect::SwapFile(swap))]), Failure::Io);
    let saving = Saving { name: "orphans".into(), bytes: None, replaces: None };
    assert_eq!(why(&[ask(&mut host, Effect::SaveDoc(saving))]), Failure::Io);
}
