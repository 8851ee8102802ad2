//! A raw TCP server in two places, `home` and `away`: it does what a script says and remembers what it was told.
//!
//! The rule it keeps: whatever the client does, every thread here ends within a bounded time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::talk::Talk;

/// Bytes of a request's head at most.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Seconds one read or write of the server takes at most.
const WIRE_S_MAX: u64 = 10;
/// Longer than this a body is not remembered.
const BODY_BYTES_KEPT_MAX: usize = 4 << 20;

/// What a server does with one request.
pub(crate) type Script = fn(&mut Talk);

/// A connection, plain or encrypted.
pub(crate) trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// Bytes and what they hash to.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) oid: String,
    pub(crate) bytes: Vec<u8>,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// It came to the second server, which is another origin.
    pub(crate) away: bool,
    /// Request line and headers.
    pub(crate) head: String,
    /// Its body, when the script read it.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// `GET /path`, without the query.
    pub(crate) fn what(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.split(['?', '\r']).next().unwrap_or_default().trim_end_matches(" HTTP/1.1")
    }

    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What both places of one server share.
pub(crate) struct Plot {
    pub(crate) home: SocketAddr,
    pub(crate) away: SocketAddr,
    pub(crate) blobs: Vec<Blob>,
    script: Script,
    seen: Mutex<Vec<Seen>>,
    over: AtomicBool,
}

impl Plot {
    /// Everything that was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.locked().clone()
    }

    /// Notes a request; its place in the list, and how many of its kind came before.
    fn note(&self, seen: Seen) -> (usize, usize) {
        let mut all = self.locked();
        let same = |other: &&Seen| other.away == seen.away && other.what() == seen.what();
        let nth = all.iter().filter(same).count();
        all.push(seen);
        (all.len() - 1, nth)
    }

    /// Notes the body of a request.
    pub(crate) fn note_body(&self, at: usize, body: &[u8]) {
        let mut all = self.locked();
        all[at].body = body[..body.len().min(BODY_BYTES_KEPT_MAX)].to_vec();
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server; it stops when it goes out of scope.
pub(crate) struct Liar {
    pub(crate) plot: Arc<Plot>,
    listening: Vec<JoinHandle<()>>,
}

impl Liar {
    /// Listens at two ports of this machine. With `tls`, `home` speaks TLS.
    pub(crate) fn start(blobs: Vec<Blob>, script: Script, tls: Option<Arc<ServerConfig>>) -> Liar {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let [home, away] = [0, 1].map(|at: usize| listeners[at].local_addr().expect("an address"));
        let (seen, over) = (Mutex::default(), AtomicBool::new(false));
        let plot = Arc::new(Plot { home, away, blobs, script, seen, over });
        let listening = listeners.into_iter().enumerate().map(|(at, listener)| {
            let (plot, tls) = (Arc::clone(&plot), tls.clone().filter(|_| at == 0));
            thread::spawn(move || listen(&plot, &listener, at == 1, tls.as_ref()))
        });
        let listening = listening.collect();
        Liar { plot, listening }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.plot.over.store(true, Ordering::Release);
        for address in [self.plot.home, self.plot.away] {
            // Wakes the listener, which then sees that it is over.
            TcpStream::connect(address).ok();
        }
        for thread in self.listening.drain(..) {
            thread.join().ok();
        }
    }
}

fn listen(plot: &Arc<Plot>, listener: &TcpListener, away: bool, tls: Option<&Arc<ServerConfig>>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { return };
        if plot.over.load(Ordering::Acquire) {
            return;
        }
        let (plot, tls) = (Arc::clone(plot), tls.cloned());
        thread::spawn(move || {
            let bound = Some(Duration::from_secs(WIRE_S_MAX));
            stream.set_read_timeout(bound).and_then(|()| stream.set_write_timeout(bound)).expect("bounds");
            stream.set_nodelay(true).ok();
            match tls.map(ServerConnection::new) {
                None => converse(&plot, away, &mut { stream }),
                Some(Ok(session)) => converse(&plot, away, &mut StreamOwned::new(session, stream)),
                Some(Err(_)) => {}
            }
        });
    }
}

/// Reads one request after the other and does what the script says, until it or the client has had enough.
fn converse(plot: &Plot, away: bool, wire: &mut dyn Wire) {
    while let Some(head) = read_head(wire) {
        let (at, nth) = plot.note(Seen { away, head: head.clone(), body: Vec::new() });
        let mut talk = Talk::new(plot, wire, Seen { away, head, body: Vec::new() }, at, nth);
        (plot.script)(&mut talk);
        if !talk.goes_on() {
            return;
        }
    }
}

fn read_head(wire: &mut dyn Wire) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX || wire.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
