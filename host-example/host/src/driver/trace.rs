//! Effects and replies in one line each, for people who want to see what the engine asks and hears.
//!
//! Rule: no header value, no query, no body and no userinfo is ever in a line.

use crate::contract::types::{Body, Effect, EffectId, Exchange, Login, Method, Reply, Retry, Stage, Task};
use crate::text::harmless;

/// What the engine asks for.
pub(crate) fn effect(task: &Task) -> String {
    let asked = match &task.effect {
        Effect::Http(exchange) => http(exchange),
        Effect::ReadFile(reading) if reading.as_chunks => format!("read-file {}, as chunks", harmless(&reading.name)),
        Effect::ReadFile(reading) => format!("read-file {}", harmless(&reading.name)),
        Effect::LoadDoc(name) => format!("load-doc {}", harmless(name)),
        Effect::HasBlob(blob) => format!("has-blob {} {}", short(&blob.oid), blob.size),
        Effect::KeepBlob(it) => format!("keep-blob {} {}", short(&it.blob.oid), it.blob.size),
        Effect::DropStage(stage) => format!("drop-stage {}", harmless(stage)),
        Effect::SaveDoc(saving) => match &saving.bytes {
            Some(bytes) => format!("save-doc {}, {} bytes", harmless(&saving.name), bytes.len()),
            None => format!("save-doc {}, removed", harmless(&saving.name)),
        },
        Effect::LoadLedger(lookup) => {
            format!("load-ledger {} documents, {} files", lookup.documents.len(), lookup.files.len())
        }
        Effect::PushLedger(push) => {
            let bytes: usize = push.files.iter().map(|file| file.bytes.len()).sum();
            format!("push-ledger {} files, {bytes} bytes", push.files.len())
        }
        Effect::SettleLedger(settle) => {
            format!("settle-ledger {} files at {}", settle.files.len(), short(&settle.tip))
        }
        Effect::SwapFile(swap) => {
            format!("swap-file {} {} {}", harmless(&swap.name), short(&swap.blob.oid), swap.blob.size)
        }
        Effect::LoadPushRange => "load-push-range".into(),
        Effect::RewriteLedger(rewrite) => {
            format!("rewrite-ledger {} files, {} on {}", rewrite.files.len(), short(&rewrite.tip), short(&rewrite.base))
        }
    };
    format!("{:>4} > {asked}", task.id)
}

/// What the host answers.
pub(crate) fn reply(id: EffectId, reply: &Reply) -> String {
    let said = match reply {
        Reply::SoFar(bytes) => format!("so-far {bytes}"),
        Reply::Sent(blob) => format!("sent {} {}", short(&blob.oid), blob.size),
        Reply::Head(head) => format!("head {}", head.status),
        Reply::Chunk(bytes) => format!("chunk of {} bytes", bytes.len()),
        Reply::End => "end".into(),
        Reply::Received(blob) => format!("received {} {}", short(&blob.oid), blob.size),
        Reply::Doc(doc) => format!("doc of {} bytes", doc.bytes.len()),
        Reply::Ledger(ledger) => format!("ledger at {}, {} files", short(&ledger.tip), ledger.files.len()),
        Reply::PushRange(range) => {
            format!("push-range of {} commits, {} files", range.commits, range.files.len())
        }
        Reply::At(_) => "at".into(),
        Reply::Present => "present".into(),
        Reply::Partial(partial) => format!("partial {}", partial.bytes),
        Reply::Absent => "absent".into(),
        Reply::Conflict => "conflict".into(),
        Reply::Failed(failed) => format!("failed {:?}: {}", failed.why, harmless(&failed.detail)),
    };
    format!("{id:>4} < {said}")
}

/// What is tried again, and why.
pub(crate) fn retry(retry: &Retry, now: u64) -> String {
    let wait = match retry.at.saturating_sub(now) {
        0 => "at once".to_owned(),
        millis => format!("in {millis} ms"),
    };
    format!("retry {} {wait}: {}", harmless(&retry.name), harmless(&retry.reason.detail))
}

fn http(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let verb = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    };
    let body = match &request.body {
        Body::Empty => String::new(),
        Body::Bytes(bytes) => format!(", body of {} bytes", bytes.len()),
        Body::File(slice) => format!(", body of {} bytes of {}", slice.length, harmless(&slice.name)),
    };
    let login = match request.login {
        Login::None => "",
        Login::Stored => ", with login",
        Login::Renewed => ", with another login",
    };
    let stage = match &exchange.stage {
        Some(Stage { resume: Some(resume), .. }) => format!(", staged from byte {}", resume.bytes),
        Some(_) => ", staged".into(),
        None => String::new(),
    };
    format!("http {verb} {}{body}{login}{stage}", place(&request.url))
}

/// A URL without what may be secret: no userinfo, no query.
pub fn place(url: &str) -> String {
    let (path, query) = match url.find(['?', '#']) {
        Some(at) => (&url[..at], "?…"),
        None => (url, ""),
    };
    let path = match path.split_once("://") {
        Some((scheme, rest)) => {
            let host_end = rest.find('/').unwrap_or(rest.len());
            let host_start = rest[..host_end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[host_start..])
        }
        // `https:user:password@host` is a URL, too.
        None => path.rsplit_once('@').map_or(path, |(_, rest)| rest).to_owned(),
    };
    format!("{}{query}", harmless(&path))
}

fn short(oid: &str) -> &str {
    oid.get(..12).unwrap_or(oid)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn neither_userinfo_nor_query_is_harmless() {
        assert_eq!(place("https://a:b@h.example/o?sig=secret#x"), "https://h.example/o?…");
        assert_eq!(place("https://h.example/o@1"), "https://h.example/o@1");
        assert_eq!(place("https://a:b@h.example"), "https://h.example");
        assert_eq!(place("https:a:b@h.example/o"), "h.example/o");
    }
}
