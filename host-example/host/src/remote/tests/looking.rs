//! The look before, and the ledger as the remote has it.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use super::super::{Options, Reason, RemoteLedger};
use super::world::{MANIFEST, POINTER, RAW, World, git_oid, load};
use crate::contract::types::{Failure, Lookup};

/// What puts something in the way.
type Breakage = fn(&World);

fn refused(world: &World) -> Reason {
    let refusal = world.preflight(Options::default()).err().expect("a refusal");
    assert!(refusal.sentence.len() > 20 && !refusal.sentence.contains("/tmp"), "{refusal}");
    refusal.reason
}

#[test]
fn a_clean_branch_may_be_published_from() {
    let world = World::new();
    world.write("other/one", "a change of the user's\n");
    world.write("sessions/a b/raw.jsonl", "content in place\n");
    let found = world.preflight(Options::default()).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!((found.unpushed, found.warnings.len()), (0, 0));
    assert_eq!(
        (found.ledger.branch(), found.ledger.remote(), found.ledger.upstream()),
        ("main", "origin", "refs/heads/main")
    );
    world.is_tidy();
}

#[test]
fn what_is_in_the_way_is_refused_before_anything() {
    let table: [(Breakage, Reason); 13] = [
        (|world| drop(world.run("here", &["checkout", "--quiet", "--detach"])), Reason::Detached),
        (|world| drop(world.run("here", &["checkout", "--quiet", "-b", "mine"])), Reason::NoUpstream),
        (|world| drop(world.run("here", &["checkout", "--quiet", "--orphan", "new"])), Reason::NoCommit),
        (|world| drop(world.run("here", &["config", "branch.main.remote", "."])), Reason::NoUpstream),
        (|world| drop(world.run("here", &["config", "branch.main.merge", "refs/heads/none"])), Reason::NotOnRemote),
        (|world| fs::write(world.here(".git/MERGE_HEAD"), "").expect("a mark"), Reason::Underway),
        (|world| fs::create_dir(world.here(".git/rebase-merge")).expect("a mark"), Reason::Underway),
        (|world| fs::write(world.here(".git/index.lock"), "").expect("a lock"), Reason::IndexLocked),
        (
            |world| {
                world.write(RAW, "content");
                world.run("here", &["add", RAW]);
            },
            Reason::Staged,
        ),
        (|world| world.commit("here", "not pushed"), Reason::Unpushed(1)),
        (
            |world| {
                fs::rename(world.here("sessions/a b"), world.here("elsewhere")).expect("moved");
                symlink("../elsewhere", world.here("sessions/a b")).expect("a link");
            },
            Reason::NotAFolder,
        ),
        (|world| fs::rename(world.path("remote"), world.path("gone")).expect("moved"), Reason::Git),
        (|world| drop(world.run("here", &["config", "remote.origin.url", "http://127.0.0.1:1/x"])), Reason::Offline),
    ];
    for (at, (break_it, reason)) in table.into_iter().enumerate() {
        let world = World::new();
        break_it(&world);
        assert_eq!(refused(&world), reason, "case {at}");
    }
}

#[test]
fn unpushed_commits_go_along_only_when_the_user_says_so_and_nobody_was_faster() {
    let world = World::new();
    world.commit("here", "one");
    world.commit("here", "two");
    assert_eq!(refused(&world), Reason::Unpushed(2));
    let with_unpushed = Options { with_unpushed: true };
    assert_eq!(world.preflight(with_unpushed).unwrap_or_else(|refusal| panic!("{refusal}")).unpushed, 2);
    world.meanwhile("other/three", "3\n");
    assert_eq!(world.preflight(with_unpushed).err().expect("a refusal").reason, Reason::Diverged);
}

#[test]
fn who_commits_must_be_known() {
    let mut world = World::new();
    world.git = crate::git::Git::find(std::path::Path::new("/")).expect("git").alone(world.scratch.path());
    world.run("here", &["config", "user.useConfigOnly", "true"]);
    assert_eq!(refused(&world), Reason::NoIdentity);
}

#[test]
fn a_filter_on_the_session_is_a_warning() {
    let world = World::new();
    fs::create_dir_all(world.here(".git/info")).expect("a folder");
    fs::write(world.here(".git/info/attributes"), "*.jsonl filter=lfs\n").expect("attributes");
    let warnings = world.preflight(Options::default()).unwrap_or_else(|refusal| panic!("{refusal}")).warnings;
    assert!(matches!(&warnings[..], [one] if one.contains(RAW) && one.contains("filter=lfs")), "{warnings:?}");
}

#[test]
fn the_quick_look_sees_every_change_of_the_session() {
    let world = World::new();
    let unchanged = || RemoteLedger::unchanged(&world.git.at(&world.path("here")), "a b").expect("no fault");
    assert!(unchanged());
    world.write("other/one", "not of the session\n");
    assert!(unchanged());
    world.write(RAW, "new\n");
    assert!(!unchanged());
    fs::remove_file(world.here(RAW)).expect("removed");
    world.write(MANIFEST, "changed\n");
    assert!(!unchanged());
    world.commit("here", "not pushed");
    assert!(!unchanged());
    world.run("here", &["push", "--quiet", "origin", "HEAD:main"]);
    assert!(unchanged());
}

#[test]
fn the_ledger_is_what_the_remote_has_now() {
    let world = World::new();
    let ledger = world.ledger();
    let seen = load(&ledger).expect("loaded");
    assert_eq!(seen.tip, world.tip());
    let [manifest, raw] = &seen.files[..] else { panic!("{seen:?}") };
    assert_eq!(manifest.revision, Some(git_oid(b"{}\n")));
    assert_eq!((manifest.bytes.as_deref(), manifest.committed.as_deref()), (Some(&b"{}\n"[..]), Some(&b"{}\n"[..])));
    assert_eq!((&raw.name[..], &raw.revision, &raw.bytes, &raw.committed), (RAW, &None, &None, &None));

    world.meanwhile(MANIFEST, "theirs\n");
    world.meanwhile(RAW, POINTER);
    let seen = load(&ledger).expect("loaded");
    assert_eq!(seen.tip, world.tip());
    let [manifest, raw] = &seen.files[..] else { panic!("{seen:?}") };
    assert_eq!(
        (manifest.bytes.as_deref(), manifest.committed.as_deref()),
        (Some(&b"theirs\n"[..]), Some(&b"{}\n"[..]))
    );
    assert_eq!((raw.revision.clone(), &raw.bytes), (Some(git_oid(POINTER.as_bytes())), &None));
    assert_eq!(world.head(), world.run("here", &["rev-parse", "main"]).trim(), "nothing moved here");
    assert_eq!(world.status(), "");
}

#[test]
fn a_document_that_is_none_or_too_large_is_refused() {
    let world = World::new();
    world.run("there", &["pull", "--quiet"]);
    symlink("x", world.path("there/sessions/a b/link")).expect("a link");
    world.meanwhile("sessions/a b/large", &"x".repeat(5 << 20));
    let ledger = world.ledger();
    let ask = |documents: &[&str]| {
        let documents = documents.iter().map(|name| (*name).to_owned()).collect();
        ledger.load(&Lookup { documents, files: Vec::new() }, &|| true)
    };
    for name in ["sessions/a b/link", "sessions/a b", "sessions/a b/meta.json/x"] {
        assert_eq!(ask(&[name]).expect_err("refused").why, Failure::Refused, "{name}");
    }
    let large = ask(&[MANIFEST, "sessions/a b/large"]).expect_err("too large");
    assert!(large.why == Failure::Io && large.detail.contains("sessions/a b/large"), "{large:?}");
    assert_eq!(ask(&["sessions/a b/no\nline", "none"]).expect("absent").files[0].revision, None);
}

#[test]
fn a_look_that_nobody_wants_ends() {
    let world = World::new();
    let ledger = world.ledger();
    world.run("here", &["config", "remote.origin.uploadpack", "sleep 30; git-upload-pack"]);
    let started = Instant::now();
    let lookup = Lookup { documents: vec![MANIFEST.into()], files: Vec::new() };
    let ended = ledger.load(&lookup, &|| started.elapsed() < Duration::from_millis(200));
    assert_eq!(ended.expect_err("stopped").why, Failure::Aborted);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_remote_that_is_gone_is_offline_and_its_place_is_not_told() {
    let world = World::new();
    let ledger = world.ledger();
    world.run("here", &["config", "remote.origin.url", "http://user:secret@127.0.0.1:1/x?key=1"]);
    let failed = load(&ledger).expect_err("nobody is there");
    assert_eq!(failed.why, Failure::Offline, "{}", failed.detail);
    assert!(!failed.detail.contains("secret") && !failed.detail.contains("key"), "{}", failed.detail);
}
