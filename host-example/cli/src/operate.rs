//! Runs one operation of the engine: its configuration from flags and settings, its host, its progress, its report.

use std::env;
use std::time::Instant;

use hydrant_host::driver::{self, Watch};
use hydrant_host::engine::{Engine, Guest, Operation};
use hydrant_host::error::HostError;
use hydrant_host::host::{Host, HostBuilder};
use hydrant_host::wit::batches::BatchObject;
use hydrant_host::wit::operations::{Config, Outcome, Source, Want};
use hydrant_host::wit::types::{Blob, Code, Direction, Error, Phase};

use crate::cli::{LimitArgs, ServerArgs, Voice, parse_bytes};
use crate::destination::Destination;
use crate::ending::Fault;
use crate::progress::Meter;
use crate::publish_report::phase_name;
use crate::report::TransferReport;
use crate::repository::Repository;

/// Objects one operation takes; longer lists run as several, one after the other.
pub(crate) const OBJECTS_PER_OPERATION_MAX: usize = 65_536;
/// The environment variable that bounds objects where neither a flag nor git does.
const LIMIT_VARIABLE: &str = "OX_LFS_MAX_OBJECT_SIZE";
/// git's name for the same, as `git config --list` prints it.
const LIMIT_SETTING: &str = "hydrant.objectbytesmax";
const MS_PER_SECOND: u64 = 1000;

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
    pub(crate) engine: &'a Engine,
    pub(crate) config: Config,
    pub(crate) host: Host,
    pub(crate) voice: &'a Voice,
}

impl<'a> Runner<'a> {
    /// A host for this destination; `furnish` gives it the store and the files it may use.
    pub(crate) fn new(
        engine: &'a Engine,
        voice: &'a Voice,
        destination: Destination,
        server: &ServerArgs,
        object_bytes_max: Option<u64>,
        furnish: impl FnOnce(HostBuilder) -> HostBuilder,
    ) -> Result<Self, Fault> {
        let Destination { endpoint, reference, logins, http } = destination;
        let mut config = engine.guest()?.default_config(&endpoint, seed())?;
        config.reference = reference;
        config.insecure_http = server.insecure_http;
        config.object_bytes_max = object_bytes_max.unwrap_or(config.object_bytes_max);
        config.idle_max = server.idle_timeout.map_or(config.idle_max, |s| s.saturating_mul(MS_PER_SECOND));
        config.wait_max = server.wait_max.map_or(config.wait_max, |s| s.saturating_mul(MS_PER_SECOND));
        config.retries_max = server.retries.unwrap_or(config.retries_max);
        config.in_flight_max = server.transfers.unwrap_or(config.in_flight_max);
        config.batch_objects_max = server.batch_objects.unwrap_or(config.batch_objects_max);
        let host = furnish(Host::builder().endpoint(&endpoint).logins(logins).http(http)).build()?;
        Ok(Self { engine, config, host, voice })
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
        let mut watcher = self.watcher(verb, objects, bytes);
        let outcomes = self.outcomes(work, &mut watcher);
        watcher.end();
        Ok(TransferReport {
            outcomes: outcomes?,
            seconds: started.elapsed().as_secs_f64(),
            interrupted: self.host.interrupted(),
        })
    }

    /// Shows how far an operation is: the verb is what the user reads.
    pub(crate) fn watcher(&self, verb: &'static str, objects: usize, bytes: u64) -> Watcher {
        Watcher { meter: Meter::new(self.voice, verb, objects, bytes), verbose: self.voice.verbose }
    }

    fn outcomes(&mut self, work: Work, watcher: &mut Watcher) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes = Vec::new();
        match work {
            Work::HydrateSession { name, .. } => {
                outcomes = self.one(watcher, |guest, config| guest.hydrate_session(config, &name))?;
            }
            Work::Download(wants) => {
                for part in wants.chunks(OBJECTS_PER_OPERATION_MAX) {
                    if self.host.interrupted() {
                        outcomes.extend(part.iter().map(|one| untried(&one.name, &one.oid, one.size)));
                    } else {
                        outcomes.extend(self.one(watcher, |guest, config| guest.download(config, part))?);
                    }
                }
            }
            Work::Hydrate(wants) => {
                for part in wants.chunks(OBJECTS_PER_OPERATION_MAX) {
                    if self.host.interrupted() {
                        outcomes.extend(part.iter().map(|one| untried(&one.name, &one.oid, one.size)));
                    } else {
                        outcomes.extend(self.one(watcher, |guest, config| guest.hydrate(config, part))?);
                    }
                }
            }
            Work::Upload { sources, .. } => {
                for part in sources.chunks(OBJECTS_PER_OPERATION_MAX) {
                    if self.host.interrupted() {
                        let oid = |one: &Source| one.expects.clone().unwrap_or_default();
                        outcomes.extend(part.iter().map(|one| untried(&one.name, &oid(one), 0)));
                    } else {
                        outcomes.extend(self.one(watcher, |guest, config| guest.upload(config, part))?);
                    }
                }
            }
        }
        Ok(outcomes)
    }

    fn one(
        &mut self,
        watcher: &mut Watcher,
        begin: impl FnOnce(Guest, &Config) -> Result<Operation, HostError>,
    ) -> Result<Vec<Outcome>, Fault> {
        let config = Config { seed: seed(), ..self.config.clone() };
        let mut operation = begin(self.engine.guest()?, &config)?;
        driver::run(&mut operation, &mut self.host, watcher)?;
        let report = operation.finish_transfer()?;
        report.ended.map_err(HostError::Engine)?;
        Ok(report.outcomes)
    }

    /// What the server says of these objects, one for each; the first error when it did not speak of one.
    pub(crate) fn batch(&mut self, direction: Direction, objects: &[Blob]) -> Result<Vec<BatchObject>, Fault> {
        let mut operation = self.engine.guest()?.batch(&self.config, direction, objects)?;
        self.ask(&mut operation)?;
        let outcomes = operation.finish_batch()?;
        if self.host.interrupted() {
            return Err(Fault::interrupted("interrupted before the server had answered everything"));
        }
        let answers = outcomes.into_iter().map(|outcome| outcome.answer).collect::<Result<_, _>>();
        Ok(answers.map_err(HostError::Engine)?)
    }

    /// Drives an operation that moves no bytes.
    pub(crate) fn ask(&mut self, operation: &mut Operation) -> Result<(), Fault> {
        let meter = Meter::new(&Voice { quiet: true, ..self.voice.clone() }, "ask", 0, 0);
        let mut watcher = Watcher { meter, verbose: self.voice.verbose };
        Ok(driver::run(operation, &mut self.host, &mut watcher)?)
    }
}

/// The bound on objects: flag, then git's configuration, then the environment; none leaves the engine's own.
pub(crate) fn object_bytes_max(limits: &LimitArgs, repository: Option<&Repository>) -> Result<Option<u64>, Fault> {
    if limits.object_bytes_max.is_some() {
        return Ok(limits.object_bytes_max);
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
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::NONBLOCK) {
        Ok(_) => u64::from_le_bytes(bytes),
        Err(_) => u64::from(std::process::id()),
    }
}

/// Passes what happens on to the meter.
pub(crate) struct Watcher {
    meter: Meter,
    verbose: bool,
}

impl Watcher {
    /// Takes the meter away.
    pub(crate) fn end(self) {
        self.meter.end();
    }
}

impl Watch for Watcher {
    fn progress(&mut self, name: &str, done: u64, total: u64) {
        self.meter.moved(name, done, total);
    }

    fn entered(&mut self, phase: Phase) {
        self.meter.entered(phase_name(phase));
    }

    fn waiting(&mut self, millis: u64) {
        self.meter.waiting(millis);
    }

    fn wants_trace(&self) -> bool {
        self.verbose
    }

    fn trace(&mut self, line: &str) {
        self.meter.say(line);
    }
}
