//! Steps of the remote.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::super::{Options, Pushed, Settled};
use super::world::{MANIFEST, POINTER, RAW, World, load, publish, pushed, settled};
use crate::contract::types::{Failure, Lookup, Push, PushFile, Settle, SettleFile};

fn hook(world: &World, path: &str, script: &str) {
    let path = world.path(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a hook");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
}

#[test]
fn the_remote_holds_exactly_these_files_and_nothing_here_moved() {
    let world = World::new();
    world.write("other/one", "staged by the user\n");
    world.run("here", &["add", "other/one"]);
    let (ledger, head, before) = (world.ledger(), world.head(), world.tip());
    load(&ledger).expect("loaded");
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!((tip.as_str(), world.head()), (world.tip().as_str(), head));
    assert_eq!((world.remote_file(MANIFEST).as_str(), world.remote_file(RAW).as_str()), ("new\n", POINTER));
    assert_eq!((world.remote_file("other/one").as_str(), world.status().as_str()), ("1\n", "M  other/one\n"));
    assert_eq!(
        world.run("remote", &["log", "-1", "--format=%P %an %s", "main"]).trim(),
        format!("{before} a user Publish a b")
    );
    assert_eq!(world.run("here", &["rev-parse", "origin/main"]).trim(), tip);
    assert_eq!(pushed(&ledger, &publish(Some("{}\n"), "new\n")), tip, "again, and no commit");
    world.is_tidy();
}

#[test]
fn a_tip_that_moved_elsewhere_is_no_conflict_and_one_that_moved_here_is() {
    let world = World::new();
    let ledger = world.ledger();
    load(&ledger).expect("loaded");
    world.meanwhile("other/three", "3\n");
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!((world.tip(), world.remote_file("other/three").as_str()), (tip, "3\n"));

    world.meanwhile(MANIFEST, "theirs\n");
    assert_eq!(ledger.push(&publish(Some("new\n"), "newer\n")).expect("no fault"), Pushed::Conflict);
    assert_eq!(world.remote_file(MANIFEST), "theirs\n");
    // What must not be there, is.
    load(&ledger).expect("loaded");
    assert_eq!(ledger.push(&publish(None, "newer\n")).expect("no fault"), Pushed::Conflict);
    world.is_tidy();
}

#[test]
fn a_remote_that_has_it_all_already_gets_no_commit() {
    let world = World::new();
    let ledger = world.ledger();
    load(&ledger).expect("loaded");
    world.meanwhile(MANIFEST, "new\n");
    world.meanwhile(RAW, POINTER);
    let tip = world.tip();
    assert_eq!(pushed(&ledger, &publish(Some("{}\n"), "new\n")), tip);
    assert_eq!(world.tip(), tip);
}

#[test]
fn a_refusal_carries_the_words_of_who_refused() {
    let table = [
        ("remote/hooks/pre-receive", "policy says no"),
        ("remote/hooks/update", "branch is protected"),
        ("here/.git/hooks/pre-push", "not on my watch"),
    ];
    for (path, words) in table {
        let mut world = World::new();
        world.git = world.git.clone().with_variable("GIT_CONFIG_COUNT", "0");
        hook(&world, path, &format!("echo '{words} /home/someone/x'; echo '{words} /home/someone/x' >&2; exit 1"));
        let ledger = world.ledger();
        let failed = ledger.push(&publish(Some("{}\n"), "new\n")).expect_err("refused");
        assert_eq!(failed.why, Failure::Refused, "{}", failed.detail);
        assert!(failed.detail.contains(words) && !failed.detail.contains("/home"), "{}", failed.detail);
        assert!(!failed.detail.contains("/tmp"), "{}", failed.detail);
        assert_eq!(world.remote_file(MANIFEST), "{}\n");
    }
}

#[test]
fn an_answer_that_was_lost_is_looked_up() {
    let mut world = World::new();
    world.git = world.git.clone().with_variable("GIT_CONFIG_COUNT", "0");
    let ledger = world.ledger();
    // The remote dies before it takes it, and once more after it took it.
    hook(&world, "remote/hooks/pre-receive", "kill -9 $PPID");
    let failed = ledger.push(&publish(Some("{}\n"), "new\n")).expect_err("lost");
    assert_eq!((failed.why, world.remote_file(MANIFEST).as_str()), (Failure::Offline, "{}\n"));
    fs::remove_file(world.path("remote/hooks/pre-receive")).expect("removed");
    hook(&world, "remote/hooks/post-receive", "kill -9 $PPID");
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!((world.tip(), world.remote_file(MANIFEST).as_str()), (tip, "new\n"));
}

#[test]
fn commits_are_signed_when_the_user_signs() {
    let mut world = World::new();
    world.git = world.git.clone().with_variable("GIT_CONFIG_COUNT", "0");
    for (key, value) in [("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", "key")] {
        world.run("here", &["config", key, value]);
    }
    hook(&world, "signer", "echo 'the key is locked' >&2; exit 1");
    world.run("here", &["config", "gpg.ssh.program", &world.path("signer").to_string_lossy()]);
    let failed = world.ledger().push(&publish(Some("{}\n"), "new\n")).expect_err("it does not sign");
    assert!(failed.why == Failure::Refused && failed.detail.contains("the key is locked"), "{failed:?}");
    assert_eq!(world.remote_file(MANIFEST), "{}\n");

    hook(&world, "signer", "for last; do :; done; echo signature > \"$last.sig\"");
    pushed(&world.ledger(), &publish(Some("{}\n"), "new\n"));
    assert!(world.run("remote", &["cat-file", "commit", "main"]).contains("\ngpgsig signature\n"));
}

#[test]
fn unpushed_commits_become_the_parents_and_must_hold_the_tip() {
    let world = World::new();
    world.write("other/mine", "mine\n");
    world.commit("here", "mine");
    let ledger = world.preflight(Options { with_unpushed: true }).unwrap_or_else(|refusal| panic!("{refusal}")).ledger;
    let head = world.head();
    pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!(world.run("remote", &["rev-parse", "main^"]).trim(), head);
    assert_eq!(world.remote_file("other/mine"), "mine\n");
    world.meanwhile("other/theirs", "theirs\n");
    let failed = ledger.push(&publish(Some("new\n"), "newer\n")).expect_err("it must be pulled first");
    assert!(failed.why == Failure::Refused && failed.detail.contains("pull"), "{failed:?}");
}

#[test]
fn a_name_that_is_no_file_there_is_refused() {
    let world = World::new();
    world.meanwhile("sessions/a b/sub/file", "x\n");
    let ledger = world.ledger();
    for name in ["sessions/a b/sub", "sessions/a b/meta.json/x"] {
        let files = vec![PushFile { name: name.into(), bytes: b"x".to_vec(), replaces: None }];
        let failed = ledger.push(&Push { files, message: "x\n".into() }).expect_err("refused");
        assert_eq!(failed.why, Failure::Refused, "{name}");
    }
    assert_eq!(world.remote_file("sessions/a b/sub/file"), "x\n");
}

#[test]
fn many_files_are_quick_steps() {
    let world = World::new();
    let name = |at: usize| format!("sessions/a b/file {at}\u{e9}");
    let files =
        (0..2000).map(|at| PushFile { name: name(at), bytes: format!("{POINTER}{at}\n").into_bytes(), replaces: None });
    let push = Push { files: files.collect(), message: "many\n".into() };
    let ledger = world.ledger();
    let begun = Instant::now();
    let tip = pushed(&ledger, &push);
    let after_push = begun.elapsed();
    let files = (0..2000).map(|at| SettleFile { name: name(at), expects: None }).collect();
    assert_eq!(settled(&ledger, &Settle { tip: tip.clone(), files }), Settled::Done);
    let after_settle = begun.elapsed();
    let seen = ledger.load(&Lookup { documents: Vec::new(), files: (0..2000).map(name).collect() }, &|| true);
    assert!(seen.expect("loaded").files.iter().all(|file| file.revision.is_some()));
    // Far above what was measured, for machines that do much else: push 0.3 s, settle 0.3 s, load 0.1 s.
    assert!(begun.elapsed().as_secs() < 20, "{after_push:?} {after_settle:?} {:?}", begun.elapsed());
    eprintln!("{after_push:?} {after_settle:?} {:?}", begun.elapsed());
    assert_eq!((world.tip(), world.status().as_str()), (tip, ""));
    assert_eq!(world.remote_file("sessions/a b/file 7\u{e9}"), format!("{POINTER}7\n"));
}
