//! Storage: ranges, wrong bytes, broken uploads, both versions of HTTP.

use std::io::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::client::{Reply, World, noise, oid};

#[test]
fn parts_of_a_blob() {
    let world = World::open();
    let bytes = noise(200_000, 2);
    let path = format!("/objects/{}", world.put(&bytes));
    let etag = format!("\"{}\"", oid(&bytes));
    let get = |headers: &[(&str, &str)]| world.send("GET", &path, headers, b"");

    let whole = get(&[]);
    assert_eq!((whole.status, &whole.body), (200, &bytes));
    assert_eq!(whole.header("content-length"), Some("200000"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("etag"), Some(etag.as_str()));

    for (range, first, last) in
        [("bytes=150000-", 150_000, 199_999), ("bytes=7-70007", 7, 70_007), ("bytes=-1", 199_999, 199_999)]
    {
        let part = get(&[("range", range), ("if-range", &etag)]);
        assert_eq!((part.status, &part.body[..]), (206, &bytes[first..=last]), "{range}");
        assert_eq!(part.header("content-range"), Some(format!("bytes {first}-{last}/200000").as_str()));
    }
    let beyond = get(&[("range", "bytes=200000-")]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */200000")));
    let stale = get(&[("range", "bytes=150000-"), ("if-range", "\"older\"")]);
    assert_eq!((stale.status, stale.body.len()), (200, 200_000));

    let head = world.send("HEAD", &path, &[], b"");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("200000"), 0));
    assert_eq!(world.send("GET", &format!("/objects/{}", oid(b"unknown")), &[], b"").status, 404);
    assert_eq!(world.send("GET", "/objects/unknown", &[], b"").status, 422);
    assert_eq!(world.send("DELETE", &path, &[], b"").status, 405);
}

#[test]
fn the_empty_object_is_an_object() {
    let world = World::open();
    let path = format!("/objects/{}", world.put(b""));
    let reply = world.send("GET", &path, &[], b"");
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("0")));
    assert_eq!(world.send("GET", &path, &[("range", "bytes=0-")], b"").status, 416);
}

#[test]
fn wrong_bytes_leave_nothing_behind() {
    let world = World::open();
    let bytes = noise(300_000, 3);
    let path = format!("/objects/{}", oid(&bytes));
    assert_eq!(world.send("PUT", &path, &[], &bytes[..299_999]).status, 422);
    assert_eq!(world.send("PUT", &path, &[("content-encoding", "gzip")], &bytes).status, 415);
    assert_eq!(world.send("PUT", "/objects/abc", &[], &bytes).status, 422);
    assert_eq!(world.stored(), 0);

    assert_eq!(world.send("PUT", &path, &[], &bytes).status, 200);
    assert_eq!(world.send("PUT", &path, &[], &bytes).status, 200, "again is fine");
    assert_eq!(world.send("PUT", &path, &[], b"wrong").status, 422, "wrong bytes stay wrong");
    assert_eq!(world.send("GET", &path, &[], b"").body, bytes);
    assert_eq!(world.stored(), 1);
}

#[test]
fn a_chunked_upload_is_as_good() {
    let world = World::open();
    let bytes = noise(100_000, 4);
    let mut chunked = Vec::new();
    for chunk in bytes.chunks(7_001) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let path = format!("/objects/{}", oid(&bytes));
    assert_eq!(world.send("PUT", &path, &[("transfer-encoding", "chunked")], &chunked).status, 200);
    assert_eq!(world.send("GET", &path, &[], b"").body, bytes);
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing_behind() {
    let world = World::open();
    let bytes = noise(300_000, 5);
    let mut socket = world.socket();
    let head =
        format!("PUT /objects/{} HTTP/1.1\r\nhost: {}\r\ncontent-length: 300000\r\n\r\n", oid(&bytes), world.host());
    socket.write_all(head.as_bytes()).expect("sent");
    socket.write_all(&bytes[..200_000]).expect("sent");
    let begun = Instant::now();
    while world.stored() == 0 && begun.elapsed() < Duration::from_secs(10) {
        sleep(Duration::from_millis(5));
    }
    assert_eq!(world.stored(), 1, "the arrival is under way");
    drop(socket);
    while world.stored() > 0 && begun.elapsed() < Duration::from_secs(10) {
        sleep(Duration::from_millis(5));
    }
    assert_eq!(world.stored(), 0);
}

#[test]
fn a_refused_upload_still_gets_its_answer() {
    let world = World::with(|_| {});
    let bytes = noise(6_000_000, 6);
    let reply = world.send("PUT", &format!("/objects/{}", oid(&bytes)), &[], &bytes);
    assert_eq!(reply.status, 401);
    assert_eq!(world.stored(), 0);

    let mut socket = world.socket();
    let head = format!(
        "PUT /objects/{} HTTP/1.1\r\nhost: {}\r\ncontent-length: 6000000\r\n\
         expect: 100-continue\r\nconnection: close\r\n\r\n",
        oid(&bytes),
        world.host()
    );
    socket.write_all(head.as_bytes()).expect("sent");
    assert_eq!(Reply::read(socket, false).status, 401, "nobody is asked to send what will be refused");
}

#[test]
fn http2_serves_the_same_bytes() {
    let world = World::open();
    let bytes = noise(5_000_000, 7);
    let url = format!("{}/objects/{}", world.server.url(), oid(&bytes));
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
        let put = client.put(&url).body(bytes.clone()).send().await.expect("an answer");
        assert_eq!((put.status().as_u16(), put.version()), (200, http::Version::HTTP_2));
        let mut under_way = tokio::task::JoinSet::new();
        for n in 0..32_usize {
            let request = client.get(&url).header("range", format!("bytes={}-", n * 1000));
            under_way.spawn(async move { (n, request.send().await.expect("an answer").bytes().await.expect("bytes")) });
        }
        while let Some(done) = under_way.join_next().await {
            let (n, part) = done.expect("no panic");
            assert!(part == bytes[n * 1000..], "part {n}");
        }
        let head = client.head(&url).send().await.expect("an answer");
        assert_eq!(head.headers()["content-length"], "5000000");
    });
}
