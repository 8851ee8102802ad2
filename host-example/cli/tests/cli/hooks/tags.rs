//! Tags that are pushed: they need not be of a commit.

use std::fs;

use serde_json::Value;

use super::{git, hooks};
use hydrant_kit::scene::noise;
use hydrant_kit::world::World;

/// A tag need not be of a commit.
#[test]
fn a_pushed_tag_of_a_tree_is_judged_and_one_of_a_file_is_told() {
    let world = World::new();
    let (scene, clone) = (&world.scene, &world.clone);
    scene.file("clone/.gitattributes", b"*.bin filter=lfs -text\n");
    scene.file("clone/here.bin", &noise(2_000, 90));
    scene.file("clone/words.md", &noise(900, 91));
    scene.file("clone/long.md", &noise(1_024, 92));
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--no-verify", "--message", "what the remote has"]);
    world.git(&["push", "--quiet"]);
    hooks(scene, clone, &["install"]).ends(0);
    let pointer = hydrant_kit::scene::pointer(&noise(5_000, 93));
    // What stands in a tree, and what of it is found.
    let long = noise(3_000, 94);
    type Row<'a> = (&'a str, &'a [(&'a str, &'a [u8])], &'a [&'a str]);
    let table: [Row<'_>; 6] = [
        ("nothing", &[], &[]),
        ("attributes", &[("d/a.bin", &long)], &["d/a.bin"]),
        ("short", &[("a.bin", b"x")], &["a.bin"]),
        ("pointer", &[("a.bin", pointer.as_bytes()), ("notes.txt", b"two")], &[]),
        (
            "session",
            &[("sessions/new/raw.jsonl", &long), ("sessions/other/log", &long)],
            &["new/raw.jsonl", "other/log"],
        ),
        ("manifest", &[("sessions/new/meta.json", b"{\"files\": {}}"), ("sessions/new/log", &long)], &["new/log"]),
    ];
    let push = |what: &str| {
        let output = git(scene, clone, &["push", "--quiet", "origin", what]).output().expect("git runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (row, files, found) in table {
        for (name, bytes) in files {
            scene.file(&format!("clone/{name}"), bytes);
        }
        world.git(&["add", "--all"]);
        let tree = world.git(&["write-tree"]).trim().to_owned();
        world.git(&["reset", "--quiet", "--hard"]);
        let (light, noted, twice) = (format!("{row}-light"), format!("{row}-noted"), format!("{row}-twice"));
        world.git(&["tag", &light, &tree]);
        world.git(&["tag", "--annotate", "--message", "words", &noted, &tree]);
        world.git(&["tag", "--annotate", "--message", "words", &twice, &noted]);
        world.git(&["update-ref", &format!("refs/heads-of-others/{row}"), &tree]);
        for what in [&light, &noted, &twice, &format!("refs/heads-of-others/{row}")] {
            let (is_pushed, said) = push(what);
            assert_eq!(is_pushed, found.is_empty(), "{what}: {said}");
            found.iter().for_each(|name| assert!(said.contains(name), "{what}: {name}: {said}"));
            assert!(!said.contains("here.bin"), "the remote has it, {what}: {said}");
        }
    }
    // Nobody knows what a file is without its path.
    for (name, is_told) in [("words.md", false), ("here.bin", true), ("long.md", true)] {
        world.git(&["tag", &format!("of-{name}"), &format!("HEAD:{name}")]);
        let (is_pushed, said) = push(&format!("of-{name}"));
        assert!(is_pushed, "{name}: {said}");
        let id = world.git(&["rev-parse", &format!("HEAD:{name}")]).trim().to_owned();
        let told = scene.file("told", format!("refs/tags/x {id} refs/tags/x {}\n", "0".repeat(40)).as_bytes());
        let mut verify = scene.hydrant_command(clone);
        verify.args(["verify", "--push", "origin", "--json"]).stdin(fs::File::open(told).expect("there"));
        let json: Value = serde_json::from_slice(&verify.output().expect("it runs").stdout).expect("a document");
        assert_eq!(json["in_full_unknown"].is_string(), is_told, "{name}: {json}");
    }
}
