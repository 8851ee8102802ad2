//! What a new boot of the machine makes of the cache.

use std::fs;

use super::tests::{names, small};
use super::{Held, Staged, Store, unwatched};
use crate::contract::types::Blob;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;

#[test]
fn entries_of_another_boot_are_proved_first() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let entry = |folder: &str| scratch.path().join(folder).join(&blob.oid[..2]).join(&blob.oid);
    let open = |boot: &str| Store::open_cache(scratch.path(), Some(boot.into())).expect("a cache");

    let mut store = open("one");
    store.hold(&blob.oid, Staged::Memory(bytes.clone()));
    store.keep(&blob.oid, &blob.oid).expect("kept");
    assert!(matches!(open("one").has(&blob).expect("readable"), Held::Present));

    let mut store = open("two");
    assert!(entry("unproved/1").exists() && !entry("cache").exists());
    let Held::Unproved(mut proof) = store.has(&blob).expect("readable") else { panic!("to be hashed") };
    let found = proof.work().expect("readable").hash(unwatched).expect("written").expect("readable");
    assert!(store.settle(&blob, proof, &found).expect("settled"));
    assert!(matches!(store.has(&blob).expect("readable"), Held::Present));
    assert!(entry("cache").exists());

    let mut store = open("three");
    fs::write(entry("unproved/2"), b"half a write!").expect("an entry");
    let Held::Unproved(mut proof) = store.has(&blob).expect("readable") else { panic!("to be hashed") };
    let found = proof.work().expect("readable").hash(unwatched).expect("written").expect("readable");
    assert!(!store.settle(&blob, proof, &found).expect("settled"));
    assert!(matches!(store.has(&blob).expect("readable"), Held::Absent));
    assert!(!entry("unproved/2").exists());
}

#[test]
fn without_names_of_boots_entries_are_synced_and_stay() {
    let scratch = Scratch::new();
    let (bytes, blob) = small();
    let mut store = Store::open_cache(scratch.path(), None).expect("a cache");
    store.hold(&blob.oid, Staged::Memory(bytes));
    store.keep(&blob.oid, &blob.oid).expect("kept");
    let mut again = Store::open_cache(scratch.path(), None).expect("a cache");
    assert!(matches!(again.has(&blob).expect("readable"), Held::Present));
}

fn keep(store: &mut Store, text: &str) -> Blob {
    let blob = blob_of(text.as_bytes());
    store.hold(&blob.oid, Staged::Memory(text.into()));
    store.keep(&blob.oid, &blob.oid).expect("kept");
    blob
}

#[test]
fn folders_of_earlier_boots_are_few_and_lose_nothing() {
    let scratch = Scratch::new();
    let mut blobs = Vec::new();
    for boot in 0..20 {
        let mut store = Store::open_cache(scratch.path(), Some(format!("boot {boot}"))).expect("a cache");
        // Every third boot leaves nothing behind.
        if boot % 3 > 0 {
            blobs.push(keep(&mut store, &format!("of boot {boot}")));
        }
        assert!(store.unproved.len() <= 4);
    }
    let mut store = Store::open_cache(scratch.path(), Some("the last one".into())).expect("a cache");
    assert!(names(&scratch.path().join("unproved")).len() <= 4);
    for blob in &blobs {
        let Held::Unproved(mut proof) = store.has(blob).expect("readable") else { panic!("to be hashed") };
        let found = proof.work().expect("readable").hash(unwatched).expect("written").expect("readable");
        assert!(store.settle(blob, proof, &found).expect("settled"));
    }
    let store = Store::open_cache(scratch.path(), Some("the last one".into())).expect("a cache");
    assert!(store.unproved.is_empty());
    assert_eq!(names(&scratch.path().join("unproved")), Vec::<String>::new());
}

#[test]
fn what_another_process_proved_meanwhile_is_present() {
    let scratch = Scratch::new();
    let open = |boot: &str| Store::open_cache(scratch.path(), Some(boot.into())).expect("a cache");
    let blob = keep(&mut open("one"), "some content");
    let (mut one, mut other) = (open("two"), open("two"));
    let proofs = [&mut one, &mut other].map(|store| match store.has(&blob).expect("readable") {
        Held::Unproved(proof) => proof,
        _ => panic!("to be hashed"),
    });
    for (store, proof) in [&mut one, &mut other].into_iter().zip(proofs) {
        assert!(store.settle(&blob, proof, &blob).expect("settled"));
    }
}

#[test]
fn what_is_none_of_ours_is_left_alone() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path().join("unproved/notes")).expect("a folder");
    fs::write(scratch.path().join("unproved/1"), b"a file").expect("a file");
    assert!(Store::open_cache(scratch.path(), Some("one".into())).expect("a cache").unproved.is_empty());
    assert_eq!(names(&scratch.path().join("unproved")), ["1", "notes"]);
}
