//! Blobs of the cache by their names: `cache/OID` is the store's, whatever stands in a work tree.

use std::fs;

use super::{perform, reading};
use crate::contract::types::Reply;
use crate::driver::host::Host;
use crate::files::Files;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::store::Store;

#[test]
fn a_blob_of_the_cache_is_read_from_the_store_alone() {
    let scratch = Scratch::new();
    let (small, large) = (b"small".to_vec(), vec![7; 3_000_000]);
    let held = scratch.path().join("store");
    fs::create_dir_all(scratch.path().join("tree/cache")).expect("folders");
    fs::create_dir(&held).expect("a folder");
    for bytes in [&small, &large] {
        let oid = blob_of(bytes).oid;
        fs::write(held.join(&oid), bytes).expect("a blob");
        fs::write(scratch.path().join("tree/cache").join(&oid), b"of the work tree").expect("a file");
    }
    let lost = blob_of(b"lost").oid;
    fs::write(scratch.path().join("tree/cache").join(&lost), b"lost").expect("a file");
    fs::write(scratch.path().join("tree/cache/other"), b"a file like any").expect("a file");
    let tree = || Files::beneath(&scratch.path().join("tree")).expect("the root");
    let mut host =
        Host::builder().store(Store::into_dir(&held).expect("a store")).files(tree()).build().expect("a host");
    let mut read = |name: &str| perform(&mut host, vec![reading(&format!("cache/{name}"), false)]);
    let replies = read(&blob_of(&small).oid);
    assert_eq!(replies[..2], [Reply::Chunk(small.clone()), Reply::End]);
    assert!(matches!(replies[2], Reply::At(_)));
    let replies = read(&blob_of(&large).oid);
    assert!(replies.contains(&Reply::Received(blob_of(&large))), "{replies:?}");
    assert_eq!(read(&lost), [Reply::Absent]);
    assert_eq!(read("other")[0], Reply::Chunk(b"a file like any".to_vec()));

    // Without a store only the user's own word makes such a name a file.
    let mut host = Host::builder().files(tree()).build().expect("a host");
    let name = format!("cache/{lost}");
    assert!(matches!(perform(&mut host, vec![reading(&name, false)])[..], [Reply::Failed(_)]));
    let listed = vec![(name.clone(), scratch.path().join("tree").join(&name))];
    let mut host = Host::builder().files(tree().and_listed(listed)).build().expect("a host");
    assert_eq!(perform(&mut host, vec![reading(&name, false)])[0], Reply::Chunk(b"lost".to_vec()));
}
