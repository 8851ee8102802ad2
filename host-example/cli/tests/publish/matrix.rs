//! {situation of the user's repository} x {crash after each effect}.

use std::fs;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;

use crate::checks;
use crate::snapshot::Snapshot;
use hydrant_kit::child::{self, Died};
use hydrant_kit::world::{SESSION, World};

/// Steps at which a child is killed at most; a publish of four files has fewer.
const STEPS_MAX: usize = 120;

/// One situation.
struct Situation {
    name: &'static str,
    /// Brings the repository into it.
    arrange: fn(&mut World),
    /// Ends it, where it keeps a publish from beginning or from ending.
    relieve: Option<fn(&World)>,
    /// Arguments besides the session's name.
    arguments: &'static [&'static str],
    /// What must be as it was, besides the session.
    user: fn(&World) -> String,
}

fn nothing(_: &World) -> String {
    String::new()
}

const SITUATIONS: &[Situation] = &[
    Situation { name: "calm", arrange: |_| {}, relieve: None, arguments: &[], user: nothing },
    Situation {
        name: "a staged change of another file",
        arrange: |world| {
            world.scene.file("clone/notes.txt", b"two\n");
            world.git(&["add", "notes.txt"]);
        },
        relieve: None,
        arguments: &[],
        user: |world| world.git(&["diff", "--cached", "--", "notes.txt"]),
    },
    Situation {
        name: "a staged change of the session",
        arrange: |world| drop(world.git(&["add", "--", &format!("sessions/{SESSION}/summary.json")])),
        relieve: Some(|world| drop(world.git(&["reset", "--quiet"]))),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a dirty file and an untracked one",
        arrange: |world| {
            world.scene.file("clone/notes.txt", b"two\n");
            world.scene.file("clone/new.txt", b"new\n");
        },
        relieve: None,
        arguments: &[],
        user: |world| world.git(&["diff"]) + &fs::read_to_string(world.clone.join("new.txt")).expect("untouched"),
    },
    Situation {
        name: "an unpushed commit, refused",
        arrange: unpushed,
        relieve: Some(|world| drop(world.git(&["push", "--quiet"]))),
        arguments: &[],
        user: |world| world.git(&["log", "-1", "--format=%s", "--", "notes.txt"]),
    },
    Situation {
        name: "an unpushed commit, taken along",
        arrange: unpushed,
        relieve: None,
        arguments: &["--with-unpushed"],
        user: |world| world.git(&["log", "-1", "--format=%s", "--", "notes.txt"]),
    },
    Situation { name: "the remote ahead elsewhere", arrange: ahead, relieve: None, arguments: &[], user: nothing },
    Situation {
        name: "the remote ahead, and a dirty file of ours in its way",
        arrange: |world| {
            ahead(world);
            world.scene.file("clone/notes.txt", b"mine\n");
        },
        relieve: Some(|world| drop(world.git(&["checkout", "--quiet", "--", "notes.txt"]))),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a rebase",
        arrange: |world| fs::create_dir(world.clone.join(".git/rebase-merge")).expect("a folder"),
        relieve: Some(|world| fs::remove_dir(world.clone.join(".git/rebase-merge")).expect("it is there")),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a detached HEAD",
        arrange: |world| drop(world.git(&["checkout", "--quiet", "--detach"])),
        relieve: Some(|world| drop(world.git(&["checkout", "--quiet", "main"]))),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "no upstream",
        arrange: |world| drop(world.git(&["branch", "--unset-upstream"])),
        relieve: Some(|world| drop(world.git(&["branch", "--set-upstream-to=origin/main"]))),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a linked work tree",
        arrange: |world| {
            world.git(&["worktree", "add", "--quiet", "-b", "side", "../side"]);
            let side = world.scene.path("side");
            let from = world.session_folder();
            let to = side.join("sessions").join(SESSION);
            fs::create_dir_all(to.parent().expect("it has one")).expect("folders");
            fs::rename(from, to).expect("the session moves along");
            world.clone = side;
            world.git(&["push", "--quiet", "origin", "side:main"]);
            world.git(&["branch", "--quiet", "--set-upstream-to=origin/main"]);
        },
        relieve: None,
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a sparse checkout without the other sessions",
        arrange: |world| {
            world.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/sessions/other/"]);
        },
        relieve: None,
        arguments: &[],
        user: |world| world.git(&["ls-files", "-t", "--", "sessions/other"]),
    },
    Situation {
        name: "a shallow clone",
        arrange: |world| {
            world.scene.file("clone/notes.txt", b"more\n");
            world.git(&["commit", "--quiet", "-am", "more"]);
            world.git(&["push", "--quiet"]);
            let url = format!("file://{}", world.remote.display());
            world.scene.git(&world.scene.folder, &["clone", "--quiet", "--depth=1", &url, "shallow"]);
            let shallow = world.scene.path("shallow");
            let to = shallow.join("sessions").join(SESSION);
            fs::rename(world.session_folder(), to).expect("the session moves along");
            let url = world.scene.url();
            world.clone = shallow;
            for (key, value) in [("lfs.url", url.as_str()), ("user.name", "n"), ("user.email", "n@example.test")] {
                world.git(&["config", key, value]);
            }
        },
        relieve: None,
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "autocrlf",
        arrange: |world| drop(world.git(&["config", "core.autocrlf", "true"])),
        relieve: None,
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "filter=lfs on the paths",
        arrange: |world| {
            world.scene.file("clone/.gitattributes", b"sessions/**/*.md filter=lfs diff=lfs merge=lfs -text\n");
            world.git(&["add", ".gitattributes"]);
            world.git(&["commit", "--quiet", "-m", "attributes"]);
            world.git(&["push", "--quiet"]);
        },
        relieve: None,
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "commits are signed",
        arrange: |world| {
            let key = world.scene.path("key");
            let mut keygen = world.scene.program("ssh-keygen", &world.scene.folder);
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
            assert!(keygen.status().expect("ssh-keygen runs").success());
            world.git(&["config", "gpg.format", "ssh"]);
            world.git(&["config", "user.signingKey", key.to_str().expect("text")]);
            world.git(&["config", "commit.gpgSign", "true"]);
        },
        relieve: None,
        arguments: &[],
        user: |world| {
            let tip = world.scene.git(&world.remote, &["cat-file", "commit", "main"]);
            let published = world.remote_file(&format!("sessions/{SESSION}/meta.json")).is_some();
            assert!(!published || tip.contains("gpgsig -----BEGIN SSH SIGNATURE"), "{tip}");
            String::new()
        },
    },
    Situation {
        name: "a held index lock",
        arrange: |world| drop(fs::write(world.clone.join(".git/index.lock"), b"")),
        relieve: Some(|world| fs::remove_file(world.clone.join(".git/index.lock")).expect("it is there")),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a protected branch",
        arrange: |world| hook(world, "update", "echo 'no pushes to main on fridays' >&2; exit 1"),
        relieve: Some(|world| fs::remove_file(world.remote.join("hooks/update")).expect("it is there")),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "an answer cut after the remote accepted",
        // The hook runs after the branch moved; what it kills is the process that would say so.
        arrange: |world| hook(world, "post-update", "kill -9 $PPID"),
        relieve: Some(|world| fs::remove_file(world.remote.join("hooks/post-update")).expect("it is there")),
        arguments: &[],
        user: nothing,
    },
    Situation {
        name: "a commit made in the window",
        arrange: window,
        relieve: None,
        arguments: &[],
        user: |world| {
            let pushed = world.scene.path("elsewhere/.done").exists();
            let log = world.scene.git(&world.remote, &["log", "--format=%s", "main"]);
            assert!(!pushed || log.lines().any(|subject| subject == "window"), "somebody else's commit is gone: {log}");
            String::new()
        },
    },
];

fn unpushed(world: &mut World) {
    world.scene.file("clone/notes.txt", b"two\n");
    world.git(&["commit", "--quiet", "-am", "a commit of the user's"]);
}

/// Somebody else pushes another file.
fn ahead(world: &mut World) {
    let (scene, folder) = (&world.scene, &world.scene.folder);
    scene.git(folder, &["clone", "--quiet", world.remote.to_str().expect("text"), "elsewhere"]);
    let elsewhere = scene.path("elsewhere");
    fs::write(elsewhere.join("notes.txt"), b"theirs\n").expect("a file");
    let who = ["-c", "user.name=n", "-c", "user.email=n@example.test"];
    scene.git(&elsewhere, &[&who[..], &["commit", "--quiet", "-am", "theirs"]].concat());
    scene.git(&elsewhere, &["push", "--quiet"]);
}

fn hook(world: &World, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.remote.join("hooks").join(name);
    fs::create_dir_all(path.parent().expect("it has one")).expect("folders");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a hook");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// A pre-push hook of the user's, which runs between the base that was fetched and the push: the first time, somebody
/// else's commit gets there first.
fn window(world: &mut World) {
    use std::os::unix::fs::PermissionsExt as _;
    let (scene, folder) = (&world.scene, &world.scene.folder);
    scene.git(folder, &["clone", "--quiet", world.remote.to_str().expect("text"), "elsewhere"]);
    let elsewhere = scene.path("elsewhere");
    let script = format!(
        "#!/bin/sh\nset -e\ncat >/dev/null\ntest -e '{0}/.done' && exit 0\ntouch '{0}/.done'\n\
         unset GIT_DIR GIT_INDEX_FILE\n\
         cd '{0}'\ngit -c user.name=n -c user.email=n@example.test commit -q --allow-empty -m window\ngit push -q\n",
        elsewhere.display()
    );
    let path = world.clone.join(".git/hooks/pre-push");
    fs::create_dir_all(path.parent().expect("it has one")).expect("folders");
    fs::write(&path, script).expect("a hook");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// A world in this situation, and a copy of its files.
fn arranged(situation: &Situation) -> (World, Snapshot) {
    let mut world = World::new();
    world.record();
    (situation.arrange)(&mut world);
    let snapshot = Snapshot::of(&world.scene);
    (world, snapshot)
}

/// One cell: die at a step (or not at all), relieve, publish to the end, look. True when the child died there.
fn cell(situation: &Situation, world: &World, dies_at: Option<usize>) -> bool {
    let before = (situation.user)(world);
    let with_unpushed = situation.arguments.contains(&"--with-unpushed");
    let died = dies_at.map_or(Died::Ended, |step| child::publish(world, step, with_unpushed));
    checks::no_pointer_precedes_its_blob(world);
    checks::nothing_is_lost(world);
    checks::every_oid_is_named(world);
    let arguments = [&["publish", SESSION], situation.arguments].concat();
    if let Some(relieve) = situation.relieve {
        let said = world.scene.hydrant(&world.clone, &arguments);
        assert_ne!(said.code, 101, "{}", said.err);
        checks::no_pointer_precedes_its_blob(world);
        checks::nothing_is_lost(world);
        checks::every_oid_is_named(world);
        relieve(world);
    }
    world.scene.hydrant(&world.clone, &arguments).ends(0);
    checks::published(world);
    checks::nothing_is_lost(world);
    checks::every_oid_is_named(world);
    assert_eq!((situation.user)(world), before, "what is the user's is as it was");
    checks::tidy(world);
    if !situation.name.contains("dirty") && !situation.name.contains("staged change of another") {
        checks::pulls(world);
    }
    died == Died::There
}

/// Every crash of some of the situations; the rest is in the tests beside it, so that they share the machine.
fn run(part: usize, parts: usize) {
    let (mut cells, mut crashes) = (0, 0);
    for situation in SITUATIONS.iter().skip(part).step_by(parts) {
        let mut steps = 0;
        let (world, snapshot) = arranged(situation);
        for dies_at in std::iter::once(None).chain((0..STEPS_MAX).map(Some)) {
            snapshot.restore();
            let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| cell(situation, &world, dies_at)));
            let died = outcome.unwrap_or_else(|_| panic!("{}: a crash at step {dies_at:?}", situation.name));
            cells += 1;
            if dies_at.is_some() && !died {
                break;
            }
            steps += usize::from(died);
        }
        crashes += steps;
        writeln!(std::io::stderr(), "{}: {steps} crashes, each brought to its end", situation.name).ok();
    }
    writeln!(std::io::stderr(), "{cells} cells, {crashes} crashes; none skipped").ok();
}

#[test]
fn every_situation_with_every_crash_one() {
    run(0, 4);
}

#[test]
fn every_situation_with_every_crash_two() {
    run(1, 4);
}

#[test]
fn every_situation_with_every_crash_three() {
    run(2, 4);
}

#[test]
fn every_situation_with_every_crash_four() {
    run(3, 4);
}
