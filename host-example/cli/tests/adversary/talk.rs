//! What a script can do with one request: answer as an honest LFS server would, or say anything at all.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::liar::{Blob, Plot, Seen, Wire};

/// The media type of the LFS API.
pub(crate) const LFS_JSON: &str = "application/vnd.git-lfs+json";
/// In the header of every action of `home`.
pub(crate) const HEADER_SECRET: &str = "hdr-5ecret-4471";
/// In the query of every address of `home`.
pub(crate) const QUERY_SECRET: &str = "sig-5ecret-9032";
/// In the header of every action of `away`.
pub(crate) const AWAY_SECRET: &str = "far-5ecret-6118";

/// Milliseconds between two bytes that drip.
const DRIP_MS: u64 = 100;
/// Seconds after which a script lets go of a client that should have gone long ago.
const PATIENCE_S: u64 = 10;
/// Bytes after which a flood ends.
const FLOOD_BYTES_MAX: usize = 256 << 20;

/// One request and the wire to answer on.
pub(crate) struct Talk<'a> {
    pub(crate) plot: &'a Plot,
    pub(crate) request: Seen,
    /// Requests of the same kind to the same place that came before.
    pub(crate) nth: usize,
    wire: &'a mut dyn Wire,
    at: usize,
    read: bool,
    over: bool,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(plot: &'a Plot, wire: &'a mut dyn Wire, request: Seen, at: usize, nth: usize) -> Self {
        Talk { plot, request, nth, wire, at, read: false, over: false }
    }

    /// Whether the connection can carry another request.
    pub(crate) fn goes_on(&mut self) -> bool {
        if !self.over && !self.read {
            self.body();
        }
        !self.over
    }

    /// Whether this is the batch request.
    pub(crate) fn is_batch(&self) -> bool {
        self.request.what().ends_with("/objects/batch")
    }

    /// Whether bytes are brought.
    pub(crate) fn is_put(&self) -> bool {
        self.request.head.starts_with("PUT ")
    }

    /// The object that the address names.
    pub(crate) fn blob(&self) -> Option<&'a Blob> {
        let what = self.request.what();
        self.plot.blobs.iter().find(|blob| what.ends_with(&blob.oid))
    }

    /// Bytes of the object that the address names.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.blob().map(|blob| blob.bytes.as_slice()).unwrap_or_default()
    }

    /// First byte of the range that is asked for.
    pub(crate) fn range_start(&self) -> Option<usize> {
        self.request.header("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }

    /// Reads the body of the request.
    pub(crate) fn body(&mut self) -> Vec<u8> {
        let length = self.request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let mut body = vec![0; if self.read { 0 } else { length }];
        self.read = true;
        self.over |= self.wire.read_exact(&mut body).is_err();
        self.plot.note_body(self.at, &body);
        body
    }

    /// Says anything.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.over |= self.wire.write_all(bytes.as_ref()).and_then(|()| self.wire.flush()).is_err();
        !self.over
    }

    /// A well-formed answer. The request's body is read first.
    pub(crate) fn answer(&mut self, status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) {
        self.body_unless_read();
        let body = body.as_ref();
        self.head(status, headers, body.len());
        self.say(body);
    }

    /// A status and nothing else, while the request's body is still on its way and never read.
    pub(crate) fn answer_unread(&mut self, status: &str) {
        self.head(status, &[("connection", "close")], 0);
        // Gone at once, the client could not even read this.
        thread::sleep(Duration::from_millis(DRIP_MS * 15));
        self.over = true;
    }

    /// Status line and headers of an answer whose body has this length.
    pub(crate) fn head(&mut self, status: &str, headers: &[(&str, &str)], length: usize) {
        let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n");
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        self.say(head + "\r\n");
    }

    /// A well-formed answer of the API.
    pub(crate) fn json(&mut self, status: &str, headers: &[(&str, &str)], body: &Value) {
        let mut all = vec![("content-type", LFS_JSON)];
        all.extend_from_slice(headers);
        self.answer(status, &all, body.to_string());
    }

    /// Says nothing more and waits until the client goes away.
    pub(crate) fn stall(&mut self) {
        let until = Instant::now() + Duration::from_secs(PATIENCE_S);
        let mut byte = [0];
        while Instant::now() < until && self.wire.read(&mut byte).is_ok_and(|read| read > 0) {}
        self.over = true;
    }

    /// Says the same thing until the client has had enough.
    pub(crate) fn flood(&mut self, piece: impl AsRef<[u8]>) {
        let (until, mut said) = (Instant::now() + Duration::from_secs(PATIENCE_S), 0);
        while Instant::now() < until && said < FLOOD_BYTES_MAX && self.say(&piece) {
            said += piece.as_ref().len();
        }
        self.over = true;
    }

    /// One byte at a time, slowly.
    pub(crate) fn drip(&mut self, bytes: &[u8]) {
        for byte in bytes {
            thread::sleep(Duration::from_millis(DRIP_MS));
            if !self.say([*byte]) {
                return;
            }
        }
    }

    /// Closes the connection, whatever was promised.
    pub(crate) fn hang_up(&mut self) {
        self.over = true;
    }

    /// What an honest server does.
    pub(crate) fn honest(&mut self) {
        self.body_unless_read();
        if self.is_batch() {
            return self.batch(at_home);
        }
        let bytes = self.bytes();
        match (self.request.head.starts_with("GET "), self.range_start().filter(|start| *start < bytes.len())) {
            (false, _) => self.answer("200 OK", &[], []),
            (true, None) => self.answer("200 OK", &[("etag", "\"v1\"")], bytes),
            (true, Some(start)) => {
                let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
                self.answer("206 Partial Content", &[("content-range", &range), ("etag", "\"v1\"")], &bytes[start..]);
            }
        }
    }

    /// A batch answer with one entry for each object asked.
    pub(crate) fn batch(&mut self, entry: fn(&Plot, &str, u64, bool) -> Value) {
        let entries = self.entries(entry);
        self.json("200 OK", &[], &json!({ "transfer": "basic", "objects": entries }));
    }

    /// The entries of such an answer.
    pub(crate) fn entries(&mut self, entry: fn(&Plot, &str, u64, bool) -> Value) -> Vec<Value> {
        let asked: Value = serde_json::from_slice(&self.body()).unwrap_or_default();
        let upload = asked["operation"] == "upload";
        let objects = asked["objects"].as_array().cloned().unwrap_or_default();
        let one = |object: &Value| {
            let oid = object["oid"].as_str().unwrap_or_default();
            entry(self.plot, oid, object["size"].as_u64().unwrap_or_default(), upload)
        };
        objects.iter().map(one).collect()
    }

    fn body_unless_read(&mut self) {
        if !self.read && !self.is_batch() {
            self.body();
        }
    }
}

/// What an honest server says of an object it holds itself.
pub(crate) fn at_home(plot: &Plot, oid: &str, size: u64, upload: bool) -> Value {
    let action = json!({
        "href": format!("http://{}/o/{oid}?sig={QUERY_SECRET}", plot.home),
        "header": { "Authorization": format!("Bearer {HEADER_SECRET}"), "X-Extra": HEADER_SECRET },
    });
    entry(oid, size, upload, &action)
}

/// The same of an object that lies at another origin.
pub(crate) fn far_away(plot: &Plot, oid: &str, size: u64, upload: bool) -> Value {
    let action = json!({
        "href": format!("http://{}/o/{oid}?sig={AWAY_SECRET}", plot.away),
        "header": { "Authorization": format!("Bearer {AWAY_SECRET}") },
    });
    entry(oid, size, upload, &action)
}

/// What a server says of an object, with this action.
pub(crate) fn entry(oid: &str, size: u64, upload: bool, action: &Value) -> Value {
    let way = if upload { "upload" } else { "download" };
    json!({ "oid": oid, "size": size, "authenticated": true, "actions": { way: action } })
}
