//! What of the user's stands in the session's folder where a publish would have to put something else.
//!
//! The rule it keeps: found before anything is sent; only git says what is committed.

use crate::contract::error::Fault;
use crate::files::digest::blob_of_file;
use crate::sessions::ledger::path_in;
use crate::text::quote;

use super::recording::Place;
use super::scene::Scene;

impl Scene<'_> {
    /// The first file that git carries, and that is neither committed nor what is published, in a sentence.
    pub(super) fn obstacle(&self) -> Result<Option<String>, Fault> {
        if self.unfinished {
            // The rest of that one is settled first, and says by itself what is in its way.
            return Ok(None);
        }
        let mut others = Vec::new();
        for file in self.recording.files.iter().filter(|file| file.in_git && file.place != Place::InSession) {
            let path = path_in(&self.session, &file.name);
            if self.differ(&path, &file.read_by(&self.session))? {
                others.push(path);
            }
        }
        if others.is_empty() {
            return Ok(None);
        }
        let asked = ["--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=all", "--ignored", "--"];
        let arguments: Vec<&str> = asked.into_iter().chain(others.iter().map(String::as_str)).collect();
        let said = self.repository.git.read(&arguments, b"")?;
        let first =
            others.iter().find(|path| said.split(|byte| *byte == 0).any(|line| line.ends_with(path.as_bytes())));
        Ok(first.map(|path| {
            let shown = quote(path.as_bytes());
            format!("{shown} here is neither committed nor what is to be published: commit it, or put it aside")
        }))
    }

    /// Whether a file stands here that is not the same as the other one.
    fn differ(&self, here: &str, other: &str) -> Result<bool, Fault> {
        let blob = |name: &str| match self.files.open(name)? {
            Some(mut opened) => blob_of_file(&mut opened.file).map(Some),
            None => Ok(None),
        };
        let both = blob(here).and_then(|here| Ok((here, blob(other)?)));
        let (here, other) = both.map_err(|error| Fault::local(&quote(here.as_bytes()), &error))?;
        Ok(here.is_some() && here != other)
    }
}
