//! The interface `batches`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::{batches as wit, types};
use hydrant_lfs::contract::Head;
use hydrant_lfs::git_lfs::batch::{self, Action, BatchObject, BatchRequest, Verdict};
use hydrant_lfs::git_lfs::response_error::ResponseErrorKind;
use hydrant_lfs::protocol::outgoing::{batch_request, verify_request};
use hydrant_lfs::text::headers::retry_after;

fn request(it: &wit::BatchRequest) -> Result<BatchRequest, types::LfsError> {
    Ok(BatchRequest {
        direction: convert::direction(it.direction),
        reference: it.reference.clone(),
        transfers: it.transfers.clone(),
        objects: it.objects.iter().map(convert::blob_in).collect::<Result<_, _>>()?,
    })
}

fn action(it: Action) -> wit::Action {
    wit::Action { href: it.href, headers: convert::headers_out(it.headers), expires_at: it.expires_at }
}

pub(crate) fn object(it: BatchObject) -> wit::BatchObject {
    let verdict = match it.verdict {
        Verdict::Present => wit::Verdict::Present,
        Verdict::Download(it) => wit::Verdict::Download(action(it)),
        Verdict::Upload(upload, verify) => {
            wit::Verdict::Upload(wit::Offer { upload: action(upload), verify: verify.map(action) })
        }
        Verdict::Expired => wit::Verdict::Expired,
        Verdict::Refused(it) => {
            wit::Verdict::Refused(wit::ObjectError { status: it.status, message: it.message, retryable: it.retryable })
        }
        Verdict::Broken(flaw) => wit::Verdict::Broken(match flaw {
            batch::Flaw::NoAction => wit::Flaw::NoAction,
            batch::Flaw::MissingFromResponse => wit::Flaw::MissingFromResponse,
            batch::Flaw::Duplicate => wit::Flaw::Duplicate,
            batch::Flaw::SizeMismatch => wit::Flaw::SizeMismatch,
            batch::Flaw::BadHref => wit::Flaw::BadHref,
            batch::Flaw::BadHeader => wit::Flaw::BadHeader,
        }),
    };
    wit::BatchObject { oid: it.oid.to_string(), authenticated: it.authenticated, verdict }
}

fn error_kind(kind: ResponseErrorKind) -> wit::ResponseErrorKind {
    match kind {
        ResponseErrorKind::Login => wit::ResponseErrorKind::Login,
        ResponseErrorKind::Forbidden => wit::ResponseErrorKind::Forbidden,
        ResponseErrorKind::NotFound => wit::ResponseErrorKind::NotFound,
        ResponseErrorKind::NotAcceptable => wit::ResponseErrorKind::NotAcceptable,
        ResponseErrorKind::Conflict => wit::ResponseErrorKind::Conflict,
        ResponseErrorKind::Gone => wit::ResponseErrorKind::Gone,
        ResponseErrorKind::TooLarge => wit::ResponseErrorKind::TooLarge,
        ResponseErrorKind::Validation => wit::ResponseErrorKind::Validation,
        ResponseErrorKind::RateLimited => wit::ResponseErrorKind::RateLimited,
        ResponseErrorKind::Server => wit::ResponseErrorKind::Server,
        ResponseErrorKind::NotImplemented => wit::ResponseErrorKind::NotImplemented,
        ResponseErrorKind::InsufficientStorage => wit::ResponseErrorKind::InsufficientStorage,
        ResponseErrorKind::BandwidthExceeded => wit::ResponseErrorKind::BandwidthExceeded,
        ResponseErrorKind::Client => wit::ResponseErrorKind::Client,
        ResponseErrorKind::BadContentType => wit::ResponseErrorKind::BadContentType,
        ResponseErrorKind::BadJson => wit::ResponseErrorKind::BadJson,
        ResponseErrorKind::BadCoding => wit::ResponseErrorKind::BadCoding,
        ResponseErrorKind::UnexpectedStatus => wit::ResponseErrorKind::UnexpectedStatus,
        ResponseErrorKind::UnsupportedTransfer => wit::ResponseErrorKind::UnsupportedTransfer,
        ResponseErrorKind::UnsupportedHashAlgo => wit::ResponseErrorKind::UnsupportedHashAlgo,
    }
}

impl wit::Guest for Engine {
    fn write_request(it: wit::BatchRequest) -> Result<Option<types::HttpRequest>, types::LfsError> {
        let request = batch_request(&it.endpoint, &request(&it)?).map_err(convert::error)?;
        Ok(request.map(convert::request))
    }

    fn read_response(
        it: wit::BatchRequest,
        response: wit::HttpResponse,
    ) -> Result<wit::BatchResponse, wit::ResponseError> {
        // An oid that is none can only be left out of every answer.
        let objects = it.objects.iter().filter_map(|blob| convert::blob_in(blob).ok()).collect();
        let request = BatchRequest {
            direction: convert::direction(it.direction),
            reference: it.reference,
            transfers: it.transfers,
            objects,
        };
        let head = Head { status: response.status, headers: convert::headers_in(response.headers) };
        match batch::read_response(&request, &head, &response.body, response.asked_at, response.now) {
            Ok(it) => Ok(wit::BatchResponse {
                transfer: it.transfer,
                objects: it.objects.into_iter().map(object).collect(),
                unknown: it.unknown,
            }),
            Err(it) => Err(wit::ResponseError {
                kind: error_kind(it.kind),
                status: it.status,
                message: it.message,
                request_id: it.request_id,
                documentation_url: it.documentation_url,
                schemes: it.schemes,
                realm: it.realm,
                retry_after: it.retry_after,
            }),
        }
    }

    fn verify_request(blob: types::LfsBlob, it: wit::Action) -> Result<types::HttpRequest, types::LfsError> {
        let action = Action { href: it.href, headers: convert::headers_in(it.headers), expires_at: it.expires_at };
        let request = verify_request(convert::blob_in(&blob)?, &action).map_err(convert::error)?;
        Ok(convert::request(request))
    }

    fn retry_after(value: String, now: u64) -> Option<u64> {
        retry_after(&value, now)
    }
}
