//! One answer to a batch request: what each object's entry says, and what an operation does about the whole.

use super::clock;
use super::fields::{self, blobs, body, direction, expect, head, meets, moment, number};
use super::scripted::{ENDPOINT, Scripted, asked, config, is_backoff, shown};
use crate::engine::{Answer, Engine, Start};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::Want;
use hydrant_lfs::contract::{Effect, Head, Login, Step};
use hydrant_lfs::git_lfs::batch::{Action, BatchObject, BatchRequest, BatchResponse, Verdict};
use hydrant_lfs::git_lfs::response_error::{ResponseError, ResponseErrorKind};
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::limits::RETRY_DELAY_MS_MIN;
use hydrant_lfs::text::oid::{Blob, Oid};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Requests after which an operation is endless.
const REQUESTS_MAX: usize = 64;
/// Bytes of a server's words that must come back whole.
const MESSAGE_BYTES_MAX: usize = 150;

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let scene = Scene {
        question: BatchRequest {
            direction: direction(vector)?,
            reference: None,
            transfers: fields::words(vector.get("transfers")).unwrap_or_else(|| vec!["basic".to_owned()]),
            objects: blobs(vector.get("request_objects"))?,
        },
        head: head(vector)?,
        body: body(vector)?,
        now: moment(vector, "now")?,
        attempt: number(vector, "attempt").unwrap_or(1),
    };
    let answer = Answer { head: scene.head.clone(), body: scene.body.clone(), asked_at: scene.now, now: scene.now };
    let expect = expect(vector)?;
    match engine.read_response(ENDPOINT, &scene.question, &answer) {
        Ok(answered) => {
            judge_objects(expect, &answered)?;
            scene.goes_on(engine, expect, &answered)
        }
        Err(refused) => {
            let decision = scene.decide(engine, &refused)?;
            meets(expect, &decision)
        }
    }
}

/// What the server was asked and what it answers.
struct Scene {
    question: BatchRequest,
    head: Head,
    body: Vec<u8>,
    now: u64,
    /// The number of this try: the tries before it were answered alike.
    attempt: u64,
}

/// Objects by oid, each with exactly what the vector expects of it.
fn judge_objects(expect: &Map<String, Value>, answered: &BatchResponse) -> Result<(), String> {
    let whole = json!({
        "batch": "ok",
        "transfer": answered.transfer,
        "objects": expect.get("objects"),
        "unknown_oids": expect.get("unknown_oids"),
    });
    meets(expect, &whole)?;
    let expected = fields::words(expect.get("unknown_oids")).unwrap_or_default();
    if answered.unknown.iter().collect::<BTreeSet<_>>() != expected.iter().collect() {
        return Err(format!("unknown_oids: expected {expected:?}, got {:?}", answered.unknown));
    }
    let objects = expect.get("objects").and_then(Value::as_object).ok_or("the vector expects no objects")?;
    if objects.len() != answered.objects.len() {
        return Err(format!("expected {} objects, got {}", objects.len(), answered.objects.len()));
    }
    for object in &answered.objects {
        let oid = object.oid.to_string();
        let expected =
            objects.get(&oid).and_then(Value::as_object).ok_or_else(|| format!("nothing is expected of {oid}"))?;
        with_moments(expected)
            .and_then(|expected| meets(&expected, &outcome(object)))
            .map_err(|why| format!("{oid}: {why}"))?;
    }
    Ok(())
}

/// The same expectation with its dates as milliseconds.
fn with_moments(expected: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut expected = expected.clone();
    if let Some(Value::String(date)) = expected.get("expires_at") {
        let at = clock::parse(date).ok_or_else(|| format!("expires_at is no date: {date}"))?;
        expected.insert("expires_at".to_owned(), json!(at));
    }
    if let Some(Value::Object(verify)) = expected.get("verify") {
        let verify = with_moments(verify)?;
        expected.insert("verify".to_owned(), Value::Object(verify));
    }
    Ok(expected)
}

fn outcome(object: &BatchObject) -> Value {
    let mut outcome = match &object.verdict {
        Verdict::Present => json!({"outcome": "present"}),
        Verdict::Download(action) => self::action("download", action),
        Verdict::Upload(upload, verify) => {
            let mut outcome = action("upload", upload);
            outcome["verify"] = verify.as_ref().map_or(Value::Null, place);
            outcome
        }
        Verdict::Expired => json!({"outcome": "expired", "retryable": true}),
        Verdict::Refused(it) => {
            json!({"outcome": "error", "code": it.status, "message": it.message, "retryable": it.retryable})
        }
        Verdict::Broken(flaw) => json!({"outcome": "protocol-error", "reason": flaw.name(), "retryable": false}),
    };
    outcome["authenticated"] = json!(object.authenticated);
    outcome
}

fn action(name: &str, it: &Action) -> Value {
    let mut action = place(it);
    action["outcome"] = json!(name);
    action
}

fn place(it: &Action) -> Value {
    let headers: Map<String, Value> = it.headers.iter().map(|it| (it.name.clone(), json!(it.value))).collect();
    json!({"href": it.href, "header": headers, "expires_at": it.expires_at})
}

impl Scene {
    /// A download with this answer fetches what it may, asks again about what is retryable, and about nothing else.
    fn goes_on(
        &self,
        engine: &dyn Engine,
        expect: &Map<String, Value>,
        answered: &BatchResponse,
    ) -> Result<(), String> {
        let playable = |blob: &Blob| blob.size > 0 && blob.oid != Oid::EMPTY;
        let blobs: BTreeSet<Blob> = self.question.objects.iter().copied().collect();
        let download = self.question.direction == Direction::Download && answered.transfer == "basic";
        if !download || !blobs.iter().all(playable) || blobs.len() != answered.objects.len() {
            return Ok(());
        }
        let expected = |word: &str, key: &str| -> BTreeSet<String> {
            let objects = expect.get("objects").and_then(Value::as_object).into_iter().flatten();
            let fits =
                |object: &Value| object.get(key).is_some_and(|value| value == word || *value == Value::Bool(true));
            objects.filter(|(_, object)| fits(object)).map(|(oid, _)| oid.clone()).collect()
        };
        let played = self.play(engine, &blobs)?;
        for (what, expected, got) in [
            ("fetches", expected("download", "outcome"), &played.fetched),
            ("asks again about", expected("yes", "retryable"), &played.asked_again),
        ] {
            if expected != *got {
                return Err(format!("an operation {what} {got:?}, expected {expected:?}"));
            }
        }
        Ok(())
    }

    fn play(&self, engine: &dyn Engine, blobs: &BTreeSet<Blob>) -> Result<Played, String> {
        let wants = blobs.iter().map(|blob| {
            let oid = blob.oid.to_string();
            Want { name: oid.clone(), oid, size: blob.size }
        });
        let config = Config { insecure_http: true, transfers: self.question.transfers.clone(), ..config(engine) };
        let mut host = Scripted::begin(engine, &config, &Start::Download(wants.collect()))?;
        host.now.wall = self.now;
        let (id, _) = host.request()?;
        host.answer(id, self.head.clone(), &self.body)?;
        let mut played = Played::default();
        for _ in 0..REQUESTS_MAX {
            match host.step() {
                Step::Done => return Ok(played),
                Step::Wait(Some(until)) if until > host.now.ticks => host.pass(until - host.now.ticks),
                Step::Perform(id, Effect::Http(exchange)) => match &exchange.stage {
                    Some(stage) => {
                        played.fetched.insert(stage.blob.oid.to_string());
                        host.answer_status(id, &Head { status: 404, headers: Vec::new() })?;
                    }
                    None => {
                        let asked = asked(&exchange)?;
                        played.asked_again.extend(asked.iter().map(|blob| blob.oid.to_string()));
                        host.deny(id, &asked)?;
                    }
                },
                other => return Err(format!("expected a request, a wait or the end, got {}", shown(&other))),
            }
        }
        Err("it asks for ever".to_owned())
    }

    /// What is made of an answer that speaks of no object, in the vector's words.
    fn decide(&self, engine: &dyn Engine, refused: &ResponseError) -> Result<Value, String> {
        let mut decision = json!({"kind": refused.kind.name(), "status": refused.status, "message": refused.message});
        if let Some(id) = &refused.request_id {
            decision["request_id"] = json!(id);
        }
        if let Some(url) = &refused.documentation_url {
            decision["documentation_url"] = json!(url);
        }
        if let Some(millis) = refused.retry_after {
            decision["retry_after_ms"] = json!(millis);
        }
        let (mut host, first) = self.after_the_tries_before(engine)?;
        let mut step = host.step();
        // What a 404 means is asked about, once. The same answer again makes it what it was.
        if let Step::Perform(id, Effect::Http(exchange)) = &step
            && refused.kind == ResponseErrorKind::NotFound
            && self.question.direction == Direction::Download
        {
            if asked(exchange)? != first.objects {
                return Err("it asks about other objects".to_owned());
            }
            host.answer(*id, self.head.clone(), &self.body)?;
            step = host.step();
        }
        match step {
            Step::Done => {
                let error = host.end()?.objects().err().ok_or("a refused request ended well")?;
                self.judge_error(refused, &error)?;
                decision["batch"] = json!("error");
                decision["retryable"] = json!(false);
            }
            Step::Wait(Some(until)) => {
                let waited = until.saturating_sub(host.now.ticks);
                host.pass(waited);
                self.is_asked_again(&mut host, &first)?;
                self.judge_delay(&mut decision, refused, waited)?;
            }
            Step::Perform(id, Effect::Http(exchange)) => {
                let asked = asked(&exchange)?;
                if rank(exchange.request.login) > rank(first.login) {
                    decision["batch"] = json!("auth");
                    decision["schemes"] = json!(refused.schemes);
                    decision["realm"] = json!(refused.realm);
                    host.answer(id, self.head.clone(), &self.body)?;
                    self.ends_soon(host)?;
                } else if asked.len() < first.objects.len() {
                    decision["batch"] = json!("split");
                    let (_, other) = host.request()?;
                    let both: Vec<Blob> = asked.into_iter().chain(super::scripted::asked(&other)?).collect();
                    if both != first.objects {
                        return Err("the halves are not the whole".to_owned());
                    }
                } else {
                    self.judge_delay(&mut decision, refused, 0)?;
                }
            }
            other => return Err(format!("expected a decision, got {}", shown(&other))),
        }
        Ok(decision)
    }

    /// An operation whose latest request got this answer, and got it each time before.
    fn after_the_tries_before(&self, engine: &dyn Engine) -> Result<(Scripted, First), String> {
        let config = Config { transfers: self.question.transfers.clone(), ..config(engine) };
        let start = Start::Batch(self.question.direction, self.question.objects.clone());
        let mut host = Scripted::begin(engine, &config, &start)?;
        host.now.wall = self.now;
        let (mut id, exchange) = host.request()?;
        let first = First { objects: asked(&exchange)?, login: exchange.request.login };
        for _ in 1..self.attempt {
            host.answer(id, self.head.clone(), &self.body)?;
            let waited = host.wait()?;
            host.pass(waited);
            (id, _) = host.request()?;
        }
        host.answer(id, self.head.clone(), &self.body)?;
        Ok((host, first))
    }

    fn is_asked_again(&self, host: &mut Scripted, first: &First) -> Result<(), String> {
        let (_, _, asked) = host.batch()?;
        if asked == first.objects { Ok(()) } else { Err("it asks about other objects".to_owned()) }
    }

    fn judge_delay(&self, decision: &mut Value, refused: &ResponseError, waited: u64) -> Result<(), String> {
        decision["batch"] = json!("retry");
        decision["retryable"] = json!(true);
        decision["delay_source"] = json!(if refused.retry_after.is_some() { "retry-after" } else { "backoff" });
        decision["delay_ms"] = match refused.retry_after {
            Some(asked) if asked == waited => json!(waited),
            Some(asked) => return Err(format!("the server asked for {asked} ms, the wait is {waited} ms")),
            None => {
                // The delay without jitter: the first one, doubled for each try before.
                let delay = RETRY_DELAY_MS_MIN << self.attempt.saturating_sub(1).min(16);
                is_backoff(waited, delay.min(hydrant_lfs::text::limits::RETRY_DELAY_MS_MAX))?;
                json!(delay.min(hydrant_lfs::text::limits::RETRY_DELAY_MS_MAX))
            }
        };
        Ok(())
    }

    /// The error carries the server's words and its date.
    fn judge_error(&self, refused: &ResponseError, error: &Error) -> Result<(), String> {
        if refused.message.len() <= MESSAGE_BYTES_MAX && !error.detail.contains(&refused.message) {
            return Err(format!("the server's words are lost: {error}"));
        }
        let until = refused.retry_after.map(|millis| self.now.saturating_add(millis));
        if error.retry_at == until { Ok(()) } else { Err(format!("the server's date is lost: {error}")) }
    }

    /// A server that refuses every login ends the operation, soon.
    fn ends_soon(&self, mut host: Scripted) -> Result<(), String> {
        for _ in 0..REQUESTS_MAX {
            match host.step() {
                Step::Done => {
                    let ended = host.end()?.objects();
                    return ended.err().map(|_| ()).ok_or_else(|| "it ended well".to_owned());
                }
                Step::Perform(id, Effect::Http(_)) => host.answer(id, self.head.clone(), &self.body)?,
                other => return Err(format!("expected another login or the end, got {}", shown(&other))),
            }
        }
        Err("it asks for logins for ever".to_owned())
    }
}

/// What a download did after the answer.
#[derive(Default)]
struct Played {
    fetched: BTreeSet<String>,
    asked_again: BTreeSet<String>,
}

/// The first request.
struct First {
    objects: Vec<Blob>,
    login: Login,
}

/// Logins in the order in which they are tried.
fn rank(login: Login) -> u8 {
    match login {
        Login::None => 0,
        Login::Stored => 1,
        Login::Renewed => 2,
    }
}
