//! Effects that are ended in the middle: what they leave, and how soon they let go.

use std::fs::{self, File};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use super::{get, host, perform, reading, say, server, staged, statuses, why};
use crate::contract::types::{Blob, Effect, Failure, Reply, Task};
use crate::driver::effects::{BEAT_MS, Effects};
use crate::driver::host::Host;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;

/// Bytes of a file that takes longer to hash than a test may take: all of it is a hole.
const ENDLESS_BYTES: u64 = 200 << 30;

#[test]
fn a_cancelled_download_keeps_its_stage() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
        say(stream, &"x".repeat(200_000));
        thread::sleep(Duration::from_secs(10));
    });
    let mut host = host(&url, scratch.path());
    let blob = Blob { size: 300_000, ..blob_of(b"") };
    let runtime = host.runtime().expect("a loop");
    let (shared, task) = (host.shared.clone(), Effect::Http(staged(get(&url, "/x"), &blob, 0)));
    runtime.block_on(LocalSet::new().run_until(async move {
        let mut effects = Effects::new(shared);
        effects.begin(Task { id: 7, effect: task });
        assert_eq!(statuses(&[effects.next().await.1]), ["head 200"]);
        let mut told = 0;
        while told < 200_000 {
            match tokio::time::timeout(Duration::from_millis(BEAT_MS), effects.next()).await {
                Ok((7, Reply::SoFar(bytes))) => told = bytes,
                Ok(other) => panic!("{other:?}"),
                Err(_) => effects.beat(),
            }
        }
        assert_eq!(why(&[effects.cancel(7).expect("open")]), Failure::Aborted);
        assert!(effects.cancel(7).is_none() && effects.is_idle());
        effects.settle().await;
    }));
    assert_eq!(statuses(&perform(&mut host, vec![Effect::HasBlob(blob)])), ["partial 200000"]);
}

/// Performs an exchange and ends it as soon as its head is there, as the engine does with a part nobody asked for.
fn cancel_at_head(host: &mut Host, effect: Effect) {
    let runtime = host.runtime().expect("a loop");
    let shared = host.shared.clone();
    runtime.block_on(LocalSet::new().run_until(async move {
        let mut effects = Effects::new(shared);
        effects.begin(Task { id: 1, effect });
        assert_eq!(statuses(&[effects.next().await.1]), ["head 206"]);
        effects.cancel(1).expect("open");
        effects.settle().await;
    }));
}

#[test]
fn no_byte_of_a_part_that_nobody_asked_for_reaches_the_stage() {
    let scratch = Scratch::new();
    let (url, _) = server(|stream, _| {
        say(stream, "HTTP/1.1 206 P\r\nContent-Length: 200000\r\nContent-Range: bytes 7-200006/300000\r\n\r\n");
        say(stream, &"y".repeat(200_000));
    });
    let mut host = host(&url, scratch.path());
    let blob = Blob { size: 300_000, ..blob_of(b"") };
    cancel_at_head(&mut host, Effect::Http(staged(get(&url, "/x"), &blob, 0)));
    assert_eq!(perform(&mut host, vec![Effect::HasBlob(blob.clone())]), [Reply::Absent]);

    let stage = scratch.path().join(format!(".hydrant-{}.part", blob.oid));
    fs::write(&stage, "x".repeat(100_000)).expect("a stage");
    assert_eq!(statuses(&perform(&mut host, vec![Effect::HasBlob(blob.clone())])), ["partial 100000"]);
    cancel_at_head(&mut host, Effect::Http(staged(get(&url, "/x"), &blob, 100_000)));
    assert_eq!(fs::read(&stage).expect("left"), "x".repeat(100_000).as_bytes());
    assert_eq!(statuses(&perform(&mut host, vec![Effect::HasBlob(blob)])), ["partial 100000"]);
}

#[test]
fn reading_tells_how_far_it_is_and_ends_soon_after_a_cancel() {
    let scratch = Scratch::new();
    File::create(scratch.path().join("file")).and_then(|file| file.set_len(ENDLESS_BYTES)).expect("a file");
    let mut host = host("http://127.0.0.1:1", scratch.path());
    let runtime = host.runtime().expect("a loop");
    let shared = host.shared.clone();
    runtime.block_on(LocalSet::new().run_until(async move {
        let mut effects = Effects::new(shared);
        assert!(effects.begin(Task { id: 1, effect: reading("file", false) }).is_none());
        let mut told = 0;
        while told == 0 {
            match tokio::time::timeout(Duration::from_millis(BEAT_MS), effects.next()).await {
                Ok((1, Reply::SoFar(bytes))) => told = bytes,
                Ok(other) => panic!("{other:?}"),
                Err(_) => effects.beat(),
            }
        }
        assert!(told < ENDLESS_BYTES);
        let cancelled = Instant::now();
        assert_eq!(why(&[effects.cancel(1).expect("open")]), Failure::Aborted);
        effects.settle().await;
        assert!(cancelled.elapsed() < Duration::from_secs(2), "{:?}", cancelled.elapsed());
    }));
}

#[test]
fn hashing_a_whole_stage_ends_soon_after_a_cancel_and_leaves_it() {
    let scratch = Scratch::new();
    let blob = Blob { size: ENDLESS_BYTES, ..blob_of(b"") };
    let stage = scratch.path().join(format!(".hydrant-{}.part", blob.oid));
    File::create(&stage).and_then(|file| file.set_len(ENDLESS_BYTES)).expect("a stage");
    let mut host = host("http://127.0.0.1:1", scratch.path());
    let runtime = host.runtime().expect("a loop");
    let shared = host.shared.clone();
    runtime.block_on(LocalSet::new().run_until(async move {
        let mut effects = Effects::new(shared);
        assert!(effects.begin(Task { id: 1, effect: Effect::HasBlob(blob) }).is_none());
        tokio::time::sleep(Duration::from_millis(BEAT_MS)).await;
        let cancelled = Instant::now();
        effects.cancel(1).expect("open");
        effects.settle().await;
        assert!(cancelled.elapsed() < Duration::from_secs(2), "{:?}", cancelled.elapsed());
    }));
    assert_eq!(fs::metadata(&stage).expect("left").len(), ENDLESS_BYTES);
}
