//! What a commit can say and do: it names no program, no login, and no server that the user would not have asked.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use hydrant_kit::scene::{Scene, TOKEN, pointer};

const CONTENT: &[u8] = b"behind a login";
const LOGIN: [(&str, &str); 1] = [("HYDRANT_LFS_TOKEN", TOKEN)];

/// A repository whose remote is a public server that nobody reaches, and whose commit names this URL.
fn led(scene: &Scene, url: &str) -> PathBuf {
    scene.upload(CONTENT);
    scene.file("tree/file", pointer(CONTENT).as_bytes());
    scene.file("tree/.lfsconfig", format!("[lfs]\nurl = {url}\n").as_bytes());
    let tree = scene.repository("tree");
    scene.git(&tree, &["remote", "add", "origin", "https://git.example.test/team/repo.git"]);
    tree
}

#[test]
fn a_committed_folder_that_looks_like_a_repository_runs_nothing() {
    let scene = Scene::new();
    let marker = scene.path("it-ran");
    let program = scene.file("program", format!("#!/bin/sh\ntouch {}\n", marker.display()).as_bytes());
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let config = format!(
        "[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\nsshCommand = {program}\n\
         fsmonitor = {program}\n[credential]\nhelper = {program}\n[lfs]\nurl = ssh://git@git.example.test/r.git\n",
        program = program.display(),
    );
    scene.file("tree/docs/config", config.as_bytes());
    scene.file("tree/docs/HEAD", b"ref: refs/heads/main\n");
    scene.file("tree/docs/objects/keep", b"");
    scene.file("tree/docs/refs/keep", b"");
    scene.file("tree/docs/file", pointer(CONTENT).as_bytes());
    scene.file("tree/docs/list", format!("{} 5\n", "a".repeat(64)).as_bytes());
    let docs = scene.repository("tree").join("docs");
    let older = older_git(&scene);
    let (now, url) = (env::var("PATH").expect("a PATH"), scene.bare_url());
    for path in [now.clone(), format!("{}:{now}", older.display())] {
        for arguments in [
            &["status"][..],
            &["hydrate"],
            &["hydrate", "--in-place", "--trust-endpoint"],
            &["upload", "file"],
            &["cache", "list"],
            // Where only a login is asked for.
            &["batch", "download", "--objects", "list", "--endpoint", &url],
        ] {
            let ran = scene.hydrant_with(&docs, &[("PATH", &path)], arguments);
            assert_ne!(ran.code, 0, "{arguments:?}");
        }
    }
    assert!(!marker.exists() && !docs.join("hydrant").exists());
}

/// A folder with a git that does not know the setting against such folders.
fn older_git(scene: &Scene) -> PathBuf {
    let real = env::split_paths(&env::var_os("PATH").expect("a PATH"))
        .map(|folder| folder.join("git"))
        .find(|program| program.is_file())
        .expect("tests need git");
    let script =
        format!("#!/bin/sh\ncase \"$2\" in safe.bareRepository=*) shift 2 ;; esac\nexec {} \"$@\"\n", real.display());
    let program = scene.file("older/git", script.as_bytes());
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    scene.path("older")
}

#[test]
fn a_server_that_only_a_commit_names_is_not_asked_when_it_is_nearer() {
    let scene = Scene::new();
    let tree = led(&scene, &scene.bare_url());
    let before = scene.server.stats();
    let said = scene.hydrant_with(&tree, &LOGIN, &["hydrate"]).ends(3);
    assert!(said.err.contains("approval"), "{}", said.err);
    assert_eq!(scene.server.stats().batches, before.batches);
    scene.hydrant_with(&tree, &LOGIN, &["hydrate", "--trust-endpoint"]).ends(0);
    // Where the user's own server is this machine, another one here is no nearer: it is asked, without a login.
    fs::remove_dir_all(tree.join(".git/hydrant")).expect("the cache");
    scene.git(&tree, &["remote", "set-url", "origin", "http://127.0.0.1:9/team/repo.git"]);
    let said = scene.hydrant_with(&tree, &LOGIN, &["hydrate"]);
    assert!(matches!(said.code, 1 | 3) && said.err.contains("approval"), "{} {}", said.code, said.err);
    assert!(scene.server.stats().batches > before.batches);
}

#[test]
fn content_goes_to_no_server_that_only_a_commit_names() {
    let scene = Scene::new();
    let tree = led(&scene, &scene.bare_url());
    scene.file("tree/new", b"content of the user's");
    let upload = |more: &[&str]| scene.hydrant_with(&tree, &LOGIN, &[&["upload", "new"], more].concat());
    let puts = scene.server.stats().puts;
    for remote in ["https://git.example.test/r.git", "http://127.0.0.1:9/r.git", &format!("{}/own", scene.server.url())]
    {
        scene.git(&tree, &["remote", "set-url", "origin", remote]);
        let said = upload(&[]).ends(3);
        assert!(said.err.contains("approval"), "{remote}: {}", said.err);
    }
    assert_eq!(scene.server.stats().puts, puts);
    upload(&["--trust-endpoint"]).ends(0);
    assert_eq!(scene.server.stats().puts, puts + 1);
}

#[test]
fn a_login_that_a_commit_brings_counts_after_the_user_agreed() {
    let scene = Scene::new();
    let tree = led(&scene, &scene.url());
    // Another server on this machine, so that this one may be asked.
    scene.git(&tree, &["remote", "set-url", "origin", "http://127.0.0.1:9/team/repo.git"]);
    let hydrate = |more: &[&str]| {
        fs::remove_dir_all(tree.join(".git/hydrant")).ok();
        scene.hydrant(&tree, &[&["hydrate"], more].concat()).code
    };
    assert_ne!(hydrate(&[]), 0, "nobody agreed");
    assert_eq!(hydrate(&["--trust-endpoint"]), 0);
    assert_eq!(hydrate(&[]), 0, "it is noted in the clone");
    let config = fs::read_to_string(tree.join(".git/config")).expect("the clone's configuration");
    assert!(config.contains("trustedlogin") && !config.contains(TOKEN), "{config}");
    let rewrite = |url: &str| scene.file("tree/.lfsconfig", format!("[lfs]\nurl = {url}\n").as_bytes());
    rewrite(&scene.url().replace("//me:", "//you:"));
    assert_ne!(hydrate(&[]), 0, "another login is another question");
    rewrite(&scene.url());
    assert_eq!(hydrate(&[]), 0);
    // The same words need no agreement where the user wrote them.
    scene.git(&tree, &["config", "--unset-all", &format!("hydrant.{}.trustedlogin", scene.server.url())]);
    assert_ne!(hydrate(&[]), 0);
    scene.git(&tree, &["config", "lfs.url", &scene.url()]);
    assert_eq!(hydrate(&[]), 0);
}

#[test]
fn a_login_of_the_users_own_is_nobody_elses() {
    let scene = Scene::new();
    let tree = led(&scene, &scene.bare_url());
    let server = scene.server.url();
    let base = server.replace("http://", &format!("http://me:{TOKEN}@"));
    scene.git(&tree, &["config", &format!("url.{base}/.insteadOf"), &format!("{server}/")]);
    for (remote, flag, agrees) in [
        // Another server on this machine: this one is a commit's choice, and gets no login of the user's unasked.
        ("http://127.0.0.1:9/team/repo.git", "--json", false),
        ("http://127.0.0.1:9/team/repo.git", "--trust-endpoint", true),
        (&format!("{server}/team/other.git"), "--json", true),
        (&format!("{server}/team/other.git"), "--trust-endpoint", true),
    ] {
        fs::remove_dir_all(tree.join(".git/hydrant")).ok();
        scene.git(&tree, &["remote", "set-url", "origin", remote]);
        let said = scene.hydrant(&tree, &["hydrate", "--retries", "0", flag]);
        assert_eq!(said.code == 0, agrees, "{remote} {flag}: {}", said.err);
        // It is not the repository's, so there is nothing to agree to, and no digest of it is noted.
        let config = fs::read_to_string(tree.join(".git/config")).expect("the clone's configuration");
        assert!(!config.contains("trustedlogin"), "{config}");
    }
}

#[test]
fn a_commit_chooses_among_the_remotes_of_the_user_alone() {
    let scene = Scene::new();
    scene.upload(CONTENT);
    scene.file("tree/file", pointer(CONTENT).as_bytes());
    let tree = scene.repository("tree");
    scene.git(&tree, &["remote", "add", "origin", "http://127.0.0.1:9/team/repo.git"]);
    scene.git(&tree, &["remote", "add", "mirror", &scene.url().replace("/info/lfs", "")]);
    let hydrate = |chosen: &str| {
        fs::remove_dir_all(tree.join(".git/hydrant")).ok();
        scene.file("tree/.lfsconfig", format!("[remote]\nlfsdefault = {chosen}\n").as_bytes());
        scene.hydrant(&tree, &["hydrate", "--retries", "0"]).code
    };
    assert_eq!(hydrate("mirror"), 0);
    for other in ["origin", "nobody", &scene.url().replace("/info/lfs", "")] {
        assert_ne!(hydrate(other), 0, "{other}");
    }
}

#[test]
fn an_address_that_is_none_is_misuse_and_plain_http_says_what_allows_it() {
    let scene = Scene::new();
    let list = scene.file("list", b"");
    let list = list.to_str().expect("text");
    for endpoint in ["foo", "ftp://me:geheim@x/y", "http:", "file:///x", ""] {
        let said =
            scene.hydrant(&scene.folder, &["batch", "download", "--objects", list, "--endpoint", endpoint]).ends(2);
        assert!(said.err.contains("an http or https URL is expected"), "{endpoint}: {}", said.err);
        assert!(!said.err.contains("geheim"), "{}", said.err);
    }
    let far = ["batch", "download", "--objects", list, "--endpoint", "http://192.0.2.1/x"];
    let said = scene.hydrant(&scene.folder, &far).ends(3);
    assert!(said.err.contains("--insecure-http"), "{}", said.err);
    assert_eq!(scene.hydrant(&scene.folder, &[&far[..], &["--json"]].concat()).json()["error"]["code"], "blocked");
}

#[test]
fn a_pipe_in_the_place_of_netrc_ends_nothing_in_a_wait() {
    let scene = Scene::new();
    let served = scene.url();
    let list = scene.file("list", b"");
    let home = scene.path("home-with-pipe");
    fs::create_dir(&home).expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(home.join(".netrc")).status().expect("mkfifo runs");
    assert!(made.success());
    let arguments = ["batch", "download", "--objects", list.to_str().expect("text"), "--endpoint", &served];
    scene.hydrant_with(&scene.folder, &[("HOME", home.to_str().expect("text"))], &arguments).ends(0);
}
