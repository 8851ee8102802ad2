//! Any LFS repository: finding pointers and the server, the cache, content in the place of pointers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hydrant_host::files::digest::blob_of;

use hydrant_kit::scene::{Scene, TOKEN, noise, pointer};

/// A repository of pointers whose content is on the server, told where that is.
fn tree(scene: &Scene, files: &[(&str, &[u8])]) -> std::path::PathBuf {
    for (name, bytes) in files {
        scene.upload(bytes);
        scene.file(&format!("tree/{name}"), pointer(bytes).as_bytes());
    }
    let tree = scene.repository("tree");
    scene.git(&tree, &["config", "lfs.url", &scene.url()]);
    tree
}

#[test]
fn a_repository_of_the_real_git_lfs_hydrates_and_takes_content_in_place() {
    let scene = Scene::new();
    if !scene.has_git_lfs() {
        return;
    }
    let large = noise(3_000_000, 1);
    let ann = scene.repository("ann");
    scene.git(&ann, &["config", "lfs.url", &scene.url()]);
    scene.git(&ann, &["config", "lfs.locksverify", "false"]);
    scene.git(&ann, &["lfs", "install", "--local"]);
    scene.git(&ann, &["lfs", "track", "*.bin"]);
    scene.file("ann/large.bin", &large);
    scene.file("ann/sub/small.bin", b"small content");
    scene.file("ann/plain.txt", b"plain");
    scene.commit(&ann);
    scene.git(&scene.folder, &["init", "--quiet", "--bare", "remote.git"]);
    scene.git(&ann, &["push", "--quiet", "../remote.git", "main"]);

    scene.git(&scene.folder, &["clone", "--quiet", "--branch=main", "remote.git", "bob"]);
    let bob = scene.path("bob");
    scene.git(&bob, &["config", "lfs.url", &scene.url()]);
    scene.git(&bob, &["lfs", "install", "--local", "--skip-smudge"]);
    let ran = scene.hydrant(&bob, &["hydrate", "--json"]).ends(0).json();
    assert_eq!((&ran["objects"], &ran["present"], &ran["ok"]), (&2.into(), &2.into(), &true.into()), "{ran}");
    assert!(scene.cached(&bob, &blob_of(&large).oid).is_some_and(|bytes| bytes == large));
    assert_eq!(fs::read_to_string(bob.join("large.bin")).expect("a pointer"), pointer(&large));
    assert_eq!(scene.git(&bob, &["status", "--porcelain"]), "");

    // Without a server now: everything is in the cache.
    let before = scene.server.stats();
    let ran = scene.hydrant(&bob, &["hydrate", "--in-place", "--json"]).ends(0).json();
    assert_eq!(ran["in_place"], 2, "{ran}");
    assert_eq!(scene.server.stats().batches, before.batches);
    assert!(fs::read(bob.join("large.bin")).expect("content") == large);
    assert_eq!(fs::read(bob.join("sub/small.bin")).expect("content"), b"small content");
    assert_eq!(scene.git(&bob, &["status", "--porcelain"]), "");
}

#[test]
fn what_hydrant_uploads_the_real_git_lfs_pulls() {
    let scene = Scene::new();
    if !scene.has_git_lfs() {
        return;
    }
    let content = noise(200_000, 2);
    let tree = tree(&scene, &[("a.bin", &content)]);
    scene.git(&tree, &["lfs", "install", "--local"]);
    scene.file("tree/.gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\n");
    scene.commit(&tree);
    scene.git(&tree, &["lfs", "pull"]);
    assert!(fs::read(tree.join("a.bin")).expect("content") == content);
}

#[test]
fn only_the_same_pointer_gives_way_to_content() {
    let scene = Scene::new();
    let tree = tree(&scene, &[("a", b"content of a"), ("run", b"content of run"), ("sub/b", b"content of b")]);
    fs::set_permissions(tree.join("run"), fs::Permissions::from_mode(0o755)).expect("its mode");
    scene.hydrant(&tree, &["hydrate", "--in-place", "sub"]).ends(0);
    assert_eq!(fs::read(tree.join("sub/b")).expect("there"), b"content of b");
    assert_eq!(fs::read_to_string(tree.join("a")).expect("there"), pointer(b"content of a"));

    fs::write(tree.join("a"), "the user's own words").expect("written");
    let said = scene.hydrant(&tree, &["hydrate", "--in-place"]).ends(0);
    assert!(said.out.contains("1 file in place"), "{}", said.out);
    assert_eq!(fs::read_to_string(tree.join("a")).expect("there"), "the user's own words");
    assert_eq!(fs::read(tree.join("run")).expect("there"), b"content of run");
    assert_eq!(fs::metadata(tree.join("run")).expect("there").permissions().mode() & 0o777, 0o755);
}

#[test]
fn one_file_that_cannot_be_written_keeps_no_other_from_it() {
    let scene = Scene::new();
    let large = noise(3_000_000, 6);
    let tree = tree(&scene, &[("a", b"content of a"), ("b", &large), ("c", b"content of c")]);
    scene.hydrant(&tree, &["hydrate"]).ends(0);
    // No file may grow beyond 2,000 blocks, and the signal that tells of it is ignored. The sandbox needs some of them.
    let mut limited = scene.program("/bin/sh", &tree);
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 2000; exec "$0" "$@""#, env!("CARGO_BIN_EXE_hydrant")]);
    let output = limited.args(["hydrate", "--in-place", "--json"]).output().expect("hydrant runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((&json["in_place"], &json["left"][0]["path"]), (&2.into(), &"b".into()), "{json}");
    assert_eq!(fs::read(tree.join("c")).expect("there"), b"content of c");
    assert_eq!(fs::read_to_string(tree.join("b")).expect("there"), pointer(&large));
}

#[test]
fn patterns_of_flags_and_configuration_choose() {
    let scene = Scene::new();
    let files: [(&str, &[u8]); 3] = [("a.psd", b"one!"), ("media/b.mp4", b"two!"), ("media/c.psd", b"three")];
    let tree = tree(&scene, &files);
    let count = |arguments: &[&str]| {
        let json = scene.hydrant(&tree, &[&["hydrate", "--json"], arguments].concat()).ends(0).json();
        json["objects"].as_u64().expect("a number")
    };
    assert_eq!(count(&["--include", "media"]), 2);
    assert_eq!(count(&["--exclude", "*.psd"]), 1);
    assert_eq!(count(&["media", "--exclude", "*.mp4"]), 1);
    scene.git(&tree, &["config", "lfs.fetchexclude", "media"]);
    assert_eq!(count(&[]), 1);
    assert_eq!(count(&["--exclude", ""]), 3);
    scene.git(&tree, &["config", "--unset", "lfs.fetchexclude"]);
    scene.file("tree/.lfsconfig", b"[lfs]\nfetchinclude = *.mp4\n");
    assert_eq!(count(&[]), 1);
}

#[test]
fn git_lfs_objects_are_a_second_source_that_is_verified() {
    let scene = Scene::new();
    let (good, bad) = (noise(70_000, 3), noise(70_000, 4));
    scene.file("tree/good", pointer(&good).as_bytes());
    scene.file("tree/bad", pointer(&bad).as_bytes());
    let tree = scene.repository("tree");
    let place = |bytes: &[u8]| {
        let oid = blob_of(bytes).oid;
        format!("tree/.git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4])
    };
    scene.file(&place(&good), &good);
    // The right length and other bytes.
    scene.file(&place(&bad), &noise(70_000, 5));
    scene.git(&tree, &["config", "lfs.url", &scene.url()]);
    let ran = scene.hydrant(&tree, &["hydrate", "--json"]).ends(1).json();
    assert_eq!(ran["present"], 1, "{ran}");
    assert!(scene.cached(&tree, &blob_of(&good).oid).is_some_and(|bytes| bytes == good));
    assert!(scene.cached(&tree, &blob_of(&bad).oid).is_none());
}

#[test]
fn a_server_that_only_a_commit_names_gets_no_login_unasked() {
    let scene = Scene::new();
    let oid = scene.upload(b"behind a login");
    scene.file("tree/file", pointer(b"behind a login").as_bytes());
    scene.file("tree/.lfsconfig", format!("[lfs]\nurl = {}\n", scene.bare_url()).as_bytes());
    let tree = scene.repository("tree");
    scene.git(&tree, &["remote", "add", "origin", "https://git.example.test/team/repo.git"]);
    let login = [("HYDRANT_LFS_TOKEN", TOKEN)];
    let said = scene.hydrant_with(&tree, &login, &["hydrate"]);
    assert!(matches!(said.code, 1 | 3), "{} {}", said.code, said.err);
    assert!(said.err.contains("approval"), "{}", said.err);
    assert!(scene.cached(&tree, &oid).is_none());
    scene.hydrant_with(&tree, &login, &["hydrate", "--trust-endpoint"]).ends(0);
    assert!(scene.cached(&tree, &oid).is_some());
    // The user's own configuration is a word of trust, too.
    fs::remove_dir_all(tree.join(".git/hydrant")).expect("the cache");
    scene.git(&tree, &["config", "lfs.url", &scene.bare_url()]);
    scene.hydrant_with(&tree, &login, &["hydrate"]).ends(0);
}

#[test]
fn ssh_remotes_are_asked_through_the_users_ssh() {
    let scene = Scene::new();
    scene.upload(b"over ssh");
    scene.file("tree/file", pointer(b"over ssh").as_bytes());
    let tree = scene.repository("tree");
    scene.git(&tree, &["remote", "add", "origin", "ssh://git@git.example.test:2222/team/repo.git"]);
    let answer = format!(r#"{{"href":"{}","header":{{"Authorization":"Bearer {TOKEN}"}}}}"#, scene.bare_url());
    let script =
        format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}/asked\nprintf '%s' '{answer}'\n", scene.folder.display());
    let ssh = scene.file("fake-ssh", script.as_bytes());
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("its mode");
    let said = scene.hydrant_with(&tree, &[("GIT_SSH_COMMAND", &ssh.display().to_string())], &["hydrate"]).ends(0);
    assert!(!said.out.contains(TOKEN) && !said.err.contains(TOKEN));
    let asked = fs::read_to_string(scene.path("asked")).expect("it was asked");
    assert_eq!(asked, "-p\n2222\n--\ngit@git.example.test\ngit-lfs-authenticate /team/repo.git download\n");
}

#[test]
fn a_login_that_a_build_service_left_in_the_configuration_is_used_for_its_server_alone() {
    let scene = Scene::new();
    scene.upload(b"with a header");
    scene.file("tree/file", pointer(b"with a header").as_bytes());
    let tree = scene.repository("tree");
    scene.git(&tree, &["config", "lfs.url", &scene.bare_url()]);
    let header = format!("AUTHORIZATION: bearer {TOKEN}");
    scene.git(&tree, &["config", "http.https://elsewhere.test/.extraheader", &header]);
    assert_ne!(scene.hydrant(&tree, &["hydrate"]).code, 0);
    scene.git(&tree, &["config", &format!("http.{}/.extraheader", scene.server.url()), &header]);
    let said = scene.hydrant(&tree, &["hydrate", "-v"]).ends(0);
    assert!(!said.err.contains(TOKEN));
}

#[test]
fn places_that_make_no_sense_are_misuse() {
    let scene = Scene::new();
    let tree = tree(&scene, &[("a", b"content of a")]);
    assert!(scene.hydrant(&scene.folder, &["hydrate"]).ends(2).err.contains("no git repository"));
    assert!(scene.hydrant(&scene.folder, &["status"]).ends(2).err.contains("no git repository"));
    scene.hydrant(&tree, &["hydrate", "no-such-file"]).ends(2);
    scene.hydrant(&tree, &["hydrate", "../elsewhere"]).ends(2);
    scene.hydrant(&tree, &["hydrate", ".git"]).ends(2);
    std::os::unix::fs::symlink("/usr", tree.join("link")).expect("a link");
    assert!(scene.hydrant(&tree, &["hydrate", "link/share"]).ends(2).err.contains("symlink"));
    scene.hydrant(&tree, &["hydrate", "--no-such-flag"]).ends(2);
    scene.hydrant(&tree, &["status", "a-session"]).ends(2);
    assert!(scene.hydrant(Path::new("/"), &["nonsense"]).ends(2).err.contains("nonsense"));
}

#[test]
fn broken_pointers_are_named() {
    let scene = Scene::new();
    let tree = tree(&scene, &[("a", b"content of a")]);
    scene.file("tree/broken", pointer(b"x").replace("sha256:", "md5:").as_bytes());
    let said = scene.hydrant(&tree, &["hydrate"]).ends(1);
    assert!(said.err.contains("broken: a broken pointer, line 2"), "{}", said.err);
    assert_eq!(scene.hydrant(&tree, &["status", "--json"]).ends(1).json()["broken"], 1);
}

#[test]
fn the_objects_of_borrowed_repositories_are_a_source_too() {
    let content = noise(70_000, 8);
    let oid = blob_of(&content).oid;
    let object = |store: &str| format!("{store}/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]);
    // Where the object lies, and what the list of the borrowed stores says; `@` is the scene's folder.
    for (what, store, lists, settings) in [
        ("the absolute path", "lender/.git/lfs", [("tree", "@/lender/.git/objects\n")].as_slice(), None),
        ("a relative path", "lender/.git/lfs", &[("tree", "../../../lender/.git/objects\n")], None),
        ("a comment first", "lender/.git/lfs", &[("tree", "# borrowed\n\n@/lender/.git/objects")], None),
        ("in quotes", "lender/.git/lfs", &[("tree", "\"@/lend\\145r/.git/objects\"\n")], None),
        (
            "a borrower of a borrower",
            "lender/.git/lfs",
            &[("tree", "@/middle/.git/objects\n"), ("middle", "../../../lender/.git/objects\n")],
            None,
        ),
        (
            "in a circle",
            "lender/.git/lfs",
            &[("tree", "@/lender/.git/objects\n"), ("lender", "@/tree/.git/objects\n")],
            None,
        ),
        ("a store elsewhere", "lender/media", &[("tree", "@/lender/.git/objects\n")], Some(("lender", "../media"))),
        ("an absolute one", "media", &[("tree", "@/lender/.git/objects\n")], Some(("lender", "@/media"))),
        ("the own setting", "media", &[], Some(("tree", "@/media"))),
    ] {
        let scene = Scene::new();
        scene.file("tree/file.bin", pointer(&content).as_bytes());
        for name in ["lender", "middle"] {
            scene.repository(name);
        }
        let tree = scene.repository("tree");
        let at = |text: &str| text.replace('@', scene.folder.to_str().expect("text"));
        scene.file(&object(store), &content);
        for (name, list) in lists {
            scene.file(&format!("{name}/.git/objects/info/alternates"), at(list).as_bytes());
        }
        if let Some((name, storage)) = settings {
            scene.git(&scene.path(name), &["config", "lfs.storage", &at(storage)]);
        }
        scene.git(&tree, &["config", "lfs.url", "http://127.0.0.1:9/x"]);
        let status = scene.hydrant(&tree, &["status", "--json"]).ends(0).json();
        assert_eq!(status["present"], 1, "{what}: {status}");
        let ran = scene.hydrant(&tree, &["hydrate", "--in-place", "--retries", "0"]);
        assert_eq!(ran.code, 0, "{what}: {}", ran.err);
        assert!(fs::read(tree.join("file.bin")).expect("there") == content, "{what}");
    }
    // What lies there under a wrong name is never taken.
    let scene = Scene::new();
    scene.file("tree/file.bin", pointer(&content).as_bytes());
    let (lender, tree) = (scene.repository("lender"), scene.repository("tree"));
    scene.file(&object("lender/.git/lfs"), &noise(70_000, 9));
    scene.file("tree/.git/objects/info/alternates", format!("{}/.git/objects\n", lender.display()).as_bytes());
    scene.git(&tree, &["config", "lfs.url", "http://127.0.0.1:9/x"]);
    assert_ne!(scene.hydrant(&tree, &["hydrate", "--retries", "0"]).code, 0);
    assert!(scene.cached(&tree, &oid).is_none());
}
