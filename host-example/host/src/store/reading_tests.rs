//! A store that was opened to be read finds what a writer finds, and leaves everything as it is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::tests::{names, small};
use super::{ADOPTED, Held, Look, Note, PruneRule, Store, stage_name, unwatched};
use crate::contract::types::Blob;
use crate::files::digest::blob_of;
use crate::files::facts::Facts;
use crate::files::scratch::Scratch;

const OTHER: &[u8] = b"SMALL CONTENT";

/// Everything beneath a folder: its bytes, its rights and its inode.
fn state(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, u64)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, facts) = (entry.path(), entry.metadata().expect("there"));
            let bytes = if facts.is_dir() { Vec::new() } else { fs::read(&path).expect("readable") };
            if facts.is_dir() {
                folders.push(path.clone());
            }
            all.insert(path, (bytes, facts.mode(), facts.ino()));
        }
    }
    all
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, bytes).expect("a file");
}

/// Writes a file that gave way to its pointer, and then perhaps grew.
fn adopt(root: &Path, blob: &Blob, bytes: &[u8], session: &str, more: &[u8]) {
    let fresh = root.join("fresh");
    write(&fresh, bytes);
    let facts = Facts::of(&fs::File::open(&fresh).expect("there")).expect("facts");
    let adopted = root.join(ADOPTED).join(Note::of(&blob.oid, &facts, session).name());
    fs::create_dir_all(root.join(ADOPTED)).expect("a folder");
    fs::rename(&fresh, &adopted).expect("adopted");
    if !more.is_empty() {
        fs::write(&adopted, [bytes, more].concat()).expect("appended");
    }
}

#[test]
fn a_reader_finds_what_is_there_and_changes_nothing() {
    type Lay = fn(&Path, &Blob, &[u8]);
    let unproved: Lay = |root, blob, bytes| {
        write(&root.join("hydrant/unproved/1").join(&blob.oid[..2]).join(&blob.oid), bytes);
    };
    let cached: Lay = |root, blob, bytes| {
        write(&root.join("hydrant/cache").join(&blob.oid[..2]).join(&blob.oid), bytes);
        write(&root.join("hydrant/boot"), b"another one");
    };
    let of_git_lfs: Lay = |root, blob, bytes| {
        write(&root.join("objects").join(&blob.oid[..2]).join(&blob.oid[2..4]).join(&blob.oid), bytes);
    };
    let recorded: Lay = |root, _, bytes| write(&root.join("recorded/s/raw.jsonl"), bytes);
    let staged: Lay = |root, blob, bytes| write(&root.join("hydrant/stage").join(stage_name(&blob.oid)), bytes);
    let adopted: Lay = |root, blob, bytes| adopt(&root.join("hydrant"), blob, bytes, "s", b"");
    let (bytes, blob) = small();
    for (what, lay) in [
        ("an entry that an earlier opening moved aside", unproved),
        ("an entry of another boot", cached),
        ("an object of git-lfs's", of_git_lfs),
        ("a file of another recorder's", recorded),
        ("a whole stage", staged),
        ("a displaced file", adopted),
    ] {
        // The right bytes, bytes of the same length, and more bytes.
        let longer = [&bytes[..], b"more"].concat();
        for (content, is_right) in [(&bytes[..], true), (OTHER, false), (&longer, false)] {
            let scratch = Scratch::new();
            lay(scratch.path(), &blob, content);
            let before = state(scratch.path());
            let reading = || {
                let store = Store::open_reading(&scratch.path().join("hydrant"), Some("this one".into()));
                let store = store.expect("readable").second_source(&scratch.path().join("objects"));
                store.recorded_in(&scratch.path().join("recorded"))
            };
            let alone = reading();
            let shared = Store::open_reading(&scratch.path().join("none"), Some("this one".into())).expect("nothing");
            // What is on its way in lies in the cache that is shared.
            let shared = (what != "a whole stage").then(|| shared.before(reading()));
            for mut store in [Some(alone), shared].into_iter().flatten() {
                for _ in 0..2 {
                    let found = match store.has(&blob).expect("readable") {
                        Held::Unproved(mut proof) => {
                            let found = proof.work().and_then(|work| work.hash(unwatched)).expect("read");
                            store.settle(&blob, proof, &found.expect("hashed")).expect("settled")
                        }
                        Held::Present => panic!("{what}: nothing proved it"),
                        _ => false,
                    };
                    assert_eq!(found, is_right, "{what}");
                }
                store.list().expect("listed");
                store.open_verified(&blob.oid, blob.size).expect("looked for");
                store.verify(false, |_| {}).expect("verified");
                store.stalled().expect("looked for");
                store.prune(PruneRule { bytes_max: Some(0), age_max: None }, false).expect("asked");
                store.clear(false).expect("asked");
                assert!(store.keep(&blob.oid, &blob.oid).is_err() && store.drop_stage(&blob.oid).is_ok(), "{what}");
                assert!(store.clear(true).is_err() && store.verify(true, |_| {}).is_err(), "{what}");
                assert!(store.prune(PruneRule::default(), true).is_err(), "{what}");
            }
            assert!(before == state(scratch.path()), "{what}: {is_right}");
        }
    }
}

#[test]
fn a_displaced_file_that_grew_is_passed_over_by_a_reader_and_kept_by_a_writer() {
    let (bytes, blob) = small();
    for (others, is_there) in [(&["right"][..], true), (&[], false)] {
        let scratch = Scratch::new();
        adopt(scratch.path(), &blob, &bytes, "grew", b"more");
        for session in others {
            adopt(scratch.path(), &blob, &bytes, session, b"");
        }
        let before = state(scratch.path());
        let store = Store::open_reading(scratch.path(), Some("b".into())).expect("readable");
        assert_eq!(store.size_of(&blob.oid), is_there.then_some(blob.size));
        let look = store.open_verified(&blob.oid, blob.size).expect("readable");
        assert_eq!(matches!(look, Look::Content(_)), is_there, "{look:?}");
        assert_eq!(store.list().expect("listed").len(), others.len());
        assert!(before == state(scratch.path()), "a reader moved it");
        let store = Store::open_cache(scratch.path(), Some("b".into())).expect("a cache");
        assert_eq!(store.size_of(&blob.oid), is_there.then_some(blob.size));
        assert_eq!(names(&scratch.path().join("kept")), [format!("grew-{}-1", blob.oid)]);
    }
}

#[test]
fn a_reader_takes_no_lock() {
    let scratch = Scratch::new();
    let (_, blob) = super::tests::large();
    let mut writer = Store::open_cache(scratch.path(), Some("b".into())).expect("a cache");
    let begun = scratch.path().join("stage").join(stage_name(&blob.oid));
    fs::write(&begun, b"a beginning").expect("a stage");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 3600);
    let times = fs::FileTimes::new().set_accessed(old).set_modified(old);
    fs::File::options().write(true).open(&begun).expect("there").set_times(times).expect("set");
    let mut reader = Store::open_reading(scratch.path(), Some("b".into())).expect("readable");
    let stalled = reader.stalled().expect("looked");
    assert_eq!(stalled.len(), 1);
    assert!(matches!(reader.has(&blob), Ok(Held::Absent)));
    assert!(matches!(writer.has(&blob), Ok(Held::Partial { bytes: 11, .. })), "nobody else has it");
    assert_eq!(blob_of(&fs::read(&begun).expect("there")), blob_of(b"a beginning"));
}
