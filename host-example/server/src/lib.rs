//! The embedded Git LFS server: batch, storage with ranges, verify and locks, over HTTP/1.1 and HTTP/2, with one store
//! of blobs on disk. It serves `hydrant serve`, `hydrant demo` and the tests.
//!
//! It keeps the rules of a server that may stand on anyone's machine: loopback unless told otherwise, a random token
//! per run unless opened, no answer to a foreign host name or an unnamed origin, wrong bytes refused, every size and
//! wait bounded, strangers no hindrance to callers whom it knows.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use hydrant_server::{Server, ServerConfig};
//!
//! let server = Server::spawn(ServerConfig::new("/tmp/lfs-store"))?;
//! println!("git config lfs.url {}/demo", server.url());
//! // The server stops when it is dropped.
//! # Ok(())
//! # }
//! ```

mod access;
mod admission;
mod answer;
mod batch;
mod blob_body;
mod budget;
mod connection;
mod doorway;
mod guest;
mod json_body;
mod kept_token;
mod limits;
mod lock_book;
mod locks;
mod objects;
mod platform;
mod range;
mod route;
#[cfg(test)]
mod scratch;
mod service;
mod store;
mod times;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use self::access::Access;
use self::budget::Budget;
use self::doorway::Doorway;
use self::lock_book::LockBook;
use self::store::Store;

pub use self::kept_token::{kept_token, token_file};
pub use self::limits::Limits;
pub use self::service::LogLine;

/// User name to give with the server's token where a program asks for one; any other works as well.
pub const TOKEN_USER: &str = access::TOKEN_USER;

/// Called once for every served request, on the server's own thread.
pub type Log = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// How a server is run.
#[derive(Clone)]
pub struct ServerConfig {
    /// Address to listen on; loopback with any free port by default.
    pub listen: SocketAddr,
    /// Folder of the store, made when it is absent. One server at a time can use it.
    pub store: PathBuf,
    /// Whether all repositories have the same objects. A store that was shared stays so.
    pub shared: bool,
    /// Whether everyone who reaches the server may read and write without a login.
    pub open: bool,
    /// The token that opens the server, as Basic password or Bearer. None: a random one for this run.
    pub token: Option<String>,
    /// A user name and password that open the server as well.
    pub basic: Option<(String, String)>,
    /// Origins whose pages may use the server from a browser, such as `http://127.0.0.1:9000`.
    pub origins: Vec<String>,
    /// One more host name the server answers to, such as `lfs.example.org` or `https://lfs.example.org`.
    pub public_host: Option<String>,
    /// How long an action of a batch answer stays valid, in seconds. None: an hour. 0: actions are born expired.
    pub action_life_s: Option<u64>,
    /// What callers may use at once, and for how long.
    pub limits: Limits,
    /// Told of every request.
    pub log: Option<Log>,
}

impl ServerConfig {
    /// A server on loopback that keeps its blobs under `store` and asks for a random token.
    pub fn new(store: impl Into<PathBuf>) -> ServerConfig {
        ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            store: store.into(),
            shared: false,
            open: false,
            token: None,
            basic: None,
            origins: Vec::new(),
            public_host: None,
            action_life_s: None,
            limits: Limits::default(),
            log: None,
        }
    }
}

/// Shows no secret.
impl fmt::Debug for ServerConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ServerConfig")
            .field("listen", &self.listen)
            .field("store", &self.store)
            .field("shared", &self.shared)
            .field("open", &self.open)
            .field("token", &self.token.is_some())
            .field("basic", &self.basic.is_some())
            .field("origins", &self.origins)
            .field("public_host", &self.public_host)
            .field("action_life_s", &self.action_life_s)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a server has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections accepted.
    pub connections: u64,
    /// Batch requests answered with a list of objects.
    pub batches: u64,
    /// Downloads begun.
    pub gets: u64,
    /// Uploads kept, repeated ones included.
    pub puts: u64,
    /// Verify requests judged.
    pub verifies: u64,
    /// Lock requests of any kind, from callers who were let in.
    pub locks: u64,
    /// Requests refused for any reason.
    pub refused: u64,
    /// Bytes of blobs received, refused ones included.
    pub bytes_in: u64,
    /// Bytes of blobs handed to the network.
    pub bytes_out: u64,
}

/// A server inside an async runtime. Dropping it stops it without waiting.
pub struct Server {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Opens the store, binds the address and serves from then on.
    pub async fn start(config: ServerConfig) -> io::Result<Server> {
        let store = Store::open(&config.store, config.shared)?;
        let locks = LockBook::open(store.root())?;
        let listener = TcpListener::bind(config.listen).await?;
        let life = Duration::from_secs(config.action_life_s.unwrap_or(limits::ACTION_LIFE_S_DEFAULT));
        let shared = Arc::new(Shared {
            access: Access::new(config.open, config.token, config.basic.as_ref(), life)?,
            doorway: Doorway::new(listener.local_addr()?, config.public_host.as_deref(), &config.origins),
            store,
            locks,
            budget: Budget::new(&config.limits),
            limits: config.limits,
            counters: Counters::default(),
            log: config.log,
        });
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(connection::accept(listener, Arc::clone(&shared), stopped));
        Ok(Server { shared, stop, accepting })
    }

    /// Starts a server on a thread and a runtime of its own, for callers without one.
    pub fn spawn(config: ServerConfig) -> io::Result<RunningServer> {
        let stop_max = config.limits.stop;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(limits::SYNC_THREADS_MAX)
            .build()?;
        let (report, started) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("lfs-server".to_owned()).spawn(move || {
            runtime.block_on(async {
                // A send that fails has nobody left to tell.
                match Server::start(config).await {
                    Err(error) => drop(report.send(Err(error))),
                    Ok(server) => {
                        drop(report.send(Ok(Arc::clone(&server.shared))));
                        // An error says that the other end was dropped, which means the same.
                        stopped.await.ok();
                        server.stop().await;
                    }
                }
            });
            runtime.shutdown_timeout(stop_max);
        })?;
        let shared = started.recv().map_err(|_| io::Error::other("the server's thread ended at its start"))??;
        Ok(RunningServer { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the server is reached: `http://127.0.0.1:PORT`. The LFS address of a repository is this plus any path.
    pub fn url(&self) -> String {
        self.shared.doorway.url()
    }

    /// The token that opens the server.
    pub fn token(&self) -> &str {
        self.shared.access.token()
    }

    /// Whether all repositories have the same objects.
    pub fn is_shared(&self) -> bool {
        self.shared.store.is_shared()
    }

    /// What the server has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats()
    }

    /// Accepts nothing more, lets answers under way end, for at most `Limits::stop`, then closes what is left.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // The only possible error is a panic in the accepting task, after which there is nothing left to stop.
        self.accepting.await.ok();
    }
}

/// A server on a thread of its own. Dropping it stops it and waits, for a bounded time.
pub struct RunningServer {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl RunningServer {
    /// Where the server is reached: `http://127.0.0.1:PORT`. The LFS address of a repository is this plus any path.
    pub fn url(&self) -> String {
        self.shared.doorway.url()
    }

    /// The token that opens the server.
    pub fn token(&self) -> &str {
        self.shared.access.token()
    }

    /// Whether all repositories have the same objects.
    pub fn is_shared(&self) -> bool {
        self.shared.store.is_shared()
    }

    /// What the server has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats()
    }

    /// Stops the server, as dropping it does.
    pub fn stop(self) {}
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RunningServer").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// What every request can reach.
struct Shared {
    access: Access,
    doorway: Doorway,
    store: Store,
    locks: LockBook,
    budget: Arc<Budget>,
    limits: Limits,
    counters: Counters,
    log: Option<Log>,
}

#[derive(Default)]
struct Counters {
    connections: AtomicU64,
    batches: AtomicU64,
    gets: AtomicU64,
    puts: AtomicU64,
    verifies: AtomicU64,
    locks: AtomicU64,
    refused: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Counters {
    fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            connections: read(&self.connections),
            batches: read(&self.batches),
            gets: read(&self.gets),
            puts: read(&self.puts),
            verifies: read(&self.verifies),
            locks: read(&self.locks),
            refused: read(&self.refused),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
        }
    }
}
