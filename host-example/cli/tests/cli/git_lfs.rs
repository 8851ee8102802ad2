//! A plain git-lfs in a clone of a ledger: what it would stage in full, and what keeps it from that.

use std::path::PathBuf;

use serde_json::Value;

use hydrant_kit::scene::{noise, pointer};
use hydrant_kit::world::{SESSION, World};

/// A published session, and an LFS file of the project, in a folder that is called like that of the sessions.
fn project() -> World {
    let mut world = World::new();
    world.record();
    let asset = noise(20_000, 91);
    world.scene.upload(&asset);
    world.scene.file("clone/app/sessions/a.bin", pointer(&asset).as_bytes());
    world.scene.file("clone/.gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\n");
    world.git(&["add", "app", ".gitattributes"]);
    world.git(&["commit", "--quiet", "--message", "an asset"]);
    world.git(&["push", "--quiet"]);
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    world
}

/// A fresh clone in which somebody runs git-lfs, with these settings of his own.
fn pulled(world: &World, name: &str, settings: &[(&str, &str)]) -> PathBuf {
    let scene = &world.scene;
    scene.git(&scene.folder, &["clone", "--quiet", "remote.git", name]);
    let clone = scene.path(name);
    for (key, value) in [("lfs.url", scene.url().as_str()), ("lfs.locksverify", "false")].iter().chain(settings) {
        scene.git(&clone, &["config", key, value]);
    }
    scene.git(&clone, &["lfs", "install", "--local"]);
    scene.git(&clone, &["lfs", "pull"]);
    scene.git(&clone, &["add", "--all"]);
    clone
}

fn notes(world: &World, clone: &std::path::Path) -> Vec<Value> {
    let json = world.scene.hydrant(clone, &["doctor", "--json"]).json();
    let list = json["finding_list"].as_array().expect("a list").clone();
    list.into_iter().filter(|one| one["kind"] == "git-lfs-pull").collect()
}

#[test]
fn a_pull_by_git_lfs_stages_no_session() {
    let world = project();
    let scene = &world.scene;
    let told = notes(&world, &world.clone);
    assert_eq!((told.len(), &told[0]["severity"]), (1, &"note".into()), "{told:?}");
    scene.hydrant(&world.clone, &["doctor", "--fix"]).ends(0);
    assert!(notes(&world, &world.clone).is_empty());
    world.git(&["add", ".lfsconfig"]);
    world.git(&["commit", "--quiet", "--message", "git-lfs leaves sessions alone"]);
    world.git(&["push", "--quiet"]);
    // hydrant's own hydrate is not meant.
    scene.hydrant(&world.clone, &["cache", "clear", "--yes"]).ends(0);
    let json = scene.hydrant(&world.clone, &["hydrate", SESSION, "--json"]).ends(0).json();
    assert_eq!(json["objects"], json["present"], "{json}");
    if !scene.has_git_lfs() {
        return;
    }
    let clone = pulled(&world, "with", &[]);
    assert_eq!(scene.git(&clone, &["status", "--porcelain"]), "");
    assert!(std::fs::read(clone.join("app/sessions/a.bin")).expect("content").len() == 20_000, "the asset is there");
    scene.hydrant(&clone, &["verify", "--staged", "--offline"]).ends(0);

    // A setting of the user's own hides that of the repository: the check finds what comes of it.
    let clone = pulled(&world, "own", &[("lfs.fetchexclude", "media")]);
    assert_ne!(scene.git(&clone, &["diff", "--cached", "--name-only"]), "");
    scene.hydrant(&clone, &["verify", "--staged", "--offline"]).ends(1);
    let told = notes(&world, &clone);
    let run = told[0]["run"].as_str().expect("a command");
    assert!(run.starts_with("git config lfs.fetchexclude") && run.contains("media,/sessions/**"), "{run}");
}

#[test]
fn settings_that_are_there_stay_and_links_are_not_followed() {
    let world = project();
    let scene = &world.scene;
    let file = "clone/.lfsconfig";
    // What stands there, and the list of paths after the fix; none where nothing is to be done.
    for (before, after) in [
        ("", Some("/sessions/**")),
        ("[lfs]\n\tfetchrecentrefsdays = 3\n", Some("/sessions/**")),
        ("[lfs]\n\tfetchexclude = media\n", Some("media,/sessions/**")),
        ("[lfs]\n\tfetchexclude = media, sessions\n", None),
        ("[lfs]\n\tfetchexclude = *\n", None),
        ("[lfs]\n\tfetchexclude = \"a;b\"\n\tfetchexclude = c\n", Some("c,/sessions/**")),
    ] {
        scene.file(file, before.as_bytes());
        assert_eq!(notes(&world, &world.clone).len(), usize::from(after.is_some()), "{before}");
        scene.hydrant(&world.clone, &["doctor", "--fix"]).ends(0);
        if let Some(after) = after {
            let told = world.git(&["config", "--file", ".lfsconfig", "--get-all", "lfs.fetchexclude"]);
            assert_eq!(told.trim(), after, "{before}");
        }
        let kept = world.git(&["config", "--file", ".lfsconfig", "--list"]);
        assert_eq!(before.contains("fetchrecentrefsdays"), kept.contains("fetchrecentrefsdays"), "{kept}");
    }
    // Sessions that the attributes give to git-lfs are its own.
    std::fs::remove_file(scene.path(file)).expect("removed");
    scene.file("clone/.git/info/attributes", b"sessions/** filter=lfs\n");
    assert!(notes(&world, &world.clone).is_empty());
    std::fs::remove_file(scene.path("clone/.git/info/attributes")).expect("removed");
    let aside = scene.file("aside", b"[user]\n\tname = mine\n");
    std::os::unix::fs::symlink(&aside, scene.path(file)).expect("a link");
    scene.hydrant(&world.clone, &["doctor", "--fix"]);
    assert_eq!(std::fs::read(&aside).expect("there"), b"[user]\n\tname = mine\n");
}
