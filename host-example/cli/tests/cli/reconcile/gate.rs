//! A remote that lets no push in whose commits name blobs that the LFS server lacks, and sessions to push there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hydrant_host::files::digest::blob_of;
use serde_json::{Value, json};

use hydrant_kit::scene::{Ran, pointer};
use hydrant_kit::world::{World, find};

/// Looks at every small file of every commit of the push. `STORE` is the folder of the server's objects.
const HOOK: &str = r#"#!/bin/sh
refused=0
while read -r old new name; do
  case $old in *[1-9a-f]*) range="$new ^$old";; *) range="$new";; esac
  for blob in $(git rev-list --objects --no-object-names $range |
      git cat-file --batch-check='%(objecttype) %(objectsize) %(objectname)' |
      awk '$1 == "blob" && $2 < 1024 { print $3 }'); do
    text=$(git cat-file blob "$blob")
    case $text in "version https://git-lfs.github.com/spec/v1"*) ;; *) continue;; esac
    oid=$(printf '%s\n' "$text" | sed -n 's/^oid sha256://p')
    if [ -z "$(find 'STORE' -type f -name "$oid")" ]; then
      echo "the server lacks $oid" >&2
      refused=1
    fi
  done
done
exit $refused
"#;

pub(super) const LOST: &[u8] = b"content that is nowhere any more";
pub(super) const KEPT: &[u8] = b"content that the server has";

/// A ledger whose remote has the hook.
pub(super) fn gated() -> World {
    let world = World::new();
    let hook = world.remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().expect("a folder")).expect("a folder");
    let store = world.scene.path("server");
    fs::write(&hook, HOOK.replace("STORE", store.to_str().expect("text"))).expect("a hook");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it runs");
    world
}

/// Writes a session: a pointer for each content, and a manifest that names them all.
pub(super) fn session(world: &World, name: &str, files: &[(&str, &[u8])]) {
    let entry = |bytes: &[u8]| json!({ "oid": format!("sha256:{}", blob_of(bytes).oid), "size": bytes.len() });
    let entries: serde_json::Map<String, Value> =
        files.iter().map(|(file, bytes)| ((*file).to_owned(), entry(bytes))).collect();
    let manifest =
        json!({ "version": "1.0", "session_id": format!("ses_{name}"), "zz_unknown": [1.5, null], "files": entries });
    write(world, &format!("sessions/{name}/meta.json"), format!("{manifest:#}").as_bytes());
    for (file, bytes) in files {
        write(world, &format!("sessions/{name}/{file}"), pointer(bytes).as_bytes());
    }
}

pub(super) fn write(world: &World, path: &str, bytes: &[u8]) {
    world.scene.file(&format!("clone/{path}"), bytes);
}

pub(super) fn commit(world: &World) {
    world.scene.commit(&world.clone);
}

/// The server loses a blob.
pub(super) fn lose(world: &World, bytes: &[u8]) {
    let path = find(&world.scene.path("server"), &blob_of(bytes).oid).expect("the server has it");
    fs::remove_file(path).expect("it can be removed");
}

pub(super) fn reconcile(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["reconcile", "--retries", "0"], arguments].concat())
}

/// Pushes; the remote's words when it refused.
pub(super) fn push(world: &World) -> Result<(), String> {
    let output = world.scene.program("git", &world.clone).args(["push", "--quiet"]).output().expect("git runs");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Everything that a repair could change: refs, index, work tree, register.
pub(super) fn state(world: &World) -> (String, String, Vec<(String, Vec<u8>)>) {
    let mut files = Vec::new();
    let listed = world.git(&["ls-files", "-z", "--cached", "--others"]);
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        files.push((name.to_owned(), fs::read(world.clone.join(name)).unwrap_or_default()));
    }
    files.push(("orphans".to_owned(), fs::read(world.clone.join(".git/hydrant/orphans.json")).unwrap_or_default()));
    (world.git(&["for-each-ref"]), world.git(&["ls-files", "--stage"]), files)
}

/// Runs a command that changes nothing, whatever it finds.
#[track_caller]
pub(super) fn changes_nothing(world: &World, arguments: &[&str]) -> Ran {
    let (before, puts) = (state(world), world.scene.server.stats().puts);
    let ran = reconcile(world, arguments);
    assert!(state(world) == before, "{}{}", ran.out, ran.err);
    assert_eq!(world.scene.server.stats().puts, puts);
    ran
}
