//! Branch, index and files follow.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::branch_move::BranchMove;
use super::super::index_lock::IndexLock;
use super::super::settle_note::{Note, Waiting};
use super::super::{Options, RemoteLedger, Settled};
use super::world::{MANIFEST, POINTER, RAW, World, publish, pushed, settle_of, settled};
use crate::contract::error::HostError;
use crate::contract::types::{Failure, Settle, SettleFile};
use crate::documents::manifest_write::change_manifest;
use crate::files::Files;
use crate::files::digest::blob_of;

/// What the user does meanwhile.
type Change = fn(&World);

/// A world in which a manifest and a pointer were just pushed.
fn world_after_push() -> (World, RemoteLedger, String) {
    let world = World::new();
    let ledger = world.ledger();
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    (world, ledger, tip)
}

/// What a settle notes before it changes anything.
fn noted(ledger: &RemoteLedger, old: &str, tips: &[&str]) {
    let tips = tips.iter().map(|tip| (*tip).to_owned()).collect();
    Note { old: old.into(), tips, waiting: Vec::new() }.write(&ledger.0).expect("written");
}

fn agrees(world: &World, tip: &str) {
    assert_eq!((world.head().as_str(), world.status().as_str()), (tip, ""));
    assert_eq!((world.read(MANIFEST).as_str(), world.read(RAW).as_str()), ("new\n", POINTER));
    world.is_tidy();
    assert_eq!(world.run("here", &["pull", "--ff-only"]), "Already up to date.\n");
}

#[test]
fn branch_index_and_files_agree_with_the_tip() {
    let (world, ledger, tip) = world_after_push();
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done, "again, and nothing changes");
    agrees(&world, &tip);
    assert!(world.run("here", &["reflog", "-1"]).contains("hydrant"));
}

#[test]
fn whoever_holds_the_lock_of_a_manifest_is_waited_for() {
    let (world, ledger, tip) = world_after_push();
    let tree = Files::beneath(&world.path("here")).expect("the root");
    let writes = |text: &'static str| {
        move |_: Option<&[u8]>| {
            thread::sleep(Duration::from_millis(300));
            Ok::<_, HostError>(Some(text.as_bytes().to_vec()))
        }
    };
    // Makes the lock file, and leaves the manifest as it was.
    assert!(!change_manifest(&tree, MANIFEST, writes("{}\n")).expect("no fault"));
    thread::scope(|scope| {
        let (begun, begins) = mpsc::channel();
        let tree = &tree;
        scope.spawn(move || {
            change_manifest(tree, MANIFEST, |old| {
                begun.send(()).ok();
                writes("an edit under the lock\n")(old)
            })
        });
        begins.recv().expect("the lock is held");
        let settled = settled(&ledger, &settle_of(&tip, None));
        assert_eq!(settled, Settled::Conflict, "the edit was there when the files were judged");
    });
    assert_eq!(world.read(MANIFEST), "an edit under the lock\n");
}

#[test]
fn content_and_the_users_own_changes_stay() {
    let (world, ledger, _) = world_after_push();
    world.meanwhile("other/three", "3\n");
    world.meanwhile("other/two", "their two\n");
    let tip = world.tip();
    world.write(RAW, "content in place\n");
    world.write(MANIFEST, "as the engine read it\n");
    world.write("other/one", "staged\n");
    world.run("here", &["add", "other/one"]);
    world.write("other/one", "staged, and changed again\n");
    world.write("untracked", "mine\n");
    assert_eq!(settled(&ledger, &settle_of(&tip, Some("as the engine read it\n"))), Settled::Done);
    assert_eq!(world.head(), tip);
    assert_eq!((world.read(RAW).as_str(), world.read(MANIFEST).as_str()), ("content in place\n", "new\n"));
    assert_eq!((world.read("other/two").as_str(), world.read("other/three").as_str()), ("their two\n", "3\n"));
    assert_eq!(world.status(), "MM other/one\n M \"sessions/a b/raw.jsonl\"\n?? untracked\n");
    fs::write(world.here(RAW), POINTER).expect("swapped");
    ledger.refresh(&[RAW.to_owned()]).expect("no fault");
    assert_eq!(world.status(), "MM other/one\n?? untracked\n");
    world.is_tidy();
}

/// As a process leaves it that died between the index and the branch: the next preflight moves the branch.
#[test]
fn a_settle_that_died_before_the_branch_moved_is_finished() {
    let died = || {
        let (world, ledger, _) = world_after_push();
        world.meanwhile("other/two", "their two\n");
        let (old, tip) = (world.head(), world.tip());
        assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
        world.run("here", &["update-ref", "refs/heads/main", &old]);
        noted(&ledger, &old, &[&tip]);
        assert!(world.status().contains("M  \"sessions/a b/meta.json\""), "{}", world.status());
        (world, old, tip)
    };
    let (world, _, tip) = died();
    world.write("other/one", "staged meanwhile\n");
    world.run("here", &["add", "other/one"]);
    world.ledger();
    assert_eq!((world.head(), world.status()), (tip, "M  other/one\n".to_owned()));
    world.is_tidy();

    // What the user put back stands, and the branch with it.
    let (world, old, _) = died();
    world.run("here", &["reset", "--quiet", "--hard"]);
    world.ledger();
    assert_eq!((world.head(), world.status()), (old, String::new()));

    // A commit of the user's is not moved over.
    let (world, ..) = died();
    world.run("here", &["commit", "--quiet", "--message", "what was staged"]);
    let mine = world.head();
    world.preflight(Options { with_unpushed: true }).ok();
    assert_eq!(world.head(), mine);
}

/// Shows I20.
#[test]
fn a_change_in_the_way_is_a_conflict_and_nothing_moves() {
    let table: [(&str, Change); 8] = [
        ("an edited manifest", |world| world.write(MANIFEST, "edited\n")),
        ("a staged manifest", |world| {
            world.write(MANIFEST, "staged\n");
            world.run("here", &["add", MANIFEST]);
            world.write(MANIFEST, "{}\n");
        }),
        ("a staged file", |world| {
            world.write(RAW, "staged\n");
            world.run("here", &["add", RAW]);
        }),
        ("a folder in the place of a file", |world| world.write(&format!("{RAW}/x"), "x\n")),
        ("an edited file that others changed", |world| world.write("other/two", "edited\n")),
        ("an untracked file that others added", |world| world.write("other/three", "untracked\n")),
        ("a commit of the user's", |world| world.commit("here", "mine")),
        ("another branch", |world| drop(world.run("here", &["checkout", "--quiet", "-b", "mine"]))),
    ];
    for (what, change) in table {
        let (world, ledger, _) = world_after_push();
        world.meanwhile("other/two", "their two\n");
        world.meanwhile("other/three", "3\n");
        world.run("here", &["fetch", "--quiet"]);
        let tip = world.tip();
        change(&world);
        let seen = || (world.head(), world.status(), world.run("here", &["ls-files", "--stage"]));
        let before = seen();
        assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Conflict, "{what}");
        assert_eq!(seen(), before, "{what}");
        world.is_tidy();
    }
}

#[test]
fn a_branch_that_was_pulled_meanwhile_is_as_good() {
    let (world, ledger, tip) = world_after_push();
    world.meanwhile("other/three", "3\n");
    world.run("here", &["pull", "--quiet"]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.head(), world.status().as_str()), (world.tip(), ""));
    world.meanwhile(MANIFEST, "newer\n");
    world.run("here", &["pull", "--quiet"]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Conflict, "somebody published over it");
    assert_eq!(world.read(MANIFEST), "newer\n");
}

#[test]
fn a_run_that_died_anywhere_is_repaired_by_the_next() {
    // After other paths were merged into the tree, and files of the push written, but not the index.
    let (world, ledger, _) = world_after_push();
    world.meanwhile("other/two", "their two\n");
    world.meanwhile("other/three", "3\n");
    world.run("here", &["fetch", "--quiet"]);
    let tip = world.tip();
    world.write("other/two", "their two\n");
    world.write("other/three", "3\n");
    world.write(MANIFEST, "new\n");
    world.write("sessions/a b/.hydrant-settle-1-1.tmp", "half");
    noted(&ledger, &world.head(), &[&tip]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);

    // The same with what no text is: a link, a program, and a file in the place of a folder.
    let (world, ledger, _) = world_after_push();
    world.run("there", &["pull", "--quiet"]);
    fs::remove_dir_all(world.path("there/other")).expect("removed");
    world.write_in("there", "other", "no folder any more\n");
    world.write_in("there", "run\nme", "#!/bin/sh\n");
    fs::set_permissions(world.path("there/run\nme"), fs::Permissions::from_mode(0o755)).expect("a program");
    symlink("sessions", world.path("there/link")).expect("a link");
    world.commit("there", "meanwhile");
    world.run("there", &["push", "--quiet", "origin", "HEAD:main"]);
    world.run("here", &["fetch", "--quiet"]);
    fs::remove_dir_all(world.here("other")).expect("removed");
    world.write("other", "no folder any more\n");
    world.write("run\nme", "#!/bin/sh\n");
    fs::set_permissions(world.here("run\nme"), fs::Permissions::from_mode(0o755)).expect("a program");
    symlink("sessions", world.here("link")).expect("a link");
    noted(&ledger, &world.head(), &["0123456789012345678901234567890123456789", &world.tip()]);
    assert_eq!(settled(&ledger, &settle_of(&world.tip(), None)), Settled::Done);
    agrees(&world, &world.tip());

    // After the index took its place, but the branch did not move.
    let (world, ledger, tip) = world_after_push();
    let old = world.head();
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    world.run("here", &["update-ref", "refs/heads/main", &old]);
    assert_eq!(world.status(), "M  \"sessions/a b/meta.json\"\nA  \"sessions/a b/raw.jsonl\"\n");
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);

    // The same, and the user pulls instead.
    world.run("here", &["update-ref", "refs/heads/main", &old]);
    world.run("here", &["pull", "--quiet", "--ff-only"]);
    agrees(&world, &tip);
}

/// As a process leaves it that died before the index took its place, with the remote gone on before anybody came back,
/// and the next one dying in the same place.
#[test]
fn a_settle_that_died_is_finished_although_the_remote_moved_on() {
    let died = || {
        let (world, ledger, _) = world_after_push();
        let (old, index) = (world.head(), fs::read(world.here(".git/index")).expect("an index"));
        let die = |names: &[&str], text: &str| {
            names.iter().for_each(|name| world.meanwhile(name, text));
            world.run("here", &["fetch", "--quiet"]);
            let tip = world.tip();
            assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done, "{text}");
            fs::write(world.here(".git/index"), &index).expect("put back");
            world.run("here", &["update-ref", "refs/heads/main", &old]);
            tip
        };
        let first = die(&["other/one", "other/two", "other/new"], "first\n");
        noted(&ledger, &old, &[&first]);
        let second = die(&["other/two", MANIFEST], "second\n");
        noted(&ledger, &old, &[&first, &second]);
        // The second one did not get to this file.
        world.write("other/two", "first\n");
        ["other/one", "other/two", "other/new", MANIFEST].iter().for_each(|name| world.meanwhile(name, "newer\n"));
        world.run("here", &["fetch", "--quiet"]);
        (world, ledger, old)
    };
    let all = |world: &World| ["other/one", "other/two", "other/new", MANIFEST].map(|name| world.read(name)).concat();
    let (world, ledger, _) = died();
    let tip = world.tip();
    assert_eq!(all(&world), "first\nfirst\nfirst\nsecond\n");
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.head(), world.status(), all(&world)), (tip, String::new(), "newer\n".repeat(4)));
    world.is_tidy();

    // What no commit has is the user's: nothing moves until it is out of the way, and then all does.
    let (world, ledger, old) = died();
    let tip = world.tip();
    world.write("other/two", "mine\n");
    for _ in 0..2 {
        assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Conflict);
        assert_eq!((world.head().as_str(), all(&world).as_str()), (old.as_str(), "first\nmine\nfirst\nsecond\n"));
    }
    world.run("here", &["checkout", "--quiet", "--", "other/two"]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.head(), world.status()), (tip, String::new()));
    world.is_tidy();

    // What is staged as a commit has it is the user's as well.
    let (world, ledger, old) = died();
    world.run("here", &["add", "other/two"]);
    assert_eq!(settled(&ledger, &settle_of(&world.tip(), None)), Settled::Conflict);
    assert_eq!((world.head(), all(&world)), (old, "first\nfirst\nfirst\nsecond\n".to_owned()));
}

/// Two publishes from in place were pushed and not settled: neither keeps the other from following.
#[test]
fn content_of_another_publish_that_is_not_settled_stays_and_is_no_obstacle() {
    let pointer = |text: &str| {
        let blob = blob_of(text.as_bytes());
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size)
    };
    let (world, ledger, _) = world_after_push();
    // A new one, one that was written on since, and one over a pointer that is committed here.
    world.meanwhile("other/old", &pointer("old\n"));
    world.run("here", &["pull", "--quiet"]);
    let files = [("other/new", "pushed\n", ""), ("other/longer", "pushed\n", "more\n"), ("other/old", "newer\n", "")];
    for (name, pushed, more) in files {
        world.write(name, &format!("{pushed}{more}"));
        world.meanwhile(name, &pointer(pushed));
    }
    world.run("here", &["fetch", "--quiet"]);
    let tip = world.tip();
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!(world.head(), tip);
    for (name, pushed, more) in files {
        assert_eq!(world.read(name), format!("{pushed}{more}"), "{name}");
        assert!(world.status().contains(&format!(" M {name}\n")), "{}", world.status());
    }
    world.is_tidy();

    // What is not the blob, or less than it, is the user's.
    for mine in ["mine\n", "push", "pushes\n"] {
        let (world, ledger, _) = world_after_push();
        world.meanwhile("other/new", &pointer("pushed\n"));
        world.run("here", &["fetch", "--quiet"]);
        world.write("other/new", mine);
        assert_eq!(settled(&ledger, &settle_of(&world.tip(), None)), Settled::Conflict, "{mine}");
        assert_eq!(world.read("other/new"), mine);
        world.is_tidy();
    }
}

/// Each of two settles waits for a document that the other one brings: whoever comes second takes both along.
#[test]
fn documents_of_another_publish_that_waits_give_way_as_they_would_to_it() {
    let (world, ledger, _) = world_after_push();
    let other = |tip: &str| {
        let expects = Some(blob_of(b"a draft\n").oid);
        Settle { tip: tip.into(), files: vec![SettleFile { name: "other/new".into(), expects }] }
    };
    world.meanwhile("other/new", "published\n");
    world.run("here", &["fetch", "--quiet"]);
    let tip = world.tip();
    world.write("other/new", "a draft\n");
    world.write(MANIFEST, "read by the engine\n");
    assert_eq!(settled(&ledger, &other(&tip)), Settled::Conflict, "the manifest is in the way");
    // What the user made of it since is the user's.
    world.write("other/new", "mine\n");
    let settle = settle_of(&tip, Some("read by the engine\n"));
    assert_eq!(settled(&ledger, &settle), Settled::Conflict);
    assert_eq!((world.read("other/new"), world.read(MANIFEST)), ("mine\n".into(), "read by the engine\n".into()));
    world.write("other/new", "a draft\n");
    assert_eq!(settled(&ledger, &settle), Settled::Done);
    assert_eq!(
        (world.head(), world.read("other/new"), world.status()),
        (tip.clone(), "published\n".into(), String::new())
    );
    assert_eq!(settled(&ledger, &other(&tip)), Settled::Done);
    agrees(&world, &tip);

    // An older commit does not bring what it waits for.
    let (world, ledger, tip) = world_after_push();
    world.meanwhile("other/two", "published\n");
    world.meanwhile("other/two", "2\n");
    world.run("here", &["fetch", "--quiet"]);
    let older = world.run("here", &["rev-parse", "origin/main~1"]).trim().to_owned();
    world.write("other/two", "a draft\n");
    let expects = blob_of(b"a draft\n").oid;
    let waiting = vec![Waiting { name: "other/two".into(), expects, tip: world.tip() }];
    Note { old: world.head(), tips: Vec::new(), waiting }.write(&ledger.0).expect("written");
    assert_eq!(settled(&ledger, &settle_of(&older, None)), Settled::Conflict);
    assert_eq!((world.read("other/two").as_str(), world.tip() == tip), ("a draft\n", false));
}

/// A settle that cannot go on takes nothing away from what is known of one that died.
#[test]
fn a_conflict_keeps_the_note_of_a_settle_that_died() {
    let (world, ledger, tip) = world_after_push();
    let old = world.head();
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    world.run("here", &["update-ref", "refs/heads/main", &old]);
    noted(&ledger, &old, &[&tip]);
    world.write("other/two", "mine\n");
    let other = Settle { tip: tip.clone(), files: vec![SettleFile { name: "other/two".into(), expects: None }] };
    fs::write(world.here(".git/HEAD.lock"), "").expect("a lock");
    assert!(ledger.settle(&other).expect_err("locked").detail.contains("HEAD.lock"));
    let refusal = world.preflight(Options::default()).err().expect("locked");
    assert!(refusal.sentence.contains("HEAD.lock"), "{refusal}");
    fs::remove_file(world.here(".git/HEAD.lock")).expect("removed");
    world.ledger();
    assert_eq!((world.head(), world.status()), (tip, " M other/two\n".to_owned()));
}

/// A lock that a git left which died is no change of the user's: it is named.
#[test]
fn a_lock_that_holds_the_branch_is_named() {
    for lock in ["HEAD.lock", "refs/heads/main.lock"] {
        let (world, ledger, tip) = world_after_push();
        fs::write(world.here(".git").join(lock), "").expect("a lock");
        let failed = ledger.settle(&settle_of(&tip, None)).expect_err("locked");
        assert!(failed.why == Failure::Io && failed.detail.contains(lock), "{failed:?}");
        fs::remove_file(world.here(".git").join(lock)).expect("removed");
        assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
        agrees(&world, &tip);
    }
}

/// Something staged is nowhere but in the index, also where its folder has given way to a file of the remote's.
#[test]
fn what_is_staged_in_a_folder_that_became_a_file_stays() {
    let (world, ledger, _) = world_after_push();
    world.run("there", &["pull", "--quiet"]);
    fs::remove_dir_all(world.path("there/other")).expect("removed");
    world.meanwhile("other", "no folder any more\n");
    world.run("here", &["fetch", "--quiet"]);
    world.write("other/mine", "mine\n");
    world.run("here", &["add", "other/mine"]);
    fs::remove_dir_all(world.here("other")).expect("removed");
    world.write("other", "no folder any more\n");
    noted(&ledger, &world.head(), &[&world.tip()]);
    assert_eq!(settled(&ledger, &settle_of(&world.tip(), None)), Settled::Conflict);
    assert!(world.run("here", &["ls-files"]).contains("other/mine"));
}

/// A note of one branch is neither used nor forgotten while another one is checked out.
#[test]
fn each_branch_has_its_own_note() {
    let (world, ledger, tip) = world_after_push();
    let (old, path) = (world.head(), |name: &str| world.here(&format!(".git/hydrant/{name}")));
    let notes = || -> Vec<_> {
        let names = fs::read_dir(path("")).expect("a folder").flatten();
        names
            .map(|entry| entry.file_name().into_string().expect("text"))
            .filter(|name| name.ends_with("json"))
            .collect()
    };
    noted(&ledger, &old, &[&tip]);
    let before = notes();
    world.run("here", &["checkout", "--quiet", "-b", "mine"]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Conflict);
    world.run("here", &["branch", "--quiet", "--set-upstream-to=origin/main"]);
    assert_eq!(settled(&world.ledger(), &settle_of(&tip, None)), Settled::Done);
    assert_eq!((before.len(), notes()), (1, before));
    world.run("here", &["checkout", "--quiet", "main"]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);
}

/// The step that was begun met content of its own session's; the one of that session does not.
#[test]
fn a_step_that_cannot_be_finished_keeps_no_other_from_its_own() {
    let (world, ledger, tip) = world_after_push();
    world.write(RAW, "content in place\n");
    let other = Settle { tip: tip.clone(), files: vec![SettleFile { name: "other/one".into(), expects: None }] };
    assert_eq!(settled(&ledger, &other), Settled::Conflict, "untracked content is in the way of a pointer");
    noted(&ledger, &world.head(), &[&tip]);
    assert_eq!(settled(&ledger, &other), Settled::Conflict);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.head(), world.read(RAW)), (tip, "content in place\n".to_owned()));
    world.is_tidy();
}

#[test]
fn the_lock_of_a_run_that_died_is_taken_away_and_nobody_elses() {
    let (world, ledger, tip) = world_after_push();
    let ours = world.here(".git/hydrant/settle.lock");
    fs::create_dir_all(world.here(".git/hydrant")).expect("a folder");
    fs::write(&ours, "").expect("a file");
    fs::hard_link(&ours, world.here(".git/index.lock")).expect("a lock that was left");
    world.ledger();
    assert!(!world.here(".git/index.lock").exists());
    fs::hard_link(&ours, world.here(".git/index.lock")).expect("a lock that was left");
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);

    fs::write(world.here(".git/index.lock"), "").expect("somebody else's");
    let failed = ledger.settle(&settle_of(&tip, None)).expect_err("locked");
    assert!(failed.why == Failure::Io && failed.detail.contains("locked"), "{failed:?}");
    assert!(world.here(".git/index.lock").exists());
}

#[test]
fn while_the_index_is_ours_git_does_not_write_it() {
    let (world, ledger, _) = world_after_push();
    let lock = IndexLock::take(&ledger.0).expect("free");
    world.write("other/one", "x\n");
    let ended = world.git.at(&world.path("here")).run(&["add", "other/one"], b"").expect("it runs");
    assert!(!ended.success() && ended.stderr.contains("index.lock"), "{}", ended.stderr);
    drop(lock);
    world.run("here", &["add", "other/one"]);
}

#[test]
fn a_branch_that_is_held_moves_once_and_only_from_where_it_was() {
    let (world, ledger, tip) = world_after_push();
    let (place, head) = (&ledger.0, world.head());
    assert!(BranchMove::prepare(place, &tip, &head).expect("no fault").is_none(), "it is not there");
    let held = BranchMove::prepare(place, &head, &tip).expect("no fault").expect("it is there");
    let other = world.git.at(&world.path("here")).run(&["update-ref", "refs/heads/main", &tip], b"");
    assert!(!other.expect("it runs").success(), "nobody else moves it");
    drop(held);
    assert_eq!(world.head(), head, "let go without a move");
    BranchMove::prepare(place, &head, &tip).expect("no fault").expect("free").commit().expect("moved");
    assert_eq!(world.head(), tip);
}

#[test]
fn line_ends_sparse_trees_and_flags_are_respected() {
    // A checkout with CRLF: files of the push are byte for byte, and git sees no change.
    let mut world = World::new();
    world.git = world.git.clone().with_variable("GIT_CONFIG_COUNT", "0");
    world.run("here", &["config", "core.autocrlf", "true"]);
    fs::remove_file(world.here(MANIFEST)).expect("removed");
    world.run("here", &["checkout", "--", "."]);
    assert_eq!(world.read(MANIFEST), "{}\r\n");
    let ledger = world.ledger();
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.status().as_str(), world.read(MANIFEST).as_str()), ("", "new\n"));
    assert_eq!(world.remote_file(MANIFEST), "new\n");

    // A sparse tree without the session.
    let world = World::new();
    world.run("here", &["sparse-checkout", "set", "other"]);
    assert!(!world.here(MANIFEST).exists());
    let ledger = world.ledger();
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.status().as_str(), world.head()), ("", tip));
    assert!(!world.here(MANIFEST).exists() && !world.here(RAW).exists());
    assert!(world.run("here", &["ls-files", "-t", "sessions"]).lines().all(|line| line.starts_with('S')));
    world.is_tidy();

    // What the user told git of a file stays.
    let (world, ledger, tip) = world_after_push();
    world.run("here", &["update-index", "--assume-unchanged", MANIFEST]);
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert!(world.run("here", &["ls-files", "-v", MANIFEST]).starts_with('h'));
}

#[test]
fn a_linked_work_tree_and_a_shallow_clone_follow_too() {
    let mut world = World::new();
    world.run("here", &["checkout", "--quiet", "--detach"]);
    world.run("here", &["worktree", "add", "--quiet", "../linked", "main"]);
    fs::rename(world.path("here"), world.path("first")).expect("moved");
    world.run("first", &["worktree", "repair", "../linked"]);
    symlink("linked", world.path("here")).expect("a link");
    let ledger = world.ledger();
    assert!(ledger.common_dir().ends_with("first/.git"));
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!((world.head(), world.status().as_str(), world.read(RAW).as_str()), (tip, "", POINTER));

    world = World::new();
    world.meanwhile("other/two", "their two\n");
    let url = format!("file://{}", world.path("remote").display());
    fs::rename(world.path("here"), world.path("full")).expect("moved");
    world.run(".", &["clone", "--quiet", "--depth=1", &url, "here"]);
    let ledger = world.ledger();
    world.meanwhile("other/three", "3\n");
    let tip = pushed(&ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);
}

#[test]
fn the_users_unpushed_commits_and_the_step_are_one_line() {
    let world = World::new();
    world.write("other/mine", "mine\n");
    world.commit("here", "mine");
    let found = world.preflight(Options { with_unpushed: true }).unwrap_or_else(|refusal| panic!("{refusal}"));
    let tip = pushed(&found.ledger, &publish(Some("{}\n"), "new\n"));
    assert_eq!(settled(&found.ledger, &settle_of(&tip, None)), Settled::Done);
    agrees(&world, &tip);
}

#[test]
fn a_file_that_is_right_already_is_not_written_again() {
    let (world, ledger, tip) = world_after_push();
    world.write(MANIFEST, "new\n");
    let before = fs::metadata(world.here(MANIFEST)).expect("there").ino();
    assert_eq!(settled(&ledger, &settle_of(&tip, None)), Settled::Done);
    assert_eq!(fs::metadata(world.here(MANIFEST)).expect("there").ino(), before);
    agrees(&world, &tip);
}
