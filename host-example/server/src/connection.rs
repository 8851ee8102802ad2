//! Connections: accepting, serving, stopping. Keeps two rules: a connection whose time is over is closed, whatever it
//! was in the middle of, and a stop waits for answers under way, but not for long.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Shared;
use super::admission::{Admission, Place};
use super::guest::Watched;
use super::limits::{ACCEPT_PAUSE_MS, HEAD_BYTES_MAX, HEADER_LIST_BYTES_MAX, STREAMS_MAX, WINDOW_BYTES};
use super::service::respond;

/// Serves until `stop` says so or its sender is gone, then lets answers under way end, for a bounded time.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let admission = Admission::new(&shared.limits);
    let mut connections = JoinSet::new();
    while let Some((stream, place)) = next(&listener, &admission, &mut stop).await {
        shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&shared), stop.clone(), place));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(shared.limits.stop, ended).await.ok();
    connections.shutdown().await;
}

/// The next connection and its place; none when the server stops.
async fn next(
    listener: &TcpListener,
    admission: &Arc<Admission>,
    stop: &mut watch::Receiver<bool>,
) -> Option<(TcpStream, Place)> {
    let accepted = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, admission.enter(peer.ip()).await),
                // The listener itself is sound: the peer is gone already or descriptors ran out for the moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await,
            }
        }
    };
    tokio::select! {
        accepted = accepted => Some(accepted),
        _ = stop.wait_for(|stopped| *stopped) => None,
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>, place: Place) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let guest = &place.guest;
    let watched = TokioIo::new(Watched { stream, guest: Arc::clone(guest) });
    let service = {
        let (shared, guest) = (Arc::clone(&shared), Arc::clone(guest));
        service_fn(move |request| {
            let (shared, guest) = (Arc::clone(&shared), Arc::clone(&guest));
            async move { Ok::<_, Infallible>(respond(shared, guest, request).await) }
        })
    };
    let builder = protocol();
    let mut connection = pin!(builder.serve_connection(watched, service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = guest.must_go(&shared.limits) => return,
        _ = stop.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = guest.must_go(&shared.limits) => {}
    }
}

/// HTTP/1.1 or HTTP/2, whichever the client begins with, within the limits.
fn protocol() -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams::default());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    builder
}

/// The streams of one HTTP/2 connection, which end with it.
#[derive(Clone, Default)]
struct Streams(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while streams.try_join_next().is_some() {}
        streams.spawn(stream);
    }
}
