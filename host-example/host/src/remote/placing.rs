//! Files of a push in the work tree: which may be written over, and how they are.
//!
//! Rule: a file is written where there is none, or over one that is just as committed or as the engine read it; content
//! whose pointer was pushed stays, and any other that is as committed is displaced, so that nothing is lost that a
//! writer adds meanwhile; anything else is the user's. As with any checkout, a power loss can tear what was just
//! written: git has it all, and shows it as changed. Only documents are on the disk at once.

use std::io::{self, Read};

use crate::contract::names::{POINTER_BYTES_LIMIT, POINTER_START};
use crate::contract::types::Blob;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::files::atomic::{Fresh, TEMPORARY_END};
use crate::files::digest::blob_of;
use crate::files::dir::set_permissions;
use crate::files::{Dir, Facts, Files, names_no_file};

/// Begins the name of a file on its way into the work tree.
const TEMPORARY: &str = ".hydrant-settle-";

/// A file of the push.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) new: &'a [u8],
    /// What the last commit here has.
    pub(super) committed: Option<&'a [u8]>,
    /// The digest in which the file here may be written over as well.
    pub(super) expects: Option<&'a str>,
    pub(super) executable: bool,
}

/// What is to be done with a file.
#[derive(Debug)]
pub(super) enum Plan {
    /// Nothing: it is as it shall be, or content that stays for now.
    Leave,
    /// Write it where nothing stands.
    Add,
    /// Write it over the file in this state.
    Replace(Box<Facts>),
    /// Content in this state, as committed, gives way to a pointer.
    Displace(Box<Facts>),
    /// Content in this state gives way to a pointer if it is as committed, which only git can say of so much.
    Long(Box<Facts>),
    /// The user's file stands in the way.
    InTheWay,
}

pub(super) fn plan(tree: &Files, wanted: &Wanted<'_>) -> io::Result<Plan> {
    let opened = match tree.open(wanted.name) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(Plan::Add),
        Err(error) if names_no_file(&error) => return Ok(Plan::InTheWay),
        Err(error) => return Err(error),
    };
    let state = Facts::of(&opened.file)?;
    let mut now = Vec::new();
    (&opened.file).take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut now)?;
    let to_pointer = is_pointer(wanted.new);
    if now.len() as u64 > DOCUMENT_BYTES_MAX {
        return Ok(if to_pointer { Plan::Long(Box::new(state)) } else { Plan::InTheWay });
    }
    if same_text(&now, wanted.new) || (to_pointer && is_pointer_to(wanted.new, &blob_of(&now).oid)) {
        return Ok(Plan::Leave);
    }
    let as_committed = wanted.committed.is_some_and(|committed| same_text(&now, committed));
    if as_committed && to_pointer && !is_pointer(&now) {
        return Ok(Plan::Displace(Box::new(state)));
    }
    if as_committed || wanted.expects.is_some_and(|expects| blob_of(&now).oid == expects) {
        return Ok(Plan::Replace(Box::new(state)));
    }
    Ok(if to_pointer { Plan::Leave } else { Plan::InTheWay })
}

/// Writes a file that is to be added or replaced; one that changed since the plan is the user's and stays.
pub(super) fn place(tree: &Files, wanted: &Wanted<'_>, plan: &Plan) -> io::Result<()> {
    let over = match plan {
        Plan::Leave | Plan::InTheWay | Plan::Displace(_) | Plan::Long(_) => return Ok(()),
        Plan::Add => None,
        Plan::Replace(state) => Some(state),
    };
    let (folder, name) = tree.made_folder_of(wanted.name)?;
    let mode = over.map(|state| state.permissions);
    let fresh = Fresh::write(&folder, TEMPORARY, wanted.new, mode)?;
    if wanted.executable && over.is_none() {
        let now = Facts::of(&fresh.file)?.permissions;
        // Whoever may read it may run it.
        set_permissions(&fresh.file, now | ((now & 0o444) >> 2))?;
    }
    let is_document = !is_pointer(wanted.new);
    if is_document {
        fresh.file.sync_data()?;
    }
    match over {
        None => drop(fresh.take_free(name)?),
        Some(state) => replace(&folder, &fresh, name, state)?,
    }
    if is_document { folder.sync() } else { Ok(()) }
}

fn replace(folder: &Dir, fresh: &Fresh<'_>, name: &str, over: &Facts) -> io::Result<()> {
    let is_over = |facts: Option<Facts>| facts.is_some_and(|facts| facts.is_same_content(over));
    if !is_over(folder.facts(name)?) {
        return Ok(());
    }
    if !fresh.exchange(name)? {
        return fresh.take_over(name);
    }
    if !is_over(fresh.at_temporary()?) {
        // Changed in the last moment: both go back.
        fresh.exchange(name)?;
        return Ok(());
    }
    // Known to git, or to the engine, which made the new one from it.
    folder.remove(fresh.name())
}

/// Removes what a run that was killed left beside these files.
pub(super) fn sweep<'a>(tree: &Files, names: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names.filter(|name| seen.insert(name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned())) {
        let Ok(Some((folder, _))) = tree.folder_of(name) else { continue };
        for left in folder.names()? {
            if left.starts_with(TEMPORARY) && left.ends_with(TEMPORARY_END) {
                folder.remove(left.as_str())?;
            }
        }
    }
    Ok(())
}

/// Whether bytes are a pointer, as far as one who wrote it himself must ask.
pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < POINTER_BYTES_LIMIT && bytes.starts_with(POINTER_START)
}

/// Whether a pointer names just this blob.
pub(super) fn is_pointer_to(pointer: &[u8], oid: &str) -> bool {
    let line = format!("\noid sha256:{oid}\n");
    pointer.windows(line.len()).any(|window| window == line.as_bytes())
}

/// The blob that a pointer names, as one who wrote it himself reads it.
pub(super) fn pointed(bytes: &[u8]) -> Option<Blob> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_pointer(bytes))?;
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    Some(Blob { oid: line("oid sha256:")?.to_owned(), size: line("size ")?.parse().ok()? })
}

/// Equal as git sees it: a checkout may have put CRLF where the commit has LF.
fn same_text(now: &[u8], committed: &[u8]) -> bool {
    let mut at = 0;
    for (index, byte) in now.iter().enumerate() {
        if *byte == b'\r' && now.get(index + 1) == Some(&b'\n') && committed.get(at) != Some(&b'\r') {
            continue;
        }
        if committed.get(at) != Some(byte) {
            return false;
        }
        at += 1;
    }
    at == committed.len()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::scratch::Scratch;

    const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n";

    fn planned(now: Option<&[u8]>, new: &[u8], committed: Option<&[u8]>, expects: Option<&[u8]>) -> (Plan, Vec<u8>) {
        let scratch = Scratch::new();
        let path = scratch.path().join("s/file");
        fs::create_dir(scratch.path().join("s")).expect("a folder");
        if let Some(now) = now {
            fs::write(&path, now).expect("a file");
        }
        let tree = Files::beneath(scratch.path()).expect("the root");
        let expects = expects.map(|bytes| blob_of(bytes).oid);
        let wanted = Wanted { name: "s/file", new, committed, expects: expects.as_deref(), executable: false };
        let plan = plan(&tree, &wanted).expect("no fault");
        place(&tree, &wanted, &plan).expect("no fault");
        assert_eq!(fs::read_dir(scratch.path().join("s")).expect("there").count(), 1, "nothing is left behind");
        (plan, fs::read(path).expect("there"))
    }

    #[test]
    fn each_state_of_a_file_has_its_rule() {
        let is = |(plan, now): (Plan, Vec<u8>), kind: fn(&Plan) -> bool, bytes: &[u8]| {
            assert!(kind(&plan), "{plan:?}");
            assert_eq!(now, bytes);
        };
        is(planned(None, b"new", None, None), |plan| matches!(plan, Plan::Add), b"new");
        is(planned(Some(b"new"), b"new", None, None), |plan| matches!(plan, Plan::Leave), b"new");
        is(planned(Some(b"old"), b"new", Some(b"old"), None), |plan| matches!(plan, Plan::Replace(_)), b"new");
        is(
            planned(Some(b"o\r\nd\r\n"), b"new", Some(b"o\nd\n"), None),
            |plan| matches!(plan, Plan::Replace(_)),
            b"new",
        );
        is(
            planned(Some(b"mine"), b"new", Some(b"old"), Some(b"mine")),
            |plan| matches!(plan, Plan::Replace(_)),
            b"new",
        );
        is(planned(Some(b"mine"), b"new", Some(b"old"), None), |plan| matches!(plan, Plan::InTheWay), b"mine");
        is(planned(Some(b"content"), POINTER, None, None), |plan| matches!(plan, Plan::Leave), b"content");
        let named = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 3\n", blob_of(b"all").oid);
        is(planned(Some(b"all"), named.as_bytes(), Some(b"all"), None), |plan| matches!(plan, Plan::Leave), b"all");
        is(
            planned(Some(b"old"), named.as_bytes(), Some(b"old"), None),
            |plan| matches!(plan, Plan::Displace(_)),
            b"old",
        );
        let long = vec![b'x'; usize::try_from(DOCUMENT_BYTES_MAX).expect("it fits") + 1];
        is(planned(Some(&long), POINTER, None, None), |plan| matches!(plan, Plan::Long(_)), &long);
        is(planned(Some(&long), b"new", None, None), |plan| matches!(plan, Plan::InTheWay), &long);
        let old = [POINTER, b" "].concat();
        is(planned(Some(&old), POINTER, Some(&old), None), |plan| matches!(plan, Plan::Replace(_)), POINTER);
    }

    #[test]
    fn a_file_that_changed_since_the_plan_stays() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join("file"), "old").expect("a file");
        let tree = Files::beneath(scratch.path()).expect("the root");
        let wanted = Wanted { name: "file", new: b"new", committed: Some(b"old"), expects: None, executable: false };
        let replace = plan(&tree, &wanted).expect("no fault");
        fs::write(scratch.path().join("file"), "edited").expect("a file");
        place(&tree, &wanted, &replace).expect("no fault");
        assert_eq!(fs::read(scratch.path().join("file")).expect("there"), b"edited");
        place(&tree, &wanted, &Plan::Add).expect("no fault");
        assert_eq!(fs::read(scratch.path().join("file")).expect("there"), b"edited");
        assert_eq!(fs::read_dir(scratch.path()).expect("there").count(), 1);
    }

    #[test]
    fn a_symlink_or_folder_is_in_the_way() {
        let scratch = Scratch::new();
        std::os::unix::fs::symlink("x", scratch.path().join("link")).expect("a link");
        fs::create_dir(scratch.path().join("folder")).expect("a folder");
        let tree = Files::beneath(scratch.path()).expect("the root");
        for name in ["link", "folder", "link/x"] {
            let wanted = Wanted { name, new: POINTER, committed: None, expects: None, executable: false };
            assert!(matches!(plan(&tree, &wanted).expect("no fault"), Plan::InTheWay), "{name}");
        }
    }
}
