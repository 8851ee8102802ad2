//! The interface `batches`, and the types that only uploads and locks need.

use crate::forms::parsed;
use crate::functions::answer;
use crate::lane::{Put, Take, put_enums, put_records, take_number, take_records, unfitting};
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::{Direction, Head, Source};
use hydrant_lfs::git_lfs::batch::{Action, BatchRequest, BatchResponse, read_response};
use hydrant_lfs::git_lfs::response_error::{ResponseError, ResponseErrorKind};
use hydrant_lfs::operations::{Lock, LockReport, LockTask};
use hydrant_lfs::protocol::outgoing::{batch_request, verify_request};
use hydrant_lfs::text::headers;
use hydrant_lfs::{Blob, Error, Oid};
use wasm_bindgen::prelude::wasm_bindgen;

/// A batch request as WIT has it: with its endpoint, and with oids that may be none.
struct Asked {
    endpoint: String,
    direction: Direction,
    reference: Option<String>,
    transfers: Vec<String>,
    objects: Vec<(String, u64)>,
}

put_enums! { ResponseErrorKind }
put_records! {
    BatchResponse { transfer, objects, unknown }
    Lock { id, path, locked_at, owner }
    LockReport { locks, theirs, supported, ended }
    ResponseError { kind, status, message, request_id, documentation_url, schemes, realm, retry_after }
}
take_records! {
    Action { href, headers, expires_at }
    Asked { endpoint, direction, reference, transfers, objects }
    Source { name, expects }
}

impl Take for (String, u64) {
    fn take() -> Result<Self, Error> {
        Ok((String::take()?, u64::take()?))
    }
}

#[wasm_bindgen(js_name = batchesWriteRequest)]
pub fn write_request() {
    answer(|| {
        let Asked { endpoint, direction, reference, transfers, objects } = Take::take()?;
        let parsed = objects.iter().map(|(oid, size)| parsed(oid).map(|oid| Blob { oid, size: *size }));
        let objects = parsed.collect::<Result<_, _>>()?;
        batch_request(&endpoint, &BatchRequest { direction, reference, transfers, objects })
    });
}

#[wasm_bindgen(js_name = batchesReadResponse)]
pub fn response() {
    let taken = || {
        let Asked { direction, reference, transfers, objects, .. } = Take::take()?;
        // An oid that is none can only be left out of every answer.
        let blob = |(oid, size): (String, u64)| Some(Blob { oid: Oid::parse(&oid)?, size });
        let objects = objects.into_iter().filter_map(blob).collect();
        let head = Head::take()?;
        let (body, asked_at, now) = (Vec::<u8>::take()?, u64::take()?, u64::take()?);
        let request = BatchRequest { direction, reference, transfers, objects };
        Ok::<_, Error>(read_response(&request, &head, &body, asked_at, now))
    };
    if let Ok(read) = taken() {
        read.put();
    }
}

#[wasm_bindgen(js_name = batchesVerifyRequest)]
pub fn verification() {
    answer(|| {
        let blob = Blob::take()?;
        verify_request(blob, &Action::take()?)
    });
}

#[wasm_bindgen(js_name = batchesRetryAfter)]
pub fn retry_after() {
    answer(|| {
        let value = String::take()?;
        Ok(headers::retry_after(&value, u64::take()?))
    });
}

impl Take for LockTask {
    fn take() -> Result<Self, Error> {
        Ok(match take_number()? {
            0 => LockTask::Create(Take::take()?),
            1 => LockTask::ListAll(Take::take()?),
            2 => LockTask::Verify,
            3 => LockTask::Unlock { id: Take::take()?, force: Take::take()? },
            _ => return Err(unfitting()),
        })
    }
}
