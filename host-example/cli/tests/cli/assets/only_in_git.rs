//! Pointers that git has and that do not stand in the work tree.

use std::fs;
use std::path::Path;

use hydrant_kit::scene::{Scene, noise, pointer};

/// A pointer that git has and that does not stand here: `show` names a step, and the step does it.
#[test]
fn what_only_git_has_is_fetched_by_its_name() {
    let scene = Scene::new();
    let content = noise(3_000, 51);
    scene.upload(&content);
    let path = "d/a b.bin";
    // How it came to be missing.
    type Row<'a> = (&'a str, &'a dyn Fn(&Path));
    let table: [Row<'_>; 5] = [
        ("deleted", &|it| fs::remove_dir_all(it.join("d")).expect("removed")),
        ("file-in-the-way", &|it| {
            fs::remove_dir_all(it.join("d")).expect("removed");
            fs::write(it.join("d"), b"words").expect("written");
        }),
        ("sparse", &|it| drop(scene.git(it, &["sparse-checkout", "set", "src"]))),
        ("staged-removal", &|it| drop(scene.git(it, &["rm", "--quiet", "-r", "d"]))),
        ("only-staged", &|it| {
            scene.git(it, &["update-ref", "-d", "HEAD"]);
            fs::remove_dir_all(it.join("d")).expect("removed");
        }),
    ];
    for (row, lose) in table {
        scene.file(&format!("{row}/{path}"), pointer(&content).as_bytes());
        scene.file(&format!("{row}/src/words"), b"x");
        let repository = scene.repository(row);
        scene.git(&repository, &["config", "lfs.url", &scene.url()]);
        lose(&repository);
        let shown = |here: &Path, path: &str| {
            let output = scene.hydrant_command(here).args(["show", path]).output().expect("hydrant runs");
            (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
        };
        for (here, path) in [(repository.clone(), path.to_owned()), (repository.join("src"), format!("../{path}"))] {
            scene.hydrant(&repository, &["cache", "clear", "--yes"]).ends(0);
            let (code, _, said) = shown(&here, &path);
            assert_eq!(code, Some(1), "{row}: {said}");
            let step = said.split('`').nth(1).expect("a step");
            assert_eq!(step, format!("hydrant hydrate '{path}'"), "{row}");
            scene.hydrant(&here, &["hydrate", &path]).ends(0);
            let (code, bytes, said) = shown(&here, &path);
            assert!(code == Some(0) && bytes == content, "{row}: {said}");
            assert!(!repository.join("d/a b.bin").exists(), "{row}: nothing is written there");
        }
        scene.hydrant(&repository, &["cache", "clear", "--yes"]).ends(0);
        if row != "file-in-the-way" {
            scene.hydrant(&repository, &["hydrate", "d"]).ends(0);
            assert_eq!(shown(&repository, path).0, Some(0), "{row}: by its folder");
        }
        let said = scene.hydrant(&repository, &["hydrate", "--in-place", path]).ends(2).err;
        assert!(said.contains("only git has it"), "{row}: {said}");
        scene.hydrant(&repository, &["hydrate", "d/other.bin"]).ends(2);
    }
}
