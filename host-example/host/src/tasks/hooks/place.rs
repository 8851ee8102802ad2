//! Where git looks for hooks, and whether their files are ours to change.
//!
//! The rule it keeps: only files in this repository's own folder are changed, no link is followed, and a hook that git
//! does not run today is not made to run.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::documents::manifest_write::change_file;
use crate::files::atomic::Fresh;
use crate::files::facts::Kind;
use crate::files::platform::{is_program, path_of};
use crate::files::{Access, Dir, Files};
use crate::repository::Repository;

use super::block::{self, Split};
use super::report::{HookKind, HookReport, HookState, HooksTask};

/// Bytes of a hook that are looked at.
const HOOK_BYTES_MAX: u64 = 1 << 20;
/// Who may do what with a hook.
const PERMISSIONS: u32 = 0o755;
/// Begins the name of a hook on its way.
const TEMPORARY: &str = ".hydrant-hook-";
/// Where husky has the hooks that it makes itself, beside those of the user.
const HUSKY: (&str, &str) = (".husky", "_");

const NOT_RUN: &str = "this hook is not executable, so git does not run it; `chmod +x` it if it is to run";

/// The folder of the hooks.
pub(super) struct Place {
    folder: PathBuf,
    /// Why nothing in it is ours to change.
    reason: Option<&'static str>,
    /// husky runs its hooks, which need not be executable.
    is_husky: bool,
}

impl Place {
    pub(super) fn of(repository: &Repository) -> Result<Self, Fault> {
        let told = repository.git.read(&["rev-parse", "--path-format=absolute", "--git-path", "hooks"], b"")?;
        let folder = path_of(told.strip_suffix(b"\n").unwrap_or(&told));
        let (real, top) = (real(&folder), real(&repository.top));
        let reason = if real.starts_with(self::real(&repository.common_dir)) {
            None
        } else if real.starts_with(top) {
            Some("git's hooks lie in the work tree (core.hooksPath), where commits change them")
        } else {
            Some("git's hooks lie outside of this repository (core.hooksPath), where others may use them")
        };
        let is_husky = folder.ends_with(Path::new(HUSKY.0).join(HUSKY.1));
        let folder = folder.parent().filter(|_| is_husky).map(Path::to_owned).unwrap_or(folder);
        Ok(Self { folder, reason, is_husky })
    }

    /// Does it to one hook, and says how that is then.
    pub(super) fn hook(&self, kind: HookKind, task: HooksTask) -> Result<HookReport, Fault> {
        let path = self.folder.join(kind.file());
        let text = read(&path).map_err(|error| Fault::local(kind.file(), &error))?;
        let mut report = HookReport {
            hook: kind,
            path: path.to_string_lossy().into_owned(),
            state: HookState::Absent,
            changed: false,
            reason: None,
            lines: None,
        };
        let split = block::split(kind, text.as_deref().unwrap_or_default());
        let reason = self.reason.or_else(|| foreign(&path, text.as_deref())).or(split.as_ref().err().copied());
        let (Ok(Split { rest, is_current }), None) = (&split, reason) else {
            let has_lines = text.as_deref().is_some_and(|text| kind.is_checked_by(text));
            let is_run = self.is_husky || is_program(&path);
            report.state = if has_lines && is_run { HookState::Installed } else { HookState::Absent };
            let is_to_do = match task {
                HooksTask::List => false,
                HooksTask::Install => !has_lines,
                HooksTask::Remove => has_lines,
            };
            report.lines = is_to_do.then(|| kind.lines());
            report.reason = if has_lines && !is_run { Some(NOT_RUN) } else { reason }.map(str::to_owned);
            return Ok(report);
        };
        report.state = match is_current {
            None if text.as_deref().is_some_and(|text| kind.is_checked_by(text)) => HookState::Installed,
            None => HookState::Absent,
            Some(true) => HookState::Installed,
            Some(false) => HookState::Outdated,
        };
        match task {
            HooksTask::List => {}
            HooksTask::Install if report.state != HookState::Installed => {
                self.write(kind, text.as_deref(), Some(&block::join(kind, rest)))?;
                (report.state, report.changed) = (HookState::Installed, true);
            }
            HooksTask::Remove if is_current.is_some() => {
                self.write(kind, text.as_deref(), (!block::is_nothing(rest)).then_some(rest))?;
                (report.state, report.changed) = (HookState::Absent, true);
            }
            HooksTask::Install | HooksTask::Remove => {}
        }
        Ok(report)
    }

    /// Puts a text in the place of what was read; none removes the file.
    fn write(&self, kind: HookKind, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<(), Fault> {
        let name = kind.file();
        let unwritable = |error: io::Error| Fault::local(&format!("the hook {name} cannot be written"), &error);
        let changed = || Fault::local(name, &io::Error::other("somebody else changed it meanwhile; run it again"));
        let dir = Dir::open_or_create(&self.folder, Access::Umask).map_err(unwritable)?;
        match (old, new) {
            (None, Some(new)) => {
                let fresh = Fresh::write(&dir, TEMPORARY, new, Some(PERMISSIONS)).map_err(unwritable)?;
                if !fresh.take_free(name).map_err(unwritable)? {
                    return Err(changed());
                }
            }
            (Some(old), Some(new)) => {
                // Permissions stay as they are.
                change_file(&Files::beneath(&self.folder)?, name, |now| match now {
                    Some(now) if now == old => Ok(Some(new.to_vec())),
                    _ => Err(changed()),
                })?;
            }
            (_, None) => dir.remove(name).map_err(unwritable)?,
        }
        Ok(())
    }
}

/// The bytes of a hook, also through a link; none when nothing stands there. One that is too long is none of ours.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // A pipe would keep us waiting.
    if !path.metadata().is_ok_and(|facts| facts.is_file()) {
        return Ok(None);
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(HOOK_BYTES_MAX + 1).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Why a hook that is there is not ours to change.
fn foreign(path: &Path, text: Option<&[u8]>) -> Option<&'static str> {
    let folder = path.parent().and_then(|folder| Dir::open(folder, Access::Umask).ok())?;
    let facts = folder.facts(path.file_name()?).ok()??;
    match text {
        _ if facts.kind != Kind::File => Some("this hook is a link, or no file: what it leads to is somebody else's"),
        Some(text) if text.len() as u64 > HOOK_BYTES_MAX => Some("this hook is too long to be a script"),
        Some(text) if !block::is_shell(text) => Some("this hook is no shell script"),
        Some(_) if !is_program(path) => Some(NOT_RUN),
        _ => None,
    }
}

/// A path without links, also of what is not there yet.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}
