//! The batch API and verify. Keeps one rule: every object asked about gets exactly one answer of its own, so one bad
//! object never hides the others.

use std::sync::atomic::Ordering;

use http::StatusCode;
use http::request::Parts;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use super::Shared;
use super::access::Verb;
use super::answer::{Answer, Refusal, json_answer};
use super::json_body;
use super::limits::{BATCH_OBJECTS_MAX, JSON_BYTES_MAX, OBJECT_BYTES_MAX, VERIFY_BYTES_MAX};
use super::route;
use super::service::Visit;
use super::store::{Oid, Shelf};

/// Serves `POST …/objects/batch`. `base` begins every address in the answer.
pub(super) async fn batch(
    visit: &Visit,
    base: &str,
    repository: &str,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    let caller = visit.admit(&head.headers)?;
    let request = json_body::read_object(&caller, body, JSON_BYTES_MAX).await?;
    let shared = &*visit.shared;
    let operation = operation(&request)?;
    check_terms(&request)?;
    json_body::ref_name(&request)?;
    let Some(Value::Array(objects)) = request.get("objects") else {
        return Err(Refusal::unprocessable("the batch must have a list of objects"));
    };
    if objects.len() > BATCH_OBJECTS_MAX {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the batch has too many objects, ask for fewer"));
    }
    shared.counters.batches.fetch_add(1, Ordering::Relaxed);
    let shelf = shared.store.shelf(repository);
    let base = format!("{base}{}", route::beginning(shelf.repository()));
    let answers = objects.iter().map(|object| answer_one(shared, &shelf, &base, operation, object));
    let answers = answers.collect::<Result<Vec<Value>, Refusal>>()?;
    let answer = json!({ "transfer": "basic", "objects": answers, "hash_algo": "sha256" });
    Ok(json_answer(StatusCode::OK, &answer))
}

/// Serves `POST …/verify`: proof that an object is here with the size the client means.
pub(super) async fn verify(
    visit: &Visit,
    repository: &str,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    let shelf = visit.shared.store.shelf(repository);
    let (caller, action) = visit.admit_action(&head.headers, Verb::Verify, &shelf)?;
    let request = json_body::read_object(&caller, body, VERIFY_BYTES_MAX).await?;
    let (oid, size) = asked(&request).map_err(Refusal::unprocessable)?;
    if let Some(action) = action {
        action.check(&oid)?;
    }
    visit.shared.counters.verifies.fetch_add(1, Ordering::Relaxed);
    if shelf.size_of(&oid)? == Some(size) {
        Ok(json_answer(StatusCode::OK, &json!({ "oid": oid.to_string(), "size": size })))
    } else {
        Err(Refusal::new(StatusCode::NOT_FOUND, "the server does not have this object with this size"))
    }
}

fn operation(request: &Map<String, Value>) -> Result<Verb, Refusal> {
    match request.get("operation").and_then(Value::as_str) {
        Some("download") => Ok(Verb::Download),
        Some("upload") => Ok(Verb::Upload),
        _ => Err(Refusal::unprocessable("the operation must be download or upload")),
    }
}

/// The transfer and the hash both sides must agree on. Absent means basic and sha256.
fn check_terms(request: &Map<String, Value>) -> Result<(), Refusal> {
    match request.get("hash_algo") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) if name.is_empty() || name == "sha256" => {}
        Some(_) => return Err(Refusal::new(StatusCode::CONFLICT, "this server names objects by sha256 only")),
    }
    match request.get("transfers") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(names)) if names.is_empty() || names.iter().any(|name| name == "basic") => Ok(()),
        Some(_) => Err(Refusal::unprocessable("this server offers the basic transfer only")),
    }
}

/// The answer for one object. Only an entry without any name to answer to refuses the whole batch.
fn answer_one(
    shared: &Shared,
    shelf: &Shelf<'_>,
    base: &str,
    operation: Verb,
    object: &Value,
) -> Result<Value, Refusal> {
    let nameless = || Refusal::unprocessable("every object of the batch must have an oid");
    let object = object.as_object().ok_or_else(nameless)?;
    let name = object.get("oid").and_then(Value::as_str).ok_or_else(nameless)?;
    let size = object.get("size").and_then(Value::as_u64).unwrap_or(0);
    let wrong = |status: StatusCode, why: &str| {
        let error = json!({ "code": status.as_u16(), "message": why });
        json!({ "oid": name, "size": size, "error": error })
    };
    let (oid, size) = match asked(object) {
        Ok(asked) => asked,
        Err(why) => return Ok(wrong(StatusCode::UNPROCESSABLE_ENTITY, why)),
    };
    if size > OBJECT_BYTES_MAX {
        return Ok(wrong(StatusCode::PAYLOAD_TOO_LARGE, "the object is larger than this server takes"));
    }
    let answer = match (operation, shelf.size_of(&oid)?) {
        (_, Some(held)) if held != size => wrong(StatusCode::UNPROCESSABLE_ENTITY, "the object has another size"),
        (Verb::Upload, Some(_)) => json!({ "oid": name, "size": size }),
        (Verb::Upload, None) => json!({
            "oid": name,
            "size": size,
            "authenticated": true,
            "actions": {
                "upload": shared.access.action(object_address(base, &oid), Verb::Upload, shelf, &oid, size),
                "verify": shared.access.action(format!("{base}/verify"), Verb::Verify, shelf, &oid, size),
            },
        }),
        (_, None) => wrong(StatusCode::NOT_FOUND, "the server does not have this object"),
        (_, Some(_)) => json!({
            "oid": name,
            "size": size,
            "authenticated": true,
            "actions": {
                "download": shared.access.action(object_address(base, &oid), Verb::Download, shelf, &oid, size),
            },
        }),
    };
    Ok(answer)
}

fn object_address(base: &str, oid: &Oid) -> String {
    format!("{base}/objects/{oid}")
}

/// The object a request names.
fn asked(request: &Map<String, Value>) -> Result<(Oid, u64), &'static str> {
    let oid = request.get("oid").and_then(Value::as_str).and_then(Oid::parse);
    let oid = oid.ok_or("an object's name is 64 lower-case hex digits")?;
    let size = request.get("size").and_then(Value::as_u64).ok_or("an object's size is a whole number")?;
    Ok((oid, size))
}
