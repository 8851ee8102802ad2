//! Shows how far a task is: one bar with bytes and rate on a terminal, plain lines otherwise, events for programs,
//! nothing when quiet.
//!
//! The rule it keeps: at most ten updates a second on a terminal and for programs, and one line a second elsewhere,
//! whatever happens.

use std::io::{self, IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use hydrant_host::contract::report::phase_name;
use hydrant_host::contract::types::Phase;
use hydrant_host::driver::{Tally, Watch};
use hydrant_host::text::{bytes_text, harmless_json};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{OutputOptions, say};

/// Milliseconds between two updates of the bar, and between two events.
const BAR_MS: u64 = 100;
/// Milliseconds between two plain lines.
const LINE_MS: u64 = 1000;
/// Milliseconds of a wait that people are told of.
const WAIT_SAID_MS_MIN: u64 = 900;

/// Shows what runs, one piece of work after the other.
pub(crate) struct Meter {
    options: OutputOptions,
    form: Form,
    /// What the user reads: `hydrate`, `upload`.
    verb: &'static str,
    tally: Tally,
    next: Instant,
}

enum Form {
    Bar(ProgressBar),
    Lines,
    Events,
    Silent,
}

/// One line of `--json-lines` before the last, which is the document itself with `event` set to `report`.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// Work begins.
    Began {
        /// What is done: `hydrate`, `upload`, `publish`.
        task: &'a str,
        /// Objects.
        objects: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// It moves on, at most ten times a second. Bytes can go back, when a transfer begins again.
    Progress {
        /// What is done.
        task: &'a str,
        /// Objects that are done.
        objects_done: usize,
        /// Objects.
        objects: usize,
        /// Bytes that are done.
        bytes_done: u64,
        /// Bytes of all objects.
        bytes: u64,
    },
    /// A publish begins a phase.
    Phase {
        /// What is done.
        task: &'a str,
        /// Its phase.
        phase: &'a str,
    },
    /// The server does not answer; there is another try later.
    Waiting {
        /// What is done.
        task: &'a str,
        /// Milliseconds until then.
        wait_ms: u64,
    },
    /// Something worth knowing.
    Note {
        /// One sentence.
        detail: &'a str,
    },
    /// Something is not as it should be, and the work goes on.
    Warning {
        /// One sentence.
        detail: &'a str,
    },
}

impl Meter {
    pub(crate) fn new(options: &OutputOptions) -> Self {
        Self { options: options.clone(), form: Form::Silent, verb: "", tally: Tally::default(), next: Instant::now() }
    }

    fn show(&mut self) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let Tally { objects_done, objects, bytes_done, bytes, .. } = self.tally;
        let every_ms = match &self.form {
            Form::Bar(bar) => {
                bar.set_message(format!("{objects_done}/{objects} objects"));
                bar.set_position(bytes_done);
                BAR_MS
            }
            Form::Lines => {
                let (done, all) = (bytes_text(bytes_done), bytes_text(bytes));
                say(&format!("{}: {objects_done}/{objects} objects, {done} of {all}", self.verb));
                LINE_MS
            }
            Form::Events => {
                emit(&Event::Progress { task: self.verb, objects_done, objects, bytes_done, bytes });
                BAR_MS
            }
            Form::Silent => return,
        };
        self.next = now + Duration::from_millis(every_ms);
    }
}

impl Watch for Meter {
    fn began(&mut self, verb: &'static str, objects: usize, bytes: u64) {
        let options = self.options.clone();
        let now = Instant::now();
        let (form, next) = if options.json_lines {
            emit(&Event::Began { task: verb, objects, bytes });
            (Form::Events, now)
        } else if options.quiet || options.json || objects == 0 {
            (Form::Silent, now)
        } else if stderr().is_terminal() {
            (Form::Bar(bar(verb, bytes)), now)
        } else {
            (Form::Lines, now + Duration::from_millis(LINE_MS))
        };
        *self = Self { form, verb, tally: Tally::of(objects, bytes), next, ..Self::new(&options) };
    }

    /// It may also move backwards: a transfer that broke begins again.
    fn progress(&mut self, name: &str, done: u64, total: u64) {
        if !matches!(self.form, Form::Silent) {
            self.tally.add(name, done, total);
            self.show();
        }
    }

    fn entered(&mut self, phase: Phase) {
        let phase = phase_name(phase);
        match &self.form {
            Form::Bar(bar) => bar.set_prefix(format!("{} {phase}", self.verb)),
            Form::Lines => say(&format!("{}: {phase}", self.verb)),
            Form::Events => emit(&Event::Phase { task: self.verb, phase }),
            Form::Silent => {}
        }
    }

    /// Short waits are not worth a word.
    fn waiting(&mut self, millis: u64) {
        if millis < WAIT_SAID_MS_MIN {
            return;
        }
        let text = format!("{}: no answer; trying again in {:.1} s", self.verb, millis as f64 / 1000.0);
        match &self.form {
            Form::Bar(bar) => bar.set_message(text),
            Form::Lines => say(&text),
            Form::Events => emit(&Event::Waiting { task: self.verb, wait_ms: millis }),
            Form::Silent => {}
        }
    }

    fn noted(&mut self, text: &str) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| say(text)),
            _ if self.options.json_lines => emit(&Event::Note { detail: text }),
            _ if self.options.json || self.options.quiet => {}
            _ => say(text),
        }
    }

    fn warned(&mut self, text: &str) {
        match &self.form {
            // Printed above the bar.
            Form::Bar(bar) => bar.suspend(|| say(text)),
            _ if self.options.json_lines => emit(&Event::Warning { detail: text }),
            _ if self.options.json => {}
            _ => say(text),
        }
    }

    fn ended(&mut self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
        self.form = Form::Silent;
    }

    fn wants_trace(&self) -> bool {
        self.options.verbose
    }

    fn trace(&mut self, line: &str) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| say(line)),
            _ => say(line),
        }
    }
}

/// One line on standard output, which nothing else writes to before the task is over.
fn emit(event: &Event<'_>) {
    let line = serde_json::to_string(event).unwrap_or_default();
    // A reader that went away is no news; the last line tells of anything else.
    writeln!(io::stdout(), "{}", harmless_json(&line)).and_then(|()| io::stdout().flush()).ok();
}

fn bar(verb: &'static str, bytes: u64) -> ProgressBar {
    const TEMPLATE: &str = "{prefix} [{bar:28}] {bytes}/{total_bytes}  {binary_bytes_per_sec}  {msg}";
    // Whoever moves the bar keeps the pace; the target must not drop what it is given.
    let target = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(Some(bytes), target).with_prefix(verb);
    match ProgressStyle::with_template(TEMPLATE) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
