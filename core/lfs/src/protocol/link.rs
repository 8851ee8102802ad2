//! What one operation knows of its server: where it is, how near, and which login it takes.
//!
//! The logins themselves stay with the host. A link only decides which kind to ask it for: none until the server asks
//! for one, then the stored one, then at most [`LOGIN_RENEWALS_MAX`] renewals, one at a time, while every other request
//! waits.

use crate::contract::Config;
use crate::contract::{EffectId, Instant, Login, StageId};
use crate::git_lfs::batch::{Action, Flaw};
use crate::protocol::backoff::{Jitter, backoff, mixed};
use crate::text::error::{Code, Error};
use crate::text::limits::{LOGIN_RENEWALS_MAX, NEAR_ROUND_TRIP_MS_MAX};
use crate::text::url::Url;
use alloc::string::String;

/// What one operation knows of its server.
#[derive(Debug)]
pub struct Link {
    pub(crate) config: Config,
    pub(crate) endpoint: Url,
    jitter: Jitter,
    /// Begins the ids of this operation's stages: from its seed and the time of its first poll.
    stages: Option<u64>,
    /// Stages named so far.
    staged: u32,
    /// The login the next request to the endpoint's origin asks for.
    level: Login,
    /// Grows with each change of `level`: a refusal of an older request proves nothing about the present login.
    generation: u32,
    /// The one request that asked for a renewed login and has no response yet.
    renewing: Option<EffectId>,
    renewals: u32,
    /// Of the requests with a response since the last poll: the latest tick at which one was sent.
    answered: Option<u64>,
    /// Milliseconds of the quickest response.
    round_trip: Option<u64>,
}

impl Link {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let endpoint = config.endpoint()?;
        let config = config.clamped();
        let (jitter, level) = (Jitter(config.seed), config.login);
        Ok(Self {
            config,
            endpoint,
            jitter,
            stages: None,
            staged: 0,
            level,
            generation: 0,
            renewing: None,
            renewals: 0,
            answered: None,
            round_trip: None,
        })
    }

    /// The URL of a call of the API: one slash between the endpoint and `path`, the endpoint's query kept.
    pub(crate) fn api(&self, path: &str) -> Url {
        let (base, query) = match self.endpoint.path.split_once('?') {
            Some((base, query)) => (base, format!("?{query}")),
            None => (self.endpoint.path.as_str(), String::new()),
        };
        let base = base.strip_suffix('/').unwrap_or(base);
        Url { path: format!("{base}/{path}{query}"), ..self.endpoint.clone() }
    }

    /// Plain http stays on this machine, and only for a server that is on it too.
    pub(crate) fn may_reach(&self, url: &Url) -> Result<(), Error> {
        let at_home = url.is_loopback() && self.endpoint.is_loopback();
        if url.secure || at_home || self.config.insecure_http {
            return Ok(());
        }
        Err(Error::new(
            Code::Blocked,
            format_args!("the server points to plain http at {}, which is not allowed", url.origin()),
        ))
    }

    /// Whether an action's address may be used at all. Checked when the batch response comes: a refused object needs no
    /// transfer.
    pub(crate) fn usable(&self, action: &Action) -> Result<(), Error> {
        let url = Url::parse(&action.href).ok_or_else(|| Error::new(Code::Malformed, Flaw::BadHref.explain()))?;
        self.may_reach(&url)
    }

    /// The login for a request to `url`: only the endpoint's origin ever gets one.
    pub(crate) fn login(&self, url: &Url, with_login: bool) -> Login {
        let ours = with_login && url.origin() == self.endpoint.origin();
        if ours { self.level } else { Login::None }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether a login is being renewed: every other request that needs one waits meanwhile.
    pub(crate) fn renewing(&self) -> bool {
        self.renewing.is_some()
    }

    /// Whether a login was refused and its renewal is open or due: transfers wait meanwhile.
    pub(crate) fn renewal_pending(&self) -> bool {
        self.renewing() || self.level == Login::Renewed
    }

    /// No request is left that could ask for the renewal: go on with the stored login.
    pub(crate) fn forgo_renewal(&mut self) {
        if self.level == Login::Renewed {
            self.level = Login::Stored;
        }
    }

    /// A request with this login was sent; a renewal is asked for once.
    pub(crate) fn sent(&mut self, id: EffectId, login: Login) {
        if login == Login::Renewed {
            self.renewing = Some(id);
            self.level = Login::Stored;
        }
    }

    /// A request ended, in whatever way.
    pub(crate) fn ended(&mut self, id: EffectId) {
        if self.renewing == Some(id) {
            self.renewing = None;
        }
    }

    /// The server refused the login of a request sent at `generation`: what to try next.
    pub(crate) fn refused(&mut self, generation: u32) -> Result<(), Error> {
        if generation != self.generation {
            return Ok(());
        }
        self.level = match self.level {
            Login::None => Login::Stored,
            Login::Stored | Login::Renewed if self.renewals < LOGIN_RENEWALS_MAX => {
                self.renewals += 1;
                Login::Renewed
            }
            Login::Stored | Login::Renewed => {
                return Err(Error::new(Code::Auth, format_args!("{} refused every login", self.endpoint.origin())));
            }
        };
        self.generation += 1;
        Ok(())
    }

    /// Milliseconds before retry `n` (from 1): what the server asked for, never shortened, or our own with jitter.
    /// `None` when retries are used up or the server asks for a longer wait than allowed.
    pub(crate) fn delay(&mut self, retry: u32, asked: Option<u64>) -> Option<u64> {
        if retry > self.config.retries_max {
            return None;
        }
        match asked {
            Some(asked) => (asked <= self.config.wait_max).then_some(asked),
            None => Some(self.jitter.spread(backoff(retry, self.config.retry_delay_max))),
        }
    }

    /// Whether nothing is sent again after so many retries.
    pub(crate) fn tries_are_over(&self, retries: u32) -> bool {
        retries >= self.config.retries_max
    }

    /// The response to a request that was sent at this tick came. How long it took is known at the next poll: replies
    /// carry no time.
    pub(crate) fn answered(&mut self, sent: u64) {
        self.answered = self.answered.max(Some(sent));
    }

    /// Takes the time of a poll.
    pub(crate) fn at(&mut self, now: Instant) {
        // Two hosts with one seed still differ in the time of their first poll.
        self.stages.get_or_insert_with(|| mixed(mixed(mixed(self.config.seed) ^ now.ticks) ^ now.wall));
        if let Some(sent) = self.answered.take() {
            let millis = now.ticks.saturating_sub(sent);
            self.round_trip = Some(self.round_trip.map_or(millis, |quickest| quickest.min(millis)));
        }
    }

    /// A stage that no other try of any operation writes to.
    pub(crate) fn new_stage(&mut self) -> StageId {
        self.staged += 1;
        StageId(format!("{:016x}-{}", self.stages.unwrap_or_default(), self.staged))
    }

    /// Whether the server is far: more transfers at once are worth it then.
    pub(crate) fn is_far(&self) -> bool {
        self.round_trip.is_some_and(|millis| millis > NEAR_ROUND_TRIP_MS_MAX)
    }
}
