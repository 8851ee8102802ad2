//! What of the user's is in the way of a publish: a file where something else would have to stand, and commits that
//! hold content in full.
//!
//! The rule it keeps: found before anything is sent; only git says what is committed.

use crate::contract::error::Fault;
use crate::files::digest::blob_of_file;
use crate::remote::Preflight;
use crate::sessions::ledger::path_in;
use crate::tasks::content_in_git::commits;
use crate::text::{bytes_text, quote};

use super::operation::refused;
use super::recording::Place;
use super::scene::Scene;

impl Scene<'_> {
    /// The first thing that is in the way, in a sentence.
    pub(super) fn obstacle(&self, preflight: &Preflight) -> Result<Option<String>, Fault> {
        match self.content_going_along(preflight)? {
            Some(sentence) => Ok(Some(sentence)),
            None => self.change_in_the_way(),
        }
    }

    /// Content that the user's unpushed commits would bring into the remote's history for ever.
    fn content_going_along(&self, preflight: &Preflight) -> Result<Option<String>, Fault> {
        if preflight.unpushed == 0 {
            return Ok(None);
        }
        let head = preflight.ledger.last_commit().map_err(|refusal| refused(&refusal))?;
        let found = commits::unpushed(self.repository, &mut self.client.guest()?, &head, Some(preflight.tip.as_str()))?;
        let Some(first) = found.first() else { return Ok(None) };
        let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
        Ok(Some(format!(
            "the commits that were not pushed hold content in full: {}, {}{more}; {}",
            quote(first.file.path.as_bytes()),
            bytes_text(first.file.size),
            first.cure()
        )))
    }

    /// The first file that git carries, and that is neither committed nor what is published.
    fn change_in_the_way(&self) -> Result<Option<String>, Fault> {
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
