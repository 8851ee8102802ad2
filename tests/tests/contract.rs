//! The contract suite on the simulated host: what the world is simulated with keeps the rules that real hosts keep.

use hydrant_core::contract as core;
use hydrant_core::oid;
use hydrant_tests::contract::{
    Ask, Blob, Body, Canned, Ending, Exchange, Heard, HostUnderTest, Method, Said, Why, failures,
};
use hydrant_tests::world::{Alone, Answer, ENDPOINT, Fault, Feed, blob};

/// The simulated host and how its next answer ends.
struct Simulated {
    world: Alone,
    fault: Fault,
}

#[test]
fn the_simulated_host_keeps_the_contract() {
    for feed in [Feed::Received, Feed::Chunks(1), Feed::Chunks(4096), Feed::Chunks(200_000)] {
        let failures = failures(|| Simulated { world: Alone::new(feed), fault: Fault::None });
        assert!(failures.is_empty(), "{feed:?}\n{}", failures.join("\n"));
    }
}

impl HostUnderTest for Simulated {
    fn blob(&self, bytes: &[u8]) -> Blob {
        plain(blob(bytes))
    }

    fn serve(&mut self, answer: Canned) -> String {
        self.fault = match answer.ending {
            Ending::Whole => Fault::None,
            Ending::Breaks => Fault::Break,
            Ending::Stalls => Fault::StallMidway,
        };
        let headers = answer.headers.into_iter().map(|(name, value)| core::Header { name, value }).collect();
        let head = core::Head { status: answer.status, headers };
        self.world.server.script = [Answer { head, body: answer.body }].into();
        format!("{ENDPOINT}/next")
    }

    fn foreign(&mut self) -> String {
        "https://foreign.test/next".to_owned()
    }

    fn heard(&mut self) -> Vec<Heard> {
        let pairs = |headers: Vec<core::Header>| headers.into_iter().map(|one| (one.name, one.value)).collect();
        let heard = std::mem::take(&mut self.world.server.heard).into_iter();
        heard.map(|(request, body)| Heard { headers: pairs(request.headers), body }).collect()
    }

    fn place_file(&mut self, name: &str, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => drop(self.world.store.files.insert(name.to_owned(), bytes.to_vec())),
            None => drop(self.world.store.files.remove(name)),
        }
    }

    fn place_doc(&mut self, name: &str, bytes: &[u8]) {
        self.world.store.docs.insert(name.to_owned(), bytes.to_vec());
    }

    fn perform(&mut self, ask: Ask) -> Vec<Said> {
        let fault = if matches!(ask, Ask::Http(_)) { self.fault } else { Fault::None };
        self.world.perform(&effect(ask), fault).into_iter().map(said).collect()
    }

    fn cancel_after_head(&mut self, exchange: Exchange) -> Vec<Said> {
        let effect = effect(Ask::Http(exchange));
        self.world.cancel_after_head(&effect, self.fault).into_iter().map(said).collect()
    }

    fn restart(&mut self) {
        // Nothing of a process outlives an effect here: what is left is the store.
    }
}

fn effect(ask: Ask) -> core::Effect {
    let named = |oid: &str| oid::Oid::parse(oid).expect("the suite names real oids");
    let typed = |blob: &Blob| oid::Blob { oid: named(&blob.oid), size: blob.size };
    match ask {
        Ask::Http(exchange) => core::Effect::Http(core::Exchange {
            stage: exchange
                .stage
                .as_ref()
                .map(|(blob, resume_from)| core::Stage { blob: typed(blob), resume_from: *resume_from }),
            answer_bytes_max: exchange.answer_bytes_max,
            idle_max: exchange.idle_max,
            request: request(exchange),
        }),
        Ask::ReadFile(name) => core::Effect::ReadFile(core::Reading { name, as_chunks: false }),
        Ask::LoadDoc(name) => core::Effect::LoadDoc(name),
        Ask::HasBlob(blob) => core::Effect::HasBlob(typed(&blob)),
        Ask::KeepBlob(oid) => core::Effect::KeepBlob(named(&oid)),
        Ask::DropBlob(oid) => core::Effect::DropBlob(named(&oid)),
    }
}

fn request(exchange: Exchange) -> core::Request {
    core::Request {
        method: match exchange.method {
            Method::Get => core::Method::Get,
            Method::Post => core::Method::Post,
            Method::Put => core::Method::Put,
        },
        url: exchange.url,
        headers: exchange.headers.into_iter().map(|(name, value)| core::Header { name, value }).collect(),
        body: match exchange.body {
            Body::Empty => core::Body::Empty,
            Body::Bytes(bytes) => core::Body::Bytes(bytes),
            Body::File { name, revision, offset, length } => {
                core::Body::File(core::Slice { name, revision: core::Revision(revision), offset, length })
            }
        },
        login: if exchange.login { core::Login::Stored } else { core::Login::None },
        redirect: core::Redirect::Report,
    }
}

fn plain(blob: oid::Blob) -> Blob {
    Blob { oid: blob.oid.to_string(), size: blob.size }
}

fn said(reply: core::Reply) -> Said {
    match reply {
        core::Reply::SoFar(bytes) => Said::SoFar(bytes),
        core::Reply::Sent(blob) => Said::Sent(plain(blob)),
        core::Reply::Head(head) => {
            Said::Head(head.status, head.headers.into_iter().map(|one| (one.name, one.value)).collect())
        }
        core::Reply::Chunk(bytes) => Said::Chunk(bytes),
        core::Reply::End => Said::End,
        core::Reply::Received(blob) => Said::Received(plain(blob)),
        core::Reply::Doc(doc) => Said::Doc(doc.bytes, doc.revision.0),
        core::Reply::Ledger(_) => unreachable!("the suite asks no ledger"),
        core::Reply::At(revision) => Said::At(revision.0),
        core::Reply::Present => Said::Present,
        core::Reply::Partial(partial) => Said::Partial(partial.bytes, partial.validator),
        core::Reply::Absent => Said::Absent,
        core::Reply::Conflict => Said::Conflict,
        core::Reply::Failed(failed) => {
            let why = match failed.why {
                core::Failure::Offline => Why::Offline,
                core::Failure::TimedOut => Why::TimedOut,
                core::Failure::Denied => Why::Denied,
                core::Failure::Aborted => Why::Aborted,
                _ => Why::Other,
            };
            Said::Failed(why, failed.detail)
        }
    }
}
