//! `hydrant draft`: the placeholder of a session that is still recorded.

use std::fs;

use crate::scene::Ran;
use crate::world::{SESSION, World};

const ID: &str = "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6";

fn draft(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["draft"], arguments].concat())
}

fn manifest(world: &World) -> serde_json::Value {
    serde_json::from_slice(&fs::read(world.session_folder().join("meta.json")).expect("there")).expect("JSON")
}

#[test]
fn a_placeholder_is_refreshed_keeps_its_id_and_becomes_the_session() {
    let mut world = World::new();
    let dry = draft(&world, &[SESSION, "--session-id", ID, "--dry-run", "--json"]).ends(0).json();
    assert_eq!((&dry["written"], &dry["session_id"]), (&true.into(), &ID.into()), "{dry}");
    assert!(!world.session_folder().exists(), "nothing was made");
    draft(&world, &[SESSION, "--session-id", ID, "--turns", "3", "--entries", "9", "--agent-type", "claude-code"])
        .ends(0);
    let untracked = world.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert_eq!(untracked, format!("?? sessions/{SESSION}/meta.json\n"), "the lock is this clone's own");
    let listed = world.scene.hydrant(&world.clone, &["status"]).ends(0).out;
    assert!(listed.lines().any(|line| line.contains(SESSION) && line.contains(" draft")), "{listed}");
    let first = manifest(&world);
    assert_eq!((&first["draft"], &first["turn_count"], &first["session_id"]), (&true.into(), &3.into(), &ID.into()));
    // Counts never go back, and neither the id nor the time is made anew.
    let json = draft(&world, &[SESSION, "--turns", "1", "--entries", "12", "--json"]).ends(0).json();
    assert_eq!((&json["session_id"], &json["entry_count"]), (&ID.into(), &12.into()), "{json}");
    let second = manifest(&world);
    assert_eq!((&second["turn_count"], &second["created_at"]), (&3.into(), &first["created_at"]));
    assert_eq!(second["agent_type"], "claude-code");
    // Others see it; then the recording is over.
    world.git(&["add", "sessions"]);
    world.git(&["commit", "--quiet", "-m", "recording"]);
    world.git(&["push", "--quiet"]);
    world.record();
    draft(&world, &[SESSION]).ends(3);
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    let published = manifest(&world);
    assert_eq!((&published["session_id"], published.get("draft")), (&ID.into(), None), "{published}");
    let before = fs::read(world.session_folder().join("meta.json")).expect("there");
    for (arguments, code) in [(vec![SESSION], 3), (vec!["new", "--session-id", "mine"], 3), (vec!["a/../b"], 2)] {
        assert!(draft(&world, &arguments).ends(code).err.contains("hydrant: "), "{arguments:?}");
    }
    assert_eq!(fs::read(world.session_folder().join("meta.json")).expect("there"), before);
    assert!(!world.session_folder().with_file_name("new").exists(), "a refusal makes no folder");
}
