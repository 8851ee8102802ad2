//! Performs one HTTP exchange of the engine: request, answer, staging. It decides nothing about the protocol.
//!
//! Rules: redirects are answers; the host enforces `answer-bytes-max` and the gauge enforces `idle-max`; a login is
//! added only here, only to an origin the user approved, and never seen by the engine; what the policy of addresses
//! forbids is never connected to.

mod body;

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED};
use reqwest::{Method, Request, Response, Url};
use tokio::task::yield_now;

use body::{FileBody, Sending};

use crate::contract::failure::{failed, of_io};
use crate::contract::names::CHUNK_BYTES_MAX;
use crate::contract::types::{Body, Exchange, Failed, Failure, Head, Header, Login, Method as Verb, Reply, Stage};
use crate::driver::answers::Answers;
use crate::driver::shared::Shared;
use crate::files::digest::blob_of_file;
use crate::gate::Gate;
use crate::net::failure::of_http;
use crate::net::http::StageRight;
use crate::net::login::{self, Credential};
use crate::store::{Incoming, Receive, StageFile, write_stage};

/// Headers of an answer that are told to the engine, at most.
const HEADERS_MAX: usize = 100;
/// Bytes of names and values of these at most.
const HEADER_BYTES_MAX: usize = 32 << 10;

/// Headers that are the host's own business, whoever asks for them.
const HOST_HEADERS: [&str; 9] =
    ["host", "content-length", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"];

/// Headers that never hold a secret. A server may hide one in any other that it hands out.
const PLAIN_HEADERS: [&str; 5] = ["accept", "content-type", "if-range", "range", "user-agent"];

/// How an answer ended.
enum Tail {
    /// Its body was fed.
    Fed,
    /// Its body is in the stage.
    Staged,
    /// The file to send is not what it was.
    Conflict,
}

/// What an exchange writes.
#[derive(Default)]
struct Receiving {
    incoming: Option<Incoming>,
    /// What the answer called itself.
    validator: Option<String>,
    /// Held until the stage is in order.
    right: Option<StageRight>,
}

/// Performs an exchange and answers it.
pub(crate) async fn perform(shared: Rc<Shared>, exchange: Exchange, answers: Answers) {
    let mut receiving = Receiving::default();
    let tail = tokio::select! {
        biased;
        why = answers.gauge.stopped() => Err(why),
        tail = run(&shared, &exchange, &answers, &mut receiving) => tail,
    };
    let Receiving { incoming, validator, right } = receiving;
    let reply = match (tail, incoming) {
        (Ok(Tail::Staged), Some(incoming)) => finish(&shared, &exchange, incoming, &answers).await,
        (Ok(Tail::Fed | Tail::Staged), _) => Reply::End,
        (Ok(Tail::Conflict), _) => Reply::Conflict,
        (Err(why), incoming) => {
            let left = match incoming {
                // What fills a full disk helps nobody: the room is for the other objects.
                Some(incoming) if why.why == Failure::NoSpace => incoming.discard().await,
                // A server that cuts every answer gives a small blob, too, in several pieces.
                Some(Incoming::Memory(held)) if !held.is_empty() => {
                    stage_file(&shared, &exchange).and_then(|stage| stage.begin(&held, validator.as_deref()))
                }
                Some(incoming) => incoming.leave().await,
                None => Ok(()),
            };
            // A full disk explains more than the broken transfer that followed from it.
            Reply::Failed(left.err().map_or(why, |error| of_io(&error)))
        }
    };
    drop(right);
    answers.last(reply);
}

/// The place of a beginning.
fn stage_file(shared: &Shared, exchange: &Exchange) -> io::Result<StageFile> {
    match (&shared.store, &exchange.stage) {
        (Some(store), Some(stage)) => store.borrow_mut().stage_file(&stage.blob.oid),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

async fn finish(shared: &Shared, exchange: &Exchange, incoming: Incoming, answers: &Answers) -> Reply {
    match incoming.finish().await {
        Ok((blob, staged)) => {
            if let (Some(store), Some(stage), false) = (&shared.store, &exchange.stage, answers.gauge.is_stopped()) {
                store.borrow_mut().hold(&stage.id, staged);
            }
            Reply::Received(blob)
        }
        Err(error) => Reply::Failed(of_io(&error)),
    }
}

async fn run(
    shared: &Rc<Shared>,
    exchange: &Exchange,
    answers: &Answers,
    receiving: &mut Receiving,
) -> Result<Tail, Failed> {
    let wanted = &exchange.request;
    let url = shared.http.admit(&wanted.url).await?;
    let credential = login::find(&shared.logins, &url, wanted.login).await?;
    let client = shared.http.client_for(&url).await?;
    if let (Some(gate), Body::File(slice)) = (&shared.gate, &wanted.body) {
        let is_let_out = is_let_out(shared, gate, &slice.name).await.map_err(|error| of_io(&error))?;
        if !is_let_out {
            return Ok(Tail::Conflict);
        }
    }
    let (request, sending) = match build(shared, exchange, url, credential.as_ref(), answers)? {
        Some(built) => built,
        None => return Ok(Tail::Conflict),
    };
    let url = request.url().clone();
    answers.gauge.watch(exchange.idle_max);
    let response = match client.execute(request).await {
        Ok(response) => response,
        // The line breaks because the file no longer had the bytes that were promised.
        Err(_) if sending.as_ref().is_some_and(Sending::broke) => return Ok(Tail::Conflict),
        Err(error) => return Err(of_http(error)),
    };
    answers.gauge.pulse();
    if let Some(sending) = sending.filter(Sending::is_complete) {
        if !sending.unchanged().map_err(|error| of_io(&error))? {
            return Ok(Tail::Conflict);
        }
        answers.say(Reply::Sent(sending.digest()));
    }
    // A 203 is somebody else's answer, such as a sign-in page: it says nothing of the login.
    let worked = response.status().is_success() && response.status().as_u16() != 203;
    if wanted.login != Login::None && worked {
        login::worked(&shared.logins, &url).await;
    }
    answers.say(Reply::Head(head(&response)));
    match &exchange.stage {
        Some(stage) if matches!(response.status().as_u16(), 200 | 203 | 206) => {
            // The engine hears of the head before a byte of another part than it asked for could reach the stage.
            yield_now().await;
            receive(shared, response, stage, exchange.answer_bytes_max, answers, receiving).await?;
            Ok(Tail::Staged)
        }
        _ => feed(response, exchange.answer_bytes_max, answers).await.map(|()| Tail::Fed),
    }
}

/// Whether a file is what the gate let out. One that was young then could have changed without its times showing it.
async fn is_let_out(shared: &Rc<Shared>, gate: &Gate, name: &str) -> io::Result<bool> {
    let Some(mut opened) = shared.open(name)? else { return Ok(false) };
    let Some((revision, oid)) = gate.let_out_as(name) else { return Ok(false) };
    if !revision.same(&opened.revision) {
        return Ok(false);
    }
    if !revision.is_unstable() {
        return Ok(true);
    }
    let found = shared.workers.pick()?.run(move || blob_of_file(&mut opened.file)).await??;
    Ok(found.oid == oid)
}

type Built = (Request, Option<Sending>);

/// The literal request; none when the file to send is not what it was.
fn build(
    shared: &Rc<Shared>,
    exchange: &Exchange,
    url: Url,
    credential: Option<&Credential>,
    answers: &Answers,
) -> Result<Option<Built>, Failed> {
    let wanted = &exchange.request;
    let method = match wanted.method {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
    };
    let mut request = Request::new(method, url);
    for Header { name, value } in &wanted.headers {
        add(request.headers_mut(), name, value.as_bytes())?;
    }
    // What the request says itself is not said again.
    let mut own = shared.own_headers.to(request.url());
    own.retain(|(name, _)| !request.headers().contains_key(name));
    for (name, value) in own {
        add_own(request.headers_mut(), &name, value.expose())?;
        shared.spoken.say(&name, value.expose());
    }
    for (name, value) in credential.map(Credential::headers).unwrap_or_default() {
        add_own(request.headers_mut(), &name, value.expose())?;
        shared.spoken.say(&name, value.expose());
    }
    let mut sending = None;
    match &wanted.body {
        Body::Empty => {}
        Body::Bytes(bytes) => {
            answers.gauge.moved(bytes.len() as u64);
            *request.body_mut() = Some(bytes.clone().into());
        }
        Body::File(slice) => {
            let opened = body::open(shared, slice, &answers.gauge).map_err(|error| of_io(&error))?;
            let Some((body, progress)) = opened else { return Ok(None) };
            shared.has_sent.set(true);
            let body = if wants_chunks(&wanted.headers) {
                body.of_unknown_length()
            } else {
                // Said aloud: without it an empty body goes out with no length at all.
                request.headers_mut().insert(CONTENT_LENGTH, slice.length.into());
                body
            };
            *request.body_mut() = Some(reqwest::Body::wrap::<FileBody>(body));
            sending = Some(progress);
        }
    }
    Ok(Some((request, sending)))
}

/// Whether the engine passes on that the server takes a file in chunks. HTTP/2 sends all bodies so, without the word.
fn wants_chunks(headers: &[Header]) -> bool {
    headers.iter().any(|header| header.name.eq_ignore_ascii_case("transfer-encoding"))
}

/// Adds one header, except those the host alone may set.
fn add(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), Failed> {
    if name.eq_ignore_ascii_case("cookie") { Ok(()) } else { add_own(headers, name, value) }
}

/// Adds one header of the user's own, who may have cookies.
fn add_own(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), Failed> {
    let lower = name.to_ascii_lowercase();
    if HOST_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
        return Ok(());
    }
    let unsendable = |_| failed(Failure::Io, "a header of the request cannot be sent");
    let name = HeaderName::from_bytes(lower.as_bytes()).map_err(|_| unsendable(()))?;
    // Any bytes but control characters: a password or a header of the user's need not be text.
    let mut value = HeaderValue::from_bytes(value).map_err(|_| unsendable(()))?;
    // Kept out of every debug print and out of HTTP/2's shared tables.
    value.set_sensitive(!PLAIN_HEADERS.contains(&name.as_str()));
    headers.append(name, value);
    Ok(())
}

/// Status and headers for the engine, bounded. Cookies are nobody's business.
fn head(response: &Response) -> Head {
    let mut headers = Vec::with_capacity(response.headers().len());
    let mut bytes = 0;
    for (name, value) in response.headers().iter().take(HEADERS_MAX) {
        bytes += name.as_str().len() + value.len();
        if bytes > HEADER_BYTES_MAX {
            break;
        }
        if name != "set-cookie" {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.push(Header { name: name.as_str().to_owned(), value });
        }
    }
    Head { status: response.status().as_u16(), headers }
}

/// Feeds a body as chunks, up to the bound.
async fn feed(mut response: Response, bytes_max: u64, answers: &Answers) -> Result<(), Failed> {
    let mut left = bytes_max;
    while left > 0 {
        let Some(mut bytes) = response.chunk().await.map_err(of_http)? else { return Ok(()) };
        bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= bytes.len() as u64;
        answers.gauge.moved(bytes.len() as u64);
        answers.gauge.hush();
        for piece in bytes.chunks(CHUNK_BYTES_MAX) {
            answers.say(Reply::Chunk(piece.to_vec()));
        }
    }
    Ok(())
}

/// Writes a body into the stage, up to the bound.
async fn receive(
    shared: &Rc<Shared>,
    mut response: Response,
    stage: &Stage,
    bytes_max: u64,
    answers: &Answers,
    Receiving { incoming: slot, validator: told, right }: &mut Receiving,
) -> Result<(), Failed> {
    let resume = stage.resume.as_ref().filter(|_| response.status().as_u16() == 206);
    let keep = resume.map_or(0, |resume| resume.bytes);
    let Some(store) = &shared.store else { return Err(failed(Failure::Io, "this command has no place for blobs")) };
    let expected = length(response.headers()).map(|bytes| bytes.saturating_add(keep));
    *told = validator(response.headers());
    let validator = told.as_deref();
    let worker = || shared.workers.pick().map_err(|error| of_io(&error));

    let busy = answers.gauge.busy();
    *right = Some(shared.stage_rights.take(&stage.blob.oid).await);
    let room = store.borrow_mut().receive(&stage.blob, keep, expected).map_err(|error| of_io(&error))?;
    let incoming = slot.insert(match room {
        Receive::Memory(memory) => memory,
        Receive::File(file) => write_stage(file, keep, validator, worker()?).map_err(|error| of_io(&error))?,
    });
    let gauge = Arc::clone(&answers.gauge);
    incoming.rewind(keep, move |_| gauge.still_wanted()).await.map_err(|error| of_io(&error))?;
    drop(busy);
    let mut left = bytes_max;
    while left > 0 {
        let Some(mut bytes) = response.chunk().await.map_err(of_http)? else { return Ok(()) };
        bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= bytes.len() as u64;
        answers.gauge.moved(bytes.len() as u64);
        let Some(incoming) = slot.as_mut() else { return Ok(()) };
        // The worker may be behind.
        let _busy = answers.gauge.busy();
        if let Some(beginning) = incoming.take(bytes).await.map_err(|error| of_io(&error))? {
            // An answer that named no length outgrew the memory.
            let file = store.borrow_mut().stage_file(&stage.blob.oid).map_err(|error| of_io(&error))?;
            let writer = write_stage(file, 0, validator, worker()?).map_err(|error| of_io(&error))?;
            slot.insert(writer).take(beginning.into()).await.map_err(|error| of_io(&error))?;
        }
    }
    Ok(())
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// What a later `If-Range` may name: a strong ETag, else the date of the last change.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let strong = text(ETAG).filter(|tag| tag.starts_with('"') && tag.len() > 2);
    strong.or_else(|| text(LAST_MODIFIED)).filter(|value| !value.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::rc::Rc;

    use super::{add, add_own, is_let_out, validator};
    use crate::driver::host::Host;
    use crate::files::Files;
    use crate::files::scratch::Scratch;
    use crate::gate::Gate;
    use crate::repository::Repository;
    use reqwest::header::{HeaderMap, HeaderValue};

    /// Whatever the engine asks for.
    #[test]
    fn only_what_was_looked_through_is_sent_and_only_as_it_was() {
        let scratch = Scratch::new();
        let made = Command::new("git").args(["init", "--quiet"]).arg(scratch.path()).status();
        assert!(made.expect("git runs").success());
        let repository = Repository::around(scratch.path()).expect("a repository");
        let gate = Gate::of(&repository, &[]).expect("a gate");
        let files = Files::beneath(scratch.path()).expect("the root");
        let mut host = Host::builder().files(files.clone()).build().expect("a host");
        let runtime = host.runtime().expect("a loop");
        let write = |text: &str| fs::write(scratch.path().join("a"), text).expect("a file");
        let is_sent = |gate: &Gate| {
            let shared = Rc::clone(&host.shared);
            runtime.block_on(is_let_out(&shared, gate, "a")).expect("no fault")
        };
        let look = |text: &str| {
            let revision = files.open("a").expect("readable").expect("there").revision;
            gate.take_file("a", &revision, &gate.sought().in_text(text.as_bytes()));
        };
        write("text");
        assert!(!is_sent(&gate), "nobody looked at it");
        look("text");
        assert!(is_sent(&gate));
        write("other text");
        assert!(!is_sent(&gate), "it changed");
        // It was so young that its times say nothing.
        look("what was looked at");
        assert!(!is_sent(&gate), "other bytes");
        fs::remove_file(scratch.path().join("a")).expect("removed");
        assert!(!is_sent(&gate), "it is gone");
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_hosts_own_headers_are_never_taken_from_outside() {
        let mut map = HeaderMap::new();
        for name in ["Host", "content-length", "TE", "Transfer-Encoding", "Cookie", "Proxy-Authorization", "Upgrade"] {
            add(&mut map, name, b"x").expect("left out silently");
        }
        assert!(map.is_empty());
        add(&mut map, "Authorization", b"Bearer secret").expect("sendable");
        add(&mut map, "X-Amz-Signature", b"another secret").expect("sendable");
        add_own(&mut map, "Cookie", b"a=secret").expect("the user's own");
        add_own(&mut map, "X-Latin", b"p\xe4ss").expect("bytes");
        assert!(!format!("{map:?}").contains("secret") && map.contains_key("cookie"));
        assert!(add(&mut map, "X-A", b"a\r\nX-B: b").is_err());
        assert!(add(&mut map, "bad name", b"x").is_err());
    }

    #[test]
    fn only_a_strong_validator_is_kept() {
        assert_eq!(validator(&headers(&[("etag", "\"abc\"")])).as_deref(), Some("\"abc\""));
        assert_eq!(validator(&headers(&[("etag", "W/\"abc\"")])), None);
        let date = "Tue, 01 Jul 2025 00:00:00 GMT";
        assert_eq!(validator(&headers(&[("etag", "W/\"abc\""), ("last-modified", date)])).as_deref(), Some(date));
    }
}
