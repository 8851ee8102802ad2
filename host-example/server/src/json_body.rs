//! JSON requests: a bounded body. Keeps two rules: nothing is read for anybody who was not let in, and what a client
//! calls its body or wants for an answer is not judged: clients forget both, and there is one form of either.

use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::budget::Lease;
use super::limits::{BODY_STEP_BYTES, JSON_VALUES_MAX, REF_BYTES_MAX};
use super::service::{Caller, Visit};

/// Reads the JSON object a caller sent, of at most `bytes_max`.
pub(super) async fn read_object(
    caller: &Caller<'_>,
    body: &mut Incoming,
    bytes_max: usize,
) -> Result<Map<String, Value>, Refusal> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let visit = caller.visit();
    let mut lease = visit.lease();
    let collected = tokio::time::timeout(visit.shared.limits.json, collect(visit, &mut lease, body, bytes_max)).await;
    let bytes = collected.map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request took too long"))??;
    if values_at_most(&bytes) > JSON_VALUES_MAX {
        return Err(too_large());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::unprocessable("the request must be a JSON object")),
        Err(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the request is not JSON")),
    }
}

/// The bytes of a body, counted as they come and copied: a piece as it comes can hold on to far more than itself.
async fn collect(visit: &Visit, lease: &mut Lease, body: &mut Incoming, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut counted) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the request broke off"))?;
        let Ok(piece) = frame.into_data() else { continue };
        let length = bytes.len() + piece.len();
        if length > bytes_max {
            return Err(too_large());
        }
        if length > counted {
            let step = (length - counted).next_multiple_of(BODY_STEP_BYTES);
            lease.grow(step).await?;
            counted += step;
            bytes.reserve_exact(counted - bytes.len());
        }
        bytes.extend_from_slice(&piece);
        visit.guest.moved();
    }
    Ok(bytes)
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than this server takes")
}

/// A bound of the number of values in a text of JSON: each one but the first follows one of these.
fn values_at_most(json: &[u8]) -> usize {
    1 + json.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{' | b':')).count()
}

/// The `ref.name` of a request; none when it names no ref.
pub(super) fn ref_name(request: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let name = match request.get("ref") {
        None | Some(Value::Null) => return Ok(None),
        Some(given) => given.get("name"),
    };
    match name {
        Some(Value::String(name)) if name.len() <= REF_BYTES_MAX => {
            Ok(Some(name.clone()).filter(|name| !name.is_empty()))
        }
        None | Some(Value::Null) => Ok(None),
        _ => Err(Refusal::unprocessable("the ref must have a short name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_may_be_absent_but_not_malformed() {
        let judged = |text: &str| {
            let request: Map<String, Value> = serde_json::from_str(text).expect("JSON");
            ref_name(&request).map_err(|refusal| refusal.status)
        };
        for none in ["{}", r#"{"ref":null}"#, r#"{"ref":{}}"#, r#"{"ref":{"name":""}}"#] {
            assert_eq!(judged(none), Ok(None), "{none}");
        }
        assert_eq!(judged(r#"{"ref":{"name":"refs/heads/main"}}"#), Ok(Some("refs/heads/main".into())));
        assert_eq!(judged(r#"{"ref":{"name":7}}"#), Err(StatusCode::UNPROCESSABLE_ENTITY));
    }
}
