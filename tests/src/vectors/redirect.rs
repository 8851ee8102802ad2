//! Where a 3xx leads, and what goes along.

use super::fields::{self, number, status, text, word};
use super::scripted::{ENDPOINT, Scripted, config, left, shown};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::{
    Config, Direction, Effect, EffectId, Exchange, Head, Header, Login, Method, Reply, Source, Step, Want,
};
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::{Blob, Oid};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The path that every batch request has.
const BATCH: &str = "/objects/batch";
/// The host adds it to every request that has a body.
const CONTENT_LENGTH: &str = "content-length";

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let headers = fields::headers(vector.get("headers"))?;
    let mut play = match text(vector, "method")? {
        "POST" => post(engine, vector, &headers)?,
        "GET" => get(engine, vector, &headers)?,
        "PUT" => put(engine, vector, &headers)?,
        other => return Err(format!("no judge knows the method {other}")),
    };
    play.arrive(vector)?;
    let location = word(vector, "location").map(|location| Header::new("Location", location));
    let head = Head { status: status(vector)?, headers: location.into_iter().collect() };
    play.host.answer_status(play.id, &head)?;
    let expect = fields::expect(vector)?;
    if let Some((key, _)) =
        expect.iter().find(|(key, _)| !["follow", "method", "drop_headers", "refuse"].contains(&key.as_str()))
    {
        return Err(format!("no judge knows what to make of {key}"));
    }
    match word(&vector["expect"], "refuse") {
        Some(reason) => play.refuses(reason),
        None => play.follows(&vector["expect"], &headers),
    }
}

/// An operation that has sent a request.
struct Play {
    host: Scripted,
    id: EffectId,
    exchange: Exchange,
    batch: bool,
}

/// A batch request: its Authorization is the login.
fn post(engine: &dyn Engine, vector: &Value, headers: &[Header]) -> Result<Play, String> {
    let url = first_url(vector)?;
    let endpoint = url.strip_suffix(BATCH).ok_or("only batch requests are played, and this URL is no such")?;
    let authorized = headers.iter().any(|header| header.name.eq_ignore_ascii_case("authorization"));
    let login = if authorized { Login::Stored } else { Login::None };
    let insecure_http = url.starts_with("http:");
    let config = Config { endpoint: endpoint.to_owned(), login, insecure_http, ..config(engine) };
    let start = Start::Batch(Direction::Download, vec![crate::world::blob(b"redirected")]);
    let mut host = Scripted::begin(engine, &config, &start)?;
    let (id, exchange) = host.request()?;
    Ok(Play { host, id, exchange, batch: true })
}

/// A download: its headers are those of the action, but for the range, which comes from bytes that are there.
fn get(engine: &dyn Engine, vector: &Value, headers: &[Header]) -> Result<Play, String> {
    let url = first_url(vector)?;
    let range = headers.iter().find(|header| header.name.eq_ignore_ascii_case("range"));
    let (have, last) = match range {
        None => (0, 9),
        Some(range) => {
            let bounds = range.value.strip_prefix("bytes=").and_then(|bounds| bounds.split_once('-'));
            let number = |text: &str| text.parse::<u64>().ok();
            bounds
                .and_then(|(from, last)| Some((number(from)?, number(last)?)))
                .ok_or("the range is none that is asked for")?
        }
    };
    let blob = Blob { oid: Oid::parse(&"5a".repeat(32)).ok_or("64 digits")?, size: last + 1 };
    let want = Want { name: "file".to_owned(), oid: blob.oid.to_string(), size: blob.size };
    let config = Config { insecure_http: url.starts_with("http:"), ..config(engine) };
    let mut host = Scripted::begin(engine, &config, &Start::Hydrate(vec![want]))?;
    host.cache([if have > 0 { left(have) } else { Reply::Absent }])?;
    let (id, _, asked) = host.batch()?;
    host.offer(id, &asked, &json!({"download": {"href": url, "header": action_headers(headers, &["range"])}}))?;
    let (id, exchange) = host.request()?;
    Ok(Play { host, id, exchange, batch: false })
}

/// An upload: its headers are those of the action, but for what the host adds itself.
fn put(engine: &dyn Engine, vector: &Value, headers: &[Header]) -> Result<Play, String> {
    let url = first_url(vector)?;
    let config = Config { insecure_http: url.starts_with("http:"), ..config(engine) };
    let source = Source { name: "file".to_owned(), expects: None };
    let mut host = Scripted::begin(engine, &config, &Start::Upload(vec![source]))?;
    host.file(b"what is sent")?;
    let (id, _, asked) = host.batch()?;
    host.offer(id, &asked, &json!({"upload": {"href": url, "header": action_headers(headers, &[CONTENT_LENGTH])}}))?;
    let (id, exchange) = host.request()?;
    Ok(Play { host, id, exchange, batch: false })
}

/// The headers of an action, without those of these names.
fn action_headers(headers: &[Header], without: &[&str]) -> Value {
    let own = |header: &&Header| !without.iter().any(|name| header.name.eq_ignore_ascii_case(name));
    headers.iter().filter(own).map(|header| (header.name.clone(), json!(header.value))).collect()
}

/// The URL asked first: the vector's own, or one of the same origin from which it takes the hops so far.
fn first_url(vector: &Value) -> Result<String, String> {
    let url = text(vector, "url")?;
    if number(vector, "hops_so_far").unwrap_or(0) == 0 {
        return Ok(url.to_owned());
    }
    let origin = url.match_indices('/').nth(2).map_or(url, |(at, _)| &url[..at]);
    Ok(format!("{origin}/first{BATCH}"))
}

impl Play {
    /// Takes the hops so far, to the vector's URL.
    fn arrive(&mut self, vector: &Value) -> Result<(), String> {
        let (url, hops) = (text(vector, "url")?, number(vector, "hops_so_far").unwrap_or(0));
        for hop in 1..=hops {
            let location = if hop == hops { url.to_owned() } else { format!("/hop-{hop}") };
            let head = Head { status: 307, headers: vec![Header::new("Location", location)] };
            self.host.answer_status(self.id, &head)?;
            (self.id, self.exchange) = self.host.request()?;
        }
        if self.exchange.request.url == url {
            Ok(())
        } else {
            Err(format!("asked {} instead", self.exchange.request.url))
        }
    }

    fn follows(mut self, expect: &Value, headers: &[Header]) -> Result<(), String> {
        let next = match self.host.step() {
            Step::Perform(_, Effect::Http(exchange)) => exchange.request,
            other => return Err(format!("expected to follow, got {}", shown(&other))),
        };
        let followed = text(expect, "follow")?;
        if next.url != plain(followed) {
            return Err(format!("follow: expected {followed}, got {}", next.url));
        }
        let method = match next.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        };
        if word(expect, "method").is_some_and(|expected| expected != method) {
            return Err(format!("method: expected {}, got {method}", expect["method"]));
        }
        if next.body != self.exchange.request.body {
            return Err("the body did not go along".to_owned());
        }
        let goes_along = |header: &&Header| {
            let login = self.batch && next.login != Login::None && header.name.eq_ignore_ascii_case("authorization");
            login
                || next
                    .headers
                    .iter()
                    .any(|sent| sent.name.eq_ignore_ascii_case(&header.name) && sent.value == header.value)
        };
        let lower = |name: &str| name.to_ascii_lowercase();
        let dropped: BTreeSet<String> = headers
            .iter()
            .filter(|header| !goes_along(header))
            .map(|header| lower(&header.name))
            .filter(|name| name != CONTENT_LENGTH)
            .collect();
        match fields::words(expect.get("drop_headers")) {
            None => Ok(()),
            Some(expected) if expected.iter().map(|name| lower(name)).collect::<BTreeSet<_>>() == dropped => Ok(()),
            Some(expected) => Err(format!("drop_headers: expected {expected:?}, got {dropped:?}")),
        }
    }

    fn refuses(self, reason: &str) -> Result<(), String> {
        let batch = self.batch;
        let mut run = self.host.end()?;
        let error = if batch { run.objects().err() } else { object_error(run.outcomes())? };
        let error = error.ok_or("it ended well")?;
        let code = match reason {
            "insecure-downgrade" => Code::Blocked,
            "too-many-redirects" | "bad-location" => Code::Rejected,
            "unexpected-status" => Code::Malformed,
            other => return Err(format!("no judge knows the word {other}")),
        };
        if error.code == code { Ok(()) } else { Err(format!("refuse: expected {reason}, got {error}")) }
    }
}

/// The same URL as every client writes it: no port that the scheme has anyway, no fragment, a path.
fn plain(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let port = if scheme == "http" { ":80" } else { ":443" };
    let host = host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    format!("{scheme}://{host}{}{path}", if path.starts_with('/') { "" } else { "/" })
}

fn object_error(ended: Result<Vec<hydrant_lfs::contract::Outcome>, Error>) -> Result<Option<Error>, String> {
    match ended {
        Err(error) => Ok(Some(error)),
        Ok(outcomes) => outcomes
            .into_iter()
            .next()
            .map(|outcome| outcome.ended.err())
            .ok_or_else(|| format!("no outcome from {ENDPOINT}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Native;

    #[test]
    fn redirects_of_a_put_are_played() {
        let vector = |location: &str, status: u16, expect: Value| {
            let headers = json!({"X-Token": "t", "Content-Length": "12"});
            json!({"method": "PUT", "url": "https://media.example.test/o/1", "status": status, "location": location,
                   "hops_so_far": 0, "headers": headers, "expect": expect})
        };
        let (same, other) = ("https://media.example.test/o/2", "https://elsewhere.example.test/o/2");
        let follow = |url: &str, dropped: Value| json!({"follow": url, "method": "PUT", "drop_headers": dropped});
        for (location, status, expect) in [
            (same, 307, follow(same, json!([]))),
            (other, 308, follow(other, json!(["X-Token"]))),
            ("http://media.example.test/o/2", 307, json!({"refuse": "insecure-downgrade"})),
        ] {
            let vector = vector(location, status, expect);
            assert_eq!(judge(&Native, &vector), Ok(()), "{vector}");
        }
        assert!(judge(&Native, &vector(same, 307, follow(other, json!([])))).is_err());
    }
}
