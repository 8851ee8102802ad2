//! The program is killed at any moment, and the next run completes what it left.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::case::Job;
use crate::evidence::{Scratch, blob, finish, hydrant, only_right_files};
use crate::liar::{Blob, Liar};
use crate::talk::Talk;

/// Times it is killed.
const KILLS: u64 = 20;
/// Objects besides the large one.
const SMALL_OBJECTS: u64 = 39;
/// Bytes of the large one.
const LARGE_BYTES: usize = 30 << 20;
/// Milliseconds that the server rests after each piece of the large object.
const REST_MS: u64 = 4;
/// Bytes of such a piece.
const PIECE_BYTES: usize = 512 << 10;
/// Seconds of a run that is not killed.
const RUN_S_MAX: u64 = 60;

/// Honest, and slow with the large object, so that most kills fall into it.
fn slow(talk: &mut Talk) {
    let bytes = talk.bytes();
    if talk.is_batch() || bytes.len() < LARGE_BYTES {
        return talk.honest();
    }
    let start = talk.range_start().unwrap_or(0);
    let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
    match start {
        0 => talk.head("200 OK", &[("etag", "\"v1\"")], bytes.len()),
        _ => talk.head("206 Partial Content", &[("etag", "\"v1\""), ("content-range", &range)], bytes.len() - start),
    }
    for piece in bytes[start..].chunks(PIECE_BYTES) {
        thread::sleep(Duration::from_millis(REST_MS));
        if !talk.say(piece) {
            return;
        }
    }
}

#[test]
fn a_killed_run_is_completed_by_the_next() {
    let mut blobs: Vec<Blob> =
        (0..SMALL_OBJECTS).map(|seed| blob(seed + 1, 1 + (seed as usize * 7_919) % 90_000)).collect();
    blobs.push(blob(99, LARGE_BYTES));
    let (mut resumed, mut span) = (0, 0);
    for round in 0..=KILLS {
        let liar = Liar::start(blobs.clone(), slow, None);
        let scratch = Scratch::new();
        let folder = scratch.path("objects");
        let endpoint = format!("http://{}/r", liar.plot.home);
        // The first run is not killed: it tells how long one takes.
        let moment = Duration::from_millis(dice(round).checked_rem(span).unwrap_or(0));
        if span > 0 {
            kill_after(moment, &scratch, &blobs, &folder, &endpoint);
            only_right_or_unnamed(&folder, &blobs);
        }

        let mut command = hydrant(&scratch, Job::Hydrate, &blobs, &folder, &endpoint);
        let started = Instant::now();
        let (code, out, err) = finish(&mut command, Duration::from_secs(RUN_S_MAX)).expect("it ends");
        assert_eq!(code, 0, "killed after {moment:?}: {out}{err}");
        if span == 0 {
            span = u64::try_from(started.elapsed().as_millis()).expect("short").max(1);
        }
        for blob in &blobs {
            assert!(fs::read(folder.join(&blob.oid)).is_ok_and(|bytes| bytes == blob.bytes), "{}", blob.oid);
        }
        only_right_or_unnamed(&folder, &blobs);
        let ranges = liar.plot.seen().iter().filter(|seen| seen.header("range").is_some()).count();
        resumed += ranges;
        let stage = folder.join(format!(".hydrant-{}.part", blobs[blobs.len() - 1].oid));
        assert!(!stage.exists(), "the stage became the entry");
    }
    assert!(resumed > 0, "no run was killed in the middle of the large object");
}

/// Moments that look random and are always the same.
fn dice(round: u64) -> u64 {
    blob(round + 1, 8).bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn kill_after(moment: Duration, scratch: &Scratch, blobs: &[Blob], folder: &Path, endpoint: &str) {
    let mut command = hydrant(scratch, Job::Hydrate, blobs, folder, endpoint);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("hydrant runs");
    thread::sleep(moment);
    child.kill().and_then(|()| child.wait()).expect("killed");
}

/// As after any run; a kill may leave the nameless file of one small object besides, which no run takes for anything.
#[track_caller]
fn only_right_or_unnamed(folder: &Path, blobs: &[Blob]) {
    let nameless = |name: &str| name.starts_with(".hydrant-") && name.ends_with(".tmp");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if nameless(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    only_right_files(folder, blobs).expect("only right files");
}
