//! `hydrant serve`: its token, its store, and what it says when it starts.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hydrant_kit::scene::Scene;
use serde_json::Value;

/// What a server said on both of its outputs before it was told to end.
fn said(command: &mut Command, last: impl Fn(&str) -> bool) -> (String, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("hydrant runs");
    let mut out = String::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        out += &line;
        out.push('\n');
        if last(&line) {
            break;
        }
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).ok();
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    child.wait().expect("it ends");
    (out, err)
}

fn document(command: &mut Command) -> Value {
    let (out, err) = said(command.arg("--json"), |line| line == "}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
}

fn token(command: &mut Command) -> String {
    document(command)["token"].as_str().expect("a token").to_owned()
}

fn serve(scene: &Scene, directory: &Path) -> Command {
    let mut command = scene.hydrant_command(directory);
    command.arg("serve");
    command
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn the_token_of_a_store_stays_and_a_commit_takes_neither() {
    let scene = Scene::new();
    let repository = scene.repository("work");
    let run = || serve(&scene, &repository);
    let first = token(&mut run());
    assert_eq!(token(&mut run()), first, "the default store");
    assert_eq!(token(run().args(["--store", "./hydrant-objects/"])), first, "however it is named");
    assert_ne!(token(run().args(["--store", "other"])), first, "another store");
    assert_eq!(scene.git(&repository, &["status", "--porcelain", "--untracked-files=all"]), "");

    let folder = scene.path("home/.local/state/hydrant/serve");
    let files: Vec<_> = fs::read_dir(&folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600) && mode(&folder) == 0o700);
    fs::remove_file(files.iter().find(|file| fs::read_to_string(file).expect("text").trim() == first).expect("there"))
        .expect("removed");
    assert_ne!(token(&mut run()), first, "a new one, as the user wanted");

    let elsewhere = scene.path("state");
    let of = |state: &Path| token(run().env("XDG_STATE_HOME", state));
    assert_eq!(of(&elsewhere), of(&elsewhere));
    assert!(elsewhere.join("hydrant/serve").is_dir());
    assert_eq!(of(Path::new("state")), token(&mut run()), "a relative path counts as none");
    assert!(!repository.join("state").exists());

    for file in &files {
        fs::write(file, "two words").expect("written");
    }
    let ran = scene.hydrant(&repository, &["serve"]).ends(3);
    assert!(ran.err.contains("one word"), "what is there and wrong is the user's to mend: {}", ran.err);
}

#[test]
fn without_a_place_for_it_the_token_is_for_one_run_and_that_is_said() {
    let scene = Scene::new();
    let work_tree = scene.repository("home-in-git");
    let file = scene.file("file", b"x");
    scene.file("half/.local", b"x");
    let circle = scene.path("circle");
    std::os::unix::fs::symlink(&circle, &circle).expect("a link");
    let homes = [
        None,
        Some(work_tree.clone()),
        Some("/dev/null".into()),
        Some(file),
        Some(scene.path("half")),
        Some(circle),
        Some(scene.path(&"long".repeat(100))),
    ];
    for home in &homes {
        let run = || {
            let mut command = serve(&scene, &scene.folder);
            match home {
                None => command.env_remove("HOME"),
                Some(home) => command.env("HOME", home),
            };
            command
        };
        assert_ne!(token(&mut run()), token(&mut run()), "{home:?}");
        let (_, err) = said(&mut run(), |line| line.starts_with("token"));
        assert!(err.contains("for this run") && err.contains("--token-file"), "{err}");
        assert_eq!(scene.git(&work_tree, &["status", "--porcelain", "--untracked-files=all"]), "");
    }
}

#[test]
fn a_token_comes_from_a_file_or_a_variable() {
    let scene = Scene::new();
    let run = || serve(&scene, &scene.folder);
    let made = scene.path("deep/token");
    let made_args = ["--token-file", made.to_str().expect("text")];
    let first = token(run().args(made_args));
    assert_eq!(mode(&made), 0o600);
    assert_eq!(token(run().args(made_args)), first);
    assert_eq!(fs::read_to_string(&made).expect("there").trim(), first);
    assert_eq!(token(run().env("HYDRANT_SERVE_TOKEN", "of-mine")), "of-mine");
    assert_eq!(token(run().env("HYDRANT_SERVE_TOKEN", "of-mine").args(made_args)), first, "what is named counts");
    let open = document(run().env("HYDRANT_SERVE_TOKEN", "of-mine").arg("--open"));
    assert!(open["token"].is_null());
    assert!(!scene.path("home/.local").exists(), "nothing else was made");

    let repository = scene.repository("work");
    let loose = scene.file("loose", b"word");
    fs::set_permissions(&loose, fs::Permissions::from_mode(0o644)).expect("readable by all");
    let pipe = scene.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    for (file, why) in [
        (repository.join("token"), "work tree"),
        (loose, "chmod 600"),
        (pipe, "no file"),
        (scene.folder.clone(), "no file"),
    ] {
        let file = file.to_str().expect("text");
        let ran = scene.hydrant(&scene.folder, &["serve", "--store", "s", "--token-file", file]).ends(3);
        assert!(ran.err.contains(why), "{file}: {}", ran.err);
        let silent = scene.hydrant(&scene.folder, &["serve", "--open", "--token-file", file]).ends(2);
        assert!(silent.err.contains("--token-file"), "{}", silent.err);
    }
    let ran = scene.hydrant_with(&scene.folder, &[("HYDRANT_SERVE_TOKEN", "two words")], &["serve"]).ends(3);
    assert!(ran.err.contains("HYDRANT_SERVE_TOKEN") && !ran.err.contains("two words"), "{}", ran.err);
}

#[test]
fn the_banner_is_the_documented_one() {
    let scene = Scene::new();
    let mut run = serve(&scene, &scene.folder);
    let (out, err) = said(run.args(["--store", "served"]), |line| line.starts_with("token"));
    let lines: Vec<&str> = out.lines().collect();
    let [serving, user, token] = lines[..] else { panic!("{out}") };
    let url = serving.strip_prefix("serving ").expect("the address");
    let token = token.strip_prefix("token   ").expect("the token");
    assert_eq!(user, "user    hydrant");
    // Both outputs, as a terminal shows them.
    let banner = format!("{out}{err}").replace(url, "http://127.0.0.1:8080").replace(token, "5f0c…");
    let book = include_str!("../../../../docs/server.md");
    let shown = book.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a banner");
    let shown = shown.split_once('\n').expect("the command, then what it says").1;
    assert_eq!(banner.trim_end_matches("stopping\n"), shown);
}

#[test]
fn a_store_of_before_is_served_as_shared_and_that_is_said() {
    let scene = Scene::new();
    scene.file("flat/objects/aa/some-object", b"x");
    scene.file("flat/in-use", b"");
    let run = || serve(&scene, &scene.folder);
    let has_words = |args: &[&str]| {
        let (_, err) = said(run().args(args), |line| line.starts_with("token"));
        err.contains("one set of objects for all repositories")
    };
    assert!(has_words(&["--store", "flat"]));
    assert!(!has_words(&["--store", "flat", "--shared"]), "it was asked for");
    assert!(!has_words(&["--store", "new"]));
    assert_eq!(document(run().args(["--store", "flat"]))["shared"], true);
    assert_eq!(document(run().args(["--store", "new"]))["shared"], false);
    scene.file("new/repositories/some/object", b"x");
    let ran = scene.hydrant(&scene.folder, &["serve", "--store", "new", "--shared"]).ends(3);
    assert!(ran.err.contains("without --shared"), "{}", ran.err);
}
