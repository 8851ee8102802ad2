//! Repositories that several users share: `core.sharedRepository` decides who may use what is made, and nothing else
//! lets others in.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use hydrant_kit::scene::{Ran, Scene, noise, pointer};

use super::ledgers::{SESSION, ledger};

const NOBODY: u32 = 65_534;

/// Runs it with a mask that takes everything from everybody else.
fn masked(scene: &Scene, folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = scene.program("/bin/sh", folder);
    command.args(["-c", r#"umask 077; exec "$0" "$@""#, env!("CARGO_BIN_EXE_hydrant")]).args(arguments);
    ran(command.output().expect("hydrant runs"))
}

fn ran(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Modes of folders and of files beneath a folder and of itself; all of a kind have the same.
fn modes(folder: &Path) -> (u32, Option<u32>) {
    let (mut of_folders, mut of_files) = (Vec::new(), Vec::new());
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        of_folders.push((fs::metadata(&folder).expect("there").mode() & 0o7777, folder.clone()));
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            match entry.file_type().expect("a kind").is_dir() {
                true => folders.push(entry.path()),
                false => of_files.push((entry.metadata().expect("there").mode() & 0o7777, entry.path())),
            }
        }
    }
    let one = |all: &[(u32, PathBuf)]| {
        assert!(all.windows(2).all(|two| two[0].0 == two[1].0), "{all:?}");
        all.first().map(|(mode, _)| *mode)
    };
    (one(&of_folders).expect("itself"), one(&of_files))
}

#[test]
fn what_is_made_has_the_rights_that_git_gives() {
    for (value, of_folders, of_files) in [
        (None, 0o700, 0o600),
        (Some("umask"), 0o700, 0o600),
        (Some("group"), 0o2770, 0o660),
        (Some("true"), 0o2770, 0o660),
        (Some("all"), 0o2775, 0o664),
        (Some("0640"), 0o2750, 0o640),
        (Some("0666"), 0o2777, 0o666),
    ] {
        // Whoever shares a repository later need not mend what was made before.
        let before: &[bool] = if value == Some("group") { &[false, true] } else { &[false] };
        for was_private in before.iter().copied() {
            let scene = Scene::new();
            let clone = ledger(&scene);
            if was_private {
                masked(&scene, &clone, &["hydrate"]).ends(0);
            }
            if let Some(value) = value {
                scene.git(&clone, &["config", "core.sharedRepository", value]);
            }
            masked(&scene, &clone, &["hydrate", SESSION]).ends(0);
            masked(&scene, &clone, &["doctor", "--fix"]).ends(0);
            let made = modes(&clone.join(".git/hydrant"));
            assert_eq!(made, (of_folders, Some(of_files)), "{value:?} {was_private}");
        }
    }
}

#[test]
fn another_user_of_a_shared_repository_goes_on_where_one_ended() {
    let scene = Scene::new();
    if fs::metadata(&scene.folder).expect("there").uid() != 0 {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "SKIPPED: another user, without root").ok();
        return;
    }
    let program = scene.path("hydrant");
    fs::copy(env!("CARGO_BIN_EXE_hydrant"), &program).expect("a copy");
    scene.git(&scene.folder, &["config", "--global", "safe.directory", "*"]);
    let (first, second) = (noise(70_000, 1), noise(70_000, 2));
    scene.upload(&first);
    scene.upload(&second);
    scene.file("tree/a", pointer(&first).as_bytes());
    let clone = scene.repository("tree");
    scene.git(&clone, &["config", "lfs.url", &scene.url()]);
    scene.git(&clone, &["config", "core.sharedRepository", "0666"]);
    let other = |arguments: &[&str]| {
        let mut command = scene.program(&program, &clone);
        ran(command.uid(NOBODY).gid(NOBODY).args(arguments).output().expect("hydrant runs"))
    };
    scene.hydrant(&clone, &["hydrate"]).ends(0);
    // A beginning that the first one left is his alone to go on with.
    let oid = scene.upload(&second);
    scene.file(&format!("tree/.git/hydrant/stage/.hydrant-{oid}.part"), &second[..1000]);
    scene.file("tree/b", pointer(&second).as_bytes());
    other(&["hydrate"]).ends(0);
    assert!(scene.cached(&clone, &oid).is_some_and(|bytes| bytes == second));
    other(&["cache", "prune", "--older-than", "0", "--yes"]).ends(0);
    scene.hydrant(&clone, &["hydrate"]).ends(0);
    other(&["cache", "clear", "--yes"]).ends(0);
    assert!(scene.cached(&clone, &oid).is_none());
    // An earlier boot is moved aside by whoever comes first.
    scene.hydrant(&clone, &["hydrate"]).ends(0);
    fs::write(clone.join(".git/hydrant/boot"), "an earlier boot").expect("a note");
    other(&["hydrate"]).ends(0);
    scene.hydrant(&clone, &["hydrate"]).ends(0);
}

#[test]
fn a_folder_that_others_may_write_is_refused_unless_it_is_shared() {
    let scene = Scene::new();
    let clone = ledger(&scene);
    scene.hydrant(&clone, &["hydrate"]).ends(0);
    let state = clone.join(".git/hydrant");
    let set = |mode| fs::set_permissions(&state, fs::Permissions::from_mode(mode)).expect("a mode");
    fs::set_permissions(clone.join(".git"), fs::Permissions::from_mode(0o755)).expect("a mode");
    for mode in [0o777, 0o770, 0o702, 0o2770] {
        set(mode);
        let refused = scene.hydrant(&clone, &["hydrate", "--json"]).ends(3).json();
        assert_eq!(refused["error"]["code"], "rejected", "{mode:o}: {refused}");
        let detail = refused["error"]["detail"].as_str().expect("a sentence");
        assert!(detail.contains("chmod") && detail.contains("core.sharedRepository"), "{mode:o}: {detail}");
        // Whoever reads trusts nothing there unseen.
        scene.hydrant(&clone, &["status"]).ends(0);
        scene.hydrant(&clone, &["show", SESSION, "raw.jsonl"]).ends(0);
    }
    for mode in [0o700, 0o750, 0o755] {
        set(mode);
        scene.hydrant(&clone, &["hydrate"]).ends(0);
    }
    set(0o770);
    scene.git(&clone, &["config", "core.sharedRepository", "group"]);
    scene.hydrant(&clone, &["hydrate"]).ends(0);
}
