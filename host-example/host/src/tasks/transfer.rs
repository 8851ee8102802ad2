//! Runs one operation of the engine: its configuration from flags and settings, its host, its progress, its report.

use std::env;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::batches::BatchObject;
use crate::contract::error::HostError;
use crate::contract::operations::{self, Config, Outcome, Source, Want};
use crate::contract::report::{ErrorReport, rounded};
use crate::contract::types::{Blob, Code, Direction, Error, Login};
use crate::driver::host::{Host, HostBuilder};
use crate::driver::{self, Tracing, Watch};
use crate::engine::{Guest, Operation};

use crate::contract::error::Fault;
use crate::files::random_bytes;
use crate::repository::Repository;
use crate::tasks::advice;
use crate::tasks::client::Client;
use crate::tasks::endpoint::{self, Destination, ServerOptions};
use crate::text::parse_bytes;

/// Objects one operation takes; longer lists run as several, one after the other.
pub(crate) const OBJECTS_PER_OPERATION_MAX: usize = 65_536;
/// The environment variable that bounds objects where neither a flag nor git does.
const LIMIT_VARIABLE: &str = "OX_LFS_MAX_OBJECT_SIZE";
/// git's name for the same, as `git config --list` prints it.
const LIMIT_SETTING: &str = "hydrant.objectbytesmax";
const MS_PER_SECOND: u64 = 1000;

/// What became of the objects of a transfer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TransferReport {
    /// The caller ended it.
    pub interrupted: bool,
    /// Objects that were asked for.
    pub objects: usize,
    /// Those of them that ended well.
    pub present: usize,
    /// Bytes of those that ended well.
    pub bytes: u64,
    /// Seconds it took.
    #[serde(serialize_with = "rounded")]
    pub seconds: f64,
    /// Each object and what became of it.
    pub outcomes: Vec<ObjectReport>,
}

/// How many objects ended well, and their bytes.
fn there(outcomes: &[ObjectReport]) -> (usize, u64) {
    let there = outcomes.iter().filter(|one| one.is_present());
    there.fold((0, 0), |(count, bytes), one| (count + 1, bytes.saturating_add(one.size)))
}

/// One object of a transfer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ObjectReport {
    /// Its path, or what the caller called it.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub oid: String,
    /// Its bytes.
    pub size: u64,
    /// Where it stands.
    pub state: ObjectState,
    /// Why it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// How an object of a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectState {
    /// It is where it was to come, every byte verified.
    Present,
    /// It is not.
    Failed,
    /// It was not tried, or not to its end; the next run does.
    Unfinished,
}

impl From<Outcome> for ObjectReport {
    fn from(outcome: Outcome) -> Self {
        let Outcome { name, oid, size, ended } = outcome;
        let state = match &ended {
            Ok(()) => ObjectState::Present,
            Err(error) if error.code == Code::Unfinished => ObjectState::Unfinished,
            Err(_) => ObjectState::Failed,
        };
        Self { name, oid, size, state, error: ended.err().as_ref().map(ErrorReport::from) }
    }
}

impl TransferReport {
    /// Takes over how objects ended when they were tried once more.
    pub(crate) fn amend(&mut self, again: &Self) {
        for outcome in &mut self.outcomes {
            if let Some(later) = again.outcomes.iter().find(|later| later.oid == outcome.oid) {
                (outcome.state, outcome.error) = (later.state, later.error.clone());
            }
        }
        (self.present, self.bytes) = there(&self.outcomes);
        self.interrupted |= again.interrupted;
        self.seconds += again.seconds;
    }

    pub(crate) fn new(outcomes: Vec<Outcome>, started: Instant, interrupted: bool) -> Self {
        let outcomes: Vec<ObjectReport> = outcomes.into_iter().map(ObjectReport::from).collect();
        let (present, bytes) = there(&outcomes);
        let seconds = started.elapsed().as_secs_f64();
        Self { interrupted, objects: outcomes.len(), present, bytes, seconds, outcomes }
    }

    /// Adds objects that could not be tried.
    pub fn add(&mut self, outcomes: Vec<Outcome>) {
        self.objects += outcomes.len();
        self.outcomes.extend(outcomes.into_iter().map(ObjectReport::from));
    }

    /// Whether every object ended well.
    pub fn is_complete(&self) -> bool {
        self.present == self.objects
    }

    /// Whether the wish to stop left something undone.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted && !self.is_complete()
    }
}

impl ObjectReport {
    /// Whether it ended well.
    pub fn is_present(&self) -> bool {
        self.state == ObjectState::Present
    }
}

/// A transfer of objects.
pub(crate) enum Work {
    /// Into the cache what the cache has not.
    Hydrate(Vec<Want>),
    /// The same for one session; objects and bytes are for the progress.
    HydrateSession { name: String, objects: usize, bytes: u64 },
    /// Into the cache whatever it has.
    Download(Vec<Want>),
    /// To the server; the bytes are for the progress.
    Upload { sources: Vec<Source>, bytes: u64 },
}

/// Everything that a run needs besides the work itself.
pub(crate) struct Runner<'a> {
    pub(crate) client: &'a Client,
    pub(crate) config: Config,
    pub(crate) host: Host,
}

impl<'a> Runner<'a> {
    /// A host for this destination; `furnish` gives it the store and the files it may use.
    pub(crate) fn new(
        client: &'a Client,
        destination: Destination,
        server: &ServerOptions,
        object_bytes_max: Option<u64>,
        furnish: impl FnOnce(HostBuilder) -> HostBuilder,
    ) -> Result<Self, Fault> {
        let Destination { endpoint, reference, logins, http } = destination;
        endpoint::check_plain_http(&endpoint, server)?;
        let mut config = client.guest()?.default_config(&endpoint, seed())?;
        config.reference = reference;
        if logins.has_given(&endpoint) {
            config.login = Login::Stored;
        }
        config.insecure_http = server.insecure_http;
        config.object_bytes_max = object_bytes_max.unwrap_or(config.object_bytes_max);
        config.idle_max = server.idle_s_max.map_or(config.idle_max, |s| s.saturating_mul(MS_PER_SECOND));
        config.wait_max = server.wait_s_max.map_or(config.wait_max, |s| s.saturating_mul(MS_PER_SECOND));
        config.retries_max = server.retries_max.unwrap_or(config.retries_max);
        config.in_flight_max = server.in_flight_max.unwrap_or(config.in_flight_max);
        config.batch_objects_max = server.batch_objects_max.unwrap_or(config.batch_objects_max);
        let host = Host::builder().endpoint(&endpoint).logins(logins).http(http).cancel(client.cancel.clone());
        Ok(Self { client, config, host: furnish(host).build()? })
    }

    /// Runs a transfer to its end, in several operations when it is long.
    pub(crate) fn transfer(&mut self, work: Work) -> Result<TransferReport, Fault> {
        let started = Instant::now();
        let (verb, objects, bytes) = match &work {
            Work::Hydrate(wants) => ("hydrate", wants.len(), total(wants)),
            Work::Download(wants) => ("download", wants.len(), total(wants)),
            Work::HydrateSession { objects, bytes, .. } => ("hydrate", *objects, *bytes),
            Work::Upload { sources, bytes } => ("upload", sources.len(), *bytes),
        };
        let mut watch = self.client.watching();
        watch.began(verb, objects, bytes);
        let outcomes = self.outcomes(work, &mut **watch);
        watch.ended();
        Ok(TransferReport::new(outcomes?, started, self.host.interrupted()))
    }

    fn outcomes(&mut self, work: Work, watch: &mut dyn Watch) -> Result<Vec<Outcome>, Fault> {
        let untried_want = |one: &Want| untried(&one.name, &one.oid, one.size);
        match work {
            Work::HydrateSession { name, .. } => {
                let report = self.one(watch, |guest, config| guest.hydrate_session(config, &name))?;
                report.ended.map_err(|error| HostError::Engine(self.told(error)))?;
                Ok(report.outcomes)
            }
            Work::Download(wants) => self.parts(&wants, watch, untried_want, Guest::download),
            Work::Hydrate(wants) => self.parts(&wants, watch, untried_want, Guest::hydrate),
            Work::Upload { sources, .. } => {
                let oid = |one: &Source| one.expects.clone().unwrap_or_default();
                self.parts(&sources, watch, |one| untried(&one.name, &oid(one), 0), Guest::upload)
            }
        }
    }

    /// A long list, as several operations. A refusal of all of a part ends everything only while nothing is known of
    /// any object: later it is the error of each object of that part.
    fn parts<T>(
        &mut self,
        all: &[T],
        watch: &mut dyn Watch,
        untried: impl Fn(&T) -> Outcome,
        begin: impl Fn(Guest, &Config, &[T]) -> Result<Operation, HostError>,
    ) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes = Vec::new();
        for part in all.chunks(OBJECTS_PER_OPERATION_MAX) {
            if self.host.interrupted() {
                outcomes.extend(part.iter().map(&untried));
                continue;
            }
            let report = self.one(watch, |guest, config| begin(guest, config, part))?;
            match report.ended {
                Err(error) if outcomes.is_empty() => return Err(HostError::Engine(self.told(error)).into()),
                _ => outcomes.extend(report.outcomes),
            }
        }
        Ok(outcomes)
    }

    fn one(
        &mut self,
        watch: &mut dyn Watch,
        begin: impl FnOnce(Guest, &Config) -> Result<Operation, HostError>,
    ) -> Result<operations::TransferReport, Fault> {
        let config = Config { seed: seed(), ..self.config.clone() };
        let mut operation = begin(self.client.guest()?, &config)?;
        driver::run(&mut operation, &mut self.host, watch)?;
        Ok(self.host.heard(operation.finish_transfer()?))
    }

    /// What the server says of these objects, one for each; the first error when it did not speak of one.
    pub(crate) fn batch(&mut self, direction: Direction, objects: &[Blob]) -> Result<Vec<BatchObject>, Fault> {
        let mut operation = self.client.guest()?.batch(&self.config, direction, objects)?;
        self.ask(&mut operation)?;
        let outcomes = self.host.heard(operation.finish_batch()?);
        if self.host.interrupted() {
            return Err(Fault::interrupted("interrupted before the server had answered everything"));
        }
        let answers = outcomes.into_iter().map(|outcome| outcome.answer).collect::<Result<_, _>>();
        Ok(answers.map_err(|error| HostError::Engine(self.told(error)))?)
    }

    /// Why a server's answer ended everything, with its address and with what may help.
    pub(crate) fn told(&self, error: Error) -> Error {
        advice::at(&self.config.endpoint, error)
    }

    /// Drives an operation that moves no bytes.
    pub(crate) fn ask(&mut self, operation: &mut Operation) -> Result<(), Fault> {
        let mut watch = self.client.watching();
        Ok(driver::run(operation, &mut self.host, &mut Tracing(&mut **watch))?)
    }
}

impl Client {
    /// What a server says of these objects, one answer for each. Nothing is transferred.
    pub fn batch(
        &self,
        repository: Option<&Repository>,
        direction: Direction,
        objects: &[Blob],
        server: &ServerOptions,
        object_bytes_max: Option<u64>,
    ) -> Result<Vec<BatchObject>, Fault> {
        let destination = match repository {
            Some(repository) => endpoint::of_repository(self, repository, direction, server, true)?,
            None => endpoint::explicit(self, server, None)?,
        };
        let limit = self::object_bytes_max(object_bytes_max, repository)?;
        let mut runner = Runner::new(self, destination, server, limit, |host| host)?;
        let mut answers = Vec::new();
        for part in objects.chunks(OBJECTS_PER_OPERATION_MAX) {
            answers.extend(runner.batch(direction, part)?);
        }
        Ok(answers)
    }
}

/// The bound on objects: the given one, then git's configuration, then the environment; none leaves the engine's own.
pub(crate) fn object_bytes_max(given: Option<u64>, repository: Option<&Repository>) -> Result<Option<u64>, Fault> {
    if given.is_some() {
        return Ok(given);
    }
    if let Some(text) = repository.and_then(|repository| repository.setting(LIMIT_SETTING)) {
        let bytes = parse_bytes(&text);
        return bytes.map(Some).map_err(|why| Fault::misuse(format!("hydrant.objectBytesMax: {why}")));
    }
    // Programs that share this variable take anything but a positive number for the default.
    let of_environment = env::var(LIMIT_VARIABLE).ok().and_then(|text| text.parse().ok());
    Ok(of_environment.filter(|bytes| *bytes > 0))
}

fn total(wants: &[Want]) -> u64 {
    wants.iter().fold(0, |sum, want| sum.saturating_add(want.size))
}

fn untried(name: &str, oid: &str, size: u64) -> Outcome {
    let error = Error { code: Code::Unfinished, detail: "it was not tried".into(), retry_at: None };
    Outcome { name: name.into(), oid: oid.into(), size, ended: Err(error) }
}

/// Decides the jitter of retries and names stages, which are locked files here: where no randomness is to be had, the
/// number of this process will do.
fn seed() -> u64 {
    random_bytes().map_or_else(|| u64::from(std::process::id()), u64::from_le_bytes)
}
