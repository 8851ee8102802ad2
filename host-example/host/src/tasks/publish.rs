//! Brings a session to its server and its ledger. Nothing is lost wherever it ends.

mod lint;
mod next;
mod obstacle;
mod operation;
mod options;
mod plan;
mod quick;
mod recording;
mod regenerate;
mod report;
mod scene;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::tasks::client::Client;

pub use options::PublishOptions;
pub use regenerate::RegenerateOptions;
pub use report::{PlanReport, PlannedFile, PlannedStorage, PublishReport, PublishedFile, PublishedFileState};
use scene::Scene;

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
