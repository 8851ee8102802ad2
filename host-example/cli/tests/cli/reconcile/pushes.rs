//! Which push is looked at: the one that `git push` would do, and git itself says which that is.

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use super::gate::{KEPT, LOST, changes_nothing, commit, gated, lose, reconcile, session, state};
use hydrant_kit::world::World;

/// Settings, and what comes of them.
struct Row {
    /// `KEY=VALUE` each.
    settings: &'static [&'static str],
    /// Remote and reference that are looked at.
    place: (&'static str, &'static str),
    /// Commits that are not there.
    commits: u64,
    /// Why that is not all that git would do.
    doubt: Option<&'static str>,
}

const fn row(settings: &'static [&'static str], place: (&'static str, &'static str), commits: u64) -> Row {
    Row { settings, place, commits, doubt: None }
}

const fn doubtful(
    settings: &'static [&'static str],
    place: (&'static str, &'static str),
    commits: u64,
    doubt: &'static str,
) -> Row {
    Row { settings, place, commits, doubt: Some(doubt) }
}

const MAIN: &str = "refs/heads/main";
const OLD: &str = "refs/heads/old";
const ORIGIN: (&str, &str) = ("origin", MAIN);
const FORK: (&str, &str) = ("fork", MAIN);
/// Follows a branch of another name.
const FOLLOWS_OLD: &str = "branch.main.merge=refs/heads/old";

const ROWS: [Row; 26] = [
    row(&[], ORIGIN, 1),
    row(&["remote.pushDefault=fork"], FORK, 2),
    row(&["branch.main.pushRemote=fork"], FORK, 2),
    row(&["remote.pushDefault=fork", "branch.main.pushRemote=origin"], ORIGIN, 1),
    row(&["remote.pushDefault=fork", "branch.main.remote=fork"], FORK, 2),
    row(&["branch.main.remote=fork"], FORK, 2),
    // git-lfs's own settings, of which git knows nothing.
    row(&["remote.lfspushdefault=fork"], ORIGIN, 1),
    row(&["remote.lfsdefault=fork", "branch.main.remote=", "push.default=current"], ORIGIN, 1),
    row(&["remote.lfsdefault=origin", "remote.pushDefault=fork", "branch.main.remote="], FORK, 2),
    row(&["remote.origin.push=refs/heads/main:refs/heads/old"], ("origin", OLD), 2),
    row(&["remote.origin.push=main:refs/heads/new"], ("origin", "refs/heads/new"), 1),
    row(&["remote.origin.push=HEAD"], ORIGIN, 1),
    row(&["remote.origin.push=refs/heads/*:refs/heads/mine/*"], ("origin", "refs/heads/mine/main"), 1),
    // Nothing here tells of what is there.
    row(&["remote.fork.fetch=", "remote.pushDefault=fork"], FORK, 2),
    row(&["push.default=current", FOLLOWS_OLD], ORIGIN, 1),
    row(&["push.default=upstream", FOLLOWS_OLD], ("origin", OLD), 2),
    row(&["push.default=tracking"], ORIGIN, 1),
    row(&["push.default=matching"], ORIGIN, 1),
    row(&["remote.origin.mirror=true"], ORIGIN, 1),
    row(&["push.default=simple", "remote.pushDefault=fork", FOLLOWS_OLD], FORK, 2),
    doubtful(&["push.default=simple", FOLLOWS_OLD], ("origin", OLD), 2, "git push refuses"),
    doubtful(&["push.default=nothing"], ORIGIN, 1, "push.default is nothing"),
    doubtful(&["push.default=upstream", "remote.pushDefault=fork"], FORK, 2, "git push refuses"),
    doubtful(&["remote.origin.push=refs/heads/other"], ORIGIN, 1, "do not name main"),
    doubtful(&["remote.origin.push=refs/tags/*:refs/tags/*"], ORIGIN, 1, "do not name main"),
    doubtful(&["push.default=nothing", "remote.pushDefault=fork"], FORK, 2, "push.default is nothing"),
];

/// A branch with two commits: one is at `origin`, and neither at `fork`, nor at the branch `old` of `origin`.
fn forked() -> World {
    let world = gated();
    world.scene.upload(KEPT);
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "--bare", "remote.git", "fork.git"]);
    let fork = world.scene.path("fork.git");
    world.git(&["remote", "add", "fork", fork.to_str().expect("text")]);
    world.git(&["push", "--quiet", "origin", "HEAD:refs/heads/old"]);
    session(&world, "one", &[("raw.jsonl", KEPT)]);
    commit(&world);
    world.git(&["push", "--quiet", "origin", "main"]);
    session(&world, "two", &[("raw.jsonl", KEPT)]);
    commit(&world);
    world.git(&["fetch", "--quiet", "--all"]);
    world
}

/// Where git itself would push the branch.
fn pushed_by_git(world: &World) -> Option<(String, String)> {
    let command = ["push", "--dry-run", "--porcelain"];
    let told = world.scene.program("git", &world.clone).args(command).output().expect("git runs");
    let told = String::from_utf8(told.stdout).expect("text");
    let place = told.lines().find_map(|line| line.strip_prefix("To "))?;
    let line = told.lines().find(|line| line.contains("\trefs/heads/main:") || line.contains("\tHEAD:"))?;
    let reference = line.split('\t').nth(1)?.split(':').nth(1)?.to_owned();
    Some((if place.ends_with("fork.git") { "fork" } else { "origin" }.to_owned(), reference))
}

fn place(report: &Value) -> (&str, &str) {
    let text = |name: &str| report["push"][name].as_str().expect("text");
    (text("remote"), text("reference"))
}

#[test]
fn the_push_is_the_one_that_git_would_do() {
    let world = forked();
    let config = world.clone.join(".git/config");
    let before = std::fs::read(&config).expect("settings");
    for Row { settings, place: expected, commits, doubt } in ROWS {
        for setting in settings {
            let (key, value) = setting.split_once('=').expect("KEY=VALUE");
            if value.is_empty() {
                world.git(&["config", "--unset-all", key]);
            } else {
                world.git(&["config", "--replace-all", key, value]);
            }
        }
        let by_git = pushed_by_git(&world);
        match doubt {
            None => assert_eq!(by_git, Some((expected.0.to_owned(), expected.1.to_owned())), "git, {settings:?}"),
            Some(_) => assert_eq!(by_git, None, "git, {settings:?}"),
        }
        let report = changes_nothing(&world, &["--json"]).ends(i32::from(doubt.is_some())).json();
        assert_eq!((place(&report), &report["commits"]), (expected, &commits.into()), "{settings:?}: {report}");
        let told = report["push"]["not_looked_at"].as_str();
        assert_eq!(told.is_some(), doubt.is_some(), "{settings:?}: {report}");
        assert!(told.unwrap_or_default().contains(doubt.unwrap_or_default()), "{settings:?}: {report}");
        let words = changes_nothing(&world, &[]);
        assert!(words.err.contains(&format!("{} of {}", expected.1, expected.0)), "{settings:?}: {}", words.err);
        assert_eq!(words.err.contains("`git push` is next"), doubt.is_none(), "{settings:?}: {}", words.err);
        // Whoever names a remote says to git what to push there, too.
        let named = changes_nothing(&world, &["--remote", "fork", "--json"]).ends(0).json();
        assert_eq!(place(&named).0, "fork", "{settings:?}: {named}");
        std::fs::write(&config, &before).expect("settings");
    }
}

#[test]
fn what_else_a_push_would_send_is_told() {
    let world = forked();
    world.git(&["branch", "other", "main~1"]);
    world.git(&["push", "--quiet", "origin", "other"]);
    let config = world.clone.join(".git/config");
    let before = std::fs::read(&config).expect("settings");
    let settings = [
        ["push.default", "matching"],
        ["remote.origin.push", ":"],
        ["remote.origin.push", "refs/heads/*:refs/heads/*"],
        ["remote.origin.mirror", "true"],
    ];
    for is_ahead in [false, true] {
        for [key, value] in settings {
            world.git(&["config", key, value]);
            let report = changes_nothing(&world, &["--json"]).ends(i32::from(is_ahead)).json();
            let told = report["push"]["not_looked_at"].as_str().unwrap_or_default();
            assert_eq!(told.contains("1 commit of other branches"), is_ahead, "{key}={value}: {report}");
            std::fs::write(&config, &before).expect("settings");
        }
        // The usual push sends no other branch.
        changes_nothing(&world, &[]).ends(0);
        world.git(&["switch", "--quiet", "other"]);
        session(&world, "three", &[("raw.jsonl", KEPT)]);
        commit(&world);
        world.git(&["switch", "--quiet", "main"]);
    }
}

/// The blobs of a push are asked for, and sent, where the server of that remote is.
#[test]
fn the_server_is_the_one_of_that_remote() {
    let world = forked();
    world.scene.upload(LOST);
    session(&world, "three", &[("raw.jsonl", LOST)]);
    commit(&world);
    world.git(&["config", "--unset", "lfs.url"]);
    world.git(&["config", "remote.fork.lfsurl", &world.scene.url()]);
    world.git(&["config", "remote.origin.lfsurl", "http://127.0.0.1:1/r"]);
    reconcile(&world, &[]).ends(3);
    world.git(&["config", "remote.pushDefault", "fork"]);
    reconcile(&world, &[]).ends(0);
}

/// Where a branch follows nothing, git takes the only remote, whatever git-lfs is told.
#[test]
fn the_only_remote_is_the_one() {
    let world = forked();
    world.git(&["remote", "remove", "fork"]);
    world.git(&["remote", "rename", "origin", "sole"]);
    world.git(&["config", "--unset", "branch.main.remote"]);
    world.git(&["config", "push.default", "current"]);
    for settings in [None, Some("fork"), Some("origin")] {
        if let Some(remote) = settings {
            world.git(&["config", "remote.lfsdefault", remote]);
        }
        assert_eq!(pushed_by_git(&world), Some(("origin".to_owned(), MAIN.to_owned())), "{settings:?}");
        let report = changes_nothing(&world, &["--json"]).ends(0).json();
        assert_eq!((place(&report), &report["commits"]), (("sole", MAIN), &1.into()), "{settings:?}: {report}");
    }
}

/// What is at an address nobody here knows: another remote's commits need not be there.
#[test]
fn a_push_to_an_address_is_judged_by_all_that_it_could_send() {
    let world = forked();
    world.scene.upload(LOST);
    session(&world, "three", &[("raw.jsonl", LOST)]);
    commit(&world);
    world.git(&["push", "--quiet", "origin", "main"]);
    lose(&world, LOST);
    let all = world.git(&["rev-list", "--count", "main"]).trim().parse::<u64>().expect("a number");
    let config = world.clone.join(".git/config");
    let before = std::fs::read(&config).expect("settings");
    let fork = world.scene.path("fork.git").to_str().expect("text").to_owned();
    for address in ["../fork.git", &fork, &format!("file://{fork}")] {
        for key in ["remote.pushDefault", "branch.main.pushRemote", "branch.main.remote", ""] {
            let mut arguments = vec!["--json"];
            if key.is_empty() {
                arguments.extend(["--remote", address]);
            } else {
                world.git(&["config", key, address]);
                world.git(&["config", "push.default", "current"]);
                assert_eq!(pushed_by_git(&world), Some(("fork".to_owned(), MAIN.to_owned())), "{key}={address}");
            }
            let report = changes_nothing(&world, &arguments).ends(1).json();
            assert_eq!((place(&report), &report["commits"]), ((address, MAIN), &all.into()), "{key}: {report}");
            assert_eq!(report["missing_list"][0]["oid"], blob_of(LOST).oid, "{key}={address}: {report}");
            std::fs::write(&config, &before).expect("settings");
        }
    }
    // A login in an address is nobody's to read.
    world.git(&["config", "remote.pushDefault", "http://me:pw-5ecret@127.0.0.1:1/r.git"]);
    for voice in [&["--json"][..], &[]] {
        let ran = changes_nothing(&world, voice).ends(1);
        assert!(!format!("{}{}", ran.out, ran.err).contains("5ecret"), "{}{}", ran.out, ran.err);
    }
}

/// A commit that is at one remote, and not at the one that is pushed to, stays as others have it.
#[test]
fn what_a_remote_has_already_is_not_made_anew() {
    let world = gated();
    world.scene.upload(KEPT);
    world.scene.upload(LOST);
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "--bare", "remote.git", "fork.git"]);
    world.git(&["remote", "add", "fork", world.scene.path("fork.git").to_str().expect("text")]);
    world.git(&["fetch", "--quiet", "fork"]);
    session(&world, "one", &[("raw.jsonl", KEPT), ("session.md", LOST)]);
    commit(&world);
    world.git(&["push", "--quiet", "origin", "main"]);
    lose(&world, LOST);
    let config = world.clone.join(".git/config");
    let before = std::fs::read(&config).expect("settings");
    // Where no ref here tells of the branch there, nothing is made anew anyway.
    let (shared, unknown) = ("a remote has some of these commits already", "the branch has no upstream");
    for (settings, says) in [
        (&["remote.pushDefault=fork"][..], shared),
        (&["remote.pushDefault=fork", "remote.fork.fetch="], unknown),
        (&["remote.pushDefault=fork", "remote.fork.push=main:refs/heads/new"], unknown),
        (&["remote.pushDefault=../fork.git"], unknown),
    ] {
        for setting in settings {
            match setting.split_once('=').expect("KEY=VALUE") {
                (key, "") => world.git(&["config", "--unset-all", key]),
                (key, value) => world.git(&["config", key, value]),
            };
        }
        let plan = changes_nothing(&world, &["--json"]).ends(1).json();
        assert_eq!(plan["missing_list"][0]["oid"], blob_of(LOST).oid, "{settings:?}: {plan}");
        let (repairable, squashed) = (&plan["repairable"], &plan["squashed"]);
        assert_eq!((repairable, squashed), (&false.into(), &false.into()), "{settings:?}: {plan}");
        let why = plan["not_repairable"]["detail"].as_str().expect("words");
        assert!(why.contains(says), "{settings:?}: {why}");
        let before_repair = state(&world);
        let done = reconcile(&world, &["--repair", "--json"]).ends(3).json();
        let why = done["error"]["detail"].as_str().expect("words");
        assert!(why.contains(says), "{settings:?}: {done}");
        let after = state(&world);
        assert!((before_repair.0, before_repair.1) == (after.0, after.1), "{settings:?}: refs and index");
        std::fs::write(&config, &before).expect("settings");
    }
}
