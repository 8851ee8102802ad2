//! Effects against a server that says exactly what the test tells it to, well-behaved or not.

mod cached;
mod contract;
mod publishing;
mod stops;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use super::Effects;
use crate::contract::types::{
    Blob, Body, Effect, Exchange, Failure, Header, Login, Method, Reading, Redirect, Reply, Request, Resume, Slice,
    Stage, Staged, Task,
};
use crate::driver::host::Host;
use crate::files::Files;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use std::sync::Arc;

use crate::net::http::{HttpOptions, Way};
use crate::net::login::Logins;
use crate::store::Store;

/// The stage of these tests.
const STAGE: &str = "0123456789abcdef-1";

/// What the server does with one connection after it read a request.
pub(super) type Script = fn(&mut TcpStream, usize);

/// A server of one script; the requests it saw come out of the channel.
pub(super) fn server(script: Script) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (seen, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let seen = seen.clone();
            thread::spawn(move || {
                let mut count = 0;
                while let Some(request) = read_request(&mut stream) {
                    // Not every test listens.
                    seen.send(request).ok();
                    script(&mut stream, count);
                    count += 1;
                }
            });
        }
    });
    (url, requests)
}

/// Head and body of one request; none at the end of the connection.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    if head.contains("transfer-encoding: chunked") {
        let mut body = Vec::new();
        while !body.ends_with(b"0\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            body.push(byte[0]);
        }
        return Some(head);
    }
    let length = head
        .to_ascii_lowercase()
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().and_then(|text| text.parse().ok()).unwrap_or(0_usize));
    // A server that answers early does not wait for the body.
    let wait = !head.contains("/early");
    let mut body = vec![0; if wait { length } else { 0 }];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body[..body.len().min(1000)]))
}

pub(super) fn say(stream: &mut TcpStream, text: &str) {
    // A client that went away is what some tests are about.
    stream.write_all(text.as_bytes()).ok();
}

pub(super) fn get(url: &str, path: &str) -> Exchange {
    Exchange {
        request: Request {
            method: Method::Get,
            url: format!("{url}{path}"),
            headers: Vec::new(),
            body: Body::Empty,
            login: Login::None,
            redirect: Redirect::Report,
        },
        stage: None,
        answer_bytes_max: 1 << 20,
        idle_max: 5_000,
    }
}

pub(super) fn staged(exchange: Exchange, blob: &Blob, resume_from: u64) -> Exchange {
    let resume = (resume_from > 0).then(|| Resume { stage: blob.oid.clone(), bytes: resume_from });
    let stage = Stage { id: STAGE.into(), blob: blob.clone(), resume };
    Exchange { stage: Some(stage), answer_bytes_max: blob.size + 1, ..exchange }
}

/// What promotes it.
pub(super) fn keep(blob: &Blob) -> Effect {
    Effect::KeepBlob(Staged { stage: STAGE.into(), blob: blob.clone() })
}

pub(super) fn host(url: &str, dir: &Path) -> Host {
    let mut logins = Logins::new();
    logins.trust(url).expect("a URL");
    Host::builder()
        .endpoint(url)
        .store(Store::into_dir(dir).expect("a folder"))
        .files(Files::beneath(dir).expect("a folder"))
        .documents(Files::beneath(dir).expect("a folder"))
        .logins(logins)
        .build()
        .expect("a host")
}

/// Performs effects one after the other and returns all their answers.
pub(super) fn perform(host: &mut Host, tasks: Vec<Effect>) -> Vec<Reply> {
    let runtime = host.runtime().expect("a loop");
    let shared = host.shared.clone();
    let work = LocalSet::new();
    runtime.block_on(work.run_until(async move {
        let mut effects = Effects::new(shared);
        let mut replies = Vec::new();
        for (id, effect) in (1..).zip(tasks) {
            replies.extend(effects.begin(Task { id, effect }));
            let started = Instant::now();
            while !effects.is_idle() {
                assert!(started.elapsed() < Duration::from_secs(20), "an effect does not end");
                match tokio::time::timeout(Duration::from_millis(50), effects.next()).await {
                    Ok((_, Reply::SoFar(_))) => {}
                    Ok((_, reply)) => replies.push(reply),
                    Err(_) => effects.beat(),
                }
            }
        }
        effects.settle().await;
        replies
    }))
}

pub(super) fn statuses(replies: &[Reply]) -> Vec<String> {
    replies
        .iter()
        .map(|reply| match reply {
            Reply::Head(head) => format!("head {}", head.status),
            Reply::Chunk(bytes) => format!("chunk {}", String::from_utf8_lossy(bytes)),
            Reply::Received(blob) => format!("received {}", blob.size),
            Reply::Sent(blob) => format!("sent {}", blob.size),
            Reply::Failed(failed) => format!("failed {:?} {}", failed.why, failed.detail),
            Reply::Partial(partial) => format!("partial {}", partial.bytes),
            other => format!("{other:?}"),
        })
        .collect()
}

pub(super) fn why(replies: &[Reply]) -> Failure {
    match replies.last() {
        Some(Reply::Failed(failed)) => failed.why,
        other => panic!("{other:?} is no failure"),
    }
}

#[test]
fn a_small_answer_is_fed_and_bounded() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| say(stream, "HTTP/1.1 404 No\r\nContent-Length: 10\r\nA: b\r\n\r\n0123456789"));
    let mut host = host(&url, scratch.path());
    let bounded = Exchange { answer_bytes_max: 4, ..get(&url, "/x") };
    let replies = perform(&mut host, vec![Effect::Http(get(&url, "/x")), Effect::Http(bounded)]);
    let expected = ["head 404", "chunk 0123456789", "Reply::End", "head 404", "chunk 0123", "Reply::End"];
    assert_eq!(statuses(&replies), expected);
    let Some(Reply::Head(head)) = replies.first() else { panic!("a head") };
    assert!(head.headers.iter().any(|header| (header.name.as_str(), header.value.as_str()) == ("a", "b")));
}

#[test]
fn a_redirect_is_an_answer() {
    let scratch = Scratch::new();
    let (url, requests) =
        server(|stream, _| say(stream, "HTTP/1.1 302 F\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"));
    let mut host = host(&url, scratch.path());
    let replies = perform(&mut host, vec![Effect::Http(get(&url, "/x"))]);
    assert_eq!(statuses(&replies), ["head 302", "Reply::End"]);
    assert_eq!(requests.try_iter().count(), 1);
}

#[test]
fn downloads_small_and_large_are_staged_and_kept() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, count| {
        let body = "x".repeat(if count == 0 { 100 } else { 300_000 });
        say(stream, &format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    });
    let mut host = host(&url, scratch.path());
    for size in [100_usize, 300_000] {
        let blob = blob_of("x".repeat(size).as_bytes());
        let replies = perform(
            &mut host,
            vec![
                Effect::HasBlob(blob.clone()),
                Effect::Http(staged(get(&url, "/x"), &blob, 0)),
                keep(&blob),
                Effect::HasBlob(blob.clone()),
            ],
        );
        let received = format!("received {size}");
        assert_eq!(statuses(&replies), ["Reply::Absent", "head 200", &received, "Reply::End", "Reply::Present"]);
        assert!(replies.contains(&Reply::Received(blob.clone())));
        assert_eq!(fs::read(scratch.path().join(&blob.oid)).expect("an entry").len(), size);
    }
}

#[test]
fn an_answer_without_length_outgrows_the_memory() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        let body = "x".repeat(300_000);
        say(stream, &format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n{body}\r\n0\r\n\r\n"));
    });
    let mut host = host(&url, scratch.path());
    let blob = blob_of("x".repeat(300_000).as_bytes());
    let exchange = Effect::Http(staged(get(&url, "/x"), &blob, 0));
    let replies = perform(&mut host, vec![exchange, keep(&blob)]);
    assert_eq!(replies[1], Reply::Received(blob));
    assert_eq!(statuses(&replies)[2], "Reply::End");
}

#[test]
fn an_endless_body_ends_at_its_bound() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        say(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(format!("10000\r\n{}\r\n", "x".repeat(65536)).as_bytes()).is_ok() {}
    });
    let mut host = host(&url, scratch.path());
    let blob = Blob { size: 1_000_000, ..blob_of(b"") };
    let replies = perform(&mut host, vec![Effect::Http(staged(get(&url, "/x"), &blob, 0))]);
    assert_eq!(statuses(&replies), ["head 200", "received 1000001"]);
}

#[test]
fn a_broken_download_is_resumed() {
    let scratch = Scratch::new();
    let (url, requests) = server(|stream, _| {
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nETag: \"v1\"\r\n\r\n");
        say(stream, &"x".repeat(200_000));
        stream.shutdown(std::net::Shutdown::Both).ok();
    });
    let mut first = host(&url, scratch.path());
    let blob = blob_of("x".repeat(300_000).as_bytes());
    let replies = perform(&mut first, vec![Effect::Http(staged(get(&url, "/x"), &blob, 0))]);
    assert_eq!(statuses(&replies)[..1], ["head 200"]);
    assert_eq!(why(&replies), Failure::Offline);
    assert_eq!(requests.try_iter().count(), 1, "the host retries nothing by itself");

    let (url, _) = server(|stream, _| {
        say(stream, "HTTP/1.1 206 P\r\nContent-Length: 100000\r\nContent-Range: bytes 200000-299999/300000\r\n\r\n");
        say(stream, &"x".repeat(100_000));
    });
    let mut second = host(&url, scratch.path());
    let held = perform(&mut second, vec![Effect::HasBlob(blob.clone())]);
    let Some(Reply::Partial(partial)) = held.first() else { panic!("{held:?}") };
    assert_eq!((partial.bytes, partial.validator.as_deref()), (200_000, Some("\"v1\"")));
    let right = Effect::Http(staged(get(&url, "/x"), &blob, 200_000));
    let replies = perform(&mut second, vec![right, keep(&blob)]);
    assert_eq!(statuses(&replies), ["head 206", "received 300000", "Reply::End"]);
    assert_eq!(replies[1], Reply::Received(blob));
}

/// However small the blob and the pieces are, and however short a later answer is.
#[test]
fn a_small_blob_comes_through_a_server_that_cuts_every_answer() {
    let scratch = Scratch::new();
    let blob = blob_of(b"nineteen!");
    fn part(stream: &mut TcpStream, head: &str, bytes: &str) {
        say(stream, &format!("HTTP/1.1 {head}\r\n\r\n{bytes}"));
        stream.shutdown(std::net::Shutdown::Both).ok();
    }
    let (whole, _) = server(|stream, _| part(stream, "200 OK\r\nContent-Length: 9", "nine"));
    let (rest, _) =
        server(|stream, _| part(stream, "206 P\r\nContent-Range: bytes 4-8/9\r\nContent-Length: 5", "teen"));
    let (last, _) = server(|stream, _| part(stream, "206 P\r\nContent-Range: bytes 8-8/9\r\nContent-Length: 1", "!"));
    let asked = |url: &str, from: u64| Effect::Http(staged(get(url, "/x"), &blob, from));
    let mut host = host(&whole, scratch.path());
    for (url, from) in [(&whole, 0), (&rest, 4)] {
        let replies = perform(&mut host, vec![asked(url, from)]);
        assert_eq!(why(&replies), Failure::Offline);
        let held = perform(&mut host, vec![Effect::HasBlob(blob.clone())]);
        assert_eq!(statuses(&held), [format!("partial {}", from + 4)]);
    }
    // A whole answer that breaks off sooner takes nothing away.
    perform(&mut host, vec![asked(&whole, 0)]);
    assert_eq!(statuses(&perform(&mut host, vec![Effect::HasBlob(blob.clone())])), ["partial 8"]);
    let replies = perform(&mut host, vec![asked(&last, 8), keep(&blob)]);
    assert_eq!(statuses(&replies), ["head 206", "received 9", "Reply::End"]);
}

#[test]
fn silence_ends_in_time() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\nbeginning");
        thread::sleep(Duration::from_secs(10));
    });
    let mut host = host(&url, scratch.path());
    let started = Instant::now();
    let exchange = Exchange { idle_max: 1_000, ..get(&url, "/x") };
    let blob = Blob { size: 300_000, ..blob_of(b"") };
    let replies = perform(&mut host, vec![Effect::Http(staged(exchange, &blob, 0))]);
    assert_eq!(why(&replies), Failure::TimedOut);
    assert!(started.elapsed() < Duration::from_secs(3));
    let held = perform(&mut host, vec![Effect::HasBlob(blob)]);
    assert_eq!(statuses(&held), ["partial 9"]);
}

#[test]
fn failures_before_an_answer_have_their_class() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        stream.shutdown(std::net::Shutdown::Both).ok();
    });
    let mut host = host(&url, scratch.path());
    for (target, expected) in [
        (format!("{url}/x?secret=1"), Failure::Offline),
        // Nobody listens there, and nobody will in a second.
        ("http://127.0.0.1:1/?secret=1".to_owned(), Failure::Io),
        ("http://localhost:1/?secret=1".to_owned(), Failure::Io),
        ("http://[::1]:1/?secret=1".to_owned(), Failure::Io),
        ("http://8.8.8.8/?secret=1".to_owned(), Failure::Blocked),
        (format!("{}/", url.replace("http://", "http://me:secret@")), Failure::Blocked),
        ("file:///etc/passwd?secret".to_owned(), Failure::Blocked),
    ] {
        let replies = perform(&mut host, vec![Effect::Http(get(&target, ""))]);
        assert_eq!(why(&replies), expected, "{target}");
        assert!(!format!("{replies:?}").contains("secret"), "{replies:?}");
    }
}

#[test]
fn a_less_public_address_is_blocked_before_it_is_connected_to() {
    let scratch = Scratch::new();
    let (url, requests) = server(|stream, _| say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let mut host = host("https://8.8.8.8/r", scratch.path());
    let port = url.rsplit(':').next().expect("a port");
    for target in [url.clone(), format!("http://localhost:{port}"), format!("https://localhost:{port}")] {
        assert_eq!(why(&perform(&mut host, vec![Effect::Http(get(&target, "/x"))])), Failure::Blocked, "{target}");
    }
    assert_eq!(requests.try_iter().count(), 0);
}

#[test]
fn a_login_goes_to_approved_origins_alone() {
    let scratch = Scratch::new();
    let script: Script = |stream, _| say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let ((url, requests), (foreign, foreign_requests)) = (server(script), server(script));
    let mut logins = Logins::new();
    let endpoint = logins.take_userinfo(&url.replace("http://", "http://me:word@")).expect("a URL");
    logins.trust(&endpoint).expect("a URL");
    let mut host = Host::builder().endpoint(&endpoint).logins(logins).build().expect("a host");
    let mut with_login = get(&url, "/x");
    with_login.request.login = Login::Stored;
    with_login.request.headers = vec![Header { name: "Host".into(), value: "evil.example".into() }];
    assert_eq!(statuses(&perform(&mut host, vec![Effect::Http(with_login)])), ["head 200", "Reply::End"]);
    assert_eq!(statuses(&perform(&mut host, vec![Effect::Http(get(&url, "/x"))])), ["head 200", "Reply::End"]);
    let seen: Vec<String> = requests.try_iter().collect();
    assert!(seen[0].contains("authorization: Basic bWU6d29yZA==") && !seen[0].contains("evil"));
    assert!(!seen[1].contains("authorization"));
    let mut to_foreign = get(&foreign, "/x");
    to_foreign.request.login = Login::Stored;
    assert_eq!(why(&perform(&mut host, vec![Effect::Http(to_foreign)])), Failure::Denied);
    assert_eq!(foreign_requests.try_iter().count(), 0);
    drop(scratch);
}

#[test]
fn a_proxy_is_asked_for_others_and_never_for_this_machine() {
    let script: Script = |stream, _| say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let ((proxy, proxied), (own, direct)) = (server(script), server(script));
    let way = Way { proxy: Some(proxy), ..Way::default() };
    let http = HttpOptions { way_to: Arc::new(move |_| way.clone()), insecure_http: true, ..HttpOptions::default() };
    let mut far = Host::builder().endpoint("http://lfs.example.test/r").http(http.clone()).build().expect("a host");
    let replies = perform(&mut far, vec![Effect::Http(get("http://lfs.example.test", "/x"))]);
    assert_eq!(statuses(&replies), ["head 200", "Reply::End"]);
    assert!(proxied.recv().expect("a request").starts_with("GET http://lfs.example.test/x HTTP/1.1\r\n"));
    let mut near = Host::builder().endpoint(&own).http(http).build().expect("a host");
    assert_eq!(statuses(&perform(&mut near, vec![Effect::Http(get(&own, "/x"))])), ["head 200", "Reply::End"]);
    assert_eq!((direct.try_iter().count(), proxied.try_iter().count()), (1, 0));
}

fn put(url: &str, path: &str, slice: Slice) -> Effect {
    let mut exchange = get(url, path);
    exchange.request.method = Method::Put;
    exchange.request.body = Body::File(slice);
    Effect::Http(exchange)
}

/// Reads a file as an upload does, and returns the slice that is all of it.
pub(super) fn reading(name: &str, as_chunks: bool) -> Effect {
    Effect::ReadFile(Reading { name: name.into(), as_chunks })
}

#[test]
fn a_file_that_the_engine_looks_into_comes_as_chunks() {
    let scratch = Scratch::new();
    let mut host = host("http://127.0.0.1:1", scratch.path());
    for size in [0_usize, 500, 5_000, 1_000_000] {
        let bytes = "c".repeat(size);
        fs::write(scratch.path().join("file"), &bytes).expect("a file");
        let replies = perform(&mut host, vec![reading("file", true)]);
        let [chunks @ .., Reply::End, Reply::At(_)] = &replies[..] else { panic!("{:?}", statuses(&replies)) };
        let mut whole = Vec::new();
        for chunk in chunks {
            let Reply::Chunk(bytes) = chunk else { panic!("{chunk:?}") };
            assert!(bytes.len() <= crate::contract::names::CHUNK_BYTES_MAX);
            whole.extend_from_slice(bytes);
        }
        assert_eq!(whole, bytes.as_bytes());
    }
}

fn hashed(host: &mut Host, name: &str, size: u64) -> (Vec<Reply>, Slice) {
    let replies = perform(host, vec![reading(name, false)]);
    let Some(Reply::At(revision)) = replies.last().cloned() else { panic!("{replies:?}") };
    (replies, Slice { name: name.into(), revision, offset: 0, length: size })
}

#[test]
fn uploads_are_hashed_while_they_are_sent() {
    let scratch = Scratch::new();
    let (url, requests) = server(|stream, _| say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let mut host = host(&url, scratch.path());
    for size in [0_usize, 500, 5_000, 1_000_000] {
        let bytes = "u".repeat(size);
        fs::write(scratch.path().join("file"), &bytes).expect("a file");
        let (read, slice) = hashed(&mut host, "file", size as u64);
        match size {
            0 => assert_eq!(statuses(&read)[0], "Reply::End"),
            500 => assert_eq!(statuses(&read)[..2], [format!("chunk {bytes}"), "Reply::End".into()]),
            _ => assert_eq!(read[0], Reply::Received(blob_of(bytes.as_bytes()))),
        }
        let replies = perform(&mut host, vec![put(&url, "/x", slice)]);
        assert_eq!(replies[0], Reply::Sent(blob_of(bytes.as_bytes())), "{size}");
        assert_eq!(statuses(&replies)[1..], ["head 200", "Reply::End"]);
        let seen = requests.recv_timeout(Duration::from_secs(5)).expect("a request");
        assert!(seen.contains(&format!("content-length: {size}\r\n")), "{seen}");
    }
}

#[test]
fn a_server_that_asks_for_chunks_gets_chunks_and_no_length() {
    let scratch = Scratch::new();
    let (url, requests) = server(|stream, _| say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let mut host = host(&url, scratch.path());
    for size in [0_usize, 500, 5_000, 1_000_000] {
        let bytes = "u".repeat(size);
        fs::write(scratch.path().join("file"), &bytes).expect("a file");
        let (_, slice) = hashed(&mut host, "file", size as u64);
        let Effect::Http(mut exchange) = put(&url, "/x", slice) else { panic!("an exchange") };
        exchange.request.headers.push(Header { name: "Transfer-Encoding".into(), value: "chunked".into() });
        let replies = perform(&mut host, vec![Effect::Http(exchange)]);
        assert_eq!(replies[0], Reply::Sent(blob_of(bytes.as_bytes())), "{size}");
        assert_eq!(statuses(&replies)[1..], ["head 200", "Reply::End"], "{size}");
        let seen = requests.recv_timeout(Duration::from_secs(5)).expect("a request");
        assert!(seen.contains("transfer-encoding: chunked\r\n") && !seen.contains("content-length"), "{seen}");
    }
}

#[test]
fn a_file_that_changed_is_not_sent() {
    let scratch = Scratch::new();
    let (url, requests) = server(|stream, _| say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let mut host = host(&url, scratch.path());
    fs::write(scratch.path().join("file"), "u".repeat(5_000)).expect("a file");
    let (_, slice) = hashed(&mut host, "file", 5_000);
    fs::write(scratch.path().join("file"), "v".repeat(5_001)).expect("a file");
    assert_eq!(perform(&mut host, vec![put(&url, "/x", slice.clone())]), [Reply::Conflict]);
    fs::remove_file(scratch.path().join("file")).expect("removed");
    assert_eq!(perform(&mut host, vec![put(&url, "/x", slice)]), [Reply::Conflict]);
    assert_eq!(perform(&mut host, vec![reading("file", false)]), [Reply::Absent]);
    assert_eq!(requests.try_iter().count(), 0);
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_no_success() {
    let scratch = Scratch::new();
    let (url, requests) = server(|stream, _| {
        thread::sleep(Duration::from_secs(3));
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let mut host = host(&url, scratch.path());
    let path = scratch.path().join("file");
    fs::write(&path, "u".repeat(5_000)).expect("a file");
    let (_, slice) = hashed(&mut host, "file", 5_000);
    let writer = thread::spawn(move || {
        requests.recv_timeout(Duration::from_secs(10)).expect("a request");
        fs::write(path, "v".repeat(5_000)).expect("a file");
    });
    assert_eq!(perform(&mut host, vec![put(&url, "/x", slice)]), [Reply::Conflict]);
    writer.join().expect("the file was written");
}

#[test]
fn an_answer_before_the_body_was_sent_comes_without_sent() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        thread::sleep(Duration::from_secs(1));
    });
    let mut host = host(&url, scratch.path());
    fs::write(scratch.path().join("file"), "u".repeat(50_000_000)).expect("a file");
    let (_, slice) = hashed(&mut host, "file", 50_000_000);
    let replies = perform(&mut host, vec![put(&url, "/early", slice)]);
    assert!(!replies.iter().any(|reply| matches!(reply, Reply::Sent(_))), "{:?}", statuses(&replies));
}

#[test]
fn documents_are_read_with_their_digest() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path().join("sessions/a")).expect("folders");
    fs::write(scratch.path().join("sessions/a/meta.json"), b"{}").expect("a document");
    let mut host = host("http://127.0.0.1:1", scratch.path());
    let asked = ["sessions/a/meta.json", "sessions/b/meta.json", "../x"].map(|name| Effect::LoadDoc(name.into()));
    let replies = perform(&mut host, asked.into());
    let Reply::Doc(doc) = &replies[0] else { panic!("{replies:?}") };
    assert_eq!((doc.bytes.as_slice(), doc.revision.as_str()), (b"{}".as_slice(), blob_of(b"{}").oid.as_str()));
    assert_eq!(replies[1], Reply::Absent);
    assert_eq!(why(&replies[2..]), Failure::Io);
}
