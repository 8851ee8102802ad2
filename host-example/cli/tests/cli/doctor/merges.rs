//! What the doctor says of a merge that is not resolved: each side by its real name, whatever git is doing.

use std::fs;
use std::path::PathBuf;

use hydrant_kit::scene::Ran;
use hydrant_kit::world::World;

use super::{findings, tidy, told};

const PATH: &str = "sessions/other/meta.json";

fn text(title: &str) -> String {
    format!("{{\"session_id\": \"ses_other\", \"title\": \"{title}\", \"files\": {{}}}}")
}

/// A ledger whose remote went on: there the session's title is `remote`.
fn with_rival() -> World {
    let world = tidy();
    let rival = world.scene.path("rival");
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "rival"]);
    for (key, value) in [("user.name", "rival"), ("user.email", "r@example.test")] {
        world.scene.git(&rival, &["config", key, value]);
    }
    fs::write(rival.join(PATH), text("remote")).expect("written");
    world.scene.commit(&rival);
    world.scene.git(&rival, &["push", "--quiet"]);
    world
}

fn manifest(world: &World) -> PathBuf {
    world.clone.join(PATH)
}

fn pull(world: &World, arguments: &[&str]) -> Ran {
    let mut command = world.scene.program("git", &world.clone);
    let output = command.args([&["pull", "--quiet"], arguments].concat()).output().expect("git runs");
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: words(&output.stdout), err: words(&output.stderr) }
}

/// The one finding's words; the commands in it that take a side are tried, and what they take is compared.
fn expect_sides(world: &World, ours: (&str, &str), theirs: (&str, &str)) -> String {
    let found = findings(world);
    assert_eq!((found.len(), &found[0]["kind"]), (1, &"conflict".into()), "{found:?}");
    let advice = told(&found[0]);
    for (side, (title, whose)) in [("--ours", ours), ("--theirs", theirs)] {
        let command = format!("git checkout {side} -- {PATH} takes ");
        let said = advice.split_once(&command).map(|(_, after)| after).unwrap_or_default();
        assert!(said.starts_with(whose), "{side} is {whose}: {advice}");
        world.git(&["checkout", "--quiet", side, "--", PATH]);
        assert_eq!(fs::read_to_string(manifest(world)).expect("there"), text(title), "{side}");
    }
    advice
}

#[test]
fn the_sides_of_a_merge() {
    let world = with_rival();
    fs::write(manifest(&world), text("local")).expect("written");
    world.scene.commit(&world.clone);
    assert_ne!(pull(&world, &["--no-rebase"]).code, 0);
    let advice = expect_sides(&world, ("local", "what is committed here"), ("remote", "the remote's"));
    assert!(advice.ends_with("git commit"), "{advice}");
}

#[test]
fn the_sides_of_a_rebase() {
    let world = with_rival();
    fs::write(manifest(&world), text("local")).expect("written");
    world.scene.commit(&world.clone);
    assert_ne!(pull(&world, &["--rebase"]).code, 0);
    let advice = expect_sides(&world, ("remote", "the remote's"), ("local", "what you committed"));
    assert!(advice.ends_with("git rebase --continue"), "{advice}");
}

#[test]
fn the_sides_of_changes_that_were_stashed() {
    let world = with_rival();
    fs::write(manifest(&world), text("local")).expect("written");
    pull(&world, &["--rebase", "--autostash"]);
    let advice = expect_sides(&world, ("remote", "what is committed"), ("local", "your changes"));
    assert!(advice.contains("git stash list") && !advice.contains("--continue"), "{advice}");
}

/// One side removed the session, so there is nothing of it to check out.
#[test]
fn a_side_that_removed_the_session_is_taken_by_removing_it() {
    let taken = |side: String| {
        let world = with_rival();
        world.git(&["rm", "--quiet", PATH]);
        world.git(&["commit", "--quiet", "--message", "gone"]);
        assert_ne!(pull(&world, &["--no-rebase"]).code, 0);
        let found = findings(&world);
        let advice = told(&found[0]);
        assert!(advice.contains(&format!("{side} takes ")), "{side}: {advice}");
        let mut shell = world.scene.program("sh", &world.clone);
        assert!(shell.args(["-c", &format!("{side} && git add {PATH}")]).status().expect("it runs").success());
        (world.git(&["ls-files", "--unmerged"]), fs::read_to_string(manifest(&world)).ok())
    };
    assert_eq!(taken(format!("git checkout --theirs -- {PATH}")), (String::new(), Some(text("remote"))));
    assert_eq!(taken(format!("rm -f -- {PATH}")), (String::new(), None));
}

#[test]
fn markers_that_git_knows_nothing_of_have_no_sides() {
    let world = tidy();
    fs::write(manifest(&world), "<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n").expect("written");
    let found = findings(&world);
    let advice = told(&found[0]);
    assert!(found[0]["kind"] == "conflict" && !advice.contains("--theirs"), "{advice}");
}
