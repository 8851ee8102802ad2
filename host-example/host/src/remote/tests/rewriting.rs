//! One commit in the place of all that the remote lacks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::rewrite::{BACKUPS, DIES_AFTER, Step};
use super::super::{RemoteLedger, Rewritten};
use super::world::{MANIFEST, POINTER, RAW, World};
use crate::contract::types::{Failed, Rewrite, RewriteFile};

const NEW: &str = "{ }\n";
type Change = fn(&World);

/// Two commits that the remote lacks: a pointer, and a file of the user's.
fn unpushed() -> World {
    let world = World::new();
    world.write(RAW, POINTER);
    world.commit("here", "a pointer");
    world.write("other/three", "3\n");
    world.commit("here", "another");
    world
}

fn ledger(world: &World) -> RemoteLedger {
    RemoteLedger::of_branch(&world.git.at(&world.path("here"))).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// The pointer goes, and the manifest changes.
fn order(world: &World) -> Rewrite {
    let file = |name: &str, bytes: Option<&str>, replaces: &str| RewriteFile {
        name: name.into(),
        bytes: bytes.map(Into::into),
        replaces: replaces.into(),
    };
    Rewrite {
        tip: world.head(),
        base: world.tip(),
        files: vec![file(MANIFEST, Some(NEW), "{}\n"), file(RAW, None, POINTER)],
        message: "Rewrite".into(),
    }
}

fn rewritten(world: &World, order: &Rewrite) -> Result<Rewritten, Failed> {
    ledger(world).rewrite(order)
}

fn backups(world: &World) -> Vec<String> {
    let listed = world.run("here", &["for-each-ref", "--format=%(objectname)", BACKUPS]);
    listed.lines().map(str::to_owned).collect()
}

/// The rewrite is done: one commit on the base, everything in order, the old tip kept.
#[track_caller]
fn is_done(world: &World, old: &str, new: &str, status: &str) {
    assert_eq!((world.head().as_str(), world.status().as_str()), (new, status));
    assert_eq!(world.run("here", &["rev-list", "--count", "origin/main..HEAD"]), "1\n");
    assert_eq!(world.run("here", &["show", &format!("HEAD:{MANIFEST}")]), NEW);
    assert_eq!(world.run("here", &["show", "HEAD:other/three"]), "3\n");
    assert!(!world.here(RAW).exists());
    assert_eq!(world.read(MANIFEST), NEW);
    assert_eq!(backups(world), [old]);
    world.is_tidy();
    assert!(!world.here(".git/hydrant/rewrite.json").exists());
    assert!(world.run("here", &["reflog", "-1", "main"]).contains("hydrant"));
}

/// Nothing moved.
#[track_caller]
fn is_as_before(world: &World, old: &str, status: &str) {
    assert_eq!((world.head().as_str(), world.status().as_str()), (old, status));
    assert_eq!((backups(world).len(), world.here(".git/hydrant/rewrite.json").exists()), (0, false));
}

#[test]
fn one_commit_takes_the_place_of_all() {
    let world = unpushed();
    let order = order(&world);
    let Ok(Rewritten::At(new)) = rewritten(&world, &order) else { panic!("it is rewritten") };
    is_done(&world, &order.tip, &new, "");
    assert_eq!(world.run("here", &["log", "-1", "--format=%an %ae %s"]), "a user u@example.org Rewrite\n");
    assert_eq!(rewritten(&world, &order), Ok(Rewritten::Conflict), "a second time");
    is_done(&world, &order.tip, &new, "");
    world.run("here", &["push", "--quiet"]);
    // The way back.
    world.run("here", &["reset", "--quiet", "--keep", &backups(&world)[0]]);
    assert_eq!((world.read(RAW).as_str(), world.status().as_str()), (POINTER, ""));
}

#[test]
fn the_users_other_changes_stay() {
    let world = unpushed();
    let order = order(&world);
    world.write("other/one", "staged\n");
    world.run("here", &["add", "other/one"]);
    world.write("other/one", "staged, and changed again\n");
    world.write("other/two", "changed\n");
    fs::remove_file(world.here("other/three")).expect("there");
    world.write("new", "intended\n");
    world.run("here", &["add", "--intent-to-add", "new"]);
    world.write("sessions/a b/untracked", "mine\n");
    let status = "MM other/one\n M other/two\n D other/three\n A new\n?? \"sessions/a b/untracked\"\n";
    let (mut before, mut expected): (Vec<_>, Vec<_>) =
        (world.status().lines().map(str::to_owned).collect(), status.lines().collect());
    before.sort_unstable();
    expected.sort_unstable();
    assert_eq!(before, expected);
    let status = world.status();
    let Ok(Rewritten::At(new)) = rewritten(&world, &order) else { panic!("it is rewritten") };
    is_done(&world, &order.tip, &new, &status);
    assert_eq!(world.run("here", &["show", ":other/one"]), "staged\n");
}

#[test]
fn what_is_not_as_expected_is_a_conflict_and_nothing_moves() {
    let table: [(&str, Change); 13] = [
        ("the manifest was edited", |world| world.write(MANIFEST, "mine\n")),
        ("the pointer was replaced", |world| world.write(RAW, "content\n")),
        ("the pointer is gone", |world| fs::remove_file(world.here(RAW)).expect("there")),
        ("a staged pointer", |world| {
            world.write(RAW, "staged\n");
            world.run("here", &["add", RAW]);
            world.write(RAW, POINTER);
        }),
        ("a symlink in its place", |world| {
            fs::remove_file(world.here(RAW)).expect("there");
            std::os::unix::fs::symlink("meta.json", world.here(RAW)).expect("a link");
        }),
        ("taken out of the index", |world| drop(world.run("here", &["rm", "--quiet", "--cached", RAW]))),
        ("not in the sparse part", |world| {
            world.run("here", &["update-index", "--skip-worktree", RAW]);
        }),
        ("a rebase", |world| fs::create_dir(world.here(".git/rebase-merge")).expect("a mark")),
        ("a merge", |world| fs::write(world.here(".git/MERGE_HEAD"), world.head()).expect("a mark")),
        ("a commit came in between", |world| world.commit("here", "mine")),
        ("somebody pushed, and it was fetched", |world| {
            world.meanwhile("theirs", "1\n");
            world.run("here", &["fetch", "--quiet"]);
        }),
        ("another branch", |world| drop(world.run("here", &["checkout", "--quiet", "-b", "mine"]))),
        ("no branch", |world| drop(world.run("here", &["checkout", "--quiet", "--detach"]))),
    ];
    for (what, change) in table {
        let world = unpushed();
        let (order, ledger) = (order(&world), ledger(&world));
        change(&world);
        let (head, status) = (world.head(), world.status());
        assert_eq!(ledger.rewrite(&order), Ok(Rewritten::Conflict), "{what}");
        is_as_before(&world, &head, &status);
    }
}

#[test]
fn a_base_that_is_no_ancestor_is_a_conflict() {
    let world = unpushed();
    world.meanwhile("theirs", "1\n");
    world.run("here", &["fetch", "--quiet"]);
    let order = order(&world);
    assert_eq!(rewritten(&world, &order), Ok(Rewritten::Conflict));
    is_as_before(&world, &order.tip, "");
}

#[test]
fn an_index_that_somebody_holds_is_waited_for_and_then_left() {
    let world = unpushed();
    fs::write(world.here(".git/index.lock"), "").expect("a lock");
    let why = rewritten(&world, &order(&world)).expect_err("locked");
    assert!(why.detail.contains("index is locked"), "{}", why.detail);
    fs::remove_file(world.here(".git/index.lock")).expect("still there");
    is_as_before(&world, &world.head(), "");
}

#[test]
fn what_only_older_commits_hold_goes_without_a_change_of_the_tree() {
    let world = unpushed();
    let (order, tree) = (order(&world), world.run("here", &["rev-parse", "HEAD^{tree}"]));
    let order = Rewrite { files: Vec::new(), ..order };
    world.write(RAW, "edited by the user\n");
    let Ok(Rewritten::At(_)) = rewritten(&world, &order) else { panic!("it is rewritten") };
    assert_eq!(world.run("here", &["rev-parse", "HEAD^{tree}"]), tree);
    assert_eq!(world.run("here", &["rev-list", "--count", "origin/main..HEAD"]), "1\n");
    assert_eq!(world.status(), " M \"sessions/a b/raw.jsonl\"\n");
    world.is_tidy();
}

#[test]
fn nothing_left_to_commit_is_no_commit() {
    let world = World::new();
    world.write("sessions/new one/raw.jsonl", POINTER);
    world.commit("here", "a pointer");
    let name = "sessions/new one/raw.jsonl".to_owned();
    let files = vec![RewriteFile { name, bytes: None, replaces: POINTER.into() }];
    let order = Rewrite { files, ..order(&world) };
    assert_eq!(rewritten(&world, &order), Ok(Rewritten::At(order.base.clone())));
    assert_eq!((world.head(), world.status()), (order.base.clone(), String::new()));
    assert_eq!(backups(&world), [order.tip]);
    assert!(!world.here("sessions/new one").exists(), "an empty folder is none of git's");
    world.is_tidy();
}

#[test]
fn merges_and_linked_work_trees_are_no_obstacle() {
    let world = unpushed();
    world.meanwhile("theirs", "1\n");
    world.run("here", &["pull", "--quiet", "--no-rebase", "--no-edit"]);
    world.run("here", &["checkout", "--quiet", "-b", "aside", "HEAD~1"]);
    world.run("here", &["worktree", "add", "--quiet", "../linked", "main"]);
    let order = Rewrite { tip: world.run("here", &["rev-parse", "main"]).trim().to_owned(), ..order(&world) };
    let ledger = RemoteLedger::of_branch(&world.git.at(&world.path("linked"))).expect("it is on main");
    let Ok(Rewritten::At(new)) = ledger.rewrite(&order) else { panic!("it is rewritten") };
    assert_eq!(world.run("linked", &["rev-parse", "HEAD"]).trim(), new);
    assert_eq!(world.run("linked", &["status", "--porcelain"]), "");
    assert_eq!(world.run("linked", &["rev-list", "--count", "--no-merges", "origin/main..HEAD"]), "1\n");
    assert_eq!(world.run("linked", &["show", "HEAD:theirs"]), "1\n");
    assert_eq!((world.status(), backups(&world)), (String::new(), vec![order.tip]));
    world.run("here", &["fsck", "--no-dangling", "--strict"]);
}

#[test]
fn the_commit_is_signed_when_the_user_signs() {
    let world = unpushed();
    let signer = world.path("signer");
    fs::write(&signer, "#!/bin/sh\ncat >/dev/null\nprintf '\\n[GNUPG:] SIG_CREATED \\n' >&2\necho signature\n")
        .expect("a signer");
    fs::set_permissions(&signer, fs::Permissions::from_mode(0o755)).expect("runs");
    let git = world.git.at(&world.path("here")).with_variable("GIT_CONFIG_COUNT", "2");
    let git = [("commit.gpgSign", "true"), ("gpg.program", signer.to_str().expect("text"))].iter().enumerate().fold(
        git,
        |git, (at, (key, value))| {
            git.with_variable(format!("GIT_CONFIG_KEY_{at}"), key)
                .with_variable(format!("GIT_CONFIG_VALUE_{at}"), value)
        },
    );
    let order = order(&world);
    let ledger = RemoteLedger::of_branch(&git).expect("a branch");
    let Ok(Rewritten::At(new)) = ledger.rewrite(&order) else { panic!("it is rewritten") };
    assert!(world.run("here", &["cat-file", "commit", &new]).contains("gpgsig signature"));
    is_done(&world, &order.tip, &new, "");
    // A signer that says no, and nothing moved.
    world.run("here", &["reset", "--quiet", "--keep", &order.tip]);
    fs::write(&signer, "#!/bin/sh\necho no key >&2\nexit 1\n").expect("a signer");
    assert!(ledger.rewrite(&order).is_err());
    assert_eq!((world.head(), world.status(), backups(&world).len()), (order.tip, String::new(), 1));
}

#[test]
fn a_branch_that_cannot_move_puts_everything_back() {
    let world = unpushed();
    let order = order(&world);
    fs::create_dir_all(world.here(".git/hooks")).expect("a folder");
    let hook = world.here(".git/hooks/reference-transaction");
    let script = "#!/bin/sh\n[ \"$1\" = prepared ] || exit 0\nwhile read -r old new name; do\n\
                  case $name in refs/heads/*) exit 1;; esac\ndone\n";
    fs::write(&hook, script).expect("a hook");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("runs");
    let git = world.git.at(&world.path("here")).with_variable("GIT_CONFIG_COUNT", "0");
    let ledger = RemoteLedger::of_branch(&git).expect("a branch");
    assert_eq!(ledger.rewrite(&order), Ok(Rewritten::Conflict));
    is_as_before(&world, &order.tip, "");
    world.is_tidy();
}

#[test]
fn whoever_dies_is_put_back_or_had_ended() {
    for step in [Step::Committed, Step::Noted, Step::BackedUp, Step::Placed, Step::Indexed, Step::Moved] {
        let world = unpushed();
        let order = order(&world);
        world.write("other/one", "staged\n");
        world.run("here", &["add", "other/one"]);
        let status = world.status();
        let ledger = ledger(&world);
        DIES_AFTER.set(Some(step));
        let died = catch_unwind(AssertUnwindSafe(|| ledger.rewrite(&order)));
        DIES_AFTER.set(None);
        assert!(died.is_err(), "{step:?}");
        assert_eq!(ledger.is_interrupted(), step != Step::Committed, "{step:?}");
        if step == Step::Moved {
            let new = world.head();
            assert!(ledger.undo_interrupted().expect("no fault"));
            is_done(&world, &order.tip, &new, &status);
            continue;
        }
        assert_eq!(world.head(), order.tip, "{step:?}");
        if step == Step::Indexed {
            // Whoever goes on by himself meanwhile is not written over.
            world.write(RAW, "mine\n");
            assert!(ledger.undo_interrupted().expect("no fault"));
            assert_eq!(world.read(RAW), "mine\n");
            world.write(RAW, POINTER);
        } else {
            assert_eq!(ledger.undo_interrupted().expect("no fault"), step != Step::Committed, "{step:?}");
        }
        is_as_before(&world, &order.tip, &status);
        world.is_tidy();
        let Ok(Rewritten::At(new)) = ledger.rewrite(&order) else { panic!("{step:?}: it is rewritten") };
        is_done(&world, &order.tip, &new, &status);
    }
}

#[test]
fn a_rewrite_puts_back_what_another_one_left_and_goes_on() {
    let world = unpushed();
    let (order, ledger) = (order(&world), ledger(&world));
    DIES_AFTER.set(Some(Step::Indexed));
    assert!(catch_unwind(AssertUnwindSafe(|| ledger.rewrite(&order))).is_err());
    DIES_AFTER.set(None);
    // What a process that died between two renames leaves.
    world.write("sessions/a b/.hydrant-rewrite-1-1.tmp", POINTER);
    let Ok(Rewritten::At(new)) = ledger.rewrite(&order) else { panic!("it is rewritten") };
    is_done(&world, &order.tip, &new, "");
}
