//! What the status of one object's transfer leads to: the vector's word, played by an operation.

use super::fields::{self, status, text};
use super::scripted::{ENDPOINT, STORAGE, Scripted, config, is_backoff, left, shown};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::{Effect, EffectId, Exchange, Head, Login, Method, Reply, Step};
use hydrant_lfs::contract::{Source, Want};
use hydrant_lfs::text::limits::RETRY_DELAY_MS_MIN;
use serde_json::{Value, json};

/// The bytes of the only object.
const CONTENT: &[u8] = b"nine bits";
/// Bytes of it that an earlier run left, where one did.
const PARTIAL_BYTES: u64 = 4;
/// Refusals after which a run is endless.
const REFUSALS_MAX: usize = 12;

/// Which request gets the status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Get,
    Put,
    Verify,
}

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let at = match text(vector, "method")? {
        "GET" => At::Get,
        "PUT" => At::Put,
        "VERIFY" => At::Verify,
        other => return Err(format!("no judge knows the method {other}")),
    };
    let head = Head { status: status(vector)?, headers: fields::headers(vector.get("headers"))? };
    let away = |partial| Play::until(engine, at, STORAGE, partial);
    match text(vector, "expect")? {
        "ok" | "body" => away(false)?.succeeds(&head),
        "final" => away(false)?.ends(&head),
        "retry" => away(false)?.retries(&head),
        "restart-from-zero" => away(true)?.restarts(&head),
        "re-batch" => asks_again(engine, at, STORAGE, &head).map(|_| ()),
        "re-authenticate" => {
            asks_again(engine, at, STORAGE, &head)?;
            // Where the endpoint's own login was or could be in play, it must be another one next time.
            match asks_again(engine, at, ENDPOINT, &head)? {
                Login::None => Err("the endpoint's own origin refused, and no login is asked for".to_owned()),
                Login::Stored | Login::Renewed => Ok(()),
            }
        }
        other => Err(format!("no judge knows the word {other}")),
    }
}

/// An operation that has just sent the request in question.
struct Play {
    host: Scripted,
    at: At,
    id: EffectId,
    exchange: Exchange,
}

impl Play {
    fn until(engine: &dyn Engine, at: At, place: &str, partial: bool) -> Result<Self, String> {
        let blob = crate::world::blob(CONTENT);
        let want = Want { name: "file".to_owned(), oid: blob.oid.to_string(), size: blob.size };
        let start = match at {
            At::Get if partial => Start::Hydrate(vec![want]),
            At::Get => Start::Download(vec![want]),
            At::Put | At::Verify => Start::Upload(vec![Source { name: "file".to_owned(), expects: None }]),
        };
        let mut host = Scripted::begin(engine, &config(engine), &start)?;
        match at {
            At::Get if partial => host.cache([left(PARTIAL_BYTES)])?,
            At::Get => {}
            At::Put | At::Verify => host.file(CONTENT)?,
        }
        let (id, exchange) = reach(&mut host, at, place)?;
        Ok(Self { host, at, id, exchange })
    }

    fn answer(&mut self, head: &Head) -> Result<(), String> {
        if self.at == At::Put {
            let sent = crate::world::blob(CONTENT);
            self.host.reply(self.id, Reply::Sent(sent))?;
        }
        let staged = self.exchange.stage.is_some() && Head::is_staged(head.status);
        self.host.answer(self.id, head.clone(), if staged { CONTENT } else { b"" })
    }

    fn succeeds(mut self, head: &Head) -> Result<(), String> {
        self.answer(head)?;
        if self.at == At::Get {
            self.host.keep(crate::world::blob(CONTENT).oid)?;
        }
        self.host.succeeds()
    }

    fn ends(mut self, head: &Head) -> Result<(), String> {
        self.answer(head)?;
        self.host.fails().map(|_| ())
    }

    /// A wait, then the way is gone again: by a new batch, or, for a verify request, by itself.
    fn retries(mut self, head: &Head) -> Result<(), String> {
        self.answer(head)?;
        let waited = self.host.wait()?;
        let asked = head.value("retry-after").and_then(|value| value.parse::<u64>().ok());
        match asked {
            Some(seconds) if waited == seconds * 1000 => {}
            Some(seconds) => return Err(format!("the server asked for {seconds} s, the wait is {waited} ms")),
            None => is_backoff(waited, RETRY_DELAY_MS_MIN)?,
        }
        self.host.pass(waited);
        let (id, again) = self.host.request()?;
        if self.at == At::Verify && again.request == self.exchange.request {
            return Ok(());
        }
        let asked = super::scripted::asked(&again)?;
        self.host.offer(id, &asked, &actions(self.at, STORAGE))?;
        self.host.request().map(|_| ())
    }

    /// Without a wait, and from the first byte.
    fn restarts(mut self, head: &Head) -> Result<(), String> {
        let ranged = |exchange: &Exchange| exchange.request.headers.iter().any(|header| header.name == "Range");
        if !ranged(&self.exchange) {
            return Err("the beginning that is there was not used".to_owned());
        }
        self.answer(head)?;
        let (id, exchange) = self.host.request()?;
        let exchange = if exchange.stage.is_some() {
            exchange
        } else {
            self.host.offer(id, &super::scripted::asked(&exchange)?, &actions(self.at, STORAGE))?;
            self.host.request()?.1
        };
        match &exchange.stage {
            Some(stage) if stage.resumed() == 0 && !ranged(&exchange) => Ok(()),
            _ => Err("it does not start from the first byte".to_owned()),
        }
    }
}

/// The actions of the only object.
fn actions(at: At, place: &str) -> Value {
    match at {
        At::Get => json!({"download": {"href": format!("{place}/file")}}),
        At::Put => json!({"upload": {"href": format!("{place}/file")}}),
        At::Verify => {
            json!({"upload": {"href": format!("{place}/file")}, "verify": {"href": format!("{place}/verify")}})
        }
    }
}

/// Goes on from the batch request to the request in question.
fn reach(host: &mut Scripted, at: At, place: &str) -> Result<(EffectId, Exchange), String> {
    let (id, _, asked) = host.batch()?;
    host.offer(id, &asked, &actions(at, place))?;
    let (id, exchange) = host.request()?;
    let expected = if at == At::Get { Method::Get } else { Method::Put };
    if exchange.request.method != expected {
        return Err(format!("expected {expected:?}, got {:?}", exchange.request.method));
    }
    if at != At::Verify {
        return Ok((id, exchange));
    }
    host.reply(id, Reply::Sent(crate::world::blob(CONTENT)))?;
    host.answer_status(id, &Head { status: 200, headers: Vec::new() })?;
    host.request()
}

/// The status leads to a new batch request at once, and for ever refused, to an error soon. The login of the first
/// new batch request is told.
fn asks_again(engine: &dyn Engine, at: At, place: &str, head: &Head) -> Result<Login, String> {
    let mut play = Play::until(engine, at, place, false)?;
    let mut login = None;
    for _ in 0..REFUSALS_MAX {
        play.answer(head)?;
        match play.host.step() {
            // A verify request is a call of the API: it may come again by itself, with another login.
            Step::Perform(id, Effect::Http(exchange)) if exchange.request.url == play.exchange.request.url => {
                if exchange.request.login == play.exchange.request.login && exchange.request.login != Login::Renewed {
                    return Err("the same request is sent again".to_owned());
                }
                login.get_or_insert(exchange.request.login);
                (play.id, play.exchange) = (id, exchange);
            }
            Step::Perform(id, Effect::Http(exchange)) => {
                let asked = super::scripted::asked(&exchange)?;
                login.get_or_insert(exchange.request.login);
                play.host.offer(id, &asked, &actions(at, place))?;
                // What follows is the request in question again.
                (play.id, play.exchange) = play.host.request()?;
                if at == At::Verify {
                    play.host.reply(play.id, Reply::Sent(crate::world::blob(CONTENT)))?;
                    play.host.answer_status(play.id, &Head { status: 200, headers: Vec::new() })?;
                    (play.id, play.exchange) = play.host.request()?;
                }
            }
            Step::Done => {
                let login = login.ok_or("it is final, no new batch was asked")?;
                return play.host.fails().map(|_| login);
            }
            other => return Err(format!("expected a batch request at once, got {}", shown(&other))),
        }
    }
    Err("it asks for ever".to_owned())
}
