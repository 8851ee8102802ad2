//! The effect `http`: one request and its answer, within the bounds that the host enforces by itself.

use super::Task;
use super::digest::Digest;
use super::failure::{failed, name};
use super::files::Pieces;
use super::host::{Stage, Watch, fetch};
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hydrant_lfs::contract::{self, Body, Exchange, Failed, Failure, Head, Header, Login, Method, Redirect, Reply};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Headers, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit, RequestRedirect, Response, ResponseType,
};

/// Headers that belong to the connection or to the browser: `fetch` drops them without a word (the Fetch standard's
/// forbidden request-headers, without those that no server would ask for).
const NOT_OURS: [&str; 17] = [
    "accept-charset",
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
/// Of these, what every request has without being asked.
const SENT_ANYWAY: [&str; 3] = ["accept-encoding", "content-length", "host"];

impl Task {
    /// Performs an exchange.
    pub(super) async fn exchange(&self, it: Exchange) -> Result<Reply, Failed> {
        let watch = self.host().watch(&self.controller, it.idle_max as f64);
        let ended = self.exchanged(&it, &watch).await;
        watch.end();
        ended
    }

    async fn exchanged(&self, it: &Exchange, watch: &Watch) -> Result<Reply, Failed> {
        let (request, asked) = self.request(&it.request).await?;
        watch.waits();
        let response = match fetch(&request).await {
            Ok(response) => response.unchecked_into::<Response>(),
            Err(error) => return self.unanswered(&error, it, &asked).await,
        };
        watch.works();
        if response.type_() == ResponseType::Opaqueredirect {
            let detail = "the server redirects a request with a login, and a browser does not say where to";
            return Err(Failed { why: Failure::Blocked, detail: detail.into() });
        }
        let head = head(&response)?;
        let (status, validator) = (head.status, validator(&head));
        self.say(Reply::Head(head));
        // The core may refuse this head. Its cancel comes before a byte is written.
        self.driver.pump();
        self.wanted()?;

        let mut arriving =
            Arriving { pieces: response.body().map(|body| Pieces::of(&body)), left: it.answer_bytes_max, watch };
        if let (Some(stage), 200 | 206) = (&it.stage, status) {
            return self.receive(stage, status, &mut arriving, validator).await;
        }
        while let Some(piece) = self.next(&mut arriving).await? {
            self.say_chunks(&piece);
        }
        if let Body::File(slice) = &it.request.body
            && (200..300).contains(&status)
            && let Some(blob) = self.driver.hashed.borrow().get(&slice.name)
        {
            // A file of a browser cannot change: what was sent is what was hashed.
            self.say(Reply::Sent(*blob));
        }
        Ok(Reply::End)
    }

    /// The request as the platform has it, and the names of its headers.
    async fn request(&self, it: &contract::Request) -> Result<(web_sys::Request, String), Failed> {
        let init = RequestInit::new();
        let headers = Headers::new().map_err(|error| failed(&error))?;
        let (mut asked, mut left_out) = (String::new(), String::new());
        for Header { name, value } in &it.headers {
            let lower = name.to_ascii_lowercase();
            if is_not_ours(&lower) {
                if !SENT_ANYWAY.contains(&lower.as_str()) {
                    list(&mut left_out, name);
                }
                continue;
            }
            headers.append(name, value).map_err(|error| failed(&error))?;
            list(&mut asked, &lower);
        }
        if !left_out.is_empty() {
            self.host().left_out(&it.url, &left_out).unwrap_or_else(|fault| self.driver.fail(fault));
        }
        if it.login != Login::None {
            let login = self.host().authorize(it.url.clone(), it.login == Login::Renewed, self.signal()).await;
            let Some(login) = login.map_err(|error| denied(&error))?.as_string() else {
                return Err(Failed { why: Failure::Denied, detail: "no login was given for this server".into() });
            };
            headers.set("authorization", &login).map_err(|error| failed(&error))?;
            list(&mut asked, "authorization");
        }
        init.set_method(match it.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        });
        match &it.body {
            Body::Empty => {}
            Body::Bytes(bytes) => init.set_body(&Uint8Array::from(bytes.as_slice())),
            Body::File(slice) => {
                let file = self.host().file(&slice.name);
                let end = (slice.offset + slice.length) as f64;
                let part = file.and_then(|file| file.slice_with_f64_and_f64(slice.offset as f64, end).ok());
                let Some(part) = part else {
                    return Err(Failed { why: Failure::NotFound, detail: String::new() });
                };
                init.set_body(&part);
            }
        }
        init.set_headers(&headers);
        init.set_signal(Some(&self.signal()));
        init.set_cache(RequestCache::NoStore);
        // No right that the caller did not give: no cookie, and no word about the page.
        init.set_credentials(RequestCredentials::Omit);
        init.set_referrer_policy(ReferrerPolicy::NoReferrer);
        init.set_redirect(match it.redirect {
            Redirect::Follow => RequestRedirect::Follow,
            Redirect::Report => RequestRedirect::Manual,
        });
        let url = self.host().rewrite(&it.url).map_err(|error| failed(&error))?;
        self.wanted()?;
        let request = web_sys::Request::new_with_str_and_init(&url, &init);
        let blocked = |_| Failed { why: Failure::Blocked, detail: "the platform cannot send this request".into() };
        Ok((request.map_err(blocked)?, asked))
    }

    /// No answer came.
    async fn unanswered(&self, error: &JsValue, it: &Exchange, asked: &str) -> Result<Reply, Failed> {
        self.wanted()?;
        if name(error) == "NotReadableError" {
            return Ok(Reply::Conflict);
        }
        let lost = self.host().lost(it.request.url.clone(), asked.to_owned()).await;
        let lost = lost.map_err(|error| failed(&error))?;
        let why = if lost.offline() { Failure::Offline } else { Failure::Blocked };
        Err(Failed { why, detail: lost.detail() })
    }

    /// Writes an answer to its stage.
    async fn receive(
        &self,
        stage: &contract::Stage,
        status: u16,
        arriving: &mut Arriving<'_>,
        validator: Option<String>,
    ) -> Result<Reply, Failed> {
        let older = stage.resume.as_ref().filter(|_| status == 206);
        if let (Some(unused), None) = (&stage.resume, older) {
            self.host().drop_stage(unused.stage.0.clone()).await.map_err(|error| failed(&error))?;
        }
        let (oid, size) = (stage.blob.oid.to_string(), stage.blob.size);
        let id = older.map(|older| older.stage.0.clone());
        let bytes = older.map_or(0, |older| older.bytes);
        let place = self.host().stage(stage.id.0.clone(), oid, size as f64, id, bytes as f64).await;
        let place = place.map_err(|error| failed(&error))?;
        let written = self.written(&place, size, arriving).await;
        let closed = place.close(validator).await.map_err(|error| failed(&error));
        let digest = written?;
        closed?;
        Ok(Reply::Received(digest.finish(self).await?))
    }

    async fn written(&self, place: &Stage, size: u64, arriving: &mut Arriving<'_>) -> Result<Digest, Failed> {
        let mut digest = Digest::of(size, self.host().can_digest());
        if let Some(beginning) = place.beginning() {
            self.hash_into(&mut digest, &beginning).await?;
        }
        while let Some(piece) = self.next(arriving).await? {
            digest.update(&piece);
            let written = place.write(&piece).map_err(|error| failed(&error))?;
            if let Ok(promise) = written.dyn_into::<js_sys::Promise>() {
                JsFuture::from(promise).await.map_err(|error| failed(&error))?;
            }
            self.so_far(digest.bytes());
        }
        Ok(digest)
    }

    /// The next piece of an answer, within its bound.
    async fn next(&self, arriving: &mut Arriving<'_>) -> Result<Option<Uint8Array>, Failed> {
        let Some(pieces) = arriving.pieces.as_mut().filter(|_| arriving.left > 0) else { return Ok(None) };
        arriving.watch.waits();
        let piece = pieces.next().await;
        arriving.watch.works();
        self.wanted()?;
        let Some(piece) = piece.map_err(|error| broken(&error))? else { return Ok(None) };
        let taken = u64::from(piece.length()).min(arriving.left);
        arriving.left -= taken;
        Ok(Some(if taken < u64::from(piece.length()) { piece.subarray(0, taken as u32) } else { piece }))
    }
}

/// A body on its way.
struct Arriving<'a> {
    pieces: Option<Pieces>,
    /// Bytes that may still come.
    left: u64,
    watch: &'a Watch,
}

fn head(response: &Response) -> Result<Head, Failed> {
    let mut headers = Vec::new();
    for pair in response.headers().entries() {
        let pair = js_sys::Array::from(&pair.map_err(|error| failed(&error))?);
        let text = |at| pair.get(at).as_string().unwrap_or_default();
        headers.push(Header::new(text(0), text(1)));
    }
    Ok(Head { status: response.status(), headers })
}

/// What says that a later answer has the same bytes: a strong ETag, or else Last-Modified.
fn validator(head: &Head) -> Option<String> {
    let etag = head.value("etag").filter(|etag| etag.starts_with('"'));
    etag.or_else(|| head.value("last-modified")).map(str::to_owned)
}

fn is_not_ours(lower: &str) -> bool {
    NOT_OURS.contains(&lower)
        || lower.starts_with("proxy-")
        || lower.starts_with("sec-")
        || lower.starts_with("access-control-")
}

fn list(names: &mut String, name: &str) {
    if !names.is_empty() {
        names.push_str(", ");
    }
    names.push_str(name);
}

/// The server was there, and is no more.
fn broken(error: &JsValue) -> Failed {
    match name(error).as_str() {
        "AbortError" | "TimeoutError" => failed(error),
        _ => offline(),
    }
}

fn offline() -> Failed {
    Failed { why: Failure::Offline, detail: "the connection broke".into() }
}

fn denied(error: &JsValue) -> Failed {
    match name(error).as_str() {
        "AbortError" => failed(error),
        _ => Failed { why: Failure::Denied, detail: "the login could not be had".into() },
    }
}
