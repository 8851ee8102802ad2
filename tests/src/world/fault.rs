//! What can go wrong, and the two plans that decide when it does.

use super::{Dice, Rival};

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
    /// The server says that it has what it does not have.
    FalsePresent,
    /// The server says 2xx before it has all bytes.
    Early,
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
    pub const ALL: [Fault; 65] = [
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
        Fault::FalsePresent,
        Fault::Early,
        Fault::ChangedWhileSent,
        Fault::Conflict,
        Fault::Io,
        Fault::NoSpace,
        Fault::BadStage,
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
}

/// A plan at work.
#[derive(Clone, Debug)]
pub struct Faults {
    plan: Plan,
    struck: usize,
}

impl Faults {
    /// No faults at all.
    pub fn none() -> Self {
        Self::new(Plan::Seeded { dice: Dice(0), odds: 0, budget: 0 })
    }

    /// Faults by a plan.
    pub fn new(plan: Plan) -> Self {
        Self { plan, struck: 0 }
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

    /// The fault of an effect.
    pub fn of(&mut self, number: u32) -> Fault {
        let fault = match &mut self.plan {
            Plan::At { effect, fault, lasting } if number == *effect || (*lasting && number > *effect) => *fault,
            Plan::At { .. } => Fault::None,
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
