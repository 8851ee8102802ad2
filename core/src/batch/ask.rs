//! Writes batch and verify requests.

use super::{Action, BASIC, Flaw, Question};
use crate::config::Config;
use crate::contract::{Body, Header, Login, Method, Request};
use crate::error::{Code, Error};
use crate::http::{self, Outgoing};
use crate::json;
use crate::link::Link;
use crate::oid::Blob;
use crate::url::Url;
use std::collections::BTreeSet;

/// Objects without repetitions, in their first order.
pub(crate) fn distinct(objects: &[Blob]) -> Vec<Blob> {
    let mut seen = BTreeSet::new();
    objects.iter().copied().filter(|blob| seen.insert(blob.oid)).collect()
}

/// The request's body; `None` when there is nothing to ask.
pub fn ask(question: &Question) -> Option<String> {
    if question.objects.is_empty() {
        return None;
    }
    let objects: Vec<String> = distinct(&question.objects).iter().map(|blob| object(*blob)).collect();
    let mut body = format!("{{\"operation\":\"{}\"", question.direction.name());
    let basic_alone = question.transfers.iter().all(|transfer| transfer == BASIC);
    if !basic_alone {
        let transfers: Vec<String> = question.transfers.iter().map(|transfer| json::quoted(transfer)).collect();
        body += &format!(",\"transfers\":[{}]", transfers.join(","));
    }
    if let Some(reference) = &question.reference {
        body += &format!(",\"ref\":{{\"name\":{}}}", json::quoted(reference));
    }
    body += &format!(",\"objects\":[{}],\"hash_algo\":\"sha256\"}}", objects.join(","));
    Some(body)
}

/// The request to send to an endpoint; `None` when there is nothing to ask.
pub fn request(endpoint: &str, question: &Question) -> Result<Option<Request>, Error> {
    let link = Link::new(Config { insecure_http: true, ..Config::new(endpoint) })?;
    Ok(ask(question).map(|body| asking(&link, body).request(Login::None, true)))
}

/// The batch request on its way.
pub(crate) fn asking(link: &Link, body: String) -> Outgoing {
    Outgoing::api(Method::Post, link.api("objects/batch"), body)
}

/// The request that tells the server to check an upload.
pub fn verify_request(blob: Blob, action: &Action) -> Result<Request, Error> {
    let url = Url::parse(&action.href).ok_or_else(|| Error::new(Code::Malformed, Flaw::BadHref.explain()))?;
    Ok(verifying(url, &action.headers, blob, false).request(Login::None, true))
}

/// The verify request on its way.
pub(crate) fn verifying(url: Url, headers: &[Header], blob: Blob, authenticated: bool) -> Outgoing {
    let api = [Header::new("Accept", http::LFS_JSON), Header::new("Content-Type", http::LFS_JSON)];
    Outgoing::action(Method::Post, url, headers, api.to_vec(), Body::Bytes(object(blob).into_bytes()), authenticated)
}

/// `{"oid":…,"size":…}`: an entry of a batch request, and all of a verify request.
pub fn object(blob: Blob) -> String {
    format!("{{\"oid\":\"{}\",\"size\":{}}}", blob.oid, blob.size)
}
