//! `hydrant hooks`: one block in each hook, other lines as they were, and nothing written where others keep the hooks.

mod tags;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::committed::old_session;
use hydrant_kit::scene::{Ran, Scene, noise};
use hydrant_kit::world::{World, transcript};

const NAMES: [(&str, &str); 2] = [("commit", "pre-commit"), ("push", "pre-push")];

fn hooks(scene: &Scene, repository: &Path, arguments: &[&str]) -> Ran {
    scene.hydrant(repository, &[&["hooks"], arguments, &["--json"]].concat())
}

/// The states of the hooks, as one word each.
#[track_caller]
fn states(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let list = json["hook_list"].as_array().unwrap_or_else(|| panic!("{json}"));
    list.iter().map(|one| one["state"].as_str().expect("a word").to_owned()).collect()
}

fn write_hook(repository: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = repository.join(".git/hooks").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    path
}

/// A git whose hooks find the program under test, and nothing else of the scene's.
fn git(scene: &Scene, directory: &Path, arguments: &[&str]) -> Command {
    let hydrant = PathBuf::from(scene.hydrant_command(directory).get_program());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = hydrant.parent().expect("a folder").to_owned();
    let path = std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&path))).expect("folders");
    let mut git = scene.program("git", directory);
    git.args(arguments).env("PATH", path);
    git
}

#[test]
fn a_block_is_installed_once_kept_current_and_removed_without_a_trace() {
    let scene = Scene::new();
    for (row, own) in [
        ("none", None),
        ("shell", Some("#!/bin/sh\necho mine\n")),
        ("bash", Some("#!/usr/bin/env bash\nset -eu\necho mine\nexit 0\n")),
        ("plain", Some("echo mine\n")),
    ] {
        let repository = scene.repository(row);
        if let Some(text) = own {
            NAMES.iter().for_each(|(_, name)| drop(write_hook(&repository, name, text, 0o755)));
        }
        assert_eq!(states(&hooks(&scene, &repository, &["list"]).ends(0)), ["absent", "absent"], "{row}");
        let first = hooks(&scene, &repository, &["install"]).ends(0);
        assert_eq!(states(&first), ["installed", "installed"], "{row}");
        let texts = || NAMES.map(|(_, name)| fs::read_to_string(repository.join(".git/hooks").join(name)).ok());
        let installed = texts();
        for text in installed.iter().flatten() {
            assert_eq!(text.matches("# >>> hydrant >>>").count(), 1, "{row}: {text}");
            assert_eq!(own.is_some(), text.contains("echo mine"), "{row}: {text}");
        }
        let again = hooks(&scene, &repository, &["install"]).ends(0).json();
        assert_eq!(again["hook_list"][0]["changed"], false, "{row}");
        assert_eq!(texts(), installed, "{row}");
        for (_, name) in NAMES {
            let mode = fs::metadata(repository.join(".git/hooks").join(name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o755, "{row}");
        }
        // Of another version.
        let path = repository.join(".git/hooks/pre-commit");
        let old = installed[0].as_deref().expect("a hook").replace("--offline", "--old");
        fs::write(&path, old).expect("written");
        assert_eq!(states(&hooks(&scene, &repository, &["list", "commit"]).ends(0)), ["outdated"], "{row}");
        hooks(&scene, &repository, &["install", "commit"]).ends(0);
        assert_eq!(texts(), installed, "{row}");
        // One goes, the other stays.
        hooks(&scene, &repository, &["remove", "commit"]).ends(0);
        assert_eq!(states(&hooks(&scene, &repository, &["list"]).ends(0)), ["absent", "installed"], "{row}");
        hooks(&scene, &repository, &["remove"]).ends(0);
        assert_eq!(texts(), [own.map(str::to_owned), own.map(str::to_owned)], "{row}");
        hooks(&scene, &repository, &["remove"]).ends(0);
    }
}

/// A change of the folder of hooks, or of a hook in it.
type Change<'a> = &'a dyn Fn(&Scene, &Path);

#[test]
fn hooks_that_others_keep_are_left_alone_and_the_lines_are_told() {
    let scene = Scene::new();
    let set = |scene: &Scene, repository: &Path, folder: &str| {
        scene.git(repository, &["config", "core.hooksPath", folder]);
    };
    let outside = scene.path("shared");
    fs::create_dir_all(&outside).expect("made");
    let outside = outside.to_str().expect("text");
    let table: [(&str, Change<'_>, &str); 12] = [
        ("tracked", &|scene, it| set(scene, it, ".githooks"), "in the work tree"),
        (
            "tracked-and-there",
            &|scene, it| {
                fs::create_dir_all(it.join(".githooks")).expect("made");
                set(scene, it, ".githooks");
            },
            "in the work tree",
        ),
        ("husky", &|scene, it| set(scene, it, ".husky/_"), "in the work tree"),
        ("outside", &|scene, it| set(scene, it, outside), "outside of this repository"),
        ("nowhere", &|scene, it| set(scene, it, "/dev/null"), "outside of this repository"),
        (
            "global",
            &|scene, _| drop(scene.git(&scene.folder, &["config", "--global", "core.hooksPath", outside])),
            "outside of this repository",
        ),
        (
            "linked-folder",
            &|_, it| {
                fs::remove_dir_all(it.join(".git/hooks")).ok();
                symlink(outside, it.join(".git/hooks")).expect("a link");
            },
            "outside of this repository",
        ),
        (
            "linked-hook",
            &|_, it| {
                NAMES.iter().for_each(|(_, name)| {
                    let place = write_hook(it, name, "", 0o755);
                    fs::remove_file(&place).expect("removed");
                    symlink("../../hook", &place).expect("a link");
                });
            },
            "link",
        ),
        (
            "python",
            &|_, it| {
                NAMES.iter().for_each(|(_, name)| drop(write_hook(it, name, "#!/usr/bin/env python3\npass\n", 0o755)));
            },
            "no shell script",
        ),
        (
            "compiled",
            &|_, it| {
                let program = fs::read("/bin/true").expect("a program");
                NAMES.iter().for_each(|(_, name)| {
                    let place = write_hook(it, name, "", 0o755);
                    fs::write(place, &program).expect("written");
                });
            },
            "no shell script",
        ),
        (
            "asleep",
            &|_, it| {
                NAMES.iter().for_each(|(_, name)| drop(write_hook(it, name, "#!/bin/sh\nexit 1\n", 0o644)));
            },
            "not executable",
        ),
        (
            "broken",
            &|_, it| {
                NAMES.iter().for_each(|(_, name)| drop(write_hook(it, name, "# >>> hydrant >>>\n", 0o755)));
            },
            "marks",
        ),
    ];
    for (row, change, reason) in table {
        let repository = scene.repository(row);
        change(&scene, &repository);
        let state = || {
            let mut found = Command::new("find");
            found.args([repository.as_os_str(), outside.as_ref()]).args([
                "-not",
                "-name",
                "hydrant*",
                "-printf",
                "%p %s %m\n",
            ]);
            let mut lines: Vec<String> = String::from_utf8_lossy(&found.output().expect("find").stdout)
                .lines()
                .filter(|line| line.contains("hook") || line.contains("husky") || line.contains("shared"))
                .map(str::to_owned)
                .collect();
            lines.sort_unstable();
            lines
        };
        let before = state();
        let json = hooks(&scene, &repository, &["install"]).ends(1).json();
        assert_eq!(json["ok"], false, "{row}");
        for one in json["hook_list"].as_array().expect("a list") {
            assert!(one["reason"].as_str().is_some_and(|words| words.contains(reason)), "{row}: {one}");
            assert!(one["lines"].as_str().is_some_and(|lines| lines.contains("hydrant verify --")), "{row}: {one}");
            assert_eq!((&one["state"], &one["changed"]), (&"absent".into(), &false.into()), "{row}");
        }
        let said = scene.hydrant(&repository, &["hooks", "install"]).ends(1);
        assert!(said.out.contains("hydrant verify --staged --offline 2>&1"), "{row}: {}", said.out);
        hooks(&scene, &repository, &["list"]).ends(0);
        hooks(&scene, &repository, &["remove"]).ends(0);
        assert_eq!(state(), before, "{row}");
        if row == "global" {
            scene.git(&scene.folder, &["config", "--global", "--unset", "core.hooksPath"]);
        }
    }
}

#[test]
fn lines_that_were_added_by_hand_count_where_git_runs_them() {
    let scene = Scene::new();
    // Where git or husky looks for hooks, where they stand, and whether they must be executable.
    for (folder, own, must_be_executable) in [(".githooks", ".githooks", true), (".husky/_", ".husky", false)] {
        for mode in [0o755, 0o644] {
            let row = format!("{}-{mode:o}", own.trim_start_matches('.'));
            let repository = scene.repository(&row);
            scene.git(&repository, &["config", "core.hooksPath", folder]);
            let json = hooks(&scene, &repository, &["install"]).ends(1).json();
            for (place, (_, name)) in NAMES.iter().enumerate() {
                let lines = json["hook_list"][place]["lines"].as_str().expect("lines");
                assert!(lines.contains("command -v hydrant") && !lines.contains(">>>"), "{lines}");
                let hook = scene.file(&format!("{row}/{own}/{name}"), format!("#!/bin/sh\n{lines}").as_bytes());
                fs::set_permissions(hook, fs::Permissions::from_mode(mode)).expect("its mode");
            }
            if must_be_executable && mode == 0o644 {
                let ran = hooks(&scene, &repository, &["install"]).ends(1);
                assert_eq!(states(&ran), ["absent", "absent"], "{row}");
                let one = &ran.json()["hook_list"][0];
                assert!(one["reason"].as_str().is_some_and(|it| it.contains("not executable")), "{row}: {one}");
                assert!(one["lines"].is_null(), "they are there: {one}");
                continue;
            }
            assert_eq!(states(&hooks(&scene, &repository, &["install"]).ends(0)), ["installed", "installed"], "{row}");
            let json = hooks(&scene, &repository, &["remove"]).ends(1).json();
            assert!(json["hook_list"][0]["lines"].is_string(), "they are still there: {json}");
        }
    }
}

/// Whoever pasted them shares a hook with people who have no hydrant.
#[test]
fn lines_that_were_added_by_hand_check_and_stop_nobody_without_the_program() {
    let world = World::new();
    let (scene, clone) = (&world.scene, &world.clone);
    world.git(&["config", "core.hooksPath", "../shared"]);
    let json = hooks(scene, clone, &["install"]).ends(1).json();
    for (place, (_, name)) in NAMES.iter().enumerate() {
        let lines = json["hook_list"][place]["lines"].as_str().expect("lines");
        let heard = scene.path("heard");
        let text = format!("#!/bin/sh -e\n{lines}cat > {}\n", heard.display());
        let hook = scene.file(&format!("shared/{name}"), text.as_bytes());
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let heard = || fs::read_to_string(scene.path("heard")).expect("the lines below run");
    let word = |command: &mut Command| {
        let output = command.output().expect("git runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (row, has_program) in [("without", false), ("with", true)] {
        scene.file("clone/notes.txt", row.as_bytes());
        let run = |arguments: &[&str]| {
            if has_program {
                git(scene, clone, arguments)
            } else {
                let mut git = scene.program("git", clone);
                git.args(arguments);
                git
            }
        };
        let (is_fine, said) = word(&mut run(&["commit", "--quiet", "--all", "--message", row]));
        assert!(is_fine, "{row}: {said}");
        let (is_fine, said) = word(&mut run(&["push", "--quiet", "origin", "main"]));
        assert!(is_fine && heard().starts_with("refs/heads/main "), "{row}: {said}");
        let (is_fine, said) = word(&mut run(&["push", "--quiet", "origin", "main"]));
        assert!(is_fine && heard().is_empty(), "nothing to send, {row}: {said}");
    }
    scene.file("clone/sessions/new/raw.jsonl", &transcript(9));
    world.git(&["add", "--all"]);
    assert!(!word(&mut git(scene, clone, &["commit", "--quiet", "--message", "in full"])).0);
}

/// The checks need git alone: whatever became of the cache, and without making one.
#[test]
fn the_checks_leave_the_cache_alone() {
    for row in ["none", "later", "no-folder", "of-others"] {
        let world = World::new();
        let (scene, clone) = (&world.scene, &world.clone);
        hooks(scene, clone, &["install"]).ends(0);
        let state = clone.join(".git/hydrant");
        match row {
            "later" => drop(scene.file("clone/.git/hydrant/format", b"2\n")),
            "no-folder" => drop(scene.file("clone/.git/hydrant", b"words")),
            "of-others" => {
                fs::create_dir(&state).expect("made");
                fs::set_permissions(&state, fs::Permissions::from_mode(0o000)).expect("its mode");
            }
            _ => {}
        }
        let about = || fs::symlink_metadata(&state).map(|facts| (facts.permissions().mode(), facts.mtime())).ok();
        let before = about();
        let run = |arguments: &[&str]| git(scene, clone, arguments).output().expect("git runs");
        scene.file("clone/notes.txt", b"two\n");
        for arguments in [&["commit", "--quiet", "--all", "--message", "words"][..], &["push", "--quiet"]] {
            let fine = run(arguments);
            assert!(fine.status.success(), "{row}: {}", String::from_utf8_lossy(&fine.stderr));
        }
        scene.file("clone/sessions/new/raw.jsonl", &transcript(9));
        world.git(&["add", "--all"]);
        let stopped = run(&["commit", "--quiet", "--message", "in full"]);
        let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
        assert!(!stopped.status.success() && said.contains("sessions/new/raw.jsonl"), "{row}: {said}");
        assert!(!said.contains("named"), "nothing but why: {said}");
        world.git(&["commit", "--quiet", "--no-verify", "--message", "in full"]);
        let stopped = run(&["push", "--quiet"]);
        let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
        assert!(!stopped.status.success() && said.contains("sessions/new/raw.jsonl"), "{row}: {said}");
        assert_eq!(about(), before, "{row}");
        if row == "of-others" {
            fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("it can be removed");
        }
    }
}

/// What any remote has cannot be taken out any more.
#[test]
fn a_push_to_another_remote_sends_what_is_long_published() {
    let world = World::new();
    let (scene, clone) = (&world.scene, &world.clone);
    scene.file("clone/sessions/new/raw.jsonl", &transcript(9));
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "in full"]);
    world.git(&["push", "--quiet"]);
    hooks(scene, clone, &["install", "push"]).ends(0);
    scene.git(&scene.folder, &["init", "--quiet", "--bare", "second.git"]);
    world.git(&["remote", "add", "second", "../second.git"]);
    let push = |arguments: &[&str]| {
        let output = git(scene, clone, &[&["push", "--quiet"], arguments].concat()).output().expect("git runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_fine, said) = push(&["second", "main"]);
    assert!(is_fine, "{said}");
    scene.file("clone/sessions/new/raw.jsonl", &transcript(10));
    world.git(&["commit", "--quiet", "--all", "--message", "more of it"]);
    for remote in ["second", "origin", "../second.git"] {
        let (is_fine, said) = push(&[remote, "main"]);
        assert!(!is_fine && said.contains("sessions/new/raw.jsonl"), "{remote}: {said}");
    }
}

/// Attributes are those of what is pushed, whatever stands in the work tree.
#[test]
fn a_push_is_judged_by_the_attributes_that_it_sends() {
    let lfs = b"*.bin filter=lfs\n";
    // Whether the branch that is pushed has the attributes, and whether the one that is checked out has them.
    for (pushed, here) in [(true, false), (false, true), (true, true), (false, false)] {
        let world = World::new();
        let (scene, clone) = (&world.scene, &world.clone);
        world.git(&["switch", "--quiet", "--create", "pushed"]);
        if pushed {
            scene.file("clone/.gitattributes", lfs);
        }
        scene.file("clone/a.bin", &noise(4_000, 83));
        world.git(&["add", "--all"]);
        world.git(&["commit", "--quiet", "--message", "a"]);
        world.git(&["switch", "--quiet", "main"]);
        if here {
            scene.file("clone/.gitattributes", lfs);
        }
        hooks(scene, clone, &["install", "push"]).ends(0);
        // A git that cannot be asked for that is asked for the work tree's.
        let script = "for word; do case $word in --source=*) exit 129;; esac; done\nPATH=${PATH#*:}; exec git \"$@\"";
        let old = scene.file("old/git", format!("#!/bin/sh\n{script}\n").as_bytes());
        fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).expect("its mode");
        let path = format!("{}:{}", scene.path("old").display(), std::env::var("PATH").expect("folders"));
        let id = world.git(&["rev-parse", "pushed"]);
        let told = format!("refs/heads/pushed {} refs/heads/pushed {}\n", id.trim(), "0".repeat(40));
        let input = fs::File::open(scene.file("told", told.as_bytes())).expect("there");
        let mut asked = scene.hydrant_command(clone);
        let output = asked.env("PATH", path).args(["verify", "--push", "origin"]).stdin(input).output();
        let output = output.expect("hydrant runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(i32::from(here)), "{pushed} {here}: {said}");
        let output = git(scene, clone, &["push", "--quiet", "origin", "pushed"]).output().expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), !pushed, "{pushed} {here}: {said}");
        assert_eq!(said.contains("on the branch that is pushed"), pushed, "{said}");
    }
}

/// A pointer counts on whichever side of a merge it stood.
#[test]
fn a_merge_puts_no_content_in_the_place_of_a_pointer() {
    let pointer = hydrant_kit::scene::pointer(b"something");
    let content = noise(4_000, 84);
    // What stands on our side and on theirs, what the merge makes of it, and whether that may be.
    type Row<'a> = (&'a str, &'a [u8], &'a [u8], &'a [u8], bool);
    let table: [Row<'_>; 4] = [
        ("theirs", b"words", pointer.as_bytes(), &content, false),
        ("ours", pointer.as_bytes(), b"words", &content, false),
        ("nobody's", b"words", b"other words", &content, true),
        ("the-pointer", b"words", pointer.as_bytes(), pointer.as_bytes(), true),
    ];
    for (row, ours, theirs, merged, is_fine) in table {
        let world = World::new();
        let (scene, clone) = (&world.scene, &world.clone);
        let commit = |bytes: &[u8]| {
            scene.file("clone/a.dat", bytes);
            world.git(&["add", "--all"]);
            world.git(&["commit", "--quiet", "--message", row]);
        };
        world.git(&["switch", "--quiet", "--create", "theirs"]);
        commit(theirs);
        world.git(&["switch", "--quiet", "main"]);
        commit(ours);
        hooks(scene, clone, &["install"]).ends(0);
        assert!(!git(scene, clone, &["merge", "--quiet", "theirs"]).output().expect("git runs").status.success());
        scene.file("clone/a.dat", merged);
        world.git(&["add", "--all"]);
        let run = |arguments: &[&str]| git(scene, clone, arguments).output().expect("git runs").status.success();
        assert_eq!(run(&["commit", "--quiet", "--message", "merged"]), is_fine, "{row}");
        if !is_fine {
            world.git(&["commit", "--quiet", "--no-verify", "--message", "merged"]);
        }
        assert_eq!(run(&["push", "--quiet", "origin", "main"]), is_fine, "{row}");
    }
}

/// A ledger of the first recorders moves to a place of which nothing is known yet.
#[test]
fn a_first_push_takes_sessions_that_never_had_pointers_as_they_are() {
    let (raw, manifest) = old_session();
    let pointer = hydrant_kit::scene::pointer(&raw);
    // What was committed before its content was, and what stands beside it, and whether that may go.
    for (row, before, beside, is_fine) in [
        ("old", None, None, true),
        ("had-a-pointer", Some(pointer.as_bytes()), None, false),
        ("has-more", None, Some("trace.tar"), false),
    ] {
        let world = World::new();
        let (scene, clone) = (&world.scene, &world.clone);
        scene.file("clone/sessions/old/meta.json", manifest.as_bytes());
        for bytes in before.into_iter().chain([&raw[..]]) {
            scene.file("clone/sessions/old/raw.jsonl", bytes);
            if let Some(name) = beside {
                scene.file(&format!("clone/sessions/old/{name}"), &noise(9_000, 82));
            }
            world.git(&["add", "--all"]);
            world.git(&["commit", "--quiet", "--message", row]);
        }
        hooks(scene, clone, &["install", "push"]).ends(0);
        world.git(&["remote", "remove", "origin"]);
        scene.git(&scene.folder, &["init", "--quiet", "--bare", "next.git"]);
        world.git(&["remote", "add", "next", "../next.git"]);
        let output = git(scene, clone, &["push", "--quiet", "next", "main"]).output().expect("git runs");
        assert_eq!(output.status.success(), is_fine, "{row}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What git tells a pre-push hook is for everybody in it.
#[test]
fn a_push_is_judged_and_other_lines_of_its_hook_hear_what_git_says() {
    let world = World::new();
    let (scene, clone) = (&world.scene, &world.clone);
    write_hook(clone, "pre-push", "#!/bin/sh\ncat > .git/heard\n", 0o755);
    hooks(scene, clone, &["install"]).ends(0);
    let push =
        |arguments: &[&str]| git(scene, clone, &[&["push", "--quiet"], arguments].concat()).output().expect("git");
    let heard = || fs::read_to_string(clone.join(".git/heard")).unwrap_or_default();
    let head = |name: &str| world.git(&["rev-parse", name]).trim().to_owned();

    // A branch of the user's with content in full; what is not pushed is not judged.
    world.git(&["switch", "--quiet", "--create", "full"]);
    scene.file("clone/sessions/new/raw.jsonl", &transcript(9));
    scene.file("clone/sessions/new/trace.tar", &noise(9_000, 81));
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--no-verify", "--message", "in full"]);
    world.git(&["switch", "--quiet", "main"]);
    scene.file("clone/notes.txt", b"two\n");
    assert!(git(scene, clone, &["commit", "--quiet", "--all", "--message", "words"]).status().expect("git").success());
    let fine = push(&["origin", "main"]);
    assert!(fine.status.success(), "{}", String::from_utf8_lossy(&fine.stderr));
    let line = heard();
    assert!(
        line.starts_with("refs/heads/main ") && line.contains(&head("main")) && line.lines().count() == 1,
        "{line}"
    );

    for arguments in [&["origin", "full"][..], &["origin", "full:refs/heads/x"], &["--all", "origin"]] {
        let stopped = push(arguments);
        let words = String::from_utf8_lossy(&stopped.stderr).into_owned();
        assert!(!stopped.status.success() && words.contains("sessions/new/raw.jsonl"), "{arguments:?}: {words}");
        assert!(words.contains("trace.tar"), "every file of it: {words}");
    }
    world.git(&["tag", "of-full", "full"]);
    assert!(!push(&["origin", "of-full"]).status.success(), "a tag");
    // By its address, and with nothing to send.
    assert!(!push(&[world.remote.to_str().expect("text"), "full"]).status.success(), "no remote of that name");
    let none = push(&["origin", "main"]);
    assert!(none.status.success(), "{}", String::from_utf8_lossy(&none.stderr));
    // What it has is no news, and what is removed sends nothing.
    world.git(&["push", "--quiet", "--no-verify", "origin", "full"]);
    assert!(push(&["origin", "of-full"]).status.success(), "it has that");
    assert!(push(&["origin", ":full"]).status.success(), "removed");
    assert!(heard().contains("(delete)"), "{}", heard());
}

#[test]
fn a_publish_passes_the_hooks_it_proposes() {
    let mut world = World::new();
    world.record();
    hooks(&world.scene, &world.clone, &["install"]).ends(0);
    let hydrant = PathBuf::from(world.scene.hydrant_command(&world.clone).get_program());
    let path = std::env::var("PATH").expect("folders");
    let path = format!("{}:{path}", hydrant.parent().expect("a folder").display());
    let session = hydrant_kit::world::SESSION;
    let ran = world.scene.hydrant_with(&world.clone, &[("PATH", &path)], &["publish", session]).ends(0);
    assert!(!ran.err.contains("not checked"), "{}", ran.err);
    assert!(world.remote_file(&format!("sessions/{session}/raw.jsonl")).is_some_and(|it| it.starts_with(b"version")));
}

#[test]
fn a_missing_program_is_told_and_stops_nobody() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    hooks(&scene, &repository, &["install"]).ends(0);
    scene.file("repository/a", b"words");
    scene.git(&repository, &["add", "--all"]);
    let output = scene.program("git", &repository).args(["commit", "--message", "a"]).output().expect("git runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    // Where it is installed for everybody it is found, and says nothing.
    assert!(output.status.success() && (words.is_empty() || words.contains("not in PATH")), "{words}");
}

#[test]
fn what_is_no_line_of_git_is_refused() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    let ask = |told: &[u8]| {
        let file = scene.file("told", told);
        let mut command = scene.hydrant_command(&repository);
        let input = fs::File::open(file).expect("there");
        command.args(["verify", "--push", "origin", "--json"]).stdin(input).output().expect("hydrant runs")
    };
    let id = scene.git(&repository, &["rev-parse", "HEAD"]).trim().to_owned();
    let zeros = "0".repeat(40);
    for (told, code) in [
        (String::new(), 0),
        ("\n".to_owned(), 0),
        (format!("refs/heads/main {id} refs/heads/main {zeros}\n"), 0),
        (format!("HEAD~0 {id} refs/heads/main {id}\n"), 0),
        (format!("(delete) {zeros} refs/heads/main {id}\n"), 0),
        (format!("refs/heads/main {id}\n"), 2),
        (format!("refs/heads/main xyz refs/heads/main {zeros}\n"), 2),
        ("words\n".to_owned(), 2),
    ] {
        let output = ask(told.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{told}: {}", String::from_utf8_lossy(&output.stdout));
        let json: Value = serde_json::from_slice(&output.stdout).expect("a document");
        assert_eq!(json["error"].is_null(), code == 0, "{json}");
    }
    // A name need not be text, and many tags may be of one commit.
    let line =
        [&b"refs/heads/\xff\xfe "[..], id.as_bytes(), b" refs/heads/\xff\xfe ", zeros.as_bytes(), b"\r\n"].concat();
    let tags: String = (0..5_000).map(|at| format!("refs/tags/{at} {id} refs/tags/{at} {zeros}\n")).collect();
    for told in [line, tags.into_bytes()] {
        let output = ask(&told);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
