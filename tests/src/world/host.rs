//! Performs effects in the simulated world: each becomes a queue of replies, and each reply may have a deed that takes
//! place when it is delivered.

use super::drive::origin;
use super::ledger::Pushed;
use super::server::{Answer, ENDPOINT, Server};
use super::store::{Staging, Swapped};
use super::{Fault, Remote, Store, blob};
use hydrant_lfs::contract::{
    Beginning, Body, Doc, Effect, Exchange, Failed, Failure, Login, Reply, Stage, StageId, Staged,
};
use std::collections::VecDeque;

/// How bytes come back from the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Chunks of this many bytes: the core hashes.
    Chunks(usize),
    /// One `received`: the host has hashed.
    Received,
}

/// What a reply changes in the store when it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// The stage now holds these bytes; what it began with is moved.
    Stage(Stage, Vec<u8>),
    /// The stage becomes a blob of the cache.
    Keep(Staged),
    /// The stage is gone.
    Drop(StageId),
}

impl Deed {
    /// Takes place.
    pub(super) fn take_place(self, store: &mut Store) -> Result<(), String> {
        match self {
            Deed::Stage(stage, bytes) => {
                if let Some(resume) = stage.resume {
                    store.stages.remove(&resume.stage);
                }
                store.stages.insert(stage.id, Staging { oid: stage.blob.oid, bytes });
            }
            Deed::Keep(it) => match store.stages.remove(&it.stage) {
                Some(stage) => {
                    store.look_at_entry(it.blob.oid);
                    drop(store.cache.insert(it.blob.oid, stage.bytes));
                }
                None => return Err(format!("{} is kept and was never staged", it.blob.oid)),
            },
            Deed::Drop(stage) => drop(store.stages.remove(&stage)),
        }
        Ok(())
    }
}

/// Replies to one effect, in order.
pub(super) type Replies = VecDeque<(Reply, Option<Deed>)>;

/// Performs an effect. `fault` changes the whole answer, as a real server or disk would.
pub(super) fn perform(
    effect: &Effect,
    fault: Fault,
    feed: Feed,
    server: &mut Server,
    store: &mut Store,
    remote: &mut Remote,
) -> Replies {
    let writes = matches!(
        effect,
        Effect::KeepBlob(_)
            | Effect::Http(Exchange { stage: Some(_), .. })
            | Effect::SaveDoc(_)
            | Effect::PushLedger(_)
            | Effect::SettleLedger(_)
            | Effect::SwapFile(_)
            | Effect::RewriteLedger(_)
    );
    match fault {
        Fault::Io => return failed(Failure::Io),
        Fault::NoSpace if writes => return failed(Failure::NoSpace),
        _ => {}
    }
    match effect {
        Effect::Http(exchange) => http(exchange, fault, feed, server, store),
        Effect::ReadFile(reading) => match store.read(&reading.name) {
            None => one(Reply::Absent),
            Some(bytes) => {
                let mut replies = fed(bytes, feed, bytes.len() < 1024 || reading.as_chunks);
                replies.push_back((Reply::At(Store::revision(bytes)), None));
                replies
            }
        },
        Effect::LoadDoc(name) => match store.read(name) {
            None => one(Reply::Absent),
            Some(bytes) => one(Reply::Doc(Doc { bytes: bytes.clone(), revision: Store::revision(bytes) })),
        },
        Effect::HasBlob(wanted) => {
            store.look_at_entry(wanted.oid);
            if fault == Fault::BadStage {
                let bad = Staging { oid: wanted.oid, bytes: vec![0x77; wanted.size as usize] };
                store.stages.insert(StageId("zzz".to_owned()), bad);
            }
            // Of several leftovers the longest that can be a beginning.
            let leftovers = store.stages.iter().filter(|(_, stage)| stage.oid == wanted.oid && !stage.bytes.is_empty());
            let fitting = leftovers.filter(|(_, stage)| stage.bytes.len() as u64 <= wanted.size);
            match fitting.max_by_key(|(_, stage)| stage.bytes.len()) {
                _ if store.cache.contains_key(&wanted.oid) => one(Reply::Present),
                Some((id, stage)) => {
                    let bytes = stage.bytes.len() as u64;
                    let mut replies = one(Reply::Partial(Beginning { stage: id.clone(), bytes, validator: None }));
                    if bytes == wanted.size {
                        replies.extend(fed(&stage.bytes, feed, false));
                    }
                    replies
                }
                None => one(Reply::Absent),
            }
        }
        Effect::KeepBlob(it) => [(Reply::End, Some(Deed::Keep(it.clone())))].into(),
        Effect::DropStage(stage) => [(Reply::End, Some(Deed::Drop(stage.clone())))].into(),
        // What a user has not pushed is no place to publish from.
        Effect::LoadLedger(_) if !store.unpushed.is_empty() || store.rebasing => failed(Failure::Refused),
        Effect::LoadLedger(lookup) => {
            remote_failure(fault).unwrap_or_else(|| one(Reply::Ledger(remote.look(lookup, store))))
        }
        Effect::PushLedger(push) => {
            if let Some(failed) = remote_failure(fault) {
                return failed;
            }
            if fault == Fault::Conflict {
                return one(Reply::Conflict);
            }
            let pushed = remote.push(push, server);
            match (fault, pushed) {
                // The remote took it, and nobody heard the answer.
                (Fault::Break, _) => failed(Failure::Offline),
                (Fault::StallMidway, _) => failed(Failure::TimedOut),
                (Fault::IoAfter, _) => failed(Failure::Io),
                (_, Pushed::At(tip)) => one(Reply::At(tip)),
                (_, Pushed::Conflict) => one(Reply::Conflict),
                (_, Pushed::Refused(detail)) => one(Reply::Failed(Failed { why: Failure::Refused, detail })),
            }
        }
        Effect::SaveDoc(saving) if !is_ours(&saving.name) => failed(Failure::Io),
        Effect::SaveDoc(saving) => {
            if fault == Fault::Conflict {
                store.disturb(&saving.name);
            }
            unless_unheard(
                fault,
                match store.save(saving) {
                    Err(()) => Reply::Conflict,
                    Ok(None) => Reply::End,
                    Ok(Some(revision)) => Reply::At(revision),
                },
            )
        }
        Effect::LoadPushRange => one(Reply::PushRange(store.push_range(&remote.history))),
        _ if fault == Fault::Conflict => one(Reply::Conflict),
        Effect::SettleLedger(settle) => match Remote::number(&settle.tip).filter(|tip| *tip < remote.history.len()) {
            None => failed(Failure::NotFound),
            Some(tip) => {
                let settled = store.settle(settle, &remote.history, tip);
                unless_unheard(fault, if settled.is_ok() { Reply::End } else { Reply::Conflict })
            }
        },
        Effect::RewriteLedger(rewrite) => {
            let rewritten = store.rewrite(rewrite, &remote.history);
            unless_unheard(fault, rewritten.map_or(Reply::Conflict, Reply::At))
        }
        Effect::SwapFile(swap) => unless_unheard(
            fault,
            match store.swap(swap) {
                Swapped::At => Reply::At(Store::revision(&swap.pointer)),
                Swapped::Conflict => Reply::Conflict,
                Swapped::Absent => Reply::Absent,
            },
        ),
    }
}

/// A journal or the register: nothing else is written by its name.
fn is_ours(name: &str) -> bool {
    let usable = |session: &str| !session.contains('/') && session.bytes().any(|byte| byte != b'.');
    name == "orphans" || name.strip_prefix("journal/").is_some_and(usable)
}

/// The deed is done; the answer may be that the disk failed.
fn unless_unheard(fault: Fault, reply: Reply) -> Replies {
    if fault == Fault::IoAfter { failed(Failure::Io) } else { one(reply) }
}

/// What keeps the remote from being asked at all.
fn remote_failure(fault: Fault) -> Option<Replies> {
    let why = match fault {
        Fault::Offline => Failure::Offline,
        Fault::Stall => Failure::TimedOut,
        Fault::Denied => Failure::Denied,
        Fault::Refused => Failure::Refused,
        _ => return None,
    };
    Some(failed(why))
}

fn http(exchange: &Exchange, fault: Fault, feed: Feed, server: &mut Server, store: &Store) -> Replies {
    match fault {
        Fault::Offline => return failed(Failure::Offline),
        Fault::Stall => return failed(Failure::TimedOut),
        Fault::Denied => return failed(Failure::Denied),
        Fault::Blocked => return failed(Failure::Blocked),
        _ => {}
    }
    // The endpoint's origin is the one that the user approved.
    if exchange.request.login != Login::None && origin(&exchange.request.url) != origin(ENDPOINT) {
        return failed(Failure::Denied);
    }
    let mut replies = Replies::new();
    let mut upload = None;
    if let Body::File(slice) = &exchange.request.body {
        let bytes = store.read(&slice.name).filter(|bytes| Store::revision(bytes) == slice.revision);
        let Some(bytes) = bytes.filter(|_| fault != Fault::Conflict) else { return one(Reply::Conflict) };
        let start = slice.offset as usize;
        let mut bytes = bytes[start..start + slice.length as usize].to_vec();
        if fault == Fault::ChangedWhileSent && !bytes.is_empty() {
            bytes[0] ^= 1;
        }
        if fault == Fault::Early {
            return early(feed);
        }
        replies.push_back((Reply::SoFar(bytes.len() as u64 / 2), None));
        replies.push_back((Reply::Sent(blob(&bytes)), None));
        upload = Some(bytes);
    }
    let Answer { head, body } = server.answer(&exchange.request, upload.as_deref(), fault);
    let broken = match fault {
        Fault::Break => Some(Failure::Offline),
        Fault::StallMidway => Some(Failure::TimedOut),
        _ => None,
    };
    let whole = if broken.is_some() { body.len() / 2 } else { body.len() };
    let body = &body[..whole.min(exchange.answer_bytes_max as usize)];
    let status = head.status;
    replies.push_back((Reply::Head(head), None));
    let Some(stage) = exchange.stage.as_ref().filter(|_| hydrant_lfs::contract::Head::is_staged(status)) else {
        replies.extend(chunks(body, feed));
        replies.extend(broken.map_or_else(|| one(Reply::End), failed));
        return replies;
    };
    let older = stage.resume.as_ref().filter(|_| status == 206);
    let older = older.and_then(|resume| Some((store.stages.get(&resume.stage)?, resume.bytes as usize)));
    let mut staged = older.map_or_else(Vec::new, |(older, kept)| older.bytes[..older.bytes.len().min(kept)].to_vec());
    staged.extend_from_slice(body);
    if fault == Fault::Torn {
        staged.truncate(staged.len() / 2);
        replies.push_back((
            Reply::Failed(Failed { why: Failure::NoSpace, detail: "planted".to_owned() }),
            Some(Deed::Stage(stage.clone(), staged)),
        ));
        return replies;
    }
    let mut bytes = broken.map_or_else(|| fed(&staged, feed, false), failed);
    if let Some((_, deed)) = bytes.front_mut() {
        *deed = Some(Deed::Stage(stage.clone(), staged));
    }
    replies.extend(bytes);
    replies
}

/// A server that says yes before it has the bytes.
fn early(feed: Feed) -> Replies {
    let head = hydrant_lfs::contract::Head { status: 200, headers: Vec::new() };
    let mut replies: Replies = [(Reply::Head(head), None)].into();
    replies.extend(chunks(b"thanks", feed));
    replies.push_back((Reply::End, None));
    replies
}

fn fed(bytes: &[u8], feed: Feed, always_chunks: bool) -> Replies {
    match feed {
        Feed::Received if !always_chunks => one(Reply::Received(blob(bytes))),
        _ => chunks(bytes, feed).chain([(Reply::End, None)]).collect(),
    }
}

fn chunks(bytes: &[u8], feed: Feed) -> impl Iterator<Item = (Reply, Option<Deed>)> {
    let size = match feed {
        Feed::Chunks(size) => size.max(1),
        Feed::Received => 4096,
    };
    bytes.chunks(size).map(|chunk| (Reply::Chunk(chunk.to_vec()), None))
}

fn one(reply: Reply) -> Replies {
    [(reply, None)].into()
}

fn failed(why: Failure) -> Replies {
    one(Reply::Failed(Failed { why, detail: "planted".to_owned() }))
}
