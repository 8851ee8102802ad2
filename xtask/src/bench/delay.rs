//! A relay on loopback that holds every piece of an answer back for a while, as distance does: requests pass at once,
//! pieces that follow each other are late together and not one after the other.

use crate::failure::{Because, Result};
use crate::terminal::say;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Connections at once; more are closed.
const CONNECTIONS_MAX: usize = 128;
/// Bytes of one piece.
const PIECE_BYTES_MAX: usize = 16 << 10;
/// Pieces of one connection that are under way; they bound its memory to a megabyte.
const PIECES_UNDER_WAY_MAX: usize = 64;

/// Listens, prints where, reads the server's address as its only line of input, and relays until the input ends.
pub(super) fn relay(milliseconds: &str) -> Result<()> {
    let delay = Duration::from_millis(milliseconds.parse().because("the delay is no number")?);
    let listener = TcpListener::bind(("127.0.0.1", 0)).because("no loopback port is free")?;
    say(&listener.local_addr().because("the port cannot be read")?.to_string());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).because("nobody says where the server is")?;
    let server: SocketAddr = line.trim().parse().because("the server's address is not understood")?;
    thread::spawn(|| {
        // The owner holds the other end and never writes again.
        let _ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).is_err();
        std::process::exit(0);
    });
    serve(&listener, server, delay)
}

fn serve(listener: &TcpListener, server: SocketAddr, delay: Duration) -> Result<()> {
    let open = Arc::new(AtomicUsize::new(0));
    for client in listener.incoming() {
        let client = client.because("the relay cannot accept a connection")?;
        if open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let open = open.clone();
        thread::spawn(move || {
            // A connection that breaks is the client's to notice.
            let _broken = join(client, server, delay).is_err();
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
    Ok(())
}

/// Joins one client with the server until both directions have ended.
fn join(client: TcpStream, server: SocketAddr, delay: Duration) -> std::io::Result<()> {
    let upstream = TcpStream::connect(server)?;
    upstream.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (mut asks, mut asked) = (client.try_clone()?, upstream.try_clone()?);
    let requests = thread::spawn(move || {
        // Without a next request the server may still have answers to give.
        let _ended = std::io::copy(&mut asks, &mut asked).is_err() | asked.shutdown(Shutdown::Write).is_err();
    });
    let (late, due) = sync_channel(PIECES_UNDER_WAY_MAX);
    let answers = thread::spawn(move || take_in(upstream, delay, &late));
    let given = give_out(&client, &due);
    // Ends the thread of the requests, which may wait for one that never comes.
    let _closed = client.shutdown(Shutdown::Both).is_err();
    drop(due);
    let _panicked = answers.join().is_err() | requests.join().is_err();
    given
}

/// A piece of an answer and when it may arrive.
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
}

fn take_in(mut upstream: TcpStream, delay: Duration, late: &SyncSender<Piece>) {
    let mut buffer = vec![0; PIECE_BYTES_MAX];
    while let Ok(length @ 1..) = upstream.read(&mut buffer) {
        let piece = Piece { due: Instant::now() + delay, bytes: buffer[..length].to_vec() };
        if late.send(piece).is_err() {
            break;
        }
    }
    let _closed = upstream.shutdown(Shutdown::Both).is_err();
}

fn give_out(mut client: &TcpStream, due: &Receiver<Piece>) -> std::io::Result<()> {
    for piece in due {
        thread::sleep(piece.due.saturating_duration_since(Instant::now()));
        client.write_all(&piece.bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it hears.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        address
    }

    #[test]
    fn answers_are_whole_and_late_and_the_end_is_passed_on() {
        const DELAY: Duration = Duration::from_millis(30);
        let server = echo();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || serve(&listener, server, DELAY));
        let started = Instant::now();
        let mut stream = TcpStream::connect(address).expect("the relay listens");
        let sent = vec![7; 3 * PIECE_BYTES_MAX];
        stream.write_all(&sent).expect("the relay takes it");
        stream.shutdown(Shutdown::Write).expect("it is open");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).expect("the relay answers and closes");
        assert!(heard == sent);
        assert!(started.elapsed() >= DELAY);
    }
}
