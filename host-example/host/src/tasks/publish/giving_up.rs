//! An interrupted publish that its user gives up, and one that ended before it sent anything.
//!
//! The rules it keeps: nothing that is content is removed, here or on the server; what may have been sent stays known
//! to `orphans`, because the journal is put aside and not thrown away; only one that this very run began, and in which
//! it sent nothing, is. A publish that runs is not given up under its hands.

use schemars::JsonSchema;
use serde::Serialize;

use super::options::PublishOptions;
use super::scene::{self, Scene, documents};
use crate::contract::error::Fault;
use crate::contract::ledgers::Unfinished;
use crate::contract::report::BlobReport;
use crate::contract::types::Saving;
use crate::documents::Saved;
use crate::files::Files;
use crate::repository::Repository;
use crate::sessions::journaled;
use crate::sessions::ledger::{MANIFEST, path_in};
use crate::tasks::client::Client;
use crate::text::{count_text, quote, shell};

/// What giving a publish up came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AbandonReport {
    /// Name of the session.
    pub session: String,
    /// An interrupted publish was given up. Otherwise there was none.
    pub abandoned: bool,
    /// Where its journal lies now, in the folder that all work trees of the clone share; null where there was none.
    pub journal: Option<String>,
    /// The remote has what was published, as far as this clone knows.
    pub published: bool,
    /// Blobs that were sent, or may have been. They stay on the server; `hydrant orphans` lists those that nothing
    /// names.
    pub blob_list: Vec<BlobReport>,
    /// Files of the working tree that hold content where the publish would have put pointers. They stay.
    pub content_list: Vec<String>,
    /// What is left, and what comes next, in one sentence.
    pub next: String,
}

impl Client {
    /// Gives up what an interrupted publish of a session left to do.
    pub fn abandon_publish(&self, repository: &Repository, session: &str) -> Result<AbandonReport, Fault> {
        let options = PublishOptions { session: session.to_owned(), ..PublishOptions::default() };
        let mut guest = self.guest()?;
        let session = scene::session_name(repository, &options, &mut guest)?;
        let _turn = scene::turn(repository, &session)?;
        let shown = shell(&session);
        let unwritable = |error: &std::io::Error| Fault::local("the journal cannot be put aside", error);
        let Some(abandoned) = documents(repository)?.abandon(&session).map_err(|error| unwritable(&error))? else {
            let stands = repository.top.join(path_in(&session, MANIFEST)).symlink_metadata().is_ok();
            if !stands {
                let shown = quote(session.as_bytes());
                return Err(Fault::misuse(format!("nothing to give up: no publish of {shown} was interrupted here")));
            }
            return Ok(AbandonReport::nothing(&session));
        };
        let journal = Some(abandoned.path());
        let none = AbandonReport { abandoned: true, journal, ..AbandonReport::nothing(&session) };
        let Ok(unfinished) = guest.read_journal(&abandoned.text) else {
            let next = "its journal cannot be read by this version, so what it sent is not known; it is kept as it is";
            return Ok(AbandonReport { next: next.to_owned(), ..none });
        };
        let blobs = journaled::sent(&mut guest, &unfinished)?;
        let (mut published, mut has_replaced, mut content_list) = (false, false, Vec::new());
        if let Unfinished::Bound(bound) = &unfinished {
            has_replaced = !bound.superseded.is_empty();
            published = journaled::is_in(repository, bound, "@{upstream}")?;
            content_list = journaled::standing(&Files::beneath(&repository.top)?, bound, &session)?;
        }
        let sent =
            format!("{} may be on the server, where `hydrant orphans` finds them", count_text(blobs.len(), "blob"));
        let there = "the remote has it all the same: `git pull` brings it here";
        let next = match (published, has_replaced) {
            (true, false) => there.to_owned(),
            (true, true) => format!("{there}, and `hydrant orphans` finds what it replaced"),
            (false, _) => format!("{sent}; `hydrant publish {shown}` begins anew"),
        };
        Ok(AbandonReport {
            published,
            blob_list: blobs.iter().map(BlobReport::from).collect(),
            content_list,
            next,
            ..none
        })
    }
}

impl AbandonReport {
    fn nothing(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            abandoned: false,
            journal: None,
            published: false,
            blob_list: Vec::new(),
            content_list: Vec::new(),
            next: "nothing to give up: no publish of this session was interrupted".to_owned(),
        }
    }
}

impl Scene<'_> {
    /// Removes the journal that a run began and in which it sent nothing. One that replaced another stays, and so does
    /// whatever stands there by now: it names what others sent.
    pub(super) fn take_back(&self, begun: String) -> Result<bool, Fault> {
        let saving = Saving { name: format!("journal/{}", self.session), bytes: None, replaces: Some(begun) };
        let saved = documents(self.repository)?.save(&saving);
        Ok(saved.map_err(|error| Fault::local("the journal cannot be taken back", &error))? == Saved::Removed)
    }
}
