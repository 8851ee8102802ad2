//! What a push would send.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::{Reason, RemoteLedger};
use super::world::{MANIFEST, POINTER, RAW, World};
use crate::contract::types::PushRange;

const OTHER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:11\nsize 2\n";

fn ledger(world: &World) -> RemoteLedger {
    RemoteLedger::of_branch(&world.git.at(&world.path("here"))).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn look(world: &World) -> PushRange {
    ledger(world).push_range().expect("no fault")
}

/// Path, whether these are the first pointer's bytes, at the tip, unchanged.
fn found(range: &PushRange) -> Vec<(&str, bool, bool, bool)> {
    let file = |it: &'static str, bytes: &[u8]| bytes == it.as_bytes();
    range.files.iter().map(|it| (&*it.path, file(POINTER, &it.bytes), it.at_tip, it.unchanged)).collect()
}

#[test]
fn nothing_is_unpushed() {
    let world = World::new();
    let range = look(&world);
    assert_eq!((range.commits, range.files.len(), range.base_is_ancestor), (0, 0, true));
    assert_eq!((range.base.as_deref(), range.tip.as_str()), (Some(&*world.tip()), &*world.head()));
    assert!(!ledger(&world).sends_small_files().expect("no fault"));
}

#[test]
fn every_path_of_a_blob_and_every_commit_counts() {
    let world = World::new();
    let odd = "sessions/a b/\u{e4} \"q\"\\ \n\ttab";
    world.write(RAW, POINTER);
    world.write("sessions/copy/raw.jsonl", POINTER);
    world.write(odd, POINTER);
    world.commit("here", "one");
    world.write(RAW, OTHER);
    world.write("large", &format!("version {}", "x".repeat(1024)));
    world.write("small", "no such word");
    symlink("version", world.here("link")).expect("a link");
    world.commit("here", "two");
    fs::remove_file(world.here(odd)).expect("there");
    world.commit("here", "three");
    let range = look(&world);
    assert_eq!(range.commits, 3);
    let expected = [
        (RAW, false, true, true),
        ("sessions/copy/raw.jsonl", true, true, true),
        (odd, true, false, false),
        (RAW, true, false, false),
    ];
    let mut found = found(&range);
    assert_eq!((found.remove(0), found.remove(0)), (expected[0], expected[1]));
    found.sort_unstable();
    let mut older = expected[2..].to_vec();
    older.sort_unstable();
    assert_eq!(found, older);
    assert!(ledger(&world).sends_small_files().expect("no fault"));
}

#[test]
fn index_and_tree_are_looked_at_and_nothing_is_refused() {
    let world = World::new();
    for name in ["a", "b", "c", "d"] {
        world.write(name, &format!("{OTHER}{name}"));
    }
    world.commit("here", "four");
    world.write("a", "changed");
    world.write("b", "staged");
    world.run("here", &["add", "b"]);
    world.write("b", &format!("{OTHER}b"));
    fs::remove_file(world.here("c")).expect("there");
    fs::write(world.here(".git/index.lock"), "").expect("a lock");
    fs::write(world.here(".git/MERGE_HEAD"), "").expect("a mark");
    let range = look(&world);
    let unchanged: Vec<bool> = range.files.iter().map(|file| file.unchanged).collect();
    assert_eq!((unchanged, range.is_underway), (vec![false, false, false, true], true));
}

#[test]
fn of_a_merge_only_what_is_new_counts() {
    let world = World::new();
    world.meanwhile("theirs", OTHER);
    world.write("ours", POINTER);
    world.write("both", "version a\n");
    world.commit("here", "ours");
    world.run("here", &["branch", "side"]);
    world.run("here", &["fetch", "--quiet"]);
    world.run("here", &["merge", "--quiet", "--no-commit", "origin/main"]);
    world.write("both", "version merged\n");
    world.write("evil", "version of the merge\n");
    world.commit("here", "merge");
    let range = look(&world);
    let paths: Vec<(&str, bool)> = range.files.iter().map(|file| (file.path.as_str(), file.at_tip)).collect();
    assert_eq!(paths, [("both", true), ("evil", true), ("ours", true), ("both", false)]);
    assert_eq!((range.commits, range.base_is_ancestor), (2, true));
}

#[test]
fn what_the_remote_has_is_not_sent_again() {
    let world = World::new();
    world.meanwhile("theirs", OTHER);
    world.run("here", &["pull", "--quiet", "--ff-only"]);
    fs::remove_file(world.here("theirs")).expect("there");
    world.commit("here", "removed");
    world.write("theirs", OTHER);
    world.commit("here", "and back");
    let range = look(&world);
    assert_eq!((range.commits, range.files.len()), (2, 0));
}

#[test]
fn a_diverged_branch_says_so() {
    let world = World::new();
    world.write(RAW, POINTER);
    world.commit("here", "ours");
    world.meanwhile("theirs", "1\n");
    assert!(look(&world).base_is_ancestor, "nothing is fetched");
    world.run("here", &["fetch", "--quiet"]);
    let range = look(&world);
    assert_eq!((range.commits, range.base_is_ancestor, range.files.len()), (1, false, 1));
}

#[test]
fn without_an_upstream_everything_counts_that_no_remote_has() {
    let world = World::new();
    world.run("here", &["checkout", "--quiet", "-b", "mine"]);
    world.write(RAW, POINTER);
    world.commit("here", "mine");
    let range = look(&world);
    assert_eq!((range.base.is_none(), range.commits, range.base_is_ancestor), (true, 1, true));
    assert_eq!(found(&range), [(RAW, true, true, true)]);
    world.run("here", &["remote", "remove", "origin"]);
    assert_eq!(look(&world).commits, 2);
}

/// Whether a ref here tells of the branch there, only of others, or of nothing there.
#[test]
fn what_any_remote_has_is_shared() {
    let world = World::new();
    world.run("here", &["checkout", "--quiet", "-b", "mine"]);
    world.run("here", &["remote", "add", "fork", "../elsewhere"]);
    world.run("here", &["update-ref", "refs/remotes/fork/main", "main"]);
    world.run("here", &["update-ref", "refs/remotes/origin/mine", "main"]);
    world.write(RAW, POINTER);
    world.commit("here", "mine");
    let is_shared = |remote: &str| {
        let (ledger, _) = RemoteLedger::of_push(&world.git.at(&world.path("here")), remote, true).expect("no fault");
        ledger.is_shared().expect("no fault")
    };
    let shared = || ["origin", "fork", "../address"].map(is_shared);
    assert_eq!(shared(), [false, false, true], "what an address has is not known, and `main` is everybody's");
    world.run("here", &["update-ref", "refs/remotes/third/any", "mine"]);
    assert_eq!(shared(), [true, true, true]);
}

#[test]
fn a_branch_of_this_repository_is_no_upstream() {
    let world = World::new();
    world.run("here", &["checkout", "--quiet", "--track", "-b", "mine", "main"]);
    assert!(look(&world).base.is_none());
}

#[test]
fn a_path_that_is_no_text_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    let name = OsStr::from_bytes(b"bad\xff");
    fs::write(world.path("here").join(name), "no pointer word\n").expect("a file");
    world.commit("here", "harmless");
    assert_eq!(look(&world).files.len(), 0);
    fs::write(world.path("here").join(name), POINTER).expect("a file");
    world.commit("here", "not so");
    let why = ledger(&world).push_range().expect_err("refused");
    assert!(why.detail.contains("UTF-8"), "{}", why.detail);
}

#[test]
fn submodules_and_odd_histories_are_no_obstacle() {
    let world = World::new();
    let commit = world.head();
    world.run("here", &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},module")]);
    world.run("here", &["commit", "--quiet", "--message", "module"]);
    world.run("here", &["checkout", "--quiet", "--orphan", "island"]);
    world.write(RAW, POINTER);
    world.commit("here", "another root");
    world.run("here", &["checkout", "--quiet", "main"]);
    world.run("here", &["merge", "--quiet", "--allow-unrelated-histories", "-m", "joined", "island"]);
    let range = look(&world);
    assert!(found(&range).contains(&(RAW, true, true, true)), "{:?}", found(&range));
    assert!(range.files.iter().all(|file| file.path != "module" && file.path != MANIFEST));
}

#[test]
fn a_detached_head_is_refused_and_a_rebase_is_named() {
    let world = World::new();
    world.run("here", &["checkout", "--quiet", "--detach"]);
    let reason =
        |world: &World| RemoteLedger::of_branch(&world.git.at(&world.path("here"))).err().map(|refusal| refusal.reason);
    assert_eq!(reason(&world), Some(Reason::Detached));
    fs::create_dir(world.here(".git/rebase-merge")).expect("a mark");
    assert_eq!(reason(&world), Some(Reason::Underway));
}

#[test]
fn an_object_that_is_missing_is_a_failure() {
    let world = World::new();
    world.write(RAW, POINTER);
    world.commit("here", "one");
    let blob = world.run("here", &["rev-parse", &format!("HEAD:{RAW}")]);
    let (folder, file) = blob.trim().split_at(2);
    fs::remove_file(world.here(&format!(".git/objects/{folder}/{file}"))).expect("there");
    let why = ledger(&world).push_range().expect_err("an object is missing").detail;
    assert!(why.contains("missing") || why.contains("does not have"), "{why}");
}
