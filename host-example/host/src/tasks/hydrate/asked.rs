//! What the words on the command line mean: sessions, and places of the work tree for everything that is none.

use std::collections::HashSet;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::sessions::coverage;
use crate::sessions::ledger::{Ledger, SESSIONS, Target, relative_to};
use crate::text::quote;

use super::HydrateOptions;

/// What is asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) sessions: Vec<Chosen>,
    /// Files and folders, by their paths from the top.
    pub(super) places: Vec<String>,
}

/// A session that was asked for; all of its files, or one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) file: Option<String>,
}

impl Asked {
    /// What the words name; everything, when there is none.
    pub(super) fn of(repository: &Repository, ledger: &Ledger, options: &HydrateOptions) -> Result<Self, Fault> {
        let mut asked = Self::default();
        if options.targets.is_empty() {
            asked.take_place(repository, ledger, String::new())?;
        }
        for word in &options.targets {
            match ledger.target(word, &repository.here) {
                Target::Session { name, .. } if options.in_place && repository.has_sessions()? => {
                    return Err(pointers_stay(&name));
                }
                Target::Session { name, file } if repository.has_sessions()? => {
                    asked.sessions.push(Chosen { name, file });
                }
                _ => {
                    if let Some(fault) = coverage::session_kept_out(repository, word)? {
                        return Err(fault);
                    }
                    asked.take_place(repository, ledger, within(repository, word)?)?;
                }
            }
        }
        let mut seen = HashSet::new();
        asked.sessions.retain(|one| seen.insert(one.clone()));
        Ok(asked)
    }

    /// How many sessions are meant, of which all or something is.
    pub(super) fn session_count(&self) -> usize {
        self.sessions.iter().map(|one| one.name.as_str()).collect::<HashSet<_>>().len()
    }

    /// Whoever names a folder above the sessions means them, too.
    fn take_place(&mut self, repository: &Repository, ledger: &Ledger, place: String) -> Result<(), Fault> {
        if (place.is_empty() || place == SESSIONS) && repository.has_sessions()? {
            self.sessions.extend(ledger.sessions()?.into_iter().map(|name| Chosen { name, file: None }));
        }
        self.places.push(place);
        Ok(())
    }
}

/// Why nothing of a session is put in place.
pub(super) fn pointers_stay(name: &str) -> Fault {
    let shown = quote(name.as_bytes());
    Fault::misuse(format!("{shown} is of a session: its pointers stay, content is read from the cache"))
}

/// Where in the work tree a word on the command line points.
fn within(repository: &Repository, word: &str) -> Result<String, Fault> {
    relative_to(&repository.here.join(word), &repository.top)
        .filter(|path| !path.split('/').any(|part| part == ".git"))
        .ok_or_else(|| Fault::misuse(format!("{} is not in this work tree", quote(word.as_bytes()))))
}
