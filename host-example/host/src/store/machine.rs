//! Whose machine a cache is that may lie on a network share: one machine's at a time.
//!
//! Entries are trusted within one boot, and another machine's boot says nothing about this one's. Two machines that
//! took turns would move the whole cache aside each time. So the folder says which machine it is of, and another one
//! is refused by that name. Whoever runs within the boot that is noted is the same machine, whatever its containers
//! are called.

use std::io;

use super::boot;
use crate::files::digest::blob_of;
use crate::files::lock::lock;
use crate::files::{Dir, atomic, platform};

/// The file of the cache that names its machine.
pub(super) const MACHINE_FILE: &str = "machine";
/// First line of it: its form.
const FORM: &str = "hydrant machine 1";
/// Bytes of it at most.
const MACHINE_BYTES_MAX: u64 = 1024;
/// Comes before a machine's id when that is hashed: the id itself is nobody else's to know.
const SALT: &str = "hydrant cache of machine ";

/// A machine, as the folder notes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Empty where the system gives its machines none, and in most containers.
    pub(super) id: String,
    pub(super) name: String,
}

/// Whose a cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    Ours,
    /// Of the machine of this name.
    Theirs(String),
}

impl Machine {
    fn of_here() -> Self {
        let id = platform::machine_id().map(|id| blob_of(format!("{SALT}{id}").as_bytes()).oid);
        Self { id: id.unwrap_or_default(), name: platform::host_name().replace(char::is_control, "_") }
    }

    fn is(&self, other: &Self) -> bool {
        if self.id.is_empty() || other.id.is_empty() { self.name == other.name } else { self.id == other.id }
    }
}

/// Notes this machine in a cache that is nobody's, and says whose it is. A machine without an id claims nothing: a
/// container has a new name each time, and would be refused by its own note.
pub(crate) fn claim(root: &Dir) -> io::Result<Claim> {
    claim_for(root, platform::boot().as_deref(), &Machine::of_here())
}

pub(super) fn claim_for(root: &Dir, boot: Option<&str>, here: &Machine) -> io::Result<Claim> {
    let file = root.open_or_create_file(boot::LOCK_FILE)?;
    // Where nothing can be locked, two that come first at one time may both be taken in.
    lock(&file).ok();
    let noted = noted(root)?;
    let is_same_boot = boot.is_some() && boot::recorded(root)?.as_deref() == boot;
    match noted {
        Some(noted) if !is_same_boot && !noted.is(here) => Ok(Claim::Theirs(noted.name)),
        Some(_) => Ok(Claim::Ours),
        None if here.id.is_empty() => Ok(Claim::Ours),
        None => note(root, here).map(|()| Claim::Ours),
    }
}

fn noted(root: &Dir) -> io::Result<Option<Machine>> {
    let Some(text) = root.read_small(MACHINE_FILE, MACHINE_BYTES_MAX)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines();
    let is_ours = lines.next() == Some(FORM);
    Ok(match (lines.next(), lines.next()) {
        (Some(id), Some(name)) if is_ours => Some(Machine { id: id.to_owned(), name: name.to_owned() }),
        // A note that a power loss tore names nobody.
        _ => None,
    })
}

fn note(root: &Dir, machine: &Machine) -> io::Result<()> {
    let text = format!("{FORM}\n{}\n{}\n", machine.id, machine.name);
    atomic::replace(root, ".machine-", root, MACHINE_FILE, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::Access;
    use crate::files::scratch::Scratch;

    fn machine(id: &str, name: &str) -> Machine {
        Machine { id: id.into(), name: name.into() }
    }

    #[test]
    fn another_machine_is_refused_by_name_and_a_container_of_this_one_is_not() {
        let (first, theirs) = (machine("1", "host"), || Claim::Theirs("host".into()));
        for (boot, here, expected) in [
            // A later boot of the same machine, whatever it is called by now.
            ("b2", machine("1", "renamed"), Claim::Ours),
            // Another machine.
            ("b2", machine("2", "other"), theirs()),
            ("b2", machine("2", "host"), theirs()),
            // Without an id the name tells.
            ("b2", machine("", "host"), Claim::Ours),
            ("b2", machine("", "other"), theirs()),
            // The running boot is the same machine: a container has a name and an id of its own.
            ("b1", machine("3", "container"), Claim::Ours),
        ] {
            let scratch = Scratch::new();
            let root = Dir::open(scratch.path(), Access::Owner).expect("a folder");
            assert_eq!(claim_for(&root, Some("b1"), &first).expect("a folder"), Claim::Ours);
            fs::write(scratch.path().join("boot"), "b1").expect("a note");
            let noted = fs::read(scratch.path().join(MACHINE_FILE)).expect("noted");
            assert_eq!(claim_for(&root, Some(boot), &here).expect("a folder"), expected, "{boot} {here:?}");
            assert_eq!(fs::read(scratch.path().join(MACHINE_FILE)).expect("noted"), noted);
        }
    }

    #[test]
    fn a_machine_without_an_id_claims_nothing() {
        let scratch = Scratch::new();
        let root = Dir::open(scratch.path(), Access::Owner).expect("a folder");
        for (boot, name) in [("b1", "3f2a"), ("b2", "99c1"), ("b2", "3f2a")] {
            assert_eq!(
                claim_for(&root, Some(boot), &machine("", name)).expect("a folder"),
                Claim::Ours,
                "{boot} {name}"
            );
            assert!(!scratch.path().join(MACHINE_FILE).exists(), "{boot} {name}");
        }
        // The machine itself does.
        assert_eq!(claim_for(&root, Some("b2"), &machine("1", "host")).expect("a folder"), Claim::Ours);
        assert!(scratch.path().join(MACHINE_FILE).exists());
    }

    #[test]
    fn a_torn_note_is_none_and_a_link_is_followed_by_nobody() {
        let scratch = Scratch::new();
        let root = Dir::open(scratch.path(), Access::Owner).expect("a folder");
        let path = scratch.path().join(MACHINE_FILE);
        for torn in ["", "hydrant", "hydrant machine 1\n", "hydrant machine 1\n2\n", "else\n2\nother\n"] {
            fs::write(&path, torn).expect("a note");
            assert_eq!(claim_for(&root, Some("b"), &machine("1", "host")).expect("a folder"), Claim::Ours, "{torn:?}");
        }
        fs::remove_file(&path).expect("gone");
        std::os::unix::fs::symlink("/etc/hostname", &path).expect("a link");
        assert!(claim_for(&root, Some("b"), &machine("1", "host")).is_err());
    }
}
