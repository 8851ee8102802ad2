//! The text form of a run, one line per effect, reply and wait: stable, greppable, without secrets.

use hydrant_lfs::contract::{Body, Effect, EffectId, Login, Method, Reply, Step};

/// What the operation said; nothing for what only passes time.
pub fn step(step: &Step) -> Option<String> {
    Some(match step {
        Step::Perform(id, effect) => format!("> {} {}", id.0, self::effect(effect)),
        Step::Cancel(id) => format!("> {} cancel", id.0),
        Step::Note(progress) => format!("* {} {}/{}", progress.name, progress.done, progress.total),
        Step::Retry(it) => format!("! {} again at {}: {}", it.name, it.at, it.error.detail),
        Step::Enter(phase) => format!("= {}", phase.name()),
        Step::Wait(Some(until)) => format!(". wait until {until}"),
        Step::Wait(None) => ". wait".to_owned(),
        Step::Done => ". done".to_owned(),
    })
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Http(exchange) => {
            let request = &exchange.request;
            let method = match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
            };
            // A query may be a signature.
            let mut line = format!("{method} {}", request.url.split('?').next().unwrap_or_default());
            match request.login {
                Login::None => {}
                Login::Stored => line += " login",
                Login::Renewed => line += " login-renewed",
            }
            for header in request.headers.iter().filter(|header| matches!(header.name.as_str(), "Range" | "If-Range")) {
                line += &format!(" {}={}", header.name.to_lowercase(), header.value);
            }
            match &request.body {
                Body::Empty => {}
                Body::Bytes(bytes) => line += &format!(" {} bytes", bytes.len()),
                Body::File(slice) => line += &format!(" file {} {} bytes", slice.name, slice.length),
            }
            if let Some(stage) = &exchange.stage {
                line += &format!(" stage {}", short(&stage.blob.oid.to_string()));
            }
            line
        }
        Effect::ReadFile(it) if it.as_chunks => format!("read-file {} as chunks", it.name),
        Effect::ReadFile(it) => format!("read-file {}", it.name),
        Effect::LoadDoc(name) => format!("load-doc {name}"),
        Effect::HasBlob(blob) => format!("has-blob {} {} bytes", short(&blob.oid.to_string()), blob.size),
        Effect::KeepBlob(it) => format!("keep-blob {}", short(&it.blob.oid.to_string())),
        Effect::DropStage(_) => "drop-stage".to_owned(),
        Effect::SaveDoc(it) => match &it.bytes {
            Some(bytes) => format!("save-doc {} {} bytes", it.name, bytes.len()),
            None => format!("save-doc {} removed", it.name),
        },
        Effect::LoadLedger(it) => format!("load-ledger {} documents {} files", it.documents.len(), it.files.len()),
        Effect::PushLedger(it) => format!("push-ledger {} files", it.files.len()),
        Effect::SettleLedger(it) => format!("settle-ledger {} files", it.files.len()),
        Effect::LoadPushRange => "load-push-range".to_owned(),
        Effect::RewriteLedger(it) => {
            let removed = it.files.iter().filter(|file| file.bytes.is_none()).count();
            format!("rewrite-ledger {} files, {removed} of them removed", it.files.len())
        }
        Effect::SwapFile(it) => format!("swap-file {} {}", it.name, short(&it.blob.oid.to_string())),
    }
}

/// What the host answered.
pub fn reply(id: EffectId, reply: &Reply) -> String {
    let words = match reply {
        Reply::SoFar(bytes) => format!("so-far {bytes}"),
        Reply::Sent(blob) => format!("sent {} {} bytes", short(&blob.oid.to_string()), blob.size),
        Reply::Head(head) => format!("head {}", head.status),
        Reply::Chunk(bytes) => format!("chunk {} bytes", bytes.len()),
        Reply::End => "end".to_owned(),
        Reply::Received(blob) => format!("received {} {} bytes", short(&blob.oid.to_string()), blob.size),
        Reply::Doc(doc) => format!("doc {} bytes", doc.bytes.len()),
        Reply::Ledger(ledger) => format!("ledger {} files", ledger.files.len()),
        Reply::PushRange(range) => format!("push-range {} commits {} files", range.commits, range.files.len()),
        Reply::At(_) => "at".to_owned(),
        Reply::Present => "present".to_owned(),
        Reply::Partial(partial) => format!("partial {} bytes", partial.bytes),
        Reply::Absent => "absent".to_owned(),
        Reply::Conflict => "conflict".to_owned(),
        Reply::Failed(failed) => format!("failed {:?}", failed.why).to_lowercase(),
    };
    format!("< {} {words}", id.0)
}

/// Enough of an oid to tell it from others in one run.
fn short(oid: &str) -> &str {
    &oid[..oid.len().min(8)]
}
