//! Clones that share a cache and cannot be asked what they need: nothing is removed then, and it is said why.

use std::fs;
use std::path::{Path, PathBuf};

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{Scene, noise};

use super::shared_caches::{clone, entry, names, place};

/// Two clones that share a cache with content of both.
struct Two {
    scene: Scene,
    one: PathBuf,
    other: PathBuf,
    shared: PathBuf,
    contents: [Vec<u8>; 2],
}

impl Two {
    fn new() -> Self {
        let scene = Scene::new();
        let contents = [noise(70_000, 1), noise(70_000, 2)];
        let (one, other) = (clone(&scene, "one", &contents[0]), clone(&scene, "other", &contents[1]));
        let shared = place(&scene, &one);
        place(&scene, &other);
        for clone in [&one, &other] {
            scene.hydrant(clone, &["hydrate"]).ends(0);
        }
        Self { scene, one, other, shared, contents }
    }

    /// The note of the other clone.
    fn note(&self) -> PathBuf {
        let path = |name: &String| self.shared.join("clones").join(name);
        let is_of_other =
            |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.ends_with("other/.git/hydrant"));
        names(&self.shared.join("clones")).iter().map(path).find(is_of_other).expect("a note")
    }

    fn has(&self, content: &[u8]) -> bool {
        entry(&self.shared, content).exists()
    }
}

/// Puts a clone where nobody finds it.
fn take_away(clone: &Path) -> PathBuf {
    let away = clone.with_extension("away");
    fs::rename(clone, &away).expect("moved");
    away
}

#[test]
fn a_clone_whose_disk_is_not_there_is_not_forgotten_and_nothing_is_removed() {
    let two = Two::new();
    let away = take_away(&two.other);
    // The disk under it is another one than the one it was on.
    let noted = fs::read_to_string(two.note()).expect("a note");
    let (device, path) = noted.split_once('\n').expect("two lines");
    let other_disk = device.parse::<u64>().expect("a number") + 1;
    fs::write(two.note(), format!("{other_disk}\n{path}")).expect("a note");
    for command in [&["cache", "clear"][..], &["cache", "prune", "--older-than", "0"]] {
        let would = two.scene.hydrant(&two.one, &[command, &["--json"]].concat()).ends(0).json();
        assert_eq!(would["blocked_list"].as_array().map(Vec::len), Some(1), "{would}");
        assert_eq!(would["clone_list"].as_array().map(Vec::len), Some(2), "{would}");
        let said = two.scene.hydrant(&two.one, command).ends(0).err;
        assert!(said.contains("--yes removes nothing") && said.contains("other/.git/hydrant"), "{said}");
        for more in [&[][..], &["--store", two.shared.to_str().expect("text")]] {
            let refused = two.scene.hydrant(&two.one, &[command, &["--yes"], more].concat()).ends(3).err;
            assert!(refused.contains("nothing is removed") && refused.contains("shared/clones/"), "{refused}");
            assert!(two.has(&two.contents[0]) && two.has(&two.contents[1]) && two.note().exists());
        }
    }
    // To hash what is there, nobody need be asked.
    two.scene.hydrant(&two.one, &["cache", "verify", "--yes"]).ends(0);
    // Its disk is back, and so is what it needs.
    fs::rename(away, &two.other).expect("back");
    let journal = format!("{{\"blobs\": [\"{}\"]}}", blob_of(&two.contents[1]).oid);
    two.scene.file("other/.git/hydrant/journal/2026.json", journal.as_bytes());
    two.scene.hydrant(&two.one, &["cache", "clear", "--yes"]).ends(0);
    assert!(!two.has(&two.contents[0]) && two.has(&two.contents[1]));
}

#[test]
fn a_clone_that_was_removed_from_a_disk_that_is_there_is_forgotten() {
    for what in ["clone", "git folder", "state"] {
        let two = Two::new();
        let gone = match what {
            "clone" => two.other.clone(),
            "git folder" => two.other.join(".git"),
            _ => two.other.join(".git/hydrant"),
        };
        fs::remove_dir_all(gone).expect("removed");
        let would = two.scene.hydrant(&two.one, &["cache", "clear", "--json"]).ends(0).json();
        assert_eq!(would["blocked_list"], serde_json::json!([]), "{what}: {would}");
        two.scene.hydrant(&two.one, &["cache", "clear", "--yes"]).ends(0);
        assert_eq!(names(&two.shared.join("clones")).len(), 1, "{what}");
    }
}

#[test]
fn a_torn_note_of_a_clone_is_written_anew() {
    let two = Two::new();
    let (note, whole) = (two.note(), fs::read(two.note()).expect("a note"));
    let zeros = vec![0; whole.len()];
    for torn in [&b""[..], &whole[..5], &whole[..whole.len() - 1], &zeros] {
        fs::write(&note, torn).expect("a note");
        two.scene.hydrant(&two.other, &["hydrate"]).ends(0);
        assert_eq!(fs::read(&note).expect("a note"), whole);
    }
}
