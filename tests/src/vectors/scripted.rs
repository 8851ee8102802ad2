//! A host that does what a judge says, one step at a time: it plays the server and holds the clock.

use super::clock::NOON;
use crate::engine::{Engine, Run, Start};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{
    Beginning, Body, Effect, EffectId, Exchange, Failed, Failure, Head, Header, Instant, Method, Reply, Revision,
    StageId, Step,
};
use hydrant_lfs::text::oid::{Blob, Oid};
use serde_json::{Value, json};

/// The LFS server.
pub(super) const ENDPOINT: &str = "https://lfs.example.test/store";
/// Where blobs are: another origin.
pub(super) const STORAGE: &str = "https://media.example.test/o";
/// Media type of the LFS API.
const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// A configuration that lets a vector see the decision alone: no limit but those the vector is about.
pub(super) fn config(engine: &dyn Engine) -> Config {
    Config { object_bytes_max: i64::MAX as u64, ..engine.default_config(ENDPOINT, 0) }
}

/// A running operation and the time it is told.
pub(super) struct Scripted {
    run: Box<dyn Run>,
    pub(super) now: Instant,
}

/// A leftover of this many bytes.
pub(super) fn left(bytes: u64) -> Reply {
    Reply::Partial(Beginning { stage: StageId("left".to_owned()), bytes, validator: None })
}

impl Scripted {
    pub(super) fn begin(engine: &dyn Engine, config: &Config, start: &Start) -> Result<Self, String> {
        let run = engine.begin(config, start).map_err(|error| format!("the operation does not begin: {error}"))?;
        Ok(Self { run, now: Instant { ticks: 1000, wall: NOON } })
    }

    /// The next step that is not a note.
    pub(super) fn step(&mut self) -> Step {
        loop {
            let step = self.run.poll(self.now);
            if !matches!(step, Step::Note(_) | Step::Retry(_)) {
                return step;
            }
        }
    }

    /// The next effect, which must come at once.
    pub(super) fn effect(&mut self) -> Result<(EffectId, Effect), String> {
        match self.step() {
            Step::Perform(id, effect) => Ok((id, effect)),
            other => Err(format!("expected an effect at once, got {}", shown(&other))),
        }
    }

    /// The next effect, which must be a request and come at once.
    pub(super) fn request(&mut self) -> Result<(EffectId, Exchange), String> {
        match self.effect()? {
            (id, Effect::Http(exchange)) => Ok((id, exchange)),
            (id, other) => Err(format!("expected a request, got {}", shown(&Step::Perform(id, other)))),
        }
    }

    /// The next effect, which must be a batch request and come at once; and the objects it asks about.
    pub(super) fn batch(&mut self) -> Result<(EffectId, Exchange, Vec<Blob>), String> {
        let (id, exchange) = self.request()?;
        let asked = asked(&exchange)?;
        Ok((id, exchange, asked))
    }

    /// Milliseconds it wants to wait, with nothing open.
    pub(super) fn wait(&mut self) -> Result<u64, String> {
        match self.step() {
            Step::Wait(Some(until)) if until > self.now.ticks => Ok(until - self.now.ticks),
            other => Err(format!("expected a wait, got {}", shown(&other))),
        }
    }

    /// Time goes on; the wall clock stays where the vector has it.
    pub(super) fn pass(&mut self, millis: u64) {
        self.now.ticks += millis;
    }

    /// The operation must be over.
    pub(super) fn done(&mut self) -> Result<(), String> {
        match self.step() {
            Step::Done => Ok(()),
            other => Err(format!("expected the end, got {}", shown(&other))),
        }
    }

    /// A reply that the contract allows.
    pub(super) fn reply(&mut self, id: EffectId, reply: Reply) -> Result<(), String> {
        self.run.reply(id, &reply).map_err(|misuse| format!("a right reply was refused: {misuse:?}"))
    }

    /// A whole answer.
    pub(super) fn answer(&mut self, id: EffectId, head: Head, body: &[u8]) -> Result<(), String> {
        self.reply(id, Reply::Head(head))?;
        if !body.is_empty() {
            self.reply(id, Reply::Chunk(body.to_vec()))?;
        }
        self.reply(id, Reply::End)
    }

    /// A whole answer without a body.
    pub(super) fn answer_status(&mut self, id: EffectId, head: &Head) -> Result<(), String> {
        self.answer(id, head.clone(), b"")
    }

    /// An answer of the API.
    pub(super) fn answer_json(&mut self, id: EffectId, body: &Value) -> Result<(), String> {
        let headers = vec![Header::new("Content-Type", LFS_JSON)];
        self.answer(id, Head { status: 200, headers }, body.to_string().as_bytes())
    }

    /// A batch answer in which every object has these actions.
    pub(super) fn offer(&mut self, id: EffectId, blobs: &[Blob], actions: &Value) -> Result<(), String> {
        let object = |blob: &Blob| json!({"oid": blob.oid.to_string(), "size": blob.size, "actions": actions});
        self.answer_json(id, &json!({"transfer": "basic", "objects": blobs.iter().map(object).collect::<Vec<_>>()}))
    }

    /// A batch answer in which no object exists.
    pub(super) fn deny(&mut self, id: EffectId, blobs: &[Blob]) -> Result<(), String> {
        let error = json!({"code": 404, "message": "gone"});
        let object = |blob: &Blob| json!({"oid": blob.oid.to_string(), "size": blob.size, "error": error});
        self.answer_json(id, &json!({"objects": blobs.iter().map(object).collect::<Vec<_>>()}))
    }

    /// Answers the question about the cache.
    pub(super) fn cache(&mut self, replies: impl IntoIterator<Item = Reply>) -> Result<(), String> {
        match self.effect()? {
            (id, Effect::HasBlob(_)) => replies.into_iter().try_for_each(|reply| self.reply(id, reply)),
            (id, other) => Err(format!("expected a look into the cache, got {}", shown(&Step::Perform(id, other)))),
        }
    }

    /// Gives the bytes of the file that is to be uploaded.
    pub(super) fn file(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self.effect()? {
            (id, Effect::ReadFile(_)) => {
                self.reply(id, Reply::Chunk(bytes.to_vec()))?;
                self.reply(id, Reply::End)?;
                self.reply(id, Reply::At(Revision("r1".to_owned())))
            }
            (id, other) => Err(format!("expected a file to be read, got {}", shown(&Step::Perform(id, other)))),
        }
    }

    /// The blob must be kept now.
    pub(super) fn keep(&mut self, expected: Oid) -> Result<(), String> {
        match self.effect()? {
            (id, Effect::KeepBlob(staged)) if staged.blob.oid == expected => self.reply(id, Reply::End),
            (id, other) => Err(format!("expected the blob to be kept, got {}", shown(&Step::Perform(id, other)))),
        }
    }

    /// The effect must be cancelled now.
    pub(super) fn cancelled(&mut self, expected: EffectId) -> Result<(), String> {
        match self.step() {
            Step::Cancel(id) if id == expected => {
                let why = Failure::Aborted;
                self.reply(id, Reply::Failed(Failed { why, detail: "cancelled".to_owned() }))
            }
            other => Err(format!("expected the request to be cancelled, got {}", shown(&other))),
        }
    }

    /// The operation, for its `finish_…`.
    pub(super) fn end(mut self) -> Result<Box<dyn Run>, String> {
        self.done()?;
        Ok(self.run)
    }

    /// The end of a transfer of one object.
    pub(super) fn outcome(self) -> Result<Result<(), hydrant_lfs::text::error::Error>, String> {
        match self.end()?.outcomes() {
            Err(error) => Ok(Err(error)),
            Ok(outcomes) => match <[_; 1]>::try_from(outcomes) {
                Ok([outcome]) => Ok(outcome.ended),
                Err(outcomes) => Err(format!("{} outcomes for one object", outcomes.len())),
            },
        }
    }

    /// The object must have ended well.
    pub(super) fn succeeds(self) -> Result<(), String> {
        self.outcome()?.map_err(|error| format!("it ended with {error}"))
    }

    /// The object must have ended with an error.
    pub(super) fn fails(self) -> Result<hydrant_lfs::text::error::Error, String> {
        self.outcome()?.err().ok_or_else(|| "it ended well".to_owned())
    }
}

/// The objects of a batch request.
pub(super) fn asked(exchange: &Exchange) -> Result<Vec<Blob>, String> {
    let request = &exchange.request;
    let Body::Bytes(body) = &request.body else {
        return Err(format!("a batch request without a body to {}", request.url));
    };
    if request.method != Method::Post || !request.url.split('?').next().unwrap_or_default().ends_with("/objects/batch")
    {
        return Err(format!("expected a batch request, got {:?} {}", request.method, request.url));
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("a batch request that is not JSON: {error}"))?;
    super::fields::blobs(body.get("objects"))
}

/// A retry must wait within half and whole of `expected`: the jitter's range.
pub(super) fn is_backoff(waited: u64, expected: u64) -> Result<(), String> {
    if (expected / 2..=expected).contains(&waited) {
        return Ok(());
    }
    Err(format!("expected a wait of {} to {expected} ms, got {waited}", expected / 2))
}

/// A step in few words.
pub(super) fn shown(step: &Step) -> String {
    crate::trace::step(step).unwrap_or_else(|| "nothing".to_owned())
}
