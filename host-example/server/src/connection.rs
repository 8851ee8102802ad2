//! Connections: accepting, idle watch, stopping. Keeps two rules: a connection without traffic is closed, whatever it
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::Shared;
use super::activity::{Activity, Watched};
use super::limits::{
    ACCEPT_PAUSE_MS, CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_S_MAX, STOP_MS_MAX, STREAMS_MAX, WINDOW_BYTES,
};
use super::service::respond;

/// Serves until `stop` says so or its sender is gone, then lets answers under way end within `STOP_MS_MAX`.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Some((stream, slot)) = next(&listener, &slots, &mut stop).await {
        shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&shared), stop.clone(), slot));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(Duration::from_millis(STOP_MS_MAX), ended).await.ok();
    connections.shutdown().await;
}

/// The next connection there is room for; none when the server stops.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &mut watch::Receiver<bool>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let accepted = async {
        let slot = Arc::clone(slots).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, slot)),
                // The listener itself is sound: the peer is gone already or descriptors ran out for the moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await,
            }
        }
    };
    tokio::select! {
        accepted = accepted => accepted,
        _ = stop.wait_for(|stopped| *stopped) => None,
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>, _slot: OwnedSemaphorePermit) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let activity = Arc::new(Activity::new());
    let watched = TokioIo::new(Watched { stream, activity: Arc::clone(&activity) });
    let service = {
        let activity = Arc::clone(&activity);
        service_fn(move |request| {
            let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
            async move { Ok::<_, Infallible>(respond(shared, activity, request).await) }
        })
    };
    let builder = protocol();
    let mut connection = pin!(builder.serve_connection(watched, service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = activity.idled() => return,
        _ = stop.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = activity.idled() => {}
    }
}

/// HTTP/1.1 or HTTP/2, whichever the client begins with, within the limits.
fn protocol() -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams::default());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_S_MAX))
        .max_buf_size(HEADER_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
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
