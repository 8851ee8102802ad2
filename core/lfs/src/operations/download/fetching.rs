//! Fetching one object: where the bytes go, and what the answers mean.

use super::{Download, Phase};
use crate::contract::{Body, Effect, EffectId, Exchange, Failed, Head, Header, Login, Method, Resume, Stage, StageId};
use crate::git_lfs::batch::Action;
use crate::git_lfs::response_error::retryable;
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::outgoing::{Outgoing, is_redirect};
use crate::protocol::refusal;
use crate::text::error::{Code, Error};
use crate::text::headers::{self, retry_after};
use crate::text::limits::{ACTION_REFUSALS_MAX, WRONG_BYTES_MAX};
use crate::text::url::Url;
use alloc::boxed::Box;

/// A transfer under way.
#[derive(Debug)]
pub(super) struct Fetch {
    /// Where the bytes go; new for each try.
    stage: StageId,
    action: Action,
    authenticated: bool,
    outgoing: Outgoing,
    /// The beginning that the range goes on with.
    resume: Option<Resume>,
    login: Login,
    generation: u32,
    sent: u64,
    /// The answer is the whole blob, not a range of it.
    whole: bool,
    /// The server's range is not the one asked for: the effect is being cancelled and the next try starts at 0.
    restarting: bool,
}

impl Download {
    /// Begins a transfer, unless its action has ended meanwhile.
    pub(super) fn fetch(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
        let object = &mut self.objects[number];
        let Phase::Ready { action, authenticated } = core::mem::replace(&mut object.phase, Phase::Ask) else { return };
        if action.expired(out.now.wall) {
            return self.later(number, None, refusal::expired(), out, link);
        }
        let Some(url) = Url::parse(&action.href) else {
            return self.end(number, Err(Error::new(Code::Malformed, "the server gave an unusable address")), out);
        };
        let last = object.blob.size.saturating_sub(1);
        let partial = object.partial.take().filter(|partial| 0 < partial.bytes && partial.bytes <= last);
        let mut plain = vec![Header::new("Accept-Encoding", "identity")];
        if let Some(partial) = &partial {
            plain.push(Header::new("Range", format!("bytes={}-{last}", partial.bytes)));
            let validator = partial.validator.as_ref().filter(|validator| headers::is_validator(validator));
            plain.extend(validator.map(|validator| Header::new("If-Range", validator.clone())));
        }
        let resume = partial.map(|partial| Resume { stage: partial.stage, bytes: partial.bytes });
        let outgoing = Outgoing::action(Method::Get, url, &action.headers, plain, Body::Empty, authenticated);
        let fetch = Fetch {
            stage: link.new_stage(),
            action,
            authenticated,
            outgoing,
            resume,
            login: Login::None,
            generation: 0,
            sent: 0,
            whole: true,
            restarting: false,
        };
        self.send(number, Box::new(fetch), out, link);
    }

    fn send(&mut self, number: usize, mut fetch: Box<Fetch>, out: &mut Outbox, link: &mut Link) {
        if let Err(error) = link.may_reach(&fetch.outgoing.url) {
            return self.end(number, Err(error), out);
        }
        let blob = self.objects[number].blob;
        // A renewal is asked for by a batch request alone; a transfer uses what is there.
        fetch.login = match link.login(&fetch.outgoing.url, fetch.outgoing.with_login) {
            Login::Renewed => Login::Stored,
            login => login,
        };
        fetch.generation = link.generation();
        fetch.sent = out.now.ticks;
        let id = out.perform(Effect::Http(Exchange {
            request: fetch.outgoing.request(fetch.login, link.config.reports_redirects),
            stage: Some(Stage { id: fetch.stage.clone(), blob, resume: fetch.resume.clone() }),
            // One byte over the size shows that the body is too long. A server may answer a range with the whole.
            answer_bytes_max: blob.size.saturating_add(1),
            idle_max: link.config.idle_max,
        }));
        self.effects.insert(id, number);
        self.scheduler.began(blob.size);
        self.objects[number].phase = Phase::Fetch(fetch);
    }

    /// A 206 must be the range that was asked for. Its total is not looked at: one server gets it wrong (measured), and
    /// the digest proves the whole.
    pub(super) fn judge_head(&mut self, number: usize, id: EffectId, head: &Head, out: &mut Outbox, link: &mut Link) {
        let size = self.objects[number].blob.size;
        let Phase::Fetch(fetch) = &mut self.objects[number].phase else { return };
        link.answered(fetch.sent);
        fetch.whole = head.status == 200;
        let asked = fetch.resume.as_ref().map(|resume| (resume.bytes, size.saturating_sub(1)));
        let fits = asked.is_some() && head.value("content-range").and_then(content_range) == asked;
        if head.status == 206 && !fits {
            fetch.restarting = true;
            out.cancel(id);
        }
    }

    pub(super) fn fetched(
        &mut self,
        number: usize,
        fetch: Box<Fetch>,
        event: Event,
        out: &mut Outbox,
        link: &mut Link,
    ) {
        let blob = self.objects[number].blob;
        match event {
            Event::Staged(got) if fetch.restarting || got != blob => {
                let object = &mut self.objects[number];
                // A beginning from another run proves nothing about the server: only whole answers count.
                object.wrong += u32::from(fetch.whole);
                let wrong = Error::new(
                    Code::Integrity,
                    format_args!(
                        "expected {} of {} bytes, received {} of {} bytes",
                        blob.oid, blob.size, got.oid, got.size
                    ),
                );
                let again = object.wrong < WRONG_BYTES_MAX && !self.stopped;
                if again {
                    out.retry(&object.name, &wrong, out.now.ticks);
                }
                self.drop_stage(number, fetch.stage, Err(wrong), again, out);
            }
            Event::Staged(_) => self.keep(number, fetch.stage, out),
            Event::Answer { head, .. } => self.refused(number, fetch, &head, out, link),
            Event::Failed(failed) => self.broken(number, fetch, &failed, out, link),
            _ => self.end(number, Err(refusal::unfitting()), out),
        }
    }

    fn broken(&mut self, number: usize, fetch: Box<Fetch>, failed: &Failed, out: &mut Outbox, link: &mut Link) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        if fetch.restarting && fetch.resume.is_some() {
            let error = Error::new(Code::Malformed, "the server sent another part than it was asked for");
            return self.restart(number, fetch, &error, out);
        }
        if fetch.restarting {
            let error = Error::new(Code::Malformed, "the server sent a part when the whole was asked for");
            return self.later(number, None, error, out, link);
        }
        let error = refusal::failed("the download", failed);
        if refusal::passing(failed.why) {
            self.later(number, None, error, out, link)
        } else {
            self.end(number, Err(error), out)
        }
    }

    /// The same action again, from byte 0.
    fn restart(&mut self, number: usize, fetch: Box<Fetch>, error: &Error, out: &mut Outbox) {
        out.retry(&self.objects[number].name, error, out.now.ticks);
        self.ready(number, fetch.action, fetch.authenticated, out);
    }

    /// An answer that is not the bytes.
    fn refused(&mut self, number: usize, mut fetch: Box<Fetch>, head: &Head, out: &mut Outbox, link: &mut Link) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        link.answered(fetch.sent);
        match head.status {
            status if is_redirect(status) => match fetch.outgoing.redirect(head, link) {
                Ok(()) => self.send(number, fetch, out, link),
                Err(error) => self.end(number, Err(error), out),
            },
            401 | 403 => {
                self.objects[number].refusals += 1;
                if self.objects[number].refusals > ACTION_REFUSALS_MAX {
                    let error =
                        Error::new(Code::Auth, format_args!("{} answered {}", fetch.outgoing.url.shown(), head.status));
                    return self.end(number, Err(error), out);
                }
                let ours = fetch.login != Login::None || head.status == 401;
                match if ours { login_refused(&fetch, link) } else { Ok(()) } {
                    Ok(()) => {
                        let error = refusal::transfer("the download", head.status);
                        out.retry(&self.objects[number].name, &error, out.now.ticks);
                        self.ask(number);
                    }
                    Err(error) => self.end(number, Err(error), out),
                }
            }
            416 if fetch.resume.is_some() => {
                let error = Error::new(Code::Rejected, "the server cannot go on where an earlier try ended");
                self.restart(number, fetch, &error, out);
            }
            status if retryable(status) => {
                let asked = head.value("retry-after").and_then(|value| retry_after(value, out.now.wall));
                let mut error = refusal::transfer("the download", status);
                error.retry_after = asked.map(|wait| out.now.wall.saturating_add(wait));
                self.later(number, asked, error, out, link);
            }
            status => self.end(number, Err(refusal::transfer("the download", status)), out),
        }
    }
}

/// The stored login was sent, or none to the endpoint's own origin: get one, or another, before the batch is asked
/// again.
fn login_refused(fetch: &Fetch, link: &mut Link) -> Result<(), Error> {
    let ours = fetch.outgoing.with_login && fetch.outgoing.url.origin() == link.endpoint.origin();
    if ours { link.refused(fetch.generation) } else { Ok(()) }
}

/// First and last byte of a Content-Range.
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, _total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}
