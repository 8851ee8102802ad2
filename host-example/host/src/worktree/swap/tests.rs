//! Law 6 on a real file system: what is displaced when, and where its bytes are whatever happens.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::*;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::store::{Held, Look, PruneRule, Store};

const NAME: &str = "sessions/s/raw.jsonl";
const CONTENT: &[u8] = b"{\"type\":\"user\"}\n";

struct Bench {
    scratch: Scratch,
    tree: Files,
}

impl Bench {
    fn new() -> Self {
        let scratch = Scratch::new();
        fs::create_dir_all(scratch.path().join("tree/sessions/s")).expect("folders");
        let tree = Files::beneath(&scratch.path().join("tree")).expect("the root");
        let bench = Self { scratch, tree };
        bench.write(CONTENT);
        bench
    }

    fn path(&self) -> PathBuf {
        self.scratch.path().join("tree").join(NAME)
    }

    fn hydrant(&self, name: &str) -> PathBuf {
        self.scratch.path().join("hydrant").join(name)
    }

    /// Writes content that is old enough to be trusted.
    fn write(&self, content: &[u8]) {
        fs::write(self.path(), content).expect("a file");
        self.age();
    }

    fn age(&self) {
        let file = OpenOptions::new().write(true).open(self.path()).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("its time");
    }

    fn asked(&self) -> Swap {
        let expects = self.tree.open(NAME).expect("readable").expect("there").revision.text();
        let blob = blob_of(&fs::read(self.path()).expect("there"));
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size);
        Swap { name: NAME.into(), expects, blob, pointer: pointer.into_bytes() }
    }

    fn store(&self) -> Store {
        Store::cache(&self.hydrant("")).expect("a store")
    }

    fn aside(&self) -> Aside {
        Aside::open(self.store().root().expect("a cache")).expect("its folders")
    }

    fn swap(&self, asked: &Swap) -> Swapped {
        let aside = self.aside();
        aside.enter(&self.tree, NAME).expect("in order");
        swap(&self.tree, &aside, asked, || Ok(())).expect("no fault")
    }

    /// Names in a folder of the store.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.hydrant(folder)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Only the file itself stands in the session's folder.
    fn is_tidy(&self) {
        let left = fs::read_dir(self.scratch.path().join("tree/sessions/s")).expect("there").count();
        assert_eq!((left, self.names("displaced").len()), (1, 0));
    }

    fn content(&self, blob: &Blob) -> Option<Vec<u8>> {
        match self.store().open_verified(&blob.oid, blob.size).expect("readable") {
            Look::Content(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).expect("readable");
                Some(bytes)
            }
            _ => None,
        }
    }
}

#[test]
fn the_pointer_takes_the_place_and_the_store_has_the_very_file() {
    let bench = Bench::new();
    fs::set_permissions(bench.path(), fs::Permissions::from_mode(0o640)).expect("its mode");
    let (inode, asked) = (fs::metadata(bench.path()).expect("there").ino(), bench.asked());
    let Swapped::At(revision, Some(note)) = bench.swap(&asked) else { panic!("it is the one") };
    assert_eq!(fs::read(bench.path()).expect("there"), asked.pointer);
    let pointer = bench.tree.open(NAME).expect("readable").expect("there");
    assert_eq!(pointer.revision.text(), revision);
    assert_eq!(fs::metadata(bench.path()).expect("there").permissions().mode() & 0o7777, 0o640);
    let adopted = fs::metadata(bench.hydrant("adopted").join(note.name())).expect("there");
    assert_eq!((adopted.ino(), adopted.nlink(), adopted.permissions().mode() & 0o777), (inode, 1, 0o444));
    assert_eq!(bench.content(&asked.blob).as_deref(), Some(CONTENT));
    assert!(matches!(bench.store().has(&asked.blob), Ok(Held::Unproved(_))), "hashed before it is called present");
    assert_eq!(bench.store().size_of(&asked.blob.oid), Some(CONTENT.len() as u64));
    bench.is_tidy();
    assert!(matches!(bench.swap(&asked), Swapped::At(again, None) if again == revision), "again, and nothing to do");
}

#[test]
fn what_is_not_the_hashed_file_stays() {
    let stays = |bench: &Bench, asked: &Swap, now: &[u8]| {
        assert!(matches!(bench.swap(asked), Swapped::Conflict));
        assert_eq!(fs::read(bench.path()).expect("there"), now);
        assert_eq!(bench.names("adopted").len(), 0);
        bench.is_tidy();
    };
    let bench = Bench::new();
    let asked = bench.asked();
    bench.write(b"another content\n");
    stays(&bench, &asked, b"another content\n");

    // Written within the time that file times do not show: hashed again.
    let bench = Bench::new();
    fs::write(bench.path(), CONTENT).expect("a file");
    let young = bench.asked();
    assert!(young.expects.ends_with("-unstable"));
    let other = Swap { blob: Blob { oid: blob_of(b"x").oid, ..young.blob.clone() }, ..young.clone() };
    stays(&bench, &other, CONTENT);
    assert!(matches!(bench.swap(&young), Swapped::At(_, Some(_))));

    // Nothing, a symlink, a folder.
    let bench = Bench::new();
    let asked = bench.asked();
    fs::remove_file(bench.path()).expect("removed");
    assert!(matches!(bench.swap(&asked), Swapped::Absent));
    symlink("elsewhere", bench.path()).expect("a link");
    assert!(matches!(bench.swap(&asked), Swapped::Conflict));
    fs::remove_file(bench.path()).expect("removed");
    fs::create_dir(bench.path()).expect("a folder");
    assert!(matches!(bench.swap(&asked), Swapped::Conflict));
    fs::remove_dir(bench.path()).expect("removed");
    fs::remove_dir(bench.path().parent().expect("a folder")).expect("removed");
    assert!(matches!(bench.swap(&asked), Swapped::Absent));
    symlink(bench.scratch.path(), bench.path().parent().expect("a folder")).expect("a link");
    assert!(matches!(bench.swap(&asked), Swapped::Conflict));
}

fn swapping<'a>(folder: &'a Dir, name: &'a str, before: Facts, aside: &'a Aside, blob: &'a Blob) -> Swapping<'a> {
    Swapping { folder, name, before, aside, blob, session: "s", goes_to: GoesTo::Adopted }
}

/// Runs the steps one by one, with something in between.
fn steps(bench: &Bench, between: impl Fn(), trade: impl Fn()) -> io::Result<bool> {
    let (asked, aside) = (bench.asked(), bench.aside());
    let (folder, name) = bench.tree.folder_of(NAME)?.expect("there");
    let mut opened = bench.tree.open(NAME)?.expect("there");
    let before = Facts::of(&opened.file)?;
    let swapping = swapping(&folder, name, before, &aside, &asked.blob);
    let pointer = Fresh::write(&folder, TEMPORARY, &asked.pointer, None)?;
    let Some(second) = swapping.second_name(&mut opened, || Ok(()))? else { return Ok(false) };
    between();
    if !swapping.trade(&pointer, &second)? {
        second.give_up()?;
        return Ok(false);
    }
    trade();
    second.settle()?;
    swapping.remove_displaced(&pointer)?;
    Ok(true)
}

#[test]
fn a_file_that_grows_or_is_replaced_in_the_last_moment_is_put_back() {
    let bench = Bench::new();
    let append = || {
        let mut file = OpenOptions::new().append(true).open(bench.path()).expect("the writer");
        file.write_all(b"more\n").expect("it writes");
    };
    assert!(!steps(&bench, append, || ()).expect("no fault"));
    assert_eq!(fs::read(bench.path()).expect("there"), [CONTENT, b"more\n"].concat());
    bench.is_tidy();

    let bench = Bench::new();
    let replace = || {
        fs::write(bench.scratch.path().join("new"), "an editor's new file").expect("a file");
        fs::rename(bench.scratch.path().join("new"), bench.path()).expect("renamed");
    };
    assert!(!steps(&bench, replace, || ()).expect("no fault"));
    assert_eq!(fs::read(bench.path()).expect("there"), b"an editor's new file");
    bench.is_tidy();
    assert_eq!(bench.names("kept").len(), 1, "the bytes that lost their name are kept");
}

#[test]
fn a_writer_that_still_holds_the_displaced_file_loses_nothing() {
    let bench = Bench::new();
    let asked = bench.asked();
    let mut writer = OpenOptions::new().append(true).open(bench.path()).expect("the writer");
    assert!(matches!(bench.swap(&asked), Swapped::At(_, Some(_))));
    let store = bench.store();
    writer.write_all(b"more\n").expect("it writes");
    assert_eq!(store.size_of(&asked.blob.oid), None, "never served again");
    assert_eq!(bench.content(&asked.blob), None);
    let kept = store.kept().expect("listed");
    assert!(matches!(&kept[..], [one] if one.name == format!("s-{}-1", asked.blob.oid) && one.size == 21), "{kept:?}");
    let mut cleared = bench.store();
    cleared.prune(PruneRule { bytes_max: Some(0), age_max: None }, true).expect("pruned");
    cleared.clear(true).expect("cleared");
    assert!(matches!(cleared.has(&asked.blob), Ok(Held::Absent)));
    assert_eq!(fs::read(bench.hydrant("kept").join(&kept[0].name)).expect("there"), [CONTENT, b"more\n"].concat());
}

#[test]
fn a_change_that_hides_from_the_times_is_found_by_the_hash() {
    for ask in 0..4 {
        let bench = Bench::new();
        let asked = bench.asked();
        let mut writer = OpenOptions::new().write(true).open(bench.path()).expect("the writer");
        let time = fs::metadata(bench.path()).and_then(|facts| facts.modified()).expect("its time");
        assert!(matches!(bench.swap(&asked), Swapped::At(_, Some(_))));
        writer.write_all(b"X").and_then(|()| writer.set_modified(time)).expect("it hides");
        let mut store = bench.store();
        match ask {
            0 => assert!(bench.content(&asked.blob).is_none()),
            1 => assert_eq!(store.verify(true, |_| ()).expect("verified").bad, std::slice::from_ref(&asked.blob.oid)),
            2 => drop(store.clear(true).expect("cleared")),
            _ => {
                let Ok(Held::Unproved(mut proof)) = store.has(&asked.blob) else { panic!("it must be hashed") };
                let found = proof.work().and_then(|work| work.hash(crate::store::unwatched)).expect("read");
                assert!(!store.settle(&asked.blob, proof, &found.expect("hashed")).expect("settled"));
            }
        }
        assert_eq!((bench.names("adopted").len(), store.kept().expect("listed").len()), (0, 1), "{ask}");
    }
}

#[test]
fn unchanged_files_are_listed_verified_and_cleared_like_others() {
    let bench = Bench::new();
    let asked = bench.asked();
    assert!(matches!(bench.swap(&asked), Swapped::At(_, Some(_))));
    let store = bench.store();
    let listed = store.list().expect("listed");
    assert!(matches!(&listed[..], [one] if one.oid == asked.blob.oid && one.size == asked.blob.size && !one.proved));
    assert_eq!(store.verify(true, |_| ()).expect("verified").good, 1);
    assert_eq!(store.clear(false).expect("asked").entries.len(), 1);
    assert_eq!(bench.names("adopted").len(), 1);
    assert_eq!(store.clear(true).expect("cleared").entries.len(), 1);
    assert_eq!((bench.names("adopted").len(), bench.names("kept").len()), (0, 0));
}

#[test]
fn two_files_of_one_content_are_both_adopted() {
    let bench = Bench::new();
    assert!(matches!(bench.swap(&bench.asked()), Swapped::At(_, Some(_))));
    fs::remove_file(bench.path()).expect("removed");
    bench.write(CONTENT);
    let asked = bench.asked();
    assert!(matches!(bench.swap(&asked), Swapped::At(_, Some(_))));
    assert_eq!(bench.names("adopted").len(), 2);
    assert_eq!(bench.content(&asked.blob).as_deref(), Some(CONTENT));
}

#[test]
fn what_a_dead_run_left_is_put_in_order_by_the_next() {
    let temporary = |bench: &Bench| bench.path().with_file_name(format!("{TEMPORARY}1-1.tmp"));
    let displaced = |bench: &Bench| {
        let stat = Facts::of(&File::open(bench.path()).expect("there")).expect("its state");
        bench.hydrant("displaced").join(Note::of(&blob_of(CONTENT).oid, &stat, "s").name())
    };
    // After step 2: a pointer that was not placed, half of it written.
    let bench = Bench::new();
    drop(bench.aside());
    fs::write(temporary(&bench), "version https://git").expect("a leftover");
    assert!(matches!(bench.swap(&bench.asked()), Swapped::At(_, Some(_))));
    bench.is_tidy();

    // After step 3: the content has two names.
    let bench = Bench::new();
    drop(bench.aside());
    fs::hard_link(bench.path(), displaced(&bench)).expect("a second name");
    let asked = bench.asked();
    assert!(matches!(bench.swap(&asked), Swapped::At(_, Some(_))));
    assert_eq!((bench.content(&asked.blob).as_deref(), bench.names("adopted").len()), (Some(CONTENT), 1));
    bench.is_tidy();

    // After step 4: the pointer stands there, the content has a temporary name and one in the store.
    let bench = Bench::new();
    drop(bench.aside());
    let asked = bench.asked();
    fs::hard_link(bench.path(), displaced(&bench)).expect("a second name");
    fs::rename(bench.path(), temporary(&bench)).expect("displaced");
    fs::write(bench.path(), &asked.pointer).expect("the pointer");
    assert!(matches!(bench.swap(&asked), Swapped::At(_, None)));
    assert_eq!((bench.content(&asked.blob).as_deref(), bench.names("adopted").len()), (Some(CONTENT), 1));
    bench.is_tidy();

    // Somebody's bytes under a name of ours, with no other name: kept. And a copy that was never whole: gone.
    let bench = Bench::new();
    drop(bench.aside());
    fs::write(temporary(&bench), "somebody's bytes").expect("a leftover");
    fs::write(bench.hydrant("displaced").join(".copy-1-1"), "half").expect("a leftover");
    assert!(matches!(bench.swap(&bench.asked()), Swapped::At(_, Some(_))));
    let kept = bench.names("kept");
    assert_eq!(fs::read(bench.hydrant("kept").join(&kept[0])).expect("kept"), b"somebody's bytes");
    bench.is_tidy();
}

#[test]
fn only_what_can_be_of_this_swap_is_swept() {
    const FOLDERS: [&str; 11] = [
        "",
        ".git/",
        "media/",
        "media/deep/",
        "nested/",
        "sessions/",
        "sessions/s/",
        "sessions/s/deep/er/",
        "sessions/s/.git/",
        "sessions/s/nested/",
        "sessions/t/",
    ];
    // An asset's own folder; of a session, all of it that is no other repository.
    for (name, swept) in [
        ("a.bin", &[""][..]),
        ("media/a.bin", &["media/"]),
        ("media/deep/a.bin", &["media/deep/"]),
        ("gone/a.bin", &[]),
        ("sessions/a.bin", &["sessions/"]),
        (NAME, &["sessions/s/", "sessions/s/deep/er/"]),
        ("sessions/s/deep/a.bin", &["sessions/s/", "sessions/s/deep/er/"]),
    ] {
        let bench = Bench::new();
        let top = bench.scratch.path().join("tree");
        let leftover = |folder: &str| top.join(folder).join(format!("{TEMPORARY}1-1.tmp"));
        for folder in FOLDERS {
            fs::create_dir_all(top.join(folder)).expect("folders");
            // One is a pointer on its way in, the next one content on its way out.
            let bytes = if folder.len() % 2 == 0 { "version https://git-lfs" } else { "somebody's bytes" };
            fs::write(leftover(folder), bytes).expect("a leftover");
        }
        for nested in ["nested/.git", "sessions/s/nested/.git"] {
            fs::write(top.join(nested), "gitdir: elsewhere").expect("a file");
        }
        bench.aside().enter(&bench.tree, name).expect("in order");
        let gone: Vec<&str> = FOLDERS.into_iter().filter(|folder| !leftover(folder).exists()).collect();
        assert_eq!(gone, swept, "{name}");
    }
}

#[test]
fn while_others_swap_nothing_is_swept() {
    let bench = Bench::new();
    let other = bench.aside();
    other.enter(&bench.tree, NAME).expect("in order");
    let theirs = bench.path().with_file_name(format!("{TEMPORARY}1-1.tmp"));
    fs::write(&theirs, "version https://git").expect("their pointer");
    assert!(matches!(bench.swap(&bench.asked()), Swapped::At(_, Some(_))));
    assert!(theirs.exists());
}

#[test]
fn where_no_second_name_can_be_the_content_is_copied_and_verified() {
    let bench = Bench::new();
    let aside = bench.aside();
    let mut file = File::open(bench.path()).expect("there");
    let wrong = Blob { oid: blob_of(b"x").oid, size: CONTENT.len() as u64 };
    assert!(aside.copy(&mut file, &wrong, "s", GoesTo::Adopted, || Ok(())).expect("no fault").is_none());
    assert_eq!(bench.names("displaced").len(), 0);
    let blob = blob_of(CONTENT);
    let mut file = File::open(bench.path()).expect("there");
    let second = aside.copy(&mut file, &blob, "s", GoesTo::Adopted, || Ok(())).expect("no fault").expect("the blob");
    assert!(!second.is_link());
    second.settle().expect("adopted");
    assert_eq!(bench.content(&blob).as_deref(), Some(CONTENT));
}

#[test]
fn a_tree_on_another_file_system_is_swapped_by_a_copy() {
    let device = |path: &Path| fs::metadata(path).map(|facts| facts.dev()).ok();
    let mut bench = Bench::new();
    let here = device(bench.scratch.path());
    let folders = [Path::new("/dev/shm"), Path::new("/var/tmp")];
    let Some(other) = folders.into_iter().find(|folder| device(folder).is_some_and(|there| Some(there) != here)) else {
        return;
    };
    let elsewhere = other.join(format!("hydrant-swap-{}", std::process::id()));
    fs::create_dir_all(elsewhere.join("sessions/s")).expect("folders");
    fs::write(elsewhere.join(NAME), CONTENT).expect("a file");
    bench.tree = Files::beneath(&elsewhere).expect("the root");
    let asked = bench.asked();
    let swapped = bench.swap(&asked);
    let (now, left) = (fs::read(elsewhere.join(NAME)), fs::read_dir(elsewhere.join("sessions/s")).map(Iterator::count));
    fs::remove_dir_all(&elsewhere).expect("removed");
    assert!(matches!(swapped, Swapped::At(_, Some(_))), "{swapped:?}");
    assert_eq!((now.expect("there"), left.expect("there")), (asked.pointer.clone(), 1));
    assert_eq!(bench.content(&asked.blob).as_deref(), Some(CONTENT));
}

#[test]
fn where_files_cannot_change_places_the_rules_are_the_same() {
    crate::files::dir::CANNOT_EXCHANGE.set(true);
    let bench = Bench::new();
    let asked = bench.asked();
    assert!(matches!(bench.swap(&asked), Swapped::At(_, Some(_))));
    assert_eq!(fs::read(bench.path()).expect("there"), asked.pointer);
    assert_eq!(bench.content(&asked.blob).as_deref(), Some(CONTENT));
    bench.is_tidy();

    let bench = Bench::new();
    let append = || {
        let mut file = OpenOptions::new().append(true).open(bench.path()).expect("the writer");
        file.write_all(b"more\n").expect("it writes");
    };
    assert!(!steps(&bench, append, || ()).expect("no fault"));
    assert_eq!(fs::read(bench.path()).expect("there"), [CONTENT, b"more\n"].concat());
    bench.is_tidy();

    // It grows between the last look and the rename: linked back over the pointer.
    let bench = Bench::new();
    let (asked, aside) = (bench.asked(), bench.aside());
    let (folder, name) = bench.tree.folder_of(NAME).expect("readable").expect("there");
    let mut opened = bench.tree.open(NAME).expect("readable").expect("there");
    let before = Facts::of(&opened.file).expect("its state");
    let swapping = swapping(&folder, name, before, &aside, &asked.blob);
    let pointer = Fresh::write(&folder, TEMPORARY, &asked.pointer, None).expect("written");
    let second = swapping.second_name(&mut opened, || Ok(())).expect("no fault").expect("linked");
    pointer.take_over(name).expect("displaced");
    second.link_back(&folder, name).expect("back");
    second.give_up().expect("given up");
    drop(pointer);
    assert_eq!(fs::read(bench.path()).expect("there"), CONTENT);
    bench.is_tidy();
}

#[test]
fn an_original_that_gives_way_is_kept_and_never_served() {
    let bench = Bench::new();
    let (aside, blob) = (bench.aside(), blob_of(CONTENT));
    let with = |text: &str| {
        let path = bench.scratch.path().join("without");
        fs::write(&path, text).expect("written");
        File::open(path).expect("there")
    };
    // Another file than the one that was looked through stays.
    let other = blob_of(b"another one");
    assert_eq!(keep(&bench.tree, &aside, NAME, &other, &mut with("x")).expect("no fault"), None);
    assert_eq!(fs::read(bench.path()).expect("there"), CONTENT);
    let name = keep(&bench.tree, &aside, NAME, &blob, &mut with("without")).expect("no fault").expect("it gave way");
    assert_eq!(fs::read(bench.path()).expect("there"), b"without");
    let kept = bench.hydrant("kept").join(&name);
    assert_eq!(fs::read(&kept).expect("there"), CONTENT);
    assert_eq!(fs::metadata(&kept).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!((bench.content(&blob), bench.names("adopted").len(), bench.names("displaced").len()), (None, 0, 0));

    // A run that died before it was kept: the next one keeps it.
    let note = Note::parse(&format!("{}.1.2.3-4.s", blob.oid)).expect("a note");
    fs::write(bench.hydrant("displaced").join(format!(".keep-{}", note.name())), CONTENT).expect("written");
    let other =
        Aside::open(&Dir::open(&bench.hydrant(""), crate::files::Access::Owner).expect("the store")).expect("opened");
    drop(aside);
    other.enter(&bench.tree, NAME).expect("in order");
    assert_eq!((bench.content(&blob), bench.names("kept").len(), bench.names("displaced").len()), (None, 2, 0));
}
