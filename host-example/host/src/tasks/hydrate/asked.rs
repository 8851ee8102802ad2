//! What the words on the command line mean: sessions, and places of the work tree for everything that is none.

use crate::contract::error::Fault;
use crate::repository::Repository;
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
#[derive(PartialEq, Eq)]
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
                Target::Session { name, file } if repository.has_sessions()? => asked.choose(Chosen { name, file }),
                _ => asked.take_place(repository, ledger, within(repository, word)?)?,
            }
        }
        Ok(asked)
    }

    fn choose(&mut self, one: Chosen) {
        if !self.sessions.contains(&one) {
            self.sessions.push(one);
        }
    }

    /// Whoever names a folder above the sessions means them, too.
    fn take_place(&mut self, repository: &Repository, ledger: &Ledger, place: String) -> Result<(), Fault> {
        if (place.is_empty() || place == SESSIONS) && repository.has_sessions()? {
            ledger.sessions()?.into_iter().for_each(|name| self.choose(Chosen { name, file: None }));
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
