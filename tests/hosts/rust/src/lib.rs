//! A host of `hydrant-transfers` in Rust: it brings blobs into a folder, and files to a server.
//!
//! The component decides: order, retries, how much at once, which bytes are right. The host performs what it is asked
//! for and says what came of it. This file is the loop, `effects` is what it performs.

mod effects;
mod request;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use effects::{Answer, Answers};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Engine, Result, Store};

/// The contract: generated from the WIT, which is its documentation.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod contract {
    wasmtime::component::bindgen!({ path: "../../../wit", world: "hydrant-transfers" });
    pub use exports::hydrant::lfs::operations::*;
    pub use exports::hydrant::lfs::types;
}
use contract::types::{EffectId, Failed, Failure, Instant as Moment, LfsError, Login, Reply, Step};
use contract::{Config, Guest, GuestOperation, HydrantTransfersPre, Source, TransferReport, Want};

/// The component and a folder, where a blob is a file that is called like its oid.
pub struct Host {
    engine: Engine,
    component: HydrantTransfersPre<()>,
    http: reqwest::Client,
    folder: PathBuf,
    started: Instant,
}

impl Host {
    /// Opens the folder. The component comes from `Component::from_file(&engine, "hydrant-transfers.wasm")`, or was
    /// compiled ahead of time.
    pub fn open(component: &Component, folder: impl Into<PathBuf>) -> Result<Host> {
        let engine = component.engine().clone();
        let component = HydrantTransfersPre::new(Linker::new(&engine).instantiate_pre(component)?)?;
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Host { engine, component, http: request::client()?, folder, started: Instant::now() })
    }

    /// Brings blobs into the folder. A login is user and password for the origin of the endpoint.
    pub async fn hydrate(
        &self,
        endpoint: &str,
        wants: &[Want],
        login: Option<(String, String)>,
    ) -> Result<TransferReport> {
        self.run(endpoint, login, |kind, store, config| kind.call_hydrate(store, config, wants)).await
    }

    /// Brings files to the server.
    pub async fn upload(
        &self,
        endpoint: &str,
        files: &[Source],
        login: Option<(String, String)>,
    ) -> Result<TransferReport> {
        self.run(endpoint, login, |kind, store, config| kind.call_upload(store, config, files)).await
    }

    async fn run(
        &self,
        endpoint: &str,
        login: Option<(String, String)>,
        begin: impl FnOnce(GuestOperation<'_>, &mut Store<()>, &Config) -> Result<Result<ResourceAny, LfsError>>,
    ) -> Result<TransferReport> {
        let mut store = Store::new(&self.engine, ());
        let world = self.component.instantiate(&mut store)?;
        let operations = world.hydrant_lfs_operations();
        let seed = RandomState::new().hash_one(SystemTime::now());
        let mut config = operations.call_default_config(&mut store, endpoint, seed)?;
        config.login = if login.is_some() { Login::Stored } else { Login::None };
        let op = match begin(operations.operation(), &mut store, &config)? {
            Ok(op) => op,
            Err(error) => return Ok(TransferReport { outcomes: Vec::new(), ended: Err(error) }),
        };
        let limits = operations.call_limits(&mut store)?;
        let performer = effects::Performer::new(&self.http, &self.folder, endpoint, login, seed, limits)?;
        let report = self.drive(operations, &mut store, op, &performer).await;
        performer.clean_up()?;
        report
    }

    /// The loop of the contract.
    async fn drive(
        &self,
        operations: &Guest,
        store: &mut Store<()>,
        op: ResourceAny,
        performer: &effects::Performer,
    ) -> Result<TransferReport> {
        let operation = operations.operation();
        let (answers, mut inbox) = unbounded_channel();
        let mut open: HashMap<EffectId, JoinHandle<()>> = HashMap::new();
        let mut unjudged = Vec::new();
        loop {
            match operation.call_poll(&mut *store, op, self.now())? {
                Step::Perform(task) => {
                    let answers = Answers::to(answers.clone(), task.id);
                    open.insert(task.id, tokio::spawn(performer.clone().perform(task.effect, answers)));
                }
                Step::Cancel(id) => {
                    // Once it was waited for, it writes nothing more.
                    if let Some(effect) = open.remove(&id) {
                        effect.abort();
                        effect.await.ok();
                    }
                    let aborted = Reply::Failed(Failed { why: Failure::Aborted, detail: String::new() });
                    operation.call_reply(&mut *store, op, id, &aborted)?.expect("a cancelled effect is open");
                }
                Step::Note(_) | Step::Enter(_) => {}
                Step::Retry(retry) => eprintln!("{}: {}; once more", retry.name, retry.reason.detail),
                Step::Wait(until) => {
                    // Every head has been judged now: its body may be written.
                    unjudged.clear();
                    let Some(Answer { id, reply, judged }) = self.next(&mut inbox, until).await else { continue };
                    // An answer to what was cancelled meanwhile comes too late.
                    if open.contains_key(&id) {
                        operation.call_reply(&mut *store, op, id, &reply)?.expect("this host keeps the contract");
                        unjudged.extend(judged);
                    }
                }
                Step::Done => break,
            }
        }
        Ok(operation.call_finish_transfer(&mut *store, op)?.expect("it is a transfer, and done"))
    }

    /// The next answer; none once the tick has passed.
    async fn next(&self, inbox: &mut UnboundedReceiver<Answer>, until: Option<u64>) -> Option<Answer> {
        let Some(until) = until else { return inbox.recv().await };
        let left = Duration::from_millis(until.saturating_sub(self.now().ticks));
        tokio::time::timeout(left, inbox.recv()).await.ok().flatten()
    }

    fn now(&self) -> Moment {
        let ms = |passed: Duration| u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { ticks: ms(self.started.elapsed()), wall: ms(wall) }
    }
}

/// In the words of the contract.
fn why(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::NotFound,
        io::ErrorKind::PermissionDenied => Failure::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::NoSpace,
        _ => Failure::Io,
    }
}
