//! Fetching one object: the request, and what follows from its response.

use crate::contract::{
    Beginning, Body, Effect, Exchange, Failed, Failure, Head, Header, Instant, Login, Method, Resume, Stage, StageId,
};
use crate::git_lfs::batch::Action;
use crate::git_lfs::response_error::{coding, retryable};
use crate::protocol::link::Link;
use crate::protocol::outbox::Event;
use crate::protocol::outgoing::{Outgoing, identity, is_redirect};
use crate::protocol::refusal;
use crate::text::error::{Code, Error};
use crate::text::headers::{self, retry_after};
use crate::text::limits::{ACTION_REFUSALS_MAX, WRONG_BYTES_MAX};
use crate::text::oid::Blob;
use crate::text::url::Url;
use alloc::string::String;

/// A transfer under way.
#[derive(Debug)]
pub(super) struct Fetch {
    /// Where the bytes go; new for each try.
    pub(super) stage: StageId,
    pub(super) action: Action,
    pub(super) authenticated: bool,
    blob: Blob,
    outgoing: Outgoing,
    /// The bytes that stand before the requested range.
    resume: Option<Resume>,
    login: Login,
    generation: u32,
    sent: u64,
    /// The response is the whole blob, not a range of it.
    whole: bool,
    /// Of a response whose bytes are taken, once it began: its status, and the coding that they seem to have.
    took: Option<(u16, Option<String>)>,
    /// The server's range is not the one asked for: the effect is being cancelled and the next try starts at 0.
    restarting: bool,
}

/// How many bad responses an object got.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Times its action was refused with 401 or 403.
    refusals: u32,
    /// Times its bytes were wrong.
    wrong: u32,
    /// Where the rest began that a try broke at.
    broke_at: Option<u64>,
    /// The last two tries broke there: no byte of the rest came between.
    pub(super) is_stuck: bool,
}

/// What follows from a response.
#[derive(Debug)]
pub(super) enum Next {
    /// The stage holds the blob.
    Keep,
    /// The stage holds something else. `again`: one more try.
    Drop {
        error: Error,
        again: bool,
    },
    /// Send the request again, to the URL of the redirect.
    Redirected,
    /// Use the same action at once, from byte 0.
    Restart(Error),
    /// Ask for a new action at once.
    Ask(Error),
    /// Ask for a new action after as many milliseconds as the server asked for, or after our own delay.
    Later(Option<u64>, Error),
    End(Error),
}

impl Fetch {
    /// A transfer that continues `partial`, if that is a part of the blob.
    pub(super) fn new(
        blob: Blob,
        action: Action,
        authenticated: bool,
        partial: Option<Beginning>,
        link: &mut Link,
    ) -> Result<Self, Error> {
        let Some(url) = Url::parse(&action.href) else {
            return Err(Error::new(Code::Malformed, "the server gave an unusable address"));
        };
        let last = blob.size.saturating_sub(1);
        let partial = partial.filter(|partial| 0 < partial.bytes && partial.bytes <= last);
        let mut plain = vec![identity()];
        if let Some(partial) = &partial {
            plain.push(Header::new("Range", format!("bytes={}-{last}", partial.bytes)));
            let validator = partial.validator.as_ref().filter(|validator| headers::is_validator(validator));
            plain.extend(validator.map(|validator| Header::new("If-Range", validator.clone())));
        }
        Ok(Self {
            stage: link.new_stage(),
            blob,
            outgoing: Outgoing::action(Method::Get, url, &action.headers, plain, Body::Empty, authenticated),
            action,
            authenticated,
            resume: partial.map(|partial| Resume { stage: partial.stage, bytes: partial.bytes }),
            login: Login::None,
            generation: 0,
            sent: 0,
            whole: true,
            took: None,
            restarting: false,
        })
    }

    /// Whether it goes on from a beginning.
    pub(super) fn is_resumed(&self) -> bool {
        self.resume.is_some()
    }

    /// The request as it is sent now.
    pub(super) fn effect(&mut self, link: &Link, now: Instant) -> Result<Effect, Error> {
        link.may_reach(&self.outgoing.url)?;
        // Only batch requests ask for a renewal; a transfer uses the stored login.
        self.login = match link.login(&self.outgoing.url, self.outgoing.with_login) {
            Login::Renewed => Login::Stored,
            login => login,
        };
        self.generation = link.generation();
        self.sent = now.ticks;
        Ok(Effect::Http(Exchange {
            request: self.outgoing.request(self.login, link.config.reports_redirects),
            stage: Some(Stage { id: self.stage.clone(), blob: self.blob, resume: self.resume.clone() }),
            // One byte over the size shows that the body is too long. A server may answer a range with the whole.
            answer_bytes_max: self.blob.size.saturating_add(1),
            idle_max: link.config.idle_max,
        }))
    }

    /// Whether to take the body. A 206 must be the range that was asked for; all of the blob is a range, too.
    pub(super) fn accepts(&mut self, head: &Head, link: &mut Link) -> bool {
        link.answered(self.sent);
        self.whole = head.status != 206 || self.resume.is_none();
        let first = self.resume.as_ref().map_or(0, |resume| resume.bytes);
        self.restarting = head.status == 206 && !is_range(head, (first, self.blob.size.saturating_sub(1)));
        self.took = (!self.restarting).then(|| (head.status, coding(head)));
        !self.restarting
    }

    /// What follows from the last event of the request.
    pub(super) fn next(&mut self, event: Event, faults: &mut Faults, now: Instant, link: &mut Link) -> Next {
        match event {
            Event::Staged(got) if self.restarting || got != self.blob => {
                // A beginning from another run proves nothing about the server: only whole answers count.
                faults.wrong += u32::from(self.whole);
                Next::Drop { error: self.wrong(got), again: faults.wrong < WRONG_BYTES_MAX }
            }
            Event::Staged(_) => Next::Keep,
            Event::Answer { head, .. } => self.answered(&head, faults, now, link),
            Event::Failed(failed) => self.broken(&failed, faults),
            _ => Next::End(refusal::unfitting()),
        }
    }

    /// The error of bytes that are not the blob.
    fn wrong(&self, got: Blob) -> Error {
        let (code, received) = match &self.took {
            // What stands between us and the server changed the answer; some show strangers a sign-in page so.
            Some((203, _)) => {
                (Code::Auth, format!("a 203 from {}, which may ask for a login", self.outgoing.url.shown()))
            }
            Some((_, Some(coding))) => {
                (Code::Integrity, format!("them in the coding {coding}, which was not asked for"))
            }
            _ => (Code::Integrity, format!("{} of {} bytes", got.oid, got.size)),
        };
        let Blob { oid, size } = self.blob;
        Error::new(code, format_args!("expected {oid} of {size} bytes, received {received}"))
    }

    fn broken(&self, failed: &Failed, faults: &mut Faults) -> Next {
        if self.restarting && self.resume.is_some() {
            return Next::Restart(Error::new(Code::Malformed, "the server sent another part than it was asked for"));
        }
        if self.restarting {
            let error = Error::new(Code::Malformed, "the server sent a part when the whole was asked for");
            return Next::Later(None, error);
        }
        let error = refusal::failed("the download", failed);
        if !refusal::passing(failed.why) {
            return Next::End(error);
        }
        // A server that begins the same rest again and never brings a byte of it may have the whole. One that falls
        // silent may only be slow.
        let rest = self.resume.as_ref().map(|resume| resume.bytes);
        faults.is_stuck = rest.is_some() && faults.broke_at == rest && failed.why == Failure::Offline;
        faults.broke_at = rest;
        if faults.is_stuck && self.took.is_some() { Next::Restart(error) } else { Next::Later(None, error) }
    }

    /// A response without the bytes.
    fn answered(&mut self, head: &Head, faults: &mut Faults, now: Instant, link: &mut Link) -> Next {
        link.answered(self.sent);
        let refused = |status: u16| refusal::transfer("the download", status);
        match head.status {
            status if is_redirect(status) => match self.outgoing.redirect(head, link) {
                Ok(()) => Next::Redirected,
                Err(error) => Next::End(error),
            },
            status @ (401 | 403) if status == 401 || self.resume.is_none() => {
                faults.refusals += 1;
                if faults.refusals > ACTION_REFUSALS_MAX {
                    let url = self.outgoing.url.shown();
                    return Next::End(Error::new(Code::Auth, format_args!("{url} answered {status}")));
                }
                let ours = self.login != Login::None || status == 401;
                match if ours { self.login_refused(link) } else { Ok(()) } {
                    Ok(()) => Next::Ask(refused(status)),
                    Err(error) => Next::End(error),
                }
            }
            // Whatever it dislikes, it may be the range: the whole is asked for once before this counts.
            status if self.resume.is_some() && !retryable(status) => {
                let detail = format_args!("the server answered {status} to the rest of this download: it starts over");
                Next::Restart(Error::new(Code::Rejected, detail))
            }
            status if retryable(status) => {
                let asked = head.value("retry-after").and_then(|value| retry_after(value, now.wall));
                let mut error = refused(status);
                error.retry_at = asked.map(|wait| now.wall.saturating_add(wait));
                Next::Later(asked, error)
            }
            status => Next::End(refused(status)),
        }
    }

    /// The endpoint's own origin refused a request, with or without the stored login: get a login, or another one,
    /// before the next batch request.
    fn login_refused(&self, link: &mut Link) -> Result<(), Error> {
        let ours = self.outgoing.with_login && self.outgoing.url.origin() == link.endpoint.origin();
        if ours { link.refused(self.generation) } else { Ok(()) }
    }
}

/// Whether a 206 is this range, from its first to its last byte. Its total is not checked: one server gets it wrong
/// (measured). A page cannot read Content-Range unless the server exposes it: without that header, the length must fit.
/// The digest proves the bytes either way.
fn is_range(head: &Head, (first, last): (u64, u64)) -> bool {
    match head.value("content-range") {
        Some(value) => content_range(value) == Some((first, last)),
        None => head.value("content-length").and_then(|value| value.parse().ok()) == Some(last - first + 1),
    }
}

/// First and last byte of a Content-Range.
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, _total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}
