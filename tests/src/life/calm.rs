//! The end of a life: nothing goes wrong any more, and everything must come to rest.

use super::Life;
use super::scenario::{RAW, place, pointer};
use crate::world::{Ended, Faults, Job, again, publishes, readable_elsewhere, run};
use hydrant_ledger::publish::Publication;
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::oid::Oid;

/// Runs in which a session must come to rest, others' changes and a pull between them included.
const CALM_RUNS_MAX: usize = 4;

impl Life<'_> {
    /// Faults stop; whoever runs the server has it in order again; users finish what they began.
    pub(super) fn calm_down(&mut self) -> Result<(), String> {
        self.say("== calm".to_owned());
        let drawn = std::mem::take(&mut self.faults.drawn);
        self.faults = Faults::none();
        self.faults.drawn = drawn;
        self.calm = true;
        self.world.stop_after = None;
        self.world.server.recover();
        self.world.server.claimed.clear();
        self.clear_unpushed()?;
        if !self.world.others.is_empty() {
            let theirs = self.theirs.clone();
            self.world.rivals += usize::from(theirs.iter().any(|it| self.stands_in_our_way(it)));
            self.elsewhere(|life| theirs.iter().try_for_each(|publication| life.comes_to_rest(publication)))?;
        }
        let ours: Vec<Publication> = self.ours.clone().into_iter().map(|it| self.publishable(it)).collect();
        for publication in &ours {
            self.comes_to_rest(publication)?;
        }
        let told: Vec<&Publication> = ours.iter().filter(|it| self.has_transcript(it)).collect();
        for publication in told {
            publishes(&mut self.world, publication).map_err(|broken| format!("{}: {broken}", publication.session))?;
            readable_elsewhere(&self.world, publication)?;
            self.hydrates(publication)?;
        }
        if self.world.store.rebasing || !self.world.store.unpushed.is_empty() {
            return Err("something is left to push".to_owned());
        }
        self.world.check()
    }

    /// A publication without files that the user removed, and with something to tell in its transcript.
    fn publishable(&mut self, mut publication: Publication) -> Publication {
        let session = publication.session.clone();
        let path = |file: &hydrant_ledger::publish::PublishFile| {
            file.source.clone().unwrap_or_else(|| place(&session, &file.name))
        };
        publication.files.retain(|file| self.world.store.owed.contains_key(&path(file)));
        let Some(raw) = publication.files.iter().find(|file| file.name == RAW).map(path) else { return publication };
        let store = &mut self.world.store;
        let silent = store.files.get(&raw).is_some_and(|bytes| bytes == b"{\"type\":\"header\"}\n");
        if silent {
            for bytes in [store.files.get_mut(&raw), store.owed.get_mut(&raw)].into_iter().flatten() {
                bytes.extend_from_slice(b"{\"type\":\"user\",\"content\":\"something at last\"}\n");
            }
        }
        publication
    }

    /// Whether there is a transcript to publish, or one was published.
    fn has_transcript(&self, publication: &Publication) -> bool {
        let raw = place(&publication.session, RAW);
        publication.files.iter().any(|file| file.name == RAW) || self.world.remote.tree().contains_key(&raw)
    }

    /// Another clone's publication has a file that one of ours has, too.
    pub(super) fn stands_in_our_way(&self, theirs: &Publication) -> bool {
        let ours = self.ours.iter().filter(|ours| ours.session == theirs.session).flat_map(|ours| &ours.files);
        ours.into_iter().any(|file| theirs.files.iter().any(|other| other.name == file.name))
    }

    /// Calm runs, and a pull where others stand in the way.
    fn comes_to_rest(&mut self, publication: &Publication) -> Result<(), String> {
        let mut last = None;
        for _ in 0..CALM_RUNS_MAX {
            let plan = again(&self.world.store, publication);
            let asked = self.pointers_of(&plan);
            let ended = run(&mut self.world, &Job::Publish(plan), &mut Faults::none())?;
            let Ended::Published(report) = ended else { return Err(format!("a calm publish ended as {ended:?}")) };
            match report.ended {
                Ok(()) => {
                    let tree = self.world.remote.tree();
                    return match asked.iter().find(|(path, pointer)| tree.get(path) != Some(pointer)) {
                        Some((path, _)) => Err(format!("it ended well and {path} was not published as it is")),
                        None => Ok(()),
                    };
                }
                Err(error) if error.code == Code::Rejected && !self.has_transcript(publication) => return Ok(()),
                Err(error) => last = Some(error),
            }
            self.say("== pulled".to_owned());
            self.world.store.pull(&self.world.remote.history);
        }
        Err(format!("{} does not come to rest: {last:?}", publication.session))
    }

    /// What a publish that ends well has brought to the remote: the pointer of each file as it is at the beginning.
    fn pointers_of(&self, plan: &Publication) -> Vec<(String, Vec<u8>)> {
        let pointer_of = |file: &hydrant_ledger::publish::PublishFile| {
            let path = place(&plan.session, &file.name);
            let bytes = self.world.store.files.get(file.source.as_ref().unwrap_or(&path))?;
            Some((path, pointer(bytes)))
        };
        plan.files.iter().filter(|file| !file.in_git).filter_map(pointer_of).collect()
    }

    /// Every blob of a session comes into the cache here, too, unless the server only said to have it.
    fn hydrates(&mut self, publication: &Publication) -> Result<(), String> {
        let job = Job::HydrateSession(publication.session.clone());
        let ended = run(&mut self.world, &job, &mut Faults::none())?;
        let Ended::Done(Ok(outcomes)) = ended else { return Err(format!("a calm hydrate ended as {ended:?}")) };
        let lied = |oid: &str| Oid::parse(oid).is_some_and(|oid| self.world.server.lied.contains(&oid));
        match outcomes.iter().find(|outcome| outcome.ended.is_err() && !lied(&outcome.oid)) {
            Some(outcome) => Err(format!("a calm hydrate leaves {}: {:?}", outcome.name, outcome.ended)),
            None => Ok(()),
        }
    }
}
