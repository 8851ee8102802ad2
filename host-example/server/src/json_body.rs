//! JSON requests: the media types the protocol demands and a bounded body. Keeps one rule: a client that forgets a
//! header fails here, as it would at a strict host, not only in production.

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use serde_json::{Map, Value};

use super::answer::{LFS_JSON, Refusal};
use super::budget::Lease;
use super::limits::{BODY_STEP_BYTES, JSON_VALUES_MAX, REF_BYTES_MAX};
use super::service::{Caller, Visit};

/// Refuses clients that do not ask for the protocol's media type.
pub(super) fn check_accept(headers: &HeaderMap) -> Result<(), Refusal> {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepts.flat_map(|value| value.split(',')).any(is_lfs_json) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, format!("this address answers only {LFS_JSON}")))
}

/// Reads the JSON object a caller sent, of at most `bytes_max`.
pub(super) async fn read_object(
    caller: &Caller<'_>,
    headers: &HeaderMap,
    body: &mut Incoming,
    bytes_max: usize,
) -> Result<Map<String, Value>, Refusal> {
    check_accept(headers)?;
    if !headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_lfs_json) {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the body must be {LFS_JSON}")));
    }
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

/// The LFS media type, with or without parameters.
fn is_lfs_json(text: &str) -> bool {
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(LFS_JSON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_protocols_media_type_passes() {
        let judged = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().expect("a header value"));
            check_accept(&headers).map_err(|refusal| refusal.status)
        };
        for fine in [LFS_JSON, "application/vnd.git-lfs+json; charset=utf-8", "text/html, Application/vnd.git-lfs+json"]
        {
            assert_eq!(judged(fine), Ok(()), "{fine}");
        }
        for wrong in ["*/*", "application/json", "application/vnd.git-lfs+jsonx"] {
            assert_eq!(judged(wrong), Err(StatusCode::NOT_ACCEPTABLE), "{wrong}");
        }
        assert!(check_accept(&HeaderMap::new()).is_err());
    }

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
