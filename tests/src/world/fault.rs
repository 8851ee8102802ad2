//! What can go wrong, and the two plans that decide when it does.

use super::{Dice, Rival};
use hydrant_lfs::contract::{Body, Effect, Method};

/// One thing that goes wrong at one effect. A fault that does not apply to an effect changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection cannot be made.
    Offline,
    /// The connection stalls: the host gives up after `idle_max`.
    Stall,
    /// The connection breaks in the middle of the body.
    Break,
    /// The connection stalls in the middle of the body.
    StallMidway,
    /// The host has no login to give, or no permission.
    Denied,
    /// The platform refuses.
    Blocked,
    /// A status without the answer that was asked for.
    Status(u16),
    /// 429 with a Retry-After of this many seconds.
    RetryAfter(u32),
    /// 429 with a Retry-After that is a date, half a minute after the world began.
    RetryDate,
    /// 200 with an HTML page.
    Html,
    /// 200 with JSON that ends early.
    CutJson,
    /// A redirect to the same origin.
    Redirect,
    /// A redirect to another origin.
    RedirectAway,
    /// A redirect to itself.
    RedirectLoop,
    /// Bytes of the right length that are not the blob.
    WrongBytes,
    /// Fewer bytes than the blob has, without an error.
    Short,
    /// More bytes than the blob has.
    Long,
    /// 206 with another range than asked, or 206 to a request without a range.
    WrongRange,
    /// 200 to a request with a range.
    NoRange,
    /// The batch answer leaves an object out.
    Omit,
    /// The batch answer names an object twice.
    Repeat,
    /// The batch answer has an error of this code for an object.
    ObjectError(u16),
    /// The batch answer gives actions that have ended.
    Expired,
    /// The batch answer gives actions of a few milliseconds, which end before they are used.
    Fleeting,
    /// The batch answer gives an unusable address.
    BadHref,
    /// The batch answer names another size than was asked about.
    WrongSize,
    /// The server says that it has what it does not have.
    FalsePresent,
    /// The server says 2xx before it has all bytes.
    Early,
    /// The server keeps other bytes than it was sent, and calls that fine.
    WrongKept,
    /// Other bytes are sent than were hashed.
    ChangedWhileSent,
    /// The file is no longer at its revision.
    Conflict,
    /// The local disk fails.
    Io,
    /// The local disk is full.
    NoSpace,
    /// The stage holds garbage of the right length.
    BadStage,
    /// The local disk fills up in the middle of a write: half of a stage is there.
    Torn,
    /// The remote refuses a push.
    Refused,
    /// What was asked for is done, and the answer is that the disk failed.
    IoAfter,
    /// The agent appends to the file it holds open.
    Append,
    /// The user edits the manifest here, or else a file that git carries.
    Edit,
    /// The user removes the file that the agent held open.
    Remove,
    /// Somebody else pushes.
    Rival(Rival),
    /// The process dies here.
    Kill,
    /// The process dies here, and what it asked for last took place.
    KillAfter,
    /// The power fails here: what was not kept durably is lost or torn.
    PowerLoss,
}

impl Fault {
    /// The last ones of the list end a run.
    const DEATHS: usize = 3;
    /// Every fault, for exhaustive runs.
    pub const ALL: [Fault; 69] = [
        Fault::Offline,
        Fault::Stall,
        Fault::Break,
        Fault::StallMidway,
        Fault::Denied,
        Fault::Blocked,
        Fault::Status(201),
        Fault::Status(204),
        Fault::Status(304),
        Fault::Status(400),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(406),
        Fault::Status(409),
        Fault::Status(410),
        Fault::Status(413),
        Fault::Status(416),
        Fault::Status(422),
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(501),
        Fault::Status(503),
        Fault::Status(507),
        Fault::Status(509),
        Fault::RetryAfter(2),
        Fault::RetryAfter(100_000),
        Fault::RetryDate,
        Fault::Html,
        Fault::CutJson,
        Fault::Redirect,
        Fault::RedirectAway,
        Fault::RedirectLoop,
        Fault::WrongBytes,
        Fault::Short,
        Fault::Long,
        Fault::WrongRange,
        Fault::NoRange,
        Fault::Omit,
        Fault::Repeat,
        Fault::ObjectError(403),
        Fault::ObjectError(404),
        Fault::ObjectError(410),
        Fault::ObjectError(429),
        Fault::Expired,
        Fault::Fleeting,
        Fault::BadHref,
        Fault::WrongSize,
        Fault::FalsePresent,
        Fault::Early,
        Fault::WrongKept,
        Fault::ChangedWhileSent,
        Fault::Conflict,
        Fault::Io,
        Fault::NoSpace,
        Fault::BadStage,
        Fault::Torn,
        Fault::Refused,
        Fault::IoAfter,
        Fault::Append,
        Fault::Edit,
        Fault::Remove,
        Fault::Rival(Rival::Elsewhere),
        Fault::Rival(Rival::Beside),
        Fault::Rival(Rival::Over),
        Fault::Rival(Rival::Twin),
        Fault::Kill,
        Fault::KillAfter,
        Fault::PowerLoss,
    ];

    /// Its name without the number it may carry: how faults are counted.
    pub fn name(self) -> String {
        let name = format!("{self:?}");
        name.split('(').next().unwrap_or_default().to_owned()
    }

    /// Whether it ends the process.
    pub fn is_death(self) -> bool {
        matches!(self, Fault::Kill | Fault::KillAfter | Fault::PowerLoss)
    }

    /// Whether every effect can meet it.
    fn happens_anywhere(self) -> bool {
        self.is_death() || matches!(self, Fault::Io | Fault::Append | Fault::Edit | Fault::Remove | Fault::Rival(_))
    }

    /// Whether it can change what becomes of an effect, so that no draw is wasted on the others.
    pub fn fits(self, effect: &Effect) -> bool {
        let http = match effect {
            Effect::Http(exchange) => Some(&exchange.request),
            _ => None,
        };
        let batch = http.is_some_and(|it| matches!(it.body, Body::Bytes(_)) && it.url.contains("/objects/batch"));
        let get = http.is_some_and(|it| it.method == Method::Get);
        let put = http.is_some_and(|it| matches!(it.body, Body::File(_)));
        let push = matches!(effect, Effect::PushLedger(_));
        let remote = push || matches!(effect, Effect::LoadLedger(_));
        let local = matches!(
            effect,
            Effect::SaveDoc(_) | Effect::SettleLedger(_) | Effect::SwapFile(_) | Effect::RewriteLedger(_)
        );
        match self {
            Fault::None => false,
            Fault::Omit | Fault::Repeat | Fault::ObjectError(_) | Fault::Expired | Fault::Fleeting => batch,
            Fault::BadHref | Fault::WrongSize | Fault::FalsePresent | Fault::CutJson => batch,
            Fault::WrongBytes | Fault::Short | Fault::Long | Fault::WrongRange | Fault::NoRange | Fault::Torn => get,
            Fault::Early | Fault::WrongKept | Fault::ChangedWhileSent => put,
            Fault::Offline | Fault::Stall | Fault::Denied => http.is_some() || remote,
            Fault::Break | Fault::StallMidway => http.is_some() || push,
            Fault::Blocked | Fault::Status(_) | Fault::RetryAfter(_) | Fault::RetryDate | Fault::Html => http.is_some(),
            Fault::Redirect | Fault::RedirectAway | Fault::RedirectLoop => http.is_some(),
            Fault::Conflict => put || push || local,
            Fault::Io => true,
            Fault::NoSpace => get || push || local || matches!(effect, Effect::KeepBlob(_)),
            Fault::BadStage => matches!(effect, Effect::HasBlob(_)),
            Fault::Refused => remote,
            Fault::IoAfter => push || local,
            Fault::Append | Fault::Edit | Fault::Remove | Fault::Rival(_) => true,
            Fault::Kill | Fault::KillAfter | Fault::PowerLoss => true,
        }
    }
}

/// Decides what goes wrong.
#[derive(Clone, Debug)]
pub enum Plan {
    /// One fault, at the effect of this number; `lasting` repeats it at every later effect too.
    At {
        /// Number of the effect, from 0.
        effect: u32,
        /// What goes wrong.
        fault: Fault,
        /// And again, ever after.
        lasting: bool,
    },
    /// Faults drawn from a seed, until `budget` of them have struck.
    Seeded {
        /// Draws.
        dice: Dice,
        /// One effect in so many fails; 0 is never.
        odds: usize,
        /// Faults left.
        budget: usize,
    },
    /// As `Seeded`, from a choice of faults, and only those that the effect at hand can meet.
    Chosen {
        /// Draws.
        dice: Dice,
        /// One effect in so many fails; 0 is never.
        odds: usize,
        /// Faults left.
        budget: usize,
        /// What may go wrong at all.
        faults: Vec<Fault>,
    },
}

/// A plan at work.
#[derive(Clone, Debug)]
pub struct Faults {
    plan: Plan,
    struck: usize,
    /// Faults that a plan of [`Plan::Chosen`] drew, in order.
    pub drawn: Vec<Fault>,
}

impl Faults {
    /// No faults at all.
    pub fn none() -> Self {
        Self::new(Plan::Seeded { dice: Dice(0), odds: 0, budget: 0 })
    }

    /// Faults by a plan.
    pub fn new(plan: Plan) -> Self {
        Self { plan, struck: 0, drawn: Vec::new() }
    }

    /// The odds and the number of faults come from the seed, so that runs differ in kind.
    pub fn seeded(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let odds = [0, 2, 4, 8, 16, 40][dice.roll(6)];
        let budget = 1 + dice.roll(60);
        Self::new(Plan::Seeded { dice, odds, budget })
    }

    /// Faults that have struck.
    pub fn struck(&self) -> usize {
        self.struck
    }

    /// The fault of an effect that is about to be performed.
    pub(super) fn strike(&mut self, number: u32, effect: &Effect) -> Fault {
        let Plan::Chosen { dice, odds, budget, faults } = &mut self.plan else { return self.of(number) };
        if *budget == 0 || !dice.once_in(*odds) {
            return Fault::None;
        }
        // Deaths end a run, so they are drawn less often than what it must survive.
        let death = dice.once_in(12);
        // What can happen anywhere would crowd out what only few effects can meet.
        let common = !death && dice.once_in(4);
        let is_common = |fault: Fault| fault.happens_anywhere() == common || fault.is_death();
        let fits = |fault: &&Fault| fault.is_death() == death && is_common(**fault) && fault.fits(effect);
        let fitting: Vec<Fault> = faults.iter().filter(fits).copied().collect();
        // The kind first: there are many statuses, and one way to tear a stage.
        let mut kinds: Vec<_> = fitting.iter().map(std::mem::discriminant).collect();
        kinds.dedup();
        let Some(kind) = kinds.get(dice.roll(kinds.len())) else { return Fault::None };
        let of_kind: Vec<Fault> =
            fitting.iter().filter(|fault| std::mem::discriminant(*fault) == *kind).copied().collect();
        let fault = of_kind[dice.roll(of_kind.len())];
        *budget -= 1;
        self.struck += 1;
        self.drawn.push(fault);
        fault
    }

    /// The fault of an effect, whatever it is.
    pub fn of(&mut self, number: u32) -> Fault {
        let fault = match &mut self.plan {
            Plan::At { effect, fault, lasting } if number == *effect || (*lasting && number > *effect) => *fault,
            Plan::At { .. } | Plan::Chosen { .. } => Fault::None,
            Plan::Seeded { dice, odds, budget } => {
                if *budget == 0 || !dice.once_in(*odds) {
                    return Fault::None;
                }
                *budget -= 1;
                // Deaths end a run, so they are drawn less often than what it must survive.
                let living = Fault::ALL.len() - Fault::DEATHS;
                let death = dice.once_in(12);
                if death { Fault::ALL[living + dice.roll(Fault::DEATHS)] } else { Fault::ALL[dice.roll(living)] }
            }
        };
        self.struck += usize::from(fault != Fault::None);
        fault
    }
}
