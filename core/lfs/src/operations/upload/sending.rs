//! Sending one file, and what follows from the responses to it and to its verify request.

use super::{Phase, Send, Upload};
use crate::contract::{Body, Effect, Exchange, Head, Header, Login, Method, Slice};
use crate::git_lfs::response_error::{response_error, retryable};
use crate::protocol::call::Call;
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::outgoing::{Outgoing, is_redirect, verify_call};
use crate::protocol::refusal;
use crate::text::error::{Code, Error};
use crate::text::headers::retry_after;
use crate::text::limits::{ACTION_REFUSALS_MAX, ERROR_BYTES_MAX};
use crate::text::url::Url;
use alloc::boxed::Box;

impl Upload {
    /// Begins a transfer, unless its action has expired meanwhile.
    pub(super) fn send(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
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
        self.scheduler.began(self.files[number].size());
        self.files[number].phase = Phase::Send(send);
    }

    pub(super) fn was_sent(&mut self, number: usize, send: Box<Send>, event: Event, out: &mut Outbox, link: &mut Link) {
        match event {
            Event::Answer { head, body, sent } => {
                let Some((blob, _)) = self.files[number].read else { return };
                if sent.is_some_and(|sent| sent != blob) {
                    return self.end(number, Err(changed()), out);
                }
                link.answered(send.sent);
                if (200..300).contains(&head.status) && sent.is_none() {
                    let error = Error::new(Code::Host, "the server reported success before it had all bytes");
                    return self.later(number, None, error, out, link);
                }
                if head.status == 200 && is_page(&head, &body) {
                    let error =
                        Error::new(Code::Rejected, "a web page answered the upload: is there a login page in between?");
                    return self.end(number, Err(error), out);
                }
                self.responded(number, send, &head, out, link);
            }
            Event::Conflict => self.end(number, Err(changed()), out),
            Event::Failed(_) if self.stopped => self.end(number, Err(refusal::stopped()), out),
            Event::Failed(failed) => {
                let error = refusal::failed("the upload", &failed);
                if refusal::passing(failed.why) {
                    self.later(number, None, error, out, link)
                } else {
                    self.end(number, Err(error), out)
                }
            }
            _ => self.end(number, Err(refusal::unfitting()), out),
        }
    }

    fn responded(&mut self, number: usize, mut send: Box<Send>, head: &Head, out: &mut Outbox, link: &mut Link) {
        match head.status {
            200..=299 => self.verify(number, send, out, link),
            status if is_redirect(status) => match send.outgoing.redirect(head, link) {
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
                let asked = head.value("retry-after").and_then(|value| retry_after(value, out.now.wall));
                let mut error = refusal::transfer("the upload", status);
                error.retry_at = asked.map(|wait| out.now.wall.saturating_add(wait));
                self.later(number, asked, error, out, link);
            }
            status => self.end(number, Err(refusal::transfer("the upload", status)), out),
        }
    }

    /// 401 or 403 on an action: a new batch request is sent, twice at most.
    fn refused(
        &mut self,
        number: usize,
        status: u16,
        renew: Option<u32>,
        url: &Url,
        out: &mut Outbox,
        link: &mut Link,
    ) {
        self.files[number].refusals += 1;
        if self.files[number].refusals > ACTION_REFUSALS_MAX {
            let error = Error::new(Code::Auth, format_args!("{} answered {status}", url.shown()));
            return self.end(number, Err(error), out);
        }
        match renew.map_or(Ok(()), |generation| link.refused(generation)) {
            Ok(()) if self.stopped => self.end(number, Err(refusal::stopped()), out),
            Ok(()) => self.ask_again(number, &refusal::transfer("the upload", status), out),
            Err(error) => self.end(number, Err(error), out),
        }
    }

    /// A new batch request for an action that was refused.
    fn ask_again(&mut self, number: usize, error: &Error, out: &mut Outbox) {
        out.retry(&self.files[number].source.name, error, out.now.ticks);
        self.ask(number);
    }

    fn verify(&mut self, number: usize, send: Box<Send>, out: &mut Outbox, link: &mut Link) {
        let Some(action) = send.verify else { return self.prove(number, out) };
        let (Some(url), Some((blob, _))) = (Url::parse(&action.href), self.files[number].read.clone()) else {
            return self.end(number, Err(Error::new(Code::Malformed, "the server gave an unusable address")), out);
        };
        if let Err(error) = link.may_reach(&url) {
            return self.end(number, Err(error), out);
        }
        let outgoing = verify_call(url, &action.headers, blob, send.authenticated);
        self.files[number].phase = Phase::Verify(Box::new(Call::new("the verify request", outgoing)));
        self.verifying.push(number);
        // A server that is slow to verify holds transfers back.
        self.scheduler.settles();
    }

    pub(super) fn leave_verify(&mut self, number: usize) {
        if let Some(at) = self.verifying.iter().position(|verifying| *verifying == number) {
            self.verifying.remove(at);
            self.scheduler.settled();
        }
    }

    pub(super) fn verified(
        &mut self,
        number: usize,
        mut call: Box<Call>,
        event: Event,
        out: &mut Outbox,
        link: &mut Link,
    ) {
        let Some(ended) = call.on(event, out, link) else {
            // Redirected, to be retried, or still open: the same call goes on.
            if let Some(id) = call.id() {
                self.effects.insert(id, number);
            }
            self.files[number].phase = Phase::Verify(call);
            return;
        };
        self.leave_verify(number);
        match ended {
            Ok(answer) if (200..300).contains(&answer.head.status) => self.prove(number, out),
            Ok(answer) if matches!(answer.head.status, 401 | 403) => {
                self.files[number].refusals += 1;
                if self.files[number].refusals > ACTION_REFUSALS_MAX || self.stopped {
                    return self.end(number, Err(refusal::transfer("the verify request", answer.head.status)), out);
                }
                self.ask_again(number, &refusal::transfer("the verify request", answer.head.status), out);
            }
            // 404 and 422 too: the server says that what was sent is not there. git-lfs takes 422 for success.
            Ok(answer) => {
                let refused = response_error(&answer.head, &answer.body, out.now.wall);
                self.end(number, Err(refusal::whole("the verify request", &refused, out.now.wall)), out);
            }
            Err(error) => self.end(number, Err(error), out),
        }
    }
}

/// An HTML page, from a login portal instead of the server. An empty body is none: some servers label it HTML.
fn is_page(head: &Head, body: &[u8]) -> bool {
    head.value("content-type").is_some_and(|media_type| media_type.starts_with("text/html"))
        && body.trim_ascii_start().starts_with(b"<")
}

fn changed() -> Error {
    Error::new(Code::Conflict, "the file changed after it was hashed")
}
