//! Which replies may follow each other, read off the contract and not off any implementation.

use super::{Ask, Body, Exchange, Remote, Said, Verdict};

/// Bytes of one chunk at most.
const CHUNK_BYTES_MAX: usize = 256 << 10;
/// Bytes of a failure's words at most.
const DETAIL_BYTES_MAX: usize = 4 << 10;
/// A file of fewer bytes comes as chunks.
const FED_BYTES_BELOW: u64 = 1024;

/// Whether these are all replies to an effect, in an order the contract allows.
pub(crate) fn fits(ask: &Ask, replies: &[Said]) -> Verdict {
    bounded(replies)?;
    let Some((last, before)) = replies.split_last() else { return Err("no reply".into()) };
    if let Some(at) = before.iter().position(|reply| matches!(reply, Said::Failed(..) | Said::Conflict)) {
        return Err(format!("reply {at} should have been the last"));
    }
    if matches!(last, Said::Failed(..)) {
        return Ok(());
    }
    let replies: Vec<&Said> = replies.iter().collect();
    let fitting = match ask {
        Ask::Http(exchange) => http(exchange, &replies),
        Ask::ReadFile(_) => read_file(&replies),
        Ask::FeedFile(_) => read_file(&replies) && !replies.iter().any(|reply| matches!(reply, Said::Received(_))),
        Ask::LoadDoc(_) => matches!(replies[..], [Said::Doc(..) | Said::Absent]),
        Ask::HasBlob(blob) => match replies[..] {
            [Said::Present | Said::Absent] => true,
            [Said::Partial(left)] => left.bytes != blob.size,
            [Said::Partial(left), ref after @ ..] => left.bytes == blob.size && content(after_progress(after)),
            _ => false,
        },
        Ask::KeepBlob { .. } | Ask::DropStage(_) => matches!(replies[..], [Said::End]),
        Ask::SaveDoc { bytes: Some(_), .. } | Ask::PushLedger(_) => {
            matches!(replies[..], [Said::At(_) | Said::Conflict])
        }
        Ask::SaveDoc { bytes: None, .. } | Ask::SettleLedger { .. } => {
            matches!(replies[..], [Said::End | Said::Conflict])
        }
        Ask::LoadPushRange => match replies[..] {
            [Said::PushRange(range)] => range.files.iter().all(|file| (file.bytes.len() as u64) < FED_BYTES_BELOW),
            _ => false,
        },
        Ask::RewriteLedger { .. } => matches!(replies[..], [Said::At(_) | Said::Conflict]),
        Ask::SwapFile { .. } => matches!(replies[..], [Said::At(_) | Said::Conflict | Said::Absent]),
        Ask::LoadLedger { documents, files } => match replies[..] {
            [Said::Ledger(_, found)] => is_what_was_asked(documents, files, found),
            _ => false,
        },
    };
    if fitting { Ok(()) } else { Err("the order is wrong".into()) }
}

fn bounded(replies: &[Said]) -> Verdict {
    let mut moved = 0;
    for reply in replies {
        match reply {
            Said::Chunk(bytes) if bytes.len() > CHUNK_BYTES_MAX => return Err("a chunk is too long".into()),
            Said::Failed(_, detail) if detail.len() > DETAIL_BYTES_MAX => return Err("too many words".into()),
            Said::Failed(_, detail) if detail.chars().any(char::is_control) => return Err("odd words".into()),
            Said::SoFar(bytes) if *bytes < moved => return Err("progress goes backwards".into()),
            Said::SoFar(bytes) => moved = *bytes,
            _ => {}
        }
    }
    Ok(())
}

/// so-far*, head, so-far*, then the body; `sent` for a file body, once, before or after the head and before the end; a
/// changed file is a conflict before any head.
fn http(exchange: &Exchange, replies: &[&Said]) -> bool {
    let is_file = matches!(exchange.body, Body::File { .. });
    let sent = replies.iter().filter(|reply| matches!(reply, Said::Sent(_))).count();
    if sent > usize::from(is_file) || matches!(replies.last(), Some(Said::Sent(_))) {
        return false;
    }
    let replies: Vec<&Said> = replies.iter().copied().filter(|reply| !matches!(reply, Said::Sent(_))).collect();
    match after_progress(&replies) {
        [Said::Conflict] => is_file,
        [Said::Head(status, _), body @ ..] => {
            let body = after_progress(body);
            let staged = exchange.stage.is_some() && matches!(status, 200 | 203 | 206);
            fed(body) || (staged && content(body))
        }
        _ => false,
    }
}

/// so-far*, the content, then its revision; tiny files are always fed.
fn read_file(replies: &[&Said]) -> bool {
    match after_progress(replies) {
        [Said::Absent] => true,
        [Said::Received(blob), Said::At(_)] => blob.size >= FED_BYTES_BELOW,
        [bytes @ .., Said::At(_)] => fed(bytes),
        _ => false,
    }
}

/// The names in the order asked; bytes of documents alone, and of those that are there.
fn is_what_was_asked(documents: &[String], files: &[String], found: &[Remote]) -> bool {
    let named = found.iter().map(|file| &file.name).eq(documents.iter().chain(files));
    let (documents, files) = found.split_at(documents.len().min(found.len()));
    named
        && documents.iter().all(|file| file.bytes.is_some() == file.revision.is_some())
        && files.iter().all(|file| file.bytes.is_none() && file.committed.is_none())
}

fn after_progress<'a, 'b>(replies: &'a [&'b Said]) -> &'a [&'b Said] {
    let past = replies.iter().position(|reply| !matches!(reply, Said::SoFar(_))).unwrap_or(replies.len());
    &replies[past..]
}

/// chunk* end, or the digest of it.
fn content(replies: &[&Said]) -> bool {
    matches!(replies, [Said::Received(_)]) || fed(replies)
}

/// chunk* end.
fn fed(replies: &[&Said]) -> bool {
    match replies {
        [chunks @ .., Said::End] => chunks.iter().all(|chunk| matches!(chunk, Said::Chunk(_))),
        _ => false,
    }
}
