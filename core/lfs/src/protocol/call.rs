//! One API call: redirects, logins and retries, and in the end a single response.
//!
//! Batch requests, lock requests and verify requests are calls. Transfers are not: their retries send a new batch
//! request.

use crate::contract::{Effect, EffectId, Exchange, Failure, Head, Instant, Login};
use crate::git_lfs::response_error::{ResponseErrorKind, response_error};
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::outgoing::{Outgoing, is_redirect};
use crate::protocol::refusal;
use crate::text::error::{Code, Error};
use crate::text::limits::JSON_BYTES_MAX;
use alloc::vec::Vec;

/// A call without a response yet.
#[derive(Debug)]
pub(crate) struct Call {
    /// What it is, for errors: "the batch request".
    what: &'static str,
    /// The original request: a retry starts over from its URL.
    first: Outgoing,
    outgoing: Outgoing,
    retries: u32,
    /// Its refusal is an answer, too: for it no login is renewed, and nothing is sent again.
    once: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// To be sent at this tick, once no login is being renewed.
    Due(u64),
    Open {
        id: EffectId,
        generation: u32,
        sent: Instant,
    },
}

/// A whole response that is neither a redirect nor worth a retry.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// Wall clock just before the request was sent.
    pub(crate) asked_at: u64,
}

impl Call {
    pub(crate) fn new(what: &'static str, outgoing: Outgoing) -> Self {
        Self { what, first: outgoing.clone(), outgoing, retries: 0, once: false, state: State::Due(0) }
    }

    /// The same, sent once: whatever is answered ends it.
    pub(crate) fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// The open effect, if there is one.
    pub(crate) fn id(&self) -> Option<EffectId> {
        match self.state {
            State::Open { id, .. } => Some(id),
            State::Due(_) => None,
        }
    }

    /// The tick at which [`Call::advance`] sends.
    pub(crate) fn wake(&self) -> Option<u64> {
        match self.state {
            State::Due(at) => Some(at),
            State::Open { .. } => None,
        }
    }

    /// Sends what is due. While a login is renewed, requests that need it wait.
    pub(crate) fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        let State::Due(at) = self.state else { return };
        let login = link.login(&self.outgoing.url, self.outgoing.with_login);
        if at > out.now.ticks || (login != Login::None && link.renewing()) {
            return;
        }
        // Only who asks in earnest asks for another login.
        let login = if self.once && login == Login::Renewed { Login::Stored } else { login };
        let exchange = Exchange {
            request: self.outgoing.request(login, link.config.reports_redirects),
            stage: None,
            answer_bytes_max: JSON_BYTES_MAX as u64 + 1,
            idle_max: link.config.idle_max,
        };
        let id = out.perform(Effect::Http(exchange));
        link.sent(id, login);
        self.state = State::Open { id, generation: link.generation(), sent: out.now };
    }

    /// Takes an event of [`Call::id`]; `Some` ends the call.
    pub(crate) fn on(&mut self, event: Event, out: &mut Outbox, link: &mut Link) -> Option<Result<Response, Error>> {
        let State::Open { id, generation, sent } = self.state else { return None };
        if matches!(event, Event::Progress(_)) {
            return None;
        }
        link.ended(id);
        match event {
            Event::Answer { head, body, .. } => {
                link.answered(sent.ticks);
                if self.once {
                    return Some(Ok(Response { head, body, asked_at: sent.wall }));
                }
                if is_redirect(head.status) {
                    return self.outgoing.redirect(&head, link).err().map(Err).or_else(|| self.again(out.now.ticks));
                }
                // Any other origin never saw the endpoint's login, and its refusal says nothing about it.
                let ours = self.outgoing.with_login && self.outgoing.url.origin() == link.endpoint.origin();
                if head.status == 401 && ours {
                    return link.refused(generation).err().map(Err).or_else(|| self.again(out.now.ticks));
                }
                if head.status >= 400 {
                    let refused = response_error(&head, &body, out.now.wall);
                    if !matches!(refused.kind, ResponseErrorKind::RateLimited | ResponseErrorKind::Server) {
                        return Some(Ok(Response { head, body, asked_at: sent.wall }));
                    }
                    let asked = refused.retry_after;
                    return self.later(asked, refusal::whole(self.what, &refused, out.now.wall), out, link);
                }
                Some(Ok(Response { head, body, asked_at: sent.wall }))
            }
            Event::Failed(failed) => {
                let error = refusal::failed(self.what, &failed);
                if failed.why == Failure::Aborted || !refusal::passing(failed.why) || self.once {
                    return Some(Err(error));
                }
                self.later(None, error, out, link)
            }
            _ => Some(Err(Error::new(
                Code::Host,
                format_args!("{}: the host gave a reply that this step does not accept", self.what),
            ))),
        }
    }

    /// Sends again at once, to the current URL.
    fn again(&mut self, now: u64) -> Option<Result<Response, Error>> {
        self.state = State::Due(now);
        None
    }

    /// Sends again later, to the original URL; gives up with `error` when retries are used up.
    fn later(
        &mut self,
        asked: Option<u64>,
        error: Error,
        out: &mut Outbox,
        link: &mut Link,
    ) -> Option<Result<Response, Error>> {
        self.retries += 1;
        let Some(delay) = link.delay(self.retries, asked) else { return Some(Err(error)) };
        let at = out.now.ticks.saturating_add(delay);
        out.retry(self.what, &error, at);
        self.outgoing = self.first.clone();
        self.state = State::Due(at);
        None
    }
}
