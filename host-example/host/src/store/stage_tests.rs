//! Stages: who may go on with a beginning, and what a stop leaves.

use std::fs;

use super::stage::is_ours;
use super::tests::{begin, large, names, receive, small};
use super::{Held, MEMORY_BYTES_MAX, Staged, Store, stage_name};
use crate::contract::types::Blob;
use crate::files::scratch::Scratch;
use crate::files::workers::Workers;
use crate::files::{Access, Dir};

#[tokio::test]
async fn a_beginning_survives_with_its_validator_and_is_resumed() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let workers = Workers::default();
    let cut = 70_000;
    {
        let mut store = Store::cache(scratch.path()).expect("a cache");
        let mut incoming = begin(&mut store, &workers, &blob, 0).await;
        assert!(incoming.take(bytes[..cut].to_vec().into()).await.expect("written").is_none());
        incoming.leave().await.expect("left");
    }
    let mut store = Store::cache(scratch.path()).expect("a cache");
    let Held::Partial { bytes: held, validator } = store.has(&blob).expect("readable") else { panic!("a beginning") };
    assert_eq!((held, validator.as_deref()), (cut as u64, Some("\"tag\"")));
    assert_eq!(receive(&mut store, &workers, &blob, &bytes[cut..], held).await, blob);
    store.keep(&blob.oid, &blob.oid).expect("kept");
    assert!(matches!(store.has(&blob).expect("readable"), Held::Present));
    assert_eq!(names(&scratch.path().join("stage")), Vec::<String>::new());
}

#[tokio::test]
async fn a_whole_stage_is_offered_for_judgement() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let mut store = Store::into_dir(scratch.path()).expect("a folder");
    fs::write(scratch.path().join(stage_name(&blob.oid)), &bytes).expect("a stage");
    let Held::Whole(stage) = store.has(&blob).expect("readable") else { panic!("a whole stage") };
    store.hold(&blob.oid, Staged::File(stage));
    store.keep(&blob.oid, &blob.oid).expect("kept");
    assert_eq!(names(scratch.path()), vec![blob.oid.clone()]);
    // Longer than the blob: no beginning of it.
    let (_, other) = small();
    let other = Blob { size: MEMORY_BYTES_MAX + 1, ..other };
    fs::write(scratch.path().join(stage_name(&other.oid)), &bytes).expect("a stage");
    assert!(matches!(store.has(&other).expect("readable"), Held::Absent));
}

#[tokio::test]
async fn a_stage_in_use_is_left_alone() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let workers = Workers::default();
    let mut one = Store::cache(scratch.path()).expect("a cache");
    let mut other = Store::cache(scratch.path()).expect("a cache");
    let mut writing = begin(&mut one, &workers, &blob, 0).await;
    writing.take(bytes[..70_000].to_vec().into()).await.expect("written");
    assert!(matches!(other.has(&blob).expect("readable"), Held::Absent));
    assert_eq!(receive(&mut other, &workers, &blob, &bytes, 0).await, blob);
    other.keep(&blob.oid, &blob.oid).expect("kept");
    assert!(matches!(one.has(&blob).expect("readable"), Held::Present));
    assert_eq!(other.clear(true).expect("cleared").leftovers, 0, "the other one still writes");
    writing.leave().await.expect("left");
}

#[tokio::test]
async fn one_process_goes_on_and_the_other_one_begins_anew() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let workers = Workers::default();
    let (one, other) = (Store::cache(scratch.path()), Store::cache(scratch.path()));
    let (mut one, mut other) = (one.expect("a cache"), other.expect("a cache"));
    fs::write(scratch.path().join("stage").join(stage_name(&blob.oid)), &bytes[..70_000]).expect("a stage");
    for _ in 0..2 {
        assert!(matches!(one.has(&blob).expect("readable"), Held::Partial { bytes: 70_000, .. }));
        assert!(matches!(other.has(&blob).expect("readable"), Held::Absent), "somebody else was told of it");
    }
    assert_eq!(receive(&mut other, &workers, &blob, &bytes, 0).await, blob);
    assert_eq!(receive(&mut one, &workers, &blob, &bytes[70_000..], 70_000).await, blob);
    other.keep(&blob.oid, &blob.oid).expect("kept");
    one.keep(&blob.oid, &blob.oid).expect("kept");
    assert_eq!(names(&scratch.path().join("stage")), Vec::<String>::new());
}

/// Whoever made it could write to it after it was proved; and what has another name would lose its bytes.
#[tokio::test]
async fn a_stage_that_is_not_ours_alone_is_none() {
    let (bytes, blob) = large();
    let workers = Workers::default();
    type Prepare = fn(&std::path::Path, &std::path::Path);
    let linked: Prepare = |stage, folder| std::fs::hard_link(stage, folder.join("precious")).expect("a link");
    let foreign: Prepare = |stage, _| std::os::unix::fs::chown(stage, Some(65_534), None).expect("root may");
    let is_root = crate::files::platform::effective_user() == 0;
    for prepare in [Some(linked), is_root.then_some(foreign)].into_iter().flatten() {
        let scratch = Scratch::new();
        let mut store = Store::into_dir(scratch.path()).expect("a folder");
        let stage = scratch.path().join(stage_name(&blob.oid));
        fs::write(&stage, &bytes[..70_000]).expect("a stage");
        prepare(&stage, scratch.path());
        assert!(matches!(store.has(&blob).expect("readable"), Held::Absent));
        assert_eq!(receive(&mut store, &workers, &blob, &bytes, 0).await, blob);
        store.keep(&blob.oid, &blob.oid).expect("kept");
        assert_eq!(fs::read(&stage).expect("still there"), bytes[..70_000]);
        assert_eq!(fs::read(scratch.path().join(&blob.oid)).expect("kept"), bytes);
    }
}

#[tokio::test]
async fn a_beginning_is_free_again_after_its_run() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let mut one = Store::cache(scratch.path()).expect("a cache");
    let mut other = Store::cache(scratch.path()).expect("a cache");
    fs::write(scratch.path().join("stage").join(stage_name(&blob.oid)), &bytes[..70_000]).expect("a stage");
    assert!(matches!(one.has(&blob).expect("readable"), Held::Partial { .. }));
    drop(one);
    assert!(matches!(other.has(&blob).expect("readable"), Held::Partial { .. }));
    other.drop_stage(&blob.oid).expect("dropped");
    assert_eq!(names(&scratch.path().join("stage")), Vec::<String>::new());
}

#[test]
fn a_lock_on_a_file_that_lost_its_name_proves_nothing() {
    let scratch = Scratch::new();
    let folder = Dir::open_or_create(scratch.path(), Access::Owner).expect("a folder");
    let opened = folder.open_or_create_file("stage").expect("a stage");
    folder.rename("stage", &folder, "entry").expect("promoted between opening and locking");
    assert!(!is_ours(&folder, "stage", &opened).expect("looked"));
    let again = folder.open_or_create_file("stage").expect("another stage");
    assert!(!is_ours(&folder, "stage", &opened).expect("looked"), "the name is somebody else's now");
    assert!(is_ours(&folder, "stage", &again).expect("looked"));
}

#[tokio::test]
async fn keeping_a_private_file_leaves_the_others_stage_and_note() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let workers = Workers::default();
    let mut one = Store::cache(scratch.path()).expect("a cache");
    let mut other = Store::cache(scratch.path()).expect("a cache");
    let mut writing = begin(&mut one, &workers, &blob, 0).await;
    writing.take(bytes[..70_000].to_vec().into()).await.expect("written");
    assert_eq!(receive(&mut other, &workers, &blob, &bytes, 0).await, blob);
    other.keep(&blob.oid, &blob.oid).expect("kept");
    let stage = stage_name(&blob.oid);
    assert_eq!(names(&scratch.path().join("stage")), [stage.clone(), format!("{stage}.from")]);
    writing.leave().await.expect("left");
}

#[tokio::test]
async fn private_files_never_outlive_their_run() {
    let scratch = Scratch::new();
    let (bytes, blob) = large();
    let workers = Workers::default();
    let mut one = Store::into_dir(scratch.path()).expect("a folder");
    let _writing = begin(&mut one, &workers, &blob, 0).await;
    let private = || names(scratch.path()).into_iter().filter(|name| name.ends_with(".tmp")).count();
    let mut other = Store::into_dir(scratch.path()).expect("a folder");
    assert_eq!(receive(&mut other, &workers, &blob, &bytes, 0).await, blob);
    assert_eq!(private(), 1);
    drop(other);
    assert_eq!(private(), 0, "received, and never judged");
    let mut third = Store::into_dir(scratch.path()).expect("a folder");
    drop(begin(&mut third, &workers, &blob, 0).await);
    assert_eq!(private(), 0, "never received to its end");
}

#[test]
fn only_a_whole_and_sendable_note_is_a_validator() {
    let scratch = Scratch::new();
    let (_, blob) = small();
    let blob = Blob { size: MEMORY_BYTES_MAX + 1, ..blob };
    let stage = scratch.path().join(stage_name(&blob.oid));
    let note = scratch.path().join(format!("{}.from", stage_name(&blob.oid)));
    fs::write(stage, b"a beginning").expect("a stage");
    let date = "Tue, 01 Jul 2025 00:00:00 GMT";
    let table: [(&[u8], Option<&str>); 8] = [
        (b"\"v1\"", Some("\"v1\"")),
        (date.as_bytes(), Some(date)),
        (b"", None),
        (b"\0\0\0\0", None),
        (b"\"v1\0\0", None),
        (b"\"v1", None),
        (b"\"v1\"\r\nHost: x", None),
        ("\"é\"".as_bytes(), None),
    ];
    for (bytes, expected) in table {
        fs::write(&note, bytes).expect("a note");
        let mut store = Store::into_dir(scratch.path()).expect("a folder");
        let Held::Partial { validator, .. } = store.has(&blob).expect("readable") else { panic!("a beginning") };
        assert_eq!(validator.as_deref(), expected, "{bytes:?}");
    }
}
