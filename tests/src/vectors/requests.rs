//! What is sent: asked of the pure functions, and seen again when an operation asks.

use super::fields::{self, blob, blobs, direction, number, word};
use super::scripted::{ENDPOINT, STORAGE, Scripted, config};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{Body, Method, Request, Step};
use hydrant_lfs::git_lfs::batch::{Action, BatchRequest};
use hydrant_lfs::text::oid::{Blob, Oid};
use serde_json::{Value, json};

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let input = vector.get("input").ok_or("the vector has no input")?;
    let expect = vector.get("expect").ok_or("the vector expects nothing")?;
    match word(input, "kind").unwrap_or("batch") {
        "verify" => {
            let action = Action { href: format!("{STORAGE}/verify"), headers: Vec::new(), expires_at: None };
            let request = engine.verify_request(blob(input)?, &action).map_err(|error| error.to_string())?;
            judge_request(Some(&request), STORAGE, expect)
        }
        "batch" if input.get("count").is_some() => judge_split(engine, input, expect),
        "batch" => {
            let endpoint = word(input, "base").unwrap_or(ENDPOINT);
            let question = BatchRequest {
                direction: direction(input)?,
                reference: word(input, "ref").map(str::to_owned),
                transfers: fields::words(input.get("transfers")).unwrap_or_else(|| vec!["basic".to_owned()]),
                objects: blobs(input.get("objects"))?,
            };
            let request = engine.write_request(endpoint, &question).map_err(|error| error.to_string())?;
            judge_request(request.as_ref(), endpoint, expect)?;
            let sent = sent_by_operation(engine, endpoint, &question)?;
            if sent == request { Ok(()) } else { Err(format!("an operation sends something else: {sent:?}")) }
        }
        other => Err(format!("no judge knows the kind {other}")),
    }
}

fn judge_request(request: Option<&Request>, base: &str, expect: &Value) -> Result<(), String> {
    let Some(request) = request else {
        let nothing = ["method", "url_suffix", "json"].iter().all(|key| expect[key].is_null());
        return if nothing { Ok(()) } else { Err("nothing is sent".to_owned()) };
    };
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    };
    if expect["method"] != method {
        return Err(format!("method: expected {}, got {method}", expect["method"]));
    }
    let suffix = word(expect, "url_suffix").unwrap_or_default();
    let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
    let server = base.split('?').next().unwrap_or_default().trim_end_matches('/');
    if !request.url.ends_with(suffix) || !request.url.starts_with(server) || path.contains("//") {
        return Err(format!("url: expected {base} and {suffix}, got {}", request.url));
    }
    for (name, value) in expect.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let sent = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        let value = value.as_str().ok_or("an expected header is no text")?;
        // Parameters, such as a charset, do not make it another type.
        let same = |sent: &str| sent.split(';').next().map(str::trim) == Some(value);
        if !sent.is_some_and(|sent| same(&sent.value)) {
            return Err(format!("header {name}: expected {value}, got {:?}", sent.map(|sent| &sent.value)));
        }
    }
    let Some(expected) = expect.get("json").filter(|json| !json.is_null()) else { return Ok(()) };
    let Body::Bytes(body) = &request.body else { return Err("there is no body".to_owned()) };
    let mut body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    // Naming the only transfer that everybody knows says nothing.
    if expected.get("transfers").is_none() && body.get("transfers") == Some(&json!(["basic"])) {
        body.as_object_mut().map(|body| body.remove("transfers"));
    }
    if body == *expected { Ok(()) } else { Err(format!("json: expected {expected}, got {body}")) }
}

/// The first request of an operation that asks the same.
fn sent_by_operation(engine: &dyn Engine, endpoint: &str, question: &BatchRequest) -> Result<Option<Request>, String> {
    let config = Config {
        endpoint: endpoint.to_owned(),
        reference: question.reference.clone(),
        transfers: question.transfers.clone(),
        ..config(engine)
    };
    let mut host = Scripted::begin(engine, &config, &Start::Batch(question.direction, question.objects.clone()))?;
    match host.step() {
        Step::Done => Ok(None),
        Step::Perform(_, hydrant_lfs::contract::Effect::Http(exchange)) => Ok(Some(exchange.request)),
        other => Err(format!("expected a request, got {}", super::scripted::shown(&other))),
    }
}

/// Many objects: how many each request asks about.
fn judge_split(engine: &dyn Engine, input: &Value, expect: &Value) -> Result<(), String> {
    let batch_size =
        u32::try_from(number(input, "batch_size").unwrap_or(100)).map_err(|_| "a batch size out of reach")?;
    let objects: Option<Vec<Blob>> = (0..number(input, "count")?)
        .map(|number| Some(Blob { oid: Oid::parse(&format!("{number:064x}"))?, size: 9 }))
        .collect();
    let objects = objects.ok_or("an oid of 64 digits")?;
    let config = Config { batch_objects_max: batch_size, ..config(engine) };
    let mut host = Scripted::begin(engine, &config, &Start::Batch(direction(input)?, objects.clone()))?;
    let (mut batches, mut asked_in_all) = (Vec::new(), Vec::new());
    while asked_in_all.len() < objects.len() {
        let (id, exchange, asked) = host.batch()?;
        let plain =
            json!({"method": expect["method"], "url_suffix": expect["url_suffix"], "headers": expect["headers"]});
        judge_request(Some(&exchange.request), ENDPOINT, &plain)?;
        batches.push(asked.len());
        host.deny(id, &asked)?;
        asked_in_all.extend(asked);
    }
    host.done()?;
    if asked_in_all != objects {
        return Err("the requests do not ask about every object once, in order".to_owned());
    }
    let expected = &expect["json"]["batches"];
    if *expected == json!(batches) { Ok(()) } else { Err(format!("batches: expected {expected}, got {batches:?}")) }
}
