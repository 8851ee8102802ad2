//! Manifests under many hands: threads, processes, and programs that know no lock.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use super::*;
use crate::files::scratch::Scratch;

const NAME: &str = "sessions/s/meta.json";
/// Changes of each hand.
const CHANGES: u32 = 200;
/// Tells a child which folder it works in.
const ROOT: &str = "TEST_MANIFEST_ROOT";
/// A child of another test holds a copy of each lock until it becomes its program.
const SOON: Duration = Duration::from_secs(5);

fn scene() -> (Scratch, Files) {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path().join("sessions/s")).expect("folders");
    fs::write(scratch.path().join(NAME), "0").expect("a file");
    let tree = Files::beneath(scratch.path()).expect("the root");
    (scratch, tree)
}

fn count_up(tree: &Files) -> Result<bool, HostError> {
    change_manifest(tree, NAME, |bytes| {
        let text = std::str::from_utf8(bytes.unwrap_or(b"0")).expect("a number");
        Ok(Some((text.parse::<u32>().expect("a number") + 1).to_string().into_bytes()))
    })
}

fn work(tree: &Files) {
    for _ in 0..CHANGES {
        assert!(count_up(tree).expect("it is changed"));
    }
}

/// Started by the test below in a process of its own; without a folder there is nothing to do.
#[test]
fn a_hand_of_another_process() {
    if let Ok(root) = env::var(ROOT) {
        work(&Files::beneath(root.as_ref()).expect("the root"));
    }
}

#[test]
fn two_threads_and_two_processes_lose_nothing() {
    let (scratch, tree) = scene();
    let child = || {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command
            .args(["--exact", "documents::manifest_write::tests::a_hand_of_another_process"])
            .env(ROOT, scratch.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs")
    };
    let mut children = [child(), child()];
    thread::scope(|scope| {
        scope.spawn(|| work(&tree));
        scope.spawn(|| work(&tree));
    });
    for child in &mut children {
        assert!(child.wait().expect("it ends").success());
    }
    let text = fs::read_to_string(scratch.path().join(NAME)).expect("there");
    assert_eq!(text, (4 * CHANGES).to_string());
    let mut left: Vec<_> =
        fs::read_dir(scratch.path().join("sessions/s")).expect("there").flatten().map(|one| one.file_name()).collect();
    left.sort();
    assert_eq!(left, [".meta.json.lock", "meta.json"], "nothing but the lock is left");
}

#[test]
fn no_change_writes_nothing_and_the_mode_stays() {
    let (scratch, tree) = scene();
    let path = scratch.path().join(NAME);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("its mode");
    let before = tree.open(NAME).expect("readable").expect("there").revision;
    for same in [None, Some(b"0".to_vec())] {
        assert!(!change_manifest(&tree, NAME, |_| Ok::<_, HostError>(same.clone())).expect("no fault"));
    }
    assert!(tree.open(NAME).expect("readable").expect("there").revision.same(&before));
    assert!(count_up(&tree).expect("it is changed"));
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_program_that_knows_no_lock_is_not_written_over() {
    let (scratch, tree) = scene();
    let path = scratch.path().join(NAME);
    let mut first = true;
    let changed = change_manifest(&tree, NAME, |bytes| {
        if std::mem::take(&mut first) {
            fs::write(&path, "7").expect("an editor writes");
        }
        let text = String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        Ok::<_, HostError>(Some(format!("{text}+").into_bytes()))
    });
    assert!(changed.expect("in the end"));
    assert_eq!(fs::read_to_string(&path).expect("there"), "7+");
    let always = change_manifest(&tree, NAME, |bytes| {
        fs::write(&path, [bytes.unwrap_or_default(), b"x"].concat()).expect("an editor writes");
        Ok::<_, HostError>(Some(b"mine".to_vec()))
    });
    assert!(always.is_err());
    assert!(fs::read_to_string(&path).expect("there").starts_with("7+x"));
}

#[test]
fn a_held_lock_is_waited_for_and_links_are_refused() {
    let (scratch, tree) = scene();
    let (folder, _) = tree.folder_of(NAME).expect("readable").expect("there");
    let held = take(&folder, ".meta.json.lock", Instant::now()).expect("free");
    let change = |_: Option<&[u8]>| Ok::<_, HostError>(Some(b"1".to_vec()));
    assert!(change_manifest_within(&tree, NAME, Duration::from_millis(60), change).is_err());
    drop(held);
    assert!(change_manifest_within(&tree, NAME, SOON, change).expect("free now"));
    symlink(scratch.path().join(NAME), scratch.path().join("sessions/s/link.json")).expect("a link");
    symlink(scratch.path().join("sessions/s"), scratch.path().join("sessions/t")).expect("a link");
    for name in ["sessions/s/link.json", "sessions/t/meta.json"] {
        assert!(change_manifest(&tree, name, change).is_err(), "{name}");
    }
    assert!(change_manifest(&tree, "sessions/new/meta.json", change).expect("made"));
    assert_eq!(fs::read(scratch.path().join("sessions/new/meta.json")).expect("there"), b"1");
}

#[test]
fn whoever_writes_many_holds_the_locks_that_are_there() {
    let (scratch, tree) = scene();
    let names = || [NAME, "sessions/s/raw.jsonl", "sessions/none/meta.json"].into_iter();
    assert!(hold(&tree, names()).expect("nothing to wait for").is_empty());
    assert!(!scratch.path().join("sessions/s/.meta.json.lock").exists(), "no lock is made");
    assert!(count_up(&tree).expect("it is changed"));
    let held = hold(&tree, names()).expect("free");
    assert_eq!(held.len(), 1);
    let change = |_: Option<&[u8]>| Ok::<_, HostError>(Some(b"9".to_vec()));
    assert!(change_manifest_within(&tree, NAME, Duration::from_millis(60), change).is_err());
    drop(held);
    assert!(change_manifest_within(&tree, NAME, SOON, change).expect("free now"));
}
