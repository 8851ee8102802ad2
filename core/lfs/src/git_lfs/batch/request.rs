//! Writes batch requests.

use super::BatchRequest;
use crate::contract::config::BASIC;
use crate::order::order;
use crate::text::json;
use crate::text::oid::Blob;
use alloc::string::String;
use alloc::vec::Vec;

/// Objects without repetitions, in their first order.
pub fn distinct(objects: &[Blob]) -> Vec<Blob> {
    let by_oid = order(objects.len(), &|a, b| objects[a].oid.cmp(&objects[b].oid));
    let mut repeated = vec![false; objects.len()];
    for pair in by_oid.windows(2) {
        repeated[pair[1]] = objects[pair[0]].oid == objects[pair[1]].oid;
    }
    objects.iter().zip(repeated).filter(|(_, repeated)| !repeated).map(|(blob, _)| *blob).collect()
}

/// The request's body; `None` when there is no object to ask for.
pub fn write_request(request: &BatchRequest) -> Option<String> {
    if request.objects.is_empty() {
        return None;
    }
    let objects: Vec<String> = distinct(&request.objects).iter().map(|blob| object(*blob)).collect();
    let mut body = format!("{{\"operation\":\"{}\"", request.direction.name());
    let basic_alone = request.transfers.iter().all(|transfer| transfer == BASIC);
    if !basic_alone {
        let transfers: Vec<String> = request.transfers.iter().map(|transfer| json::quoted(transfer)).collect();
        body += &format!(",\"transfers\":[{}]", transfers.join(","));
    }
    if let Some(reference) = &request.reference {
        body += &format!(",\"ref\":{{\"name\":{}}}", json::quoted(reference));
    }
    body += &format!(",\"objects\":[{}],\"hash_algo\":\"sha256\"}}", objects.join(","));
    Some(body)
}

/// `{"oid":…,"size":…}`: an entry of a batch request, and all of a verify request.
pub fn object(blob: Blob) -> String {
    format!("{{\"oid\":\"{}\",\"size\":{}}}", blob.oid, blob.size)
}
