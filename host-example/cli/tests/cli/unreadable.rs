//! Places that a command cannot look at: whatever stands there may be a pointer, so nobody is told that all is well.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use hydrant_kit::scene::{Scene, pointer};
use hydrant_kit::world::{SESSION, World};
use serde_json::Value;

/// Folders below each other that nobody walks down.
const TOO_DEEP: usize = 260;

/// A place within a folder that nobody can look at, with a pointer in it.
#[derive(Clone, Copy, Debug)]
enum Place {
    Deep,
    Denied,
}

impl Place {
    fn make(self, folder: &Path) {
        let place = match self {
            Place::Deep => folder.join(["d"; TOO_DEEP].join("/")),
            Place::Denied => folder.join("denied"),
        };
        fs::create_dir_all(&place).expect("folders");
        fs::write(place.join("far.bin"), pointer(b"far away")).expect("a pointer");
        if matches!(self, Place::Denied) {
            fs::set_permissions(&place, fs::Permissions::from_mode(0o000)).expect("closed");
        }
    }

    /// How it is named.
    fn shown(self) -> &'static str {
        match self {
            Place::Deep => "d/d/d/",
            Place::Denied => "denied",
        }
    }
}

/// A command, in the form in which modes count for it: root's own processes pass every door, those without its
/// capabilities do not. None where that cannot be had.
fn bound_by_modes(scene: &Scene, folder: &Path) -> Option<Command> {
    let closed = scene.path("closed");
    fs::create_dir_all(&closed).expect("a folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("closed");
    let own = scene.hydrant_command(folder);
    let is_bound = fs::read_dir(&closed).is_err();
    let without = ["--bounding-set", "-dac_override,-dac_read_search"];
    let lists = |folder: &Path| {
        let tried = Command::new("setpriv").args(without).arg("ls").arg(folder).stderr(Stdio::null()).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let can_be = !is_bound && lists(&scene.folder) && !lists(&closed);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("opened");
    if is_bound {
        return Some(own);
    }
    if can_be {
        let mut command = scene.program("setpriv", folder);
        command.args(without).arg(own.get_program());
        return Some(command);
    }
    writeln!(std::io::stderr(), "SKIPPED: modes bind nobody here").ok();
    None
}

/// Runs it for a program and for a reader who wants to hear little; both must hear of the place.
#[track_caller]
fn expect_told(scene: &Scene, folder: &Path, arguments: &[&str], shown: &str) {
    let run = |form: &str| {
        let mut command = bound_by_modes(scene, folder).expect("asked for before");
        let ended = command.args(arguments).arg(form).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    };
    let (code, out, err) = run("--json");
    assert_eq!(code, Some(1), "{arguments:?}: {out}{err}");
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["ok"], false, "{arguments:?}: {json}");
    assert!(out.contains(shown), "{arguments:?}: {json}");
    let (code, out, err) = run("-q");
    assert_eq!(code, Some(1), "{arguments:?}: {out}{err}");
    assert!(format!("{out}{err}").contains(shown), "{arguments:?}: {out}{err}");
}

#[test]
fn a_pointer_that_could_not_be_looked_at_is_never_nothing() {
    for place in [Place::Deep, Place::Denied] {
        let scene = Scene::new();
        let tree = scene.repository("tree");
        if matches!(place, Place::Denied) && bound_by_modes(&scene, &tree).is_none() {
            continue;
        }
        scene.git(&tree, &["config", "lfs.url", &scene.url()]);
        scene.upload(b"near");
        scene.file("tree/near.bin", pointer(b"near").as_bytes());
        scene.commit(&tree);
        for arguments in
            [&["hydrate"][..], &["status"], &["verify", "--offline"], &["verify"], &["scan", "."], &["hydrate", "sub"]]
        {
            fs::create_dir_all(tree.join("sub")).expect("a folder");
            scene.hydrant(&tree, arguments).ends(0);
        }
        place.make(&tree.join("sub"));
        for arguments in [
            &["hydrate"][..],
            &["hydrate", "sub"],
            &["hydrate", "--in-place"],
            &["status"],
            &["verify", "--offline"],
            &["verify"],
            &["scan", "."],
        ] {
            expect_told(&scene, &tree, arguments, place.shown());
        }
        // What could be reached is there all the same.
        assert_eq!(fs::read(tree.join("near.bin")).expect("content"), b"near");
        fs::set_permissions(tree.join("sub").join(place.shown()), fs::Permissions::from_mode(0o700)).expect("opened");
    }
}

#[test]
fn a_session_whose_folder_is_closed_is_never_none() {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    let folder = world.session_folder();
    if bound_by_modes(&world.scene, &world.clone).is_none() {
        return;
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).expect("closed");
    for arguments in [&["status"][..], &["verify", "--offline"], &["verify"], &["doctor"], &["hydrate"]] {
        expect_told(&world.scene, &world.clone, arguments, SESSION);
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("opened");
    // A recording with a closed folder in it.
    world.scene.file("recording/raw.jsonl", &hydrant_kit::world::transcript(50));
    Place::Denied.make(&world.recording);
    let publish = ["publish", SESSION, "--from", "../recording"];
    expect_told(&world.scene, &world.clone, &publish, "denied/");
    fs::set_permissions(world.recording.join("denied"), fs::Permissions::from_mode(0o700)).expect("opened");
}

#[test]
fn a_closed_place_of_a_ledger_without_assets_is_named() {
    let scene = Scene::new();
    let tree = scene.repository("tree");
    if bound_by_modes(&scene, &tree).is_none() {
        return;
    }
    scene.file("tree/sessions/s/meta.json", br#"{"session_id": "ses_one", "files": {}}"#);
    scene.commit(&tree);
    for arguments in [&["status"][..], &["verify", "--offline"], &["hydrate"]] {
        scene.hydrant(&tree, arguments).ends(0);
    }
    // Beside the sessions, and in a folder of theirs that has no manifest, at its top and deeper.
    for above in ["sub", "sessions/2024", "sessions/2024/sub"] {
        let folder = tree.join(above);
        fs::create_dir_all(&folder).expect("a folder");
        Place::Denied.make(&folder);
        for arguments in [&["status"][..], &["verify", "--offline"], &["hydrate"]] {
            expect_told(&scene, &tree, arguments, &format!("{above}/denied"));
        }
        fs::set_permissions(folder.join("denied"), fs::Permissions::from_mode(0o700)).expect("opened");
        fs::remove_dir_all(folder).expect("removed");
    }
    // A folder that can be passed through and not listed.
    let folder = tree.join("sessions/2024");
    fs::create_dir_all(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o311)).expect("closed");
    for arguments in [&["status"][..], &["verify", "--offline"], &["hydrate"]] {
        expect_told(&scene, &tree, arguments, "sessions/2024");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("opened");
}
