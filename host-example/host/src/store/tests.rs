//! Both shapes of the store, from the first byte to the last clean-up.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use super::{
    Held, Incoming, Look, MEMORY_BYTES_MAX, Proof, PruneRule, Receive, Staged, Store, stage_name, unwatched,
    write_stage,
};
use crate::contract::types::Blob;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::files::workers::Workers;

pub(super) fn small() -> (Vec<u8>, Blob) {
    let bytes = b"small content".to_vec();
    let blob = blob_of(&bytes);
    (bytes, blob)
}

pub(super) fn large() -> (Vec<u8>, Blob) {
    let bytes: Vec<u8> = (0..MEMORY_BYTES_MAX * 3).map(|n| (n % 251) as u8).collect();
    let blob = blob_of(&bytes);
    (bytes, blob)
}

/// Receives bytes as an exchange does, and returns what the host would answer.
pub(super) async fn receive(store: &mut Store, workers: &Workers, blob: &Blob, bytes: &[u8], keep: u64) -> Blob {
    let mut incoming = begin(store, workers, blob, keep).await;
    for piece in bytes.chunks(10_000) {
        assert!(incoming.take(piece.to_vec().into()).await.expect("written").is_none());
    }
    let (found, staged) = incoming.finish().await.expect("received");
    store.hold(&blob.oid, staged);
    found
}

pub(super) async fn begin(store: &mut Store, workers: &Workers, blob: &Blob, keep: u64) -> Incoming {
    match store.receive(blob, keep, Some(blob.size)).expect("room") {
        Receive::Memory(memory) => memory,
        Receive::File(file) => {
            let worker = workers.pick().expect("a worker");
            let mut incoming = write_stage(file, keep, Some("\"tag\""), worker).expect("begun");
            incoming.rewind(keep, unwatched).await.expect("its beginning");
            incoming
        }
    }
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_kept_blob_is_present_and_private() {
    let scratch = Scratch::new();
    let dir = scratch.path().join("hydrant");
    let mut store = Store::cache(&dir).expect("a cache");
    let workers = Workers::default();
    for (bytes, blob) in [small(), large()] {
        assert!(matches!(store.has(&blob).expect("readable"), Held::Absent));
        assert_eq!(receive(&mut store, &workers, &blob, &bytes, 0).await, blob);
        assert!(matches!(store.has(&blob), Ok(Held::Absent | Held::Whole(_))), "not before it is kept");
        store.keep(&blob.oid, &blob.oid).expect("kept");
        assert!(matches!(store.has(&blob).expect("readable"), Held::Present));
        let path = dir.join("cache").join(&blob.oid[..2]).join(&blob.oid);
        assert_eq!(fs::read(&path).expect("an entry"), bytes);
        let meta = fs::metadata(&path).expect("an entry");
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        assert_eq!(store.size_of(&blob.oid), Some(blob.size));
        assert!(matches!(store.open_verified(&blob.oid, blob.size), Ok(Look::Content(_))));
    }
    assert_eq!(fs::metadata(&dir).expect("a folder").mode() & 0o777, 0o700);
    assert_eq!(names(&dir.join("stage")), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_dropped_is_gone() {
    let scratch = Scratch::new();
    let mut store = Store::into_dir(scratch.path()).expect("a folder");
    let workers = Workers::default();
    for (bytes, blob) in [small(), large()] {
        receive(&mut store, &workers, &blob, &bytes, 0).await;
        store.drop_stage(&blob.oid).expect("dropped");
        assert!(store.keep(&blob.oid, &blob.oid).is_err());
        assert!(matches!(store.has(&blob).expect("readable"), Held::Absent));
    }
    assert_eq!(names(scratch.path()), Vec::<String>::new());
}

#[test]
fn a_plain_folder_is_never_trusted_unseen() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let mut store = Store::into_dir(scratch.path()).expect("a folder");
    fs::write(scratch.path().join(&blob.oid), &bytes).expect("a file");
    for (content, expected) in [(bytes.clone(), true), (b"SMALL CONTENT".to_vec(), false)] {
        fs::write(scratch.path().join(&blob.oid), content).expect("a file");
        let Held::Unproved(mut proof) = store.has(&blob).expect("readable") else { panic!("to be hashed") };
        let found = proof.work().expect("readable").hash(unwatched).expect("written").expect("readable");
        assert_eq!(store.settle(&blob, proof, &found).expect("settled"), expected);
    }
    fs::write(scratch.path().join(&blob.oid), b"other length").expect("a file");
    assert!(matches!(store.has(&blob).expect("readable"), Held::Absent));
}

#[test]
fn a_second_source_is_copied_and_verified() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let objects = scratch.path().join("objects");
    let there = objects.join(&blob.oid[..2]).join(&blob.oid[2..4]);
    fs::create_dir_all(&there).expect("folders");
    for (content, expected) in [(b"SMALL CONTENT".to_vec(), false), (bytes, true)] {
        fs::write(there.join(&blob.oid), &content).expect("an object");
        let mut store = Store::cache(&scratch.path().join("hydrant")).expect("a cache").second_source(&objects);
        let Held::Unproved(mut proof) = store.has(&blob).expect("readable") else { panic!("to be hashed") };
        let found = proof.work().expect("readable").hash(unwatched).expect("written").expect("readable");
        assert_eq!(store.settle(&blob, proof, &found).expect("settled"), expected);
        assert_eq!(fs::read(there.join(&blob.oid)).expect("untouched"), content);
        assert_eq!(names(&scratch.path().join("hydrant/stage")), Vec::<String>::new());
    }
}

#[test]
fn what_another_recorder_keeps_is_found_by_its_length_and_verified() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let recorded = scratch.path().join("recorded");
    for (session, kept) in [("a", b"SMALL CONTENT".to_vec()), ("b", bytes.clone()), ("c", b"other".to_vec())] {
        fs::create_dir_all(recorded.join(session)).expect("folders");
        fs::write(recorded.join(session).join("raw.jsonl"), kept).expect("a file");
    }
    std::os::unix::fs::symlink("raw.jsonl", recorded.join("b/link")).expect("a link");
    let cache = scratch.path().join("hydrant");
    let proved = |blob: &Blob| {
        let mut store = Store::cache(&cache).expect("a cache").recorded_in(&recorded);
        let Held::Unproved(mut proof) = store.has(blob).expect("readable") else { return None };
        let found = proof.work().expect("readable").hash(unwatched).expect("written").expect("readable");
        Some(store.settle(blob, proof, &found).expect("settled"))
    };
    // Two of one length: the right one is found.
    assert_eq!(proved(&blob), Some(true));
    // One of this length, and it is something else.
    let lost = Blob { oid: "0".repeat(64), size: 5 };
    assert_eq!((proved(&lost), proved(&Blob { size: 6, ..lost.clone() })), (Some(false), None));
    assert_eq!(fs::read(recorded.join("b/raw.jsonl")).expect("untouched"), bytes);
    assert_eq!(names(&cache.join("stage")), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_no_proof() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let path = scratch.path().join("deaf");
    fs::write(&path, bytes).expect("a file");
    let deaf = fs::File::options().write(true).open(path).expect("not to be read");
    assert_eq!(Proof::in_place(deaf).work().expect("a handle").hash(unwatched).expect("no disk error"), None);

    let objects = scratch.path().join("objects");
    let there = objects.join(&blob.oid[..2]).join(&blob.oid[2..4]);
    fs::create_dir_all(there.join(&blob.oid)).expect("a folder where a file should be");
    let mut store = Store::cache(&scratch.path().join("hydrant")).expect("a cache").second_source(&objects);
    assert!(matches!(store.has(&blob).expect("readable"), Held::Absent));
}

#[test]
fn a_copy_that_is_given_up_leaves_nothing() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let objects = scratch.path().join("objects");
    let there = objects.join(&blob.oid[..2]).join(&blob.oid[2..4]);
    fs::create_dir_all(&there).expect("folders");
    fs::write(there.join(&blob.oid), bytes).expect("an object");
    let mut store = Store::cache(&scratch.path().join("hydrant")).expect("a cache").second_source(&objects);
    let held = store.has(&blob).expect("readable");
    assert_eq!(names(&scratch.path().join("hydrant/stage")).len(), 1);
    drop(held);
    assert_eq!(names(&scratch.path().join("hydrant/stage")), Vec::<String>::new());
}

#[test]
fn names_that_are_no_oids_never_become_files() {
    let scratch = Scratch::new();
    let mut store = Store::into_dir(scratch.path()).expect("a folder");
    for oid in ["", "../../etc/passwd", "AB", &"A".repeat(64), &"é".repeat(32)] {
        let blob = Blob { oid: oid.into(), size: 1 };
        assert!(store.has(&blob).is_err());
        assert!(store.receive(&blob, 0, None).is_err());
        assert!(store.keep(oid, oid).is_err());
        assert!(store.drop_stage(oid).is_ok(), "nothing is there to forget");
        assert_eq!(store.size_of(oid), None);
    }
}

#[test]
fn a_corrupt_entry_is_never_content() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let mut store = Store::cache(scratch.path()).expect("a cache");
    store.hold(&blob.oid, Staged::Memory(bytes));
    store.keep(&blob.oid, &blob.oid).expect("kept");
    let path = scratch.path().join("cache").join(&blob.oid[..2]).join(&blob.oid);
    fs::write(&path, b"SMALL CONTENT").expect("an entry");
    assert!(matches!(store.open_verified(&blob.oid, blob.size), Ok(Look::Corrupt)));
    let found = store.verify(false, |_| {}).expect("readable");
    assert_eq!((found.good, found.bad.len()), (0, 1));
    assert!(path.exists());
    store.verify(true, |_| {}).expect("readable");
    assert!(!path.exists());
    assert!(matches!(store.open_verified(&blob.oid, blob.size), Ok(Look::Absent)));
}

#[test]
fn pruning_takes_the_longest_unused_first_and_only_when_asked() {
    let scratch = Scratch::new();
    let mut store = Store::cache(scratch.path()).expect("a cache");
    let mut blobs = Vec::new();
    for age in [300_u64, 100, 200] {
        let bytes = format!("content of age {age}").into_bytes();
        let blob = blob_of(&bytes);
        store.hold(&blob.oid, Staged::Memory(bytes));
        store.keep(&blob.oid, &blob.oid).expect("kept");
        let path = scratch.path().join("cache").join(&blob.oid[..2]).join(&blob.oid);
        let then = std::time::SystemTime::now() - Duration::from_secs(age);
        let times = fs::FileTimes::new().set_accessed(then).set_modified(then);
        fs::File::options().write(true).open(path).expect("an entry").set_times(times).expect("set");
        blobs.push(blob);
    }
    let leftover = scratch.path().join("stage").join(stage_name(&"0".repeat(64)));
    let mut leftover = fs::File::create(leftover).expect("a leftover");
    leftover.write_all(b"abc").expect("written");
    drop(leftover);

    let total: u64 = store.list().expect("readable").iter().map(|entry| entry.size).sum();
    let rule = PruneRule { bytes_max: Some(total - 1), age_max: None };
    let would = store.prune(rule, false).expect("readable");
    assert_eq!(would.entries, vec![blobs[0].oid.clone()]);
    assert_eq!(store.list().expect("readable").len(), 3);
    assert_eq!(store.prune(rule, true).expect("pruned"), would);
    assert_eq!(store.list().expect("readable").len(), 2);

    let rule = PruneRule { bytes_max: None, age_max: Some(Duration::from_secs(150)) };
    assert_eq!(store.prune(rule, true).expect("pruned").entries, vec![blobs[2].oid.clone()]);
    let cleared = store.clear(true).expect("cleared");
    assert_eq!((cleared.entries.len(), cleared.leftovers), (1, 1));
    assert_eq!(names(&scratch.path().join("cache")), Vec::<String>::new());
    assert_eq!(names(&scratch.path().join("stage")), Vec::<String>::new());
}
