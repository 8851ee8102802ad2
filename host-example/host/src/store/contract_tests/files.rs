//! The files of a scenario: laid, changed and compared; and what else the fixtures say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use serde_json::Value;

use super::{Named, Scene, mine};
use crate::contract::clock::wall;
use crate::contract::types::Blob;
use crate::files::digest::blob_of;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/cache");
const BLOBS: &str = "blobs.json";
/// No process has so high a number.
const GONE: &str = "999999999";
/// Files of the writers themselves: looked at only where a scenario names them.
const UNASKED: [&str; 2] = ["boot", "lock"];

impl Scene<'_> {
    /// Lays files, changes them, or removes them.
    pub(super) fn lay(&self, files: &Value) -> Result<(), String> {
        for (name, given) in files.as_object().into_iter().flatten() {
            let path = self.find(name)?;
            match mine(given) {
                Value::Null => fs::remove_file(&path).expect("to be removed"),
                spec => self.put(&path, spec),
            }
        }
        Ok(())
    }

    fn put(&self, path: &Path, spec: &Value) {
        let is = |key: &str| !spec[key].is_null();
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        if is("folder") {
            fs::create_dir_all(path).expect("a folder");
        } else if let Some(target) = spec["link"].as_str() {
            symlink(target, path).expect("a link");
        } else if is("pipe") {
            assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
        } else if let Some(more) = spec["grow"].as_u64() {
            let file = File::options().write(true).open(path).expect("a file");
            let end = file.metadata().expect("its length").len();
            file.write_all_at(&vec![0; more as usize], end).expect("written");
        } else if let Some(bytes) = spec["cut"].as_u64() {
            File::options().write(true).open(path).expect("a file").set_len(bytes).expect("cut");
        } else if spec.is_string() || is("of") || is("text") {
            fs::write(path, self.content(spec)).expect("a file");
        }
        if let Some(age) = spec["age"].as_u64() {
            let then = Timespec { tv_sec: (wall() / 1000 - age) as i64, tv_nsec: 0 };
            let times = Timestamps { last_access: then, last_modification: then };
            utimensat(CWD, path, &times, AtFlags::empty()).expect("set");
        }
        if let Some(mode) = spec["mode"].as_str() {
            let mode = u32::from_str_radix(mode, 8).expect("a mode");
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
        }
        let text = path.to_str().expect("text");
        if text.contains("{state}") {
            let facts = fs::metadata(path).expect("a file");
            let (seconds, nanos) = (facts.mtime(), facts.mtime_nsec());
            let state = format!("{:x}.{:x}.{seconds:x}-{nanos:x}.session", facts.ino(), facts.len());
            fs::rename(path, text.replace("{state}", &state)).expect("renamed");
        }
    }

    /// Compares what lies there: exactly these files, or these among others.
    pub(super) fn compare(&self, files: &Value, exactly: bool) -> Result<(), String> {
        let root = self.root();
        let mut seen: BTreeSet<PathBuf> = UNASKED.iter().map(|name| root.join(name)).collect();
        for (name, given) in files.as_object().into_iter().flatten() {
            let path = self.find(name)?;
            if let Some(why) = self.differs(&path, mine(given)) {
                return Err(format!("{name}: {why}"));
            }
            seen.insert(path);
        }
        let mut found = Vec::new();
        walk(&root, &mut found);
        let unnamed: Vec<&PathBuf> = found.iter().filter(|path| exactly && !seen.contains(*path)).collect();
        if unnamed.is_empty() { Ok(()) } else { Err(format!("nobody named {unnamed:?}")) }
    }

    /// How a file is not what is expected.
    fn differs(&self, path: &Path, spec: &Value) -> Option<String> {
        let facts = match fs::symlink_metadata(path) {
            Ok(_) if spec.is_null() => return Some("it is there".to_owned()),
            Err(_) => return (!spec.is_null()).then(|| "it is not there".to_owned()),
            Ok(facts) => facts,
        };
        let mode = format!("{:o}", facts.mode() & 0o777);
        let (kind, is) = (facts.file_type(), |key: &str| !spec[key].is_null());
        let same = if is("folder") {
            kind.is_dir()
        } else if let Some(target) = spec["link"].as_str() {
            fs::read_link(path).is_ok_and(|link| link == Path::new(target))
        } else if is("pipe") {
            kind.is_fifo()
        } else {
            kind.is_file() && (is("any") || fs::read(path).is_ok_and(|bytes| bytes == self.content(spec)))
        };
        let fits = spec["mode"].as_str().is_none_or(|expected| mode == expected);
        (!(same && fits)).then(|| format!("{kind:?} of {} bytes, mode {mode}", facts.len()))
    }

    /// The bytes that a file has.
    fn content(&self, spec: &Value) -> Vec<u8> {
        if let Some(text) = spec["text"].as_str() {
            return text.into();
        }
        let name = spec.as_str().or(spec["of"].as_str()).expect("a blob");
        let mut bytes = self.blobs[name].bytes.clone();
        bytes.truncate(spec["to"].as_u64().map_or(bytes.len(), |to| to as usize));
        if let Some(at) = spec["flip"].as_u64() {
            bytes[at as usize] ^= 1;
        }
        bytes.resize(bytes.len() + spec["more"].as_u64().unwrap_or(0) as usize, 0);
        bytes
    }

    /// The path of a name in which a star stands for anything; the name itself if there is no such file.
    fn find(&self, name: &str) -> Result<PathBuf, String> {
        let mut path = self.root();
        for part in self.expanded(name).split('/') {
            let like = |name: &String| {
                part.split_once('*').is_some_and(|(start, end)| {
                    name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
                })
            };
            let found: Vec<String> = names(&path).into_iter().filter(like).collect();
            match &found[..] {
                [] if part == "." => {}
                [] if part == ".." => assert!(path.pop(), "a folder above"),
                [] => path.push(part),
                [one] => path.push(one),
                several => return Err(format!("{name} is one file, not {several:?}")),
            }
        }
        Ok(path)
    }

    /// A path with the names of blobs and processes in it.
    fn expanded(&self, name: &str) -> String {
        let mut text = name.replace("{gone}", GONE).replace("{alive}", &std::process::id().to_string());
        for (name, Named { blob: Blob { oid, .. }, .. }) in self.blobs {
            let fan = &oid[..2];
            text = text.replace(&format!("{{{name}}}"), oid).replace(&format!("{{{name}/}}"), &format!("{fan}/{oid}"));
            text = text.replace(&format!("{{left {name}}}"), &format!(".hydrant-{oid}.part"));
            text = text.replace(&format!("{{theirs {name}}}"), &format!(".hydrant-{oid}.{GONE}.left.part"));
        }
        text
    }
}

/// Names in a folder, in order; none if it is not there.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let all: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    all.into_iter().collect()
}

/// Everything under a folder that is none.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in names(folder).into_iter().map(|name| folder.join(name)) {
        if fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_dir()) {
            walk(&path, found)
        } else {
            found.push(path)
        }
    }
}

/// The scenarios of all files.
pub(super) fn scenarios() -> Vec<Value> {
    let files = names(Path::new(FIXTURES)).into_iter().filter(|name| name.ends_with(".json") && name != BLOBS);
    files.flat_map(|name| fixture(&name).as_array().cloned().expect("a list of scenarios")).collect()
}

fn fixture(name: &str) -> Value {
    let text = fs::read(Path::new(FIXTURES).join(name)).expect("a fixture");
    serde_json::from_slice(&text).expect("JSON")
}

/// The blobs, by name.
pub(super) fn blobs() -> BTreeMap<String, Named> {
    let mut all = BTreeMap::new();
    for (name, given) in fixture(BLOBS).as_object().expect("blobs") {
        let blob = Blob {
            oid: given["oid"].as_str().expect("an oid").to_owned(),
            size: given["bytes"].as_u64().expect("a length"),
        };
        let bytes = given["seed"].as_u64().map_or_else(Vec::new, |seed| noise(blob.size as usize, seed as u32));
        assert!(given["seed"].is_null() || blob_of(&bytes).oid == blob.oid, "the generator gives {name}");
        all.insert(name.clone(), Named { blob, bytes });
    }
    all
}

/// Bytes that look random, the same for the same seed.
fn noise(size: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size).map(|_| next()).collect()
}
