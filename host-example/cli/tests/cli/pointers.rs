//! One file at a time, and folders full of them: `pointer`, `scan`, `completions`, `man`.

use std::fs;
use std::process::Command;

use hydrant_host::files::digest::blob_of;

use hydrant_kit::scene::{Scene, pointer};

#[test]
fn check_ends_as_git_lfs_does() {
    let scene = Scene::new();
    let good = pointer(b"some content");
    for (name, text, code) in [
        ("canonical", good.clone(), 0),
        ("not-canonical", good.trim_end().to_owned(), 2),
        ("content", "just words".to_owned(), 1),
        ("broken", good.replace("sha256", "md5"), 1),
    ] {
        let path = scene.file(name, text.as_bytes());
        scene.hydrant(&scene.folder, &["pointer", "check", name]).ends(code);
        if scene.has_git_lfs() {
            let mut git = Command::new("git");
            git.args(["lfs", "pointer", "--check", "--strict", "--file"]).arg(&path);
            assert_eq!(git.output().expect("git runs").status.code(), Some(code), "{name}");
        }
    }
}

#[test]
fn show_and_make_agree() {
    let scene = Scene::new();
    scene.file("content", b"some content");
    let made = scene.hydrant(&scene.folder, &["pointer", "make", "content"]).ends(0).out;
    assert_eq!(made, pointer(b"some content"));
    scene.file("made", made.as_bytes());
    let shown = scene.hydrant(&scene.folder, &["pointer", "show", "made", "--json"]).ends(0).json();
    assert_eq!((&shown["oid"], &shown["size"]), (&blob_of(b"some content").oid.into(), &12.into()));
    let refused = scene.hydrant(&scene.folder, &["pointer", "make", "made"]).ends(1);
    assert!(refused.out.is_empty() && refused.err.contains("pointer"));
    scene.hydrant(&scene.folder, &["pointer", "show", "content"]).ends(1);
    scene.hydrant(&scene.folder, &["pointer", "show", "absent"]).ends(2);
    scene.hydrant(&scene.folder, &["pointer", "show", "."]).ends(2);
}

#[test]
fn scan_lists_pointers_and_names_what_is_broken() {
    let scene = Scene::new();
    for (name, text) in [
        ("tree/b/two words", pointer(b"2")),
        ("tree/a", pointer(b"1")),
        ("tree/.git/hidden", pointer(b"3")),
        ("tree/text", "about git-lfs".to_owned()),
        ("tree/new\nline", pointer(b"4")),
    ] {
        scene.file(name, text.as_bytes());
    }
    let tree = scene.path("tree");
    let expected = format!(
        "{} 1 a\n{} 1 b/two words\n{} 1 \"new\\nline\"\n",
        blob_of(b"1").oid,
        blob_of(b"2").oid,
        blob_of(b"4").oid
    );
    assert_eq!(scene.hydrant(&tree, &["scan"]).ends(0).out, expected);
    assert_eq!(scene.hydrant(&scene.folder, &["scan", "tree"]).ends(0).out, expected);
    let json = scene.hydrant(&tree, &["scan", "--json"]).ends(0).json();
    assert_eq!((&json["pointers"], &json["files"]), (&3.into(), &4.into()));
    fs::write(tree.join("broken"), pointer(b"5").replace("oid", "did")).expect("written");
    let said = scene.hydrant(&tree, &["scan"]).ends(1);
    assert_eq!(said.out, expected);
    assert!(said.err.contains("broken: a broken pointer, line 2"), "{}", said.err);
    scene.hydrant(&tree, &["scan", "no-such-folder"]).ends(2);
}

#[test]
fn help_completions_and_manual_pages_are_there() {
    let scene = Scene::new();
    let help = scene.hydrant(&scene.folder, &["--help"]).ends(0).out;
    for command in ["demo", "status", "hydrate", "show", "pointer", "batch", "cache", "scan", "upload", "serve"] {
        assert!(help.contains(command), "{command}");
        let own = scene.hydrant(&scene.folder, &[command, "--help"]).ends(0).out;
        assert!(own.contains("Example") || own.contains("Commands:"), "{own}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(scene.hydrant(&scene.folder, &["completions", shell]).ends(0).out.contains("hydrant"));
    }
    scene.hydrant(&scene.folder, &["man", "--into", "pages/man1"]).ends(0);
    let page = fs::read_to_string(scene.folder.join("pages/man1/hydrant-pointer-make.1")).expect("a page");
    assert!(page.contains("Print the canonical pointer"), "{page}");
    assert!(!scene.folder.join("pages/man1/hydrant-man.1").exists(), "it is for whoever packs a release");
    let said = scene.hydrant(&scene.folder, &["man", "--into", "pages/man1/hydrant.1"]).ends(3);
    assert!(said.err.contains("the manual pages cannot be written"), "{}", said.err);
    scene.hydrant::<&str>(&scene.folder, &[]).ends(2);
}
