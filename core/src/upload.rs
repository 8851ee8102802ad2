//! Brings files to the server: hash, ask, send what was hashed, verify.
//!
//! ```text
//! Read ──► Ask ──present──────────────────────────► Ended(receipt)
//!           ▲ └─upload──► Ready ──► Send ──2xx──► Verify ──2xx──┘
//!           └──401, 403, 429, 5xx, broken──┘─────────┘
//! ```
//!
//! Hashing goes on while earlier files move. A file that hashes to what another one did shares its fate. A receipt
//! comes from a completed upload or from the server's word that it has the bytes we hold, and from nothing else.

use crate::asker::{Asker, Told};
use crate::batch::{self, Action, Direction, Verdict, retryable};
use crate::call::Call;
use crate::contract::{Body, Effect, EffectId, Exchange, Head, Header, Login, Method, Progress, Revision, Slice};
use crate::error::{Code, Error};
use crate::http::{self, Outgoing};
use crate::lanes::Lanes;
use crate::limits::{ACTION_REFUSALS_MAX, ERROR_BYTES_MAX, NOTE_MS_MIN, READS_IN_FLIGHT_MAX};
use crate::link::{self, Link};
use crate::oid::{Blob, Oid};
use crate::outbox::{Event, Outbox};
use crate::pointer;
use crate::refusal;
use crate::report::{Outcome, Source};
use crate::retry;
use crate::url::Url;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Proof that the server holds a blob whose bytes we hold. Only an upload makes one.
#[must_use = "a receipt that reaches no manifest is an orphaned blob"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    blob: Blob,
}

impl Receipt {
    /// The blob it proves.
    pub fn blob(&self) -> Blob {
        self.blob
    }

    /// For tests of what consumes receipts.
    #[cfg(test)]
    pub(crate) fn for_test(blob: Blob) -> Self {
        Self { blob }
    }
}

/// The machine behind `upload`.
#[derive(Debug)]
pub(crate) struct Upload {
    files: Vec<File>,
    unread: VecDeque<usize>,
    reading: usize,
    /// For each oid, the file that is sent for all files with the same bytes.
    senders: BTreeMap<Oid, usize>,
    asker: Asker,
    lanes: Lanes,
    verifying: BTreeSet<usize>,
    effects: BTreeMap<EffectId, usize>,
    left: usize,
    stopped: bool,
}

#[derive(Debug)]
struct File {
    source: Source,
    /// What it hashed to, and the state in which it did.
    read: Option<(Blob, Revision)>,
    phase: Phase,
    retries: u32,
    refusals: u32,
    noted: u64,
}

/// See the picture above.
#[derive(Debug)]
enum Phase {
    Read,
    Ask,
    Ready {
        upload: Action,
        verify: Option<Action>,
        authenticated: bool,
    },
    Send(Box<Send>),
    Verify(Box<Call>),
    Wait,
    /// Another file has the same bytes and is sent for both.
    Shared(usize),
    Ended(Result<Receipt, Error>),
}

#[derive(Debug)]
struct Send {
    verify: Option<Action>,
    authenticated: bool,
    outgoing: Outgoing,
    login: Login,
    generation: u32,
    sent: u64,
}

impl Upload {
    pub(crate) fn new(sources: Vec<Source>, link: &Link) -> Self {
        let file = |source| File { source, read: None, phase: Phase::Read, retries: 0, refusals: 0, noted: 0 };
        let files: Vec<File> = sources.into_iter().map(file).collect();
        Self {
            unread: (0..files.len()).collect(),
            left: files.len(),
            files,
            reading: 0,
            senders: BTreeMap::new(),
            asker: Asker::new(Direction::Upload, link),
            lanes: Lanes::default(),
            verifying: BTreeSet::new(),
            effects: BTreeMap::new(),
            stopped: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.left == 0 && self.asker.is_idle()
    }

    /// Receipts or errors, in the order given.
    pub(crate) fn receipts(self) -> Vec<(Source, Option<Blob>, Result<Receipt, Error>)> {
        let ends: Vec<Result<Receipt, Error>> = (0..self.files.len()).map(|at| self.ended(at)).collect();
        let files = self.files.into_iter().zip(ends);
        files.map(|(file, ended)| (file.source, file.read.map(|(blob, _)| blob), ended)).collect()
    }

    fn ended(&self, at: usize) -> Result<Receipt, Error> {
        match &self.files[at].phase {
            Phase::Ended(ended) => ended.clone(),
            Phase::Shared(sender) => match &self.files[*sender].phase {
                Phase::Ended(ended) => ended.clone(),
                _ => Err(refusal::unfinished()),
            },
            _ => Err(refusal::unfinished()),
        }
    }

    /// One outcome per file. `Err` when the server would not speak of any object at all.
    pub(crate) fn finish(self) -> Result<Vec<Outcome>, Error> {
        let (closed, stopped) = (self.asker.closed().cloned(), self.stopped);
        let outcomes: Vec<Outcome> = self
            .receipts()
            .into_iter()
            .map(|(source, blob, ended)| {
                let (oid, size) = blob.map_or((String::new(), 0), |blob| (blob.oid.to_string(), blob.size));
                Outcome {
                    name: source.name,
                    oid,
                    size,
                    ended: ended.map(|receipt| debug_assert_eq!(Some(receipt.blob()), blob)),
                }
            })
            .collect();
        match closed {
            Some(error) if !stopped && outcomes.iter().all(|outcome| outcome.ended.is_err()) => Err(error),
            _ => Ok(outcomes),
        }
    }

    pub(crate) fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        let verifying = self.verifying.iter().filter_map(|at| match &self.files[*at].phase {
            Phase::Verify(call) => call.wake().filter(|due| *due > now || !link.renewing()),
            _ => None,
        });
        self.lanes.wake().into_iter().chain(verifying).chain(self.asker.wake(now, link)).min()
    }

    pub(crate) fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        while let Some(number) = self.lanes.due(out.now.ticks) {
            self.ask(number);
        }
        while self.reading < READS_IN_FLIGHT_MAX
            && let Some(number) = self.unread.pop_front()
        {
            let id = out.perform(Effect::ReadFile(self.files[number].source.name.clone()));
            self.effects.insert(id, number);
            self.reading += 1;
        }
        let read = self.reading == 0 && self.unread.is_empty();
        let more = self.lanes.hungry(link) && (read || self.asker.fills_a_request());
        let told = self.asker.advance(more, out, link);
        self.told(told, out, link);
        while let Some(number) = self.lanes.next(link) {
            self.send(number, out, link);
        }
        for number in self.verifying.clone() {
            self.advance_verify(number, out, link);
        }
    }

    fn advance_verify(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
        if let Phase::Verify(call) = &mut self.files[number].phase
            && call.id().is_none()
        {
            call.advance(out, link);
            if let Some(id) = call.id() {
                self.effects.insert(id, number);
            }
        }
    }

    fn ask(&mut self, number: usize) {
        if let Some((blob, _)) = &self.files[number].read {
            self.asker.want(number, *blob);
            self.files[number].phase = Phase::Ask;
        }
    }

    fn told(&mut self, told: Vec<Told>, out: &mut Outbox, link: &mut Link) {
        for (number, answer) in told {
            match answer {
                Err(error) => self.end(number, Err(error), out),
                Ok(object) => match object.verdict {
                    Verdict::Present => self.prove(number, out),
                    Verdict::Upload(upload, verify) => {
                        self.ready(number, Phase::Ready { upload, verify, authenticated: object.authenticated }, out)
                    }
                    Verdict::Expired => {
                        self.later(number, None, refusal::expired(), out, link);
                    }
                    Verdict::Refused(refusal) => {
                        let error = refusal::object(refusal.status, &refusal.message);
                        if refusal.retryable {
                            self.later(number, None, error, out, link)
                        } else {
                            self.end(number, Err(error), out)
                        }
                    }
                    Verdict::Broken(flaw) => self.end(number, Err(Error::new(Code::Malformed, flaw.explain())), out),
                    Verdict::Download(_) => self.end(
                        number,
                        Err(Error::new(Code::Malformed, "the server answered an upload with something else")),
                        out,
                    ),
                },
            }
        }
    }

    fn ready(&mut self, number: usize, phase: Phase, out: &mut Outbox) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        self.files[number].phase = phase;
        self.lanes.ready(number, self.files[number].size());
    }

    /// The only maker of receipts.
    fn prove(&mut self, number: usize, out: &mut Outbox) {
        if let Some((blob, _)) = self.files[number].read {
            self.end(number, Ok(Receipt { blob }), out);
        }
    }

    /// Begins a transfer, unless its action has ended meanwhile.
    fn send(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
        let Phase::Ready { upload, verify, authenticated } =
            core::mem::replace(&mut self.files[number].phase, Phase::Ask)
        else {
            return;
        };
        if upload.expired(out.now.wall) {
            return self.later(number, None, refusal::expired(), out, link);
        }
        let file = &self.files[number];
        let (Some(url), Some((blob, revision))) = (Url::parse(&upload.href), file.read.clone()) else {
            return self.end(number, Err(Error::new(Code::Malformed, "the server gave an unusable address")), out);
        };
        let body = Body::File(Slice { name: file.source.name.clone(), revision, offset: 0, length: blob.size });
        let plain = vec![Header::new("Content-Type", "application/octet-stream")];
        let outgoing = Outgoing::action(Method::Put, url, &upload.headers, plain, body, authenticated);
        self.transfer(
            number,
            Box::new(Send { verify, authenticated, outgoing, login: Login::None, generation: 0, sent: 0 }),
            out,
            link,
        );
    }

    fn transfer(&mut self, number: usize, mut send: Box<Send>, out: &mut Outbox, link: &mut Link) {
        if let Err(error) = link.may_reach(&send.outgoing.url) {
            return self.end(number, Err(error), out);
        }
        send.login = match link.login(&send.outgoing.url, send.outgoing.with_login) {
            Login::Renewed => Login::Stored,
            login => login,
        };
        send.generation = link.generation();
        send.sent = out.now.ticks;
        let id = out.perform(Effect::Http(Exchange {
            request: send.outgoing.request(send.login, link.config.reports_redirects),
            stage: None,
            answer_bytes_max: ERROR_BYTES_MAX as u64,
            idle_max: link.config.idle_max,
        }));
        self.effects.insert(id, number);
        self.lanes.began(self.files[number].size());
        self.files[number].phase = Phase::Send(send);
    }

    pub(crate) fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        if self.asker.expects(id) {
            let told = self.asker.on(id, event, out, link);
            return self.told(told, out, link);
        }
        let Some(number) = self.effects.get(&id).copied() else { return };
        if let Event::Progress(bytes) = event {
            return self.note(number, bytes, out);
        }
        self.effects.remove(&id);
        match core::mem::replace(&mut self.files[number].phase, Phase::Ask) {
            Phase::Read => {
                self.reading -= 1;
                self.was_read(number, event, out);
            }
            Phase::Send(send) => {
                self.lanes.ended(self.files[number].size());
                self.was_sent(number, send, event, out, link);
            }
            Phase::Verify(call) => self.verified(number, call, event, out, link),
            phase => self.files[number].phase = phase,
        }
    }

    fn was_read(&mut self, number: usize, event: Event, out: &mut Outbox) {
        let (blob, small, revision) = match event {
            Event::Read { blob, small, revision } => (blob, small, revision),
            Event::Absent => return self.end(number, Err(Error::new(Code::NotFound, "the file is not there")), out),
            Event::Failed(failed) => return self.end(number, Err(link::failed("the file", &failed)), out),
            _ => return self.end(number, Err(refusal::unfitting()), out),
        };
        self.files[number].read = Some((blob, revision));
        if small.is_some_and(|small| pointer::pointer_shaped(&small, blob.size)) {
            let error =
                Error::new(Code::Rejected, "the file looks like a pointer, and pointers are never uploaded as content");
            return self.end(number, Err(error), out);
        }
        let expects = self.files[number].source.expects.as_deref();
        if expects.is_some_and(|expects| expects != blob.oid.to_string()) {
            let error =
                Error::new(Code::Integrity, format!("the file hashes to {}, not to the oid it is named by", blob.oid));
            return self.end(number, Err(error), out);
        }
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        match self.senders.get(&blob.oid) {
            Some(sender) => {
                self.files[number].phase = Phase::Shared(*sender);
                self.left -= 1;
            }
            None => {
                self.senders.insert(blob.oid, number);
                self.ask(number);
            }
        }
    }

    fn was_sent(&mut self, number: usize, send: Box<Send>, event: Event, out: &mut Outbox, link: &mut Link) {
        match event {
            Event::Answer { head, body, sent } => {
                let Some((blob, _)) = self.files[number].read else { return };
                if sent.is_some_and(|sent| sent != blob) {
                    return self.end(number, Err(changed()), out);
                }
                link.answered(send.sent);
                if (200..300).contains(&head.status) && sent.is_none() {
                    let error = Error::new(Code::Host, "the server answered before it had all bytes");
                    return self.later(number, None, error, out, link);
                }
                if head.status == 200 && is_page(&head, &body) {
                    let error =
                        Error::new(Code::Rejected, "a web page answered the upload: is there a login page in between?");
                    return self.end(number, Err(error), out);
                }
                self.answered(number, send, &head, out, link);
            }
            Event::Conflict => self.end(number, Err(changed()), out),
            Event::Failed(_) if self.stopped => self.end(number, Err(refusal::stopped()), out),
            Event::Failed(failed) => {
                let error = link::failed("the upload", &failed);
                if link::passing(failed.why) {
                    self.later(number, None, error, out, link)
                } else {
                    self.end(number, Err(error), out)
                }
            }
            _ => self.end(number, Err(refusal::unfitting()), out),
        }
    }

    fn answered(&mut self, number: usize, mut send: Box<Send>, head: &Head, out: &mut Outbox, link: &mut Link) {
        match head.status {
            200..=299 => self.verify(number, send, out, link),
            status if http::is_redirect(status) => match send.outgoing.redirect(head, link) {
                Ok(()) => self.transfer(number, send, out, link),
                Err(error) => self.end(number, Err(error), out),
            },
            status @ (401 | 403) => {
                let ours = send.outgoing.with_login && send.outgoing.url.origin() == link.endpoint.origin();
                let renew = ours && (status == 401 || send.login != Login::None);
                let generation = renew.then_some(send.generation);
                self.refused(number, status, generation, &send.outgoing.url, out, link);
            }
            status if retryable(status) => {
                let asked = head.value("retry-after").and_then(|value| retry::retry_after(value, out.now.wall));
                let mut error = refusal::transfer("the upload", status);
                error.retry_after = asked.map(|wait| out.now.wall.saturating_add(wait));
                self.later(number, asked, error, out, link);
            }
            status => self.end(number, Err(refusal::transfer("the upload", status)), out),
        }
    }

    /// 401 or 403 on an action: the batch is asked again, twice at most.
    fn refused(
        &mut self,
        number: usize,
        status: u16,
        renew: Option<u32>,
        url: &Url,
        out: &mut Outbox,
        link: &mut Link,
    ) {
        let renewed = renew.map_or(Ok(()), |generation| link.refused(generation));
        self.files[number].refusals += 1;
        if self.files[number].refusals > ACTION_REFUSALS_MAX {
            let error = Error::new(Code::Auth, format!("{} answered {status}", url.shown()));
            return self.end(number, Err(error), out);
        }
        match renewed {
            Ok(()) if self.stopped => self.end(number, Err(refusal::stopped()), out),
            Ok(()) => self.ask(number),
            Err(error) => self.end(number, Err(error), out),
        }
    }

    fn verify(&mut self, number: usize, send: Box<Send>, out: &mut Outbox, link: &mut Link) {
        let Some(action) = send.verify else { return self.prove(number, out) };
        let (Some(url), Some((blob, _))) = (Url::parse(&action.href), self.files[number].read.clone()) else {
            return self.end(number, Err(Error::new(Code::Malformed, "the server gave an unusable address")), out);
        };
        if let Err(error) = link.may_reach(&url) {
            return self.end(number, Err(error), out);
        }
        let outgoing = batch::verifying(url, &action.headers, blob, send.authenticated);
        self.files[number].phase = Phase::Verify(Box::new(Call::new("the verify request", outgoing)));
        self.verifying.insert(number);
    }

    fn verified(&mut self, number: usize, mut call: Box<Call>, event: Event, out: &mut Outbox, link: &mut Link) {
        let ended = call.on(event, out, link);
        if self.stopped && call.id().is_none() {
            // It took too long just before the stop, and would be sent again.
            self.verifying.remove(&number);
            return self.end(number, Err(refusal::stopped()), out);
        }
        let Some(ended) = ended else {
            // Redirected, to be retried, or only on its way: still the same call.
            if let Some(id) = call.id() {
                self.effects.insert(id, number);
            }
            self.files[number].phase = Phase::Verify(call);
            return;
        };
        self.verifying.remove(&number);
        match ended {
            Ok(answer) if (200..300).contains(&answer.head.status) => self.prove(number, out),
            Ok(answer) if matches!(answer.head.status, 401 | 403) => {
                self.files[number].refusals += 1;
                if self.files[number].refusals > ACTION_REFUSALS_MAX || self.stopped {
                    return self.end(number, Err(refusal::transfer("the verify request", answer.head.status)), out);
                }
                self.ask(number);
            }
            // 404 and 422 too: the server says that what was sent is not there. git-lfs takes 422 for success.
            Ok(answer) => {
                let refused = batch::refused_status(&answer.head, &answer.body, out.now.wall);
                self.end(number, Err(refusal::whole("the verify request", &refused, out.now.wall)), out);
            }
            Err(error) => self.end(number, Err(error), out),
        }
    }

    fn later(&mut self, number: usize, asked: Option<u64>, error: Error, out: &mut Outbox, link: &mut Link) {
        let file = &mut self.files[number];
        file.retries += 1;
        match link.delay(file.retries, asked) {
            Some(delay) if !self.stopped => {
                file.phase = Phase::Wait;
                self.lanes.later(out.now.ticks.saturating_add(delay), number);
            }
            _ => self.end(number, Err(error), out),
        }
    }

    fn end(&mut self, number: usize, ended: Result<Receipt, Error>, out: &mut Outbox) {
        let file = &mut self.files[number];
        if matches!(file.phase, Phase::Ended(_) | Phase::Shared(_)) {
            return;
        }
        if ended.is_ok()
            && let Some((blob, _)) = &file.read
        {
            out.note(Progress { name: file.source.name.clone(), done: blob.size, total: blob.size });
        }
        file.phase = Phase::Ended(ended);
        self.left -= 1;
    }

    fn note(&mut self, number: usize, bytes: u64, out: &mut Outbox) {
        let file = &mut self.files[number];
        if let (Phase::Send(_), Some((blob, _))) = (&file.phase, &file.read)
            && out.now.ticks >= file.noted.saturating_add(NOTE_MS_MIN)
        {
            file.noted = out.now.ticks;
            out.note(Progress {
                name: file.source.name.clone(),
                done: bytes.min(blob.size.saturating_sub(1)),
                total: blob.size,
            });
        }
    }

    pub(crate) fn stop(&mut self, out: &mut Outbox) {
        self.stopped = true;
        for (number, _) in self.asker.stop(out) {
            self.end(number, Err(refusal::stopped()), out);
        }
        for number in 0..self.files.len() {
            let open = self.effects.values().any(|open| *open == number);
            if !open
                && matches!(
                    self.files[number].phase,
                    Phase::Read | Phase::Ready { .. } | Phase::Wait | Phase::Verify(_)
                )
            {
                self.verifying.remove(&number);
                self.end(number, Err(refusal::stopped()), out);
            }
        }
        self.unread.clear();
        self.lanes.clear();
        for id in self.effects.keys() {
            out.cancel(*id);
        }
    }
}

impl File {
    /// Bytes, once they are known.
    fn size(&self) -> u64 {
        self.read.as_ref().map_or(0, |(blob, _)| blob.size)
    }
}

/// A page for people, from a portal that never saw the upload. An empty body says nothing: some servers label it HTML.
fn is_page(head: &Head, body: &[u8]) -> bool {
    head.value("content-type").is_some_and(|media_type| media_type.starts_with("text/html"))
        && body.trim_ascii_start().starts_with(b"<")
}

fn changed() -> Error {
    Error::new(Code::Conflict, "the file changed after it was hashed")
}
