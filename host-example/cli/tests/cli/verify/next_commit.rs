//! The next commit is what git says it is: the check in a hook looks at the index that git names to that hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hydrant_kit::scene::{Scene, noise, pointer};

use super::{SESSION, content, ledger};

/// A git whose hooks find the program under test.
fn git_with_hydrant(scene: &Scene, directory: &Path) -> Command {
    let hydrant = PathBuf::from(scene.hydrant_command(directory).get_program());
    let folder = hydrant.parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&path))).expect("folders");
    let mut git = scene.program("git", directory);
    git.env("PATH", path);
    git
}

/// Commits; whether the hook let it through. What it says of content is all that may stop it.
#[track_caller]
fn commits(git: &mut Command, row: &str) -> bool {
    let output = git.output().expect("git runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_stopped = words.contains("content would be committed in full");
    assert_eq!(output.status.success(), !is_stopped, "{row}: {words}");
    !is_stopped
}

/// A ledger whose commits are checked, with a file beside the session.
fn checked(scene: &Scene, folder: &str) -> PathBuf {
    scene.file(&format!("{folder}/notes.txt"), b"words\n");
    let ledger = ledger(scene, folder);
    scene.hydrant(&ledger, &["hooks", "install", "commit"]).ends(0);
    ledger
}

/// Puts content where the pointer stands.
fn put_content(top: &Path) {
    fs::write(top.join("sessions").join(SESSION).join("raw.jsonl"), &content()[0].1).expect("written");
}

fn put_words(top: &Path) {
    fs::write(top.join("notes.txt"), b"other words\n").expect("written");
}

#[test]
fn a_hook_judges_the_commit_that_git_is_about_to_make() {
    let scene = Scene::new();
    let raw = format!("sessions/{SESSION}/raw.jsonl");
    let raw = raw.as_str();
    // What is staged before, how is committed, and whether that may be.
    type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], bool);
    let table: [Row<'_>; 13] = [
        ("staged", &[raw], &[], false),
        ("all", &[], &["--all"], false),
        ("path", &[], &["--", raw], false),
        ("only", &["notes.txt"], &["--only", "--", raw], false),
        ("include", &["notes.txt"], &["--include", "--", raw], false),
        ("folder", &[], &["--", "sessions"], false),
        ("amend", &[raw], &["--amend"], false),
        ("amend-all", &[], &["--amend", "--all"], false),
        ("not-staged", &["notes.txt"], &[], true),
        ("another-path", &[raw], &["--", "notes.txt"], true),
        ("another-only", &[raw], &["--only", "--", "notes.txt"], true),
        ("another-amended", &["notes.txt"], &["--amend"], true),
        ("empty", &[], &["--allow-empty"], true),
    ];
    for (row, staged, arguments, is_fine) in table {
        let ledger = checked(&scene, row);
        put_content(&ledger);
        put_words(&ledger);
        for path in staged {
            scene.git(&ledger, &["add", "--", path]);
        }
        let mut git = git_with_hydrant(&scene, &ledger);
        git.args(["commit", "--message", "next"]).args(arguments);
        assert_eq!(commits(&mut git, row), is_fine, "{row}");
    }
}

/// However git is told where it is to work, its hook is told the same.
#[test]
fn a_hook_judges_the_repository_and_the_index_that_git_names() {
    let scene = Scene::new();
    let all = ["commit", "--all", "--message", "next"];
    for (row, arguments, variables) in [
        ("below", &[][..], &[][..]),
        ("elsewhere", &["-C", "TOP"][..], &[][..]),
        ("named", &["--git-dir", "TOP/.git", "--work-tree", "TOP"], &[]),
        ("variables", &[], &[("GIT_DIR", "TOP/.git"), ("GIT_WORK_TREE", "TOP")]),
        ("relative", &["-C", "TOP"], &[("GIT_DIR", ".git"), ("GIT_WORK_TREE", ".")]),
        ("relative-to-home", &[], &[("GIT_DIR", "../relative-to-home/.git"), ("GIT_WORK_TREE", "../relative-to-home")]),
    ] {
        for is_content in [true, false] {
            let ledger = checked(&scene, row);
            if is_content {
                put_content(&ledger)
            } else {
                put_words(&ledger)
            }
            let top = ledger.to_str().expect("text");
            let from = if row == "below" { ledger.join("sessions") } else { scene.path("home") };
            let mut git = git_with_hydrant(&scene, &from);
            git.args(arguments.iter().map(|word| word.replace("TOP", top))).args(all);
            git.envs(variables.iter().map(|(name, value)| (*name, value.replace("TOP", top))));
            assert_eq!(commits(&mut git, row), !is_content, "{row}");
            fs::remove_dir_all(&ledger).expect("removed");
        }
    }
    // An index of the user's own, relative to the top as git has it.
    for (row, own, is_fine) in [("own", true, false), ("usual", false, true)] {
        let ledger = checked(&scene, row);
        let index = ".git/another-index";
        fs::copy(ledger.join(".git/index"), ledger.join(index)).expect("copied");
        put_content(&ledger);
        let mut add = scene.program("git", &ledger);
        add.args(["add", "sessions"]).env("GIT_INDEX_FILE", index);
        assert!(add.status().expect("git runs").success());
        put_words(&ledger);
        scene.git(&ledger, &["add", "notes.txt"]);
        let mut git = git_with_hydrant(&scene, &ledger.join("sessions"));
        git.args(["commit", "--message", "next"]);
        if own {
            git.env("GIT_INDEX_FILE", index);
        }
        assert_eq!(commits(&mut git, row), is_fine, "{row}");
    }
}

#[test]
fn work_trees_and_submodules_have_hooks_of_their_own_places() {
    let scene = Scene::new();
    let main = checked(&scene, "main");
    let tree = scene.path("tree");
    scene.git(&main, &["worktree", "add", "--quiet", "--detach", "../tree"]);
    put_content(&main);
    scene.git(&main, &["add", "--all"]);
    let commit = |directory: &Path| {
        let mut git = git_with_hydrant(&scene, directory);
        git.args(["commit", "--all", "--message", "next"]);
        git
    };
    // What is staged in the main one is not what the other one commits.
    put_words(&tree);
    assert!(commits(&mut commit(&tree), "words in a work tree"));
    put_content(&tree);
    assert!(!commits(&mut commit(&tree.join("sessions")), "content in a work tree"));

    let outer = scene.repository("outer");
    let add = ["-c", "protocol.file.allow=always", "submodule", "add", "--quiet", "../main", "inner"];
    scene.git(&outer, &add);
    let inner = outer.join("inner");
    for (key, value) in [("user.name", "nobody"), ("user.email", "nobody@example.test")] {
        scene.git(&inner, &["config", key, value]);
    }
    scene.hydrant(&inner, &["hooks", "install", "commit"]).ends(0);
    put_words(&inner);
    assert!(commits(&mut commit(&inner), "words in a submodule"));
    put_content(&inner);
    assert!(!commits(&mut commit(&inner), "content in a submodule"));
    assert!(commits(&mut commit(&outer), "beside a submodule"));
}

#[test]
fn a_first_commit_and_a_merge_are_judged_by_what_they_bring() {
    let scene = Scene::new();
    // The commit that makes the ledger.
    let first = scene.repository("first");
    scene.git(&first, &["update-ref", "-d", "HEAD"]);
    scene.hydrant(&first, &["hooks", "install", "commit"]).ends(0);
    let [(_, raw), _] = content();
    scene.file(&format!("first/sessions/{SESSION}/meta.json"), super::manifest(&[("raw.jsonl", &raw)]).as_bytes());
    scene.file(&format!("first/sessions/{SESSION}/raw.jsonl"), &raw);
    scene.git(&first, &["add", "--all"]);
    let commit = |ledger: &Path| {
        let mut git = git_with_hydrant(&scene, ledger);
        git.args(["commit", "--all", "--message", "next"]);
        git
    };
    assert!(!commits(&mut commit(&first), "content in a first commit"));
    scene.file(&format!("first/sessions/{SESSION}/raw.jsonl"), pointer(&raw).as_bytes());
    assert!(commits(&mut commit(&first), "a pointer in a first commit"));

    // What the other side of a merge has is in a commit already; what is new in the merge is not.
    for (row, is_new) in [("theirs", false), ("ours", true)] {
        let ledger = checked(&scene, row);
        scene.git(&ledger, &["switch", "--quiet", "--create", "other"]);
        put_content(&ledger);
        fs::write(ledger.join("notes.txt"), b"their words\n").expect("written");
        scene.git(&ledger, &["commit", "--quiet", "--all", "--no-verify", "--message", "theirs"]);
        scene.git(&ledger, &["switch", "--quiet", "main"]);
        put_words(&ledger);
        scene.git(&ledger, &["commit", "--quiet", "--all", "--no-verify", "--message", "ours"]);
        let merge = scene.program("git", &ledger).args(["merge", "--quiet", "other"]).output().expect("git runs");
        assert!(!merge.status.success(), "both changed the words");
        put_words(&ledger);
        if is_new {
            fs::write(ledger.join("sessions").join(SESSION).join("small.bin"), noise(4_000, 5)).expect("written");
        }
        assert_eq!(commits(&mut commit(&ledger), row), !is_new, "{row}");
    }
}
