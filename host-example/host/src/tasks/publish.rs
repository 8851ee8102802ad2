//! Brings a session to its server and its ledger. Nothing is lost wherever it ends.

mod lint;
mod next;
mod obstacle;
mod operation;
mod plan;
mod quick;
mod recording;
mod regenerate;
mod report;
mod scene;

use std::path::PathBuf;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::tasks::client::Client;
use crate::tasks::endpoint::ServerOptions;

pub use regenerate::RegenerateOptions;
pub use report::{PlanReport, PlannedFile, PlannedStorage, PublishReport, PublishedFile, PublishedFileState};
use scene::Scene;

/// What is published, and how.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    /// Name of the session, or its folder.
    pub session: String,
    /// Folder whose files are published, relative to the folder that the repository was opened in; hidden files, lock
    /// files and the manifest are left out. None: the content that stands in the session's folder.
    pub from: Option<PathBuf>,
    /// Files of the session's folder that are published besides those that are known to be content.
    pub files: Vec<String>,
    /// Small files that git carries as they are, besides the session's summary.
    pub in_git: Vec<String>,
    /// Text fields of the manifest and what they are to say, in this order.
    pub fields: Vec<(String, String)>,
    /// Only finish what an interrupted publish began. No files and no fields can be given then.
    pub resume: bool,
    /// Ask server and remote even when nothing seems to have changed since the last publish.
    pub again: bool,
    /// Push commits of this branch that were not pushed yet along.
    pub with_unpushed: bool,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

impl PublishOptions {
    /// The same for a repository: its folder is found from everywhere.
    fn within(&self, repository: &Repository) -> Self {
        Self { from: self.from.as_ref().map(|folder| repository.here.join(folder)), ..self.clone() }
    }

    /// Whether files are named one by one.
    fn names_files(&self) -> bool {
        !(self.files.is_empty() && self.in_git.is_empty())
    }
}

impl Client {
    /// Publishes a session. Ended early, it says so in its report.
    pub fn publish(&self, repository: &Repository, options: &PublishOptions) -> Result<PublishReport, Fault> {
        let options = options.within(repository);
        let session = scene::session_word(repository, &options)?;
        match Begun::of(self, repository, &options, &session)? {
            Begun::Idle { session_id, why } => Ok(PublishReport::idle(&session, session_id, why)),
            Begun::Open(scene) => Ok(PublishReport::new(&scene.session, scene.publish()?)),
        }
    }

    /// Says what a publish would do and what stands in its way; only where the remote is may be noted anew.
    pub fn plan_publish(&self, repository: &Repository, options: &PublishOptions) -> Result<PlanReport, Fault> {
        let options = options.within(repository);
        let session = scene::session_word(repository, &options)?;
        match Begun::of(self, repository, &options, &session)? {
            Begun::Idle { why, .. } => Ok(PlanReport::idle(&session, why)),
            Begun::Open(scene) => plan::plan(&scene),
        }
    }
}

/// How a publish begins.
enum Begun<'a> {
    /// There is nothing to do.
    Idle { session_id: Option<String>, why: &'static str },
    /// There may be something to do.
    Open(Box<Scene<'a>>),
}

impl<'a> Begun<'a> {
    /// Looks at what lies here; at as little of it as needed.
    fn of(
        client: &'a Client,
        repository: &'a Repository,
        options: &'a PublishOptions,
        session: &str,
    ) -> Result<Self, Fault> {
        if let Some(notes) = quick::unchanged(repository, options, session)? {
            return Ok(Self::Idle { session_id: Some(notes.session_id), why: scene::NOTHING_CHANGED });
        }
        let scene = Scene::look(client, repository, options)?;
        match scene.idle()? {
            Some(why) => {
                scene.say_left_out();
                Ok(Self::Idle { session_id: scene.session_id().map(str::to_owned), why })
            }
            None => Ok(Self::Open(Box::new(scene))),
        }
    }
}
