//! Brings a session to its server and its ledger. Nothing is lost wherever it ends.

mod giving_up;
mod left_out;
mod lint;
mod next;
mod obstacle;
mod operation;
mod options;
mod plan;
mod quick;
mod recording;
mod redacted;
mod redacting;
mod redaction;
mod regenerate;
mod report;
mod scene;
mod secrets;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::tasks::client::Client;

pub use crate::gate::{Allowance, AllowedSecret, HeldSecret, SecretOptions};
pub use giving_up::AbandonReport;
pub use left_out::{LeftOut, LeftOutReason};
pub use options::PublishOptions;
pub use regenerate::RegenerateOptions;
pub use report::{PlanReport, PlannedFile, PlannedStorage, PublishReport, PublishedFile, PublishedFileState};
use scene::{Aim, Scene};

impl Client {
    /// Publishes a session. Ended early, it says so in its report.
    pub fn publish(&self, repository: &Repository, options: &PublishOptions) -> Result<PublishReport, Fault> {
        let options = options.within(repository);
        let session = scene::session_word(repository, &options)?;
        match Begun::of(self, repository, &options, &session, Aim::Publish)? {
            Begun::Idle(idle) => Ok(PublishReport::idle(&session, idle)),
            Begun::Open(scene) => scene.published(),
        }
    }

    /// Says what a publish would do and what stands in its way; only where the remote is may be noted anew.
    pub fn plan_publish(&self, repository: &Repository, options: &PublishOptions) -> Result<PlanReport, Fault> {
        let options = options.within(repository);
        let session = scene::session_word(repository, &options)?;
        match Begun::of(self, repository, &options, &session, Aim::Plan)? {
            Begun::Idle(idle) => Ok(PlanReport::idle(&session, idle)),
            Begun::Open(scene) => plan::plan(&scene),
        }
    }
}

/// There is nothing to publish.
struct Idle {
    session_id: Option<String>,
    why: &'static str,
    left_out: Vec<LeftOut>,
}

/// How a publish begins.
enum Begun<'a> {
    /// There is nothing to do.
    Idle(Idle),
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
        aim: Aim,
    ) -> Result<Self, Fault> {
        if let Some(notes) = quick::unchanged(repository, options, session)? {
            let (session_id, why) = (Some(notes.session_id), scene::NOTHING_CHANGED);
            return Ok(Self::Idle(Idle { session_id, why, left_out: Vec::new() }));
        }
        let scene = Scene::look(client, repository, options, aim)?;
        match scene.idle()? {
            Some(why) => {
                scene.say_left_out();
                let session_id = scene.session_id().map(str::to_owned);
                Ok(Self::Idle(Idle { session_id, why, left_out: scene.recording.left_out }))
            }
            None => Ok(Self::Open(Box::new(scene))),
        }
    }
}
