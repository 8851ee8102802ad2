//! Shows how far a transfer is: one bar with bytes and rate on a terminal, plain lines otherwise, nothing when quiet.
//!
//! The rule it keeps: at most ten updates a second on a terminal and one line a second elsewhere, whatever happens.

use std::collections::HashMap;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Voice;
use crate::report::{bytes_text, say};

/// Milliseconds between two updates of the bar.
const BAR_MS: u64 = 100;
/// Milliseconds between two plain lines.
const LINE_MS: u64 = 1000;

/// Milliseconds of a wait that people are told of.
const WAIT_SAID_MS_MIN: u64 = 900;

/// What is being shown.
pub(crate) struct Meter {
    form: Form,
    /// What the user reads: `hydrate`, `upload`.
    verb: &'static str,
    done: HashMap<String, Done>,
    objects: usize,
    objects_done: usize,
    bytes: u64,
    bytes_done: u64,
}

#[derive(Default)]
struct Done {
    bytes: u64,
    whole: bool,
}

enum Form {
    Bar { bar: ProgressBar, next: Instant },
    Lines { next: Instant },
    Silent,
}

impl Meter {
    /// For so many objects of so many bytes together.
    pub(crate) fn new(voice: &Voice, verb: &'static str, objects: usize, bytes: u64) -> Self {
        let form = if voice.quiet || voice.json || objects == 0 {
            Form::Silent
        } else if stderr().is_terminal() {
            Form::Bar { bar: bar(verb, bytes), next: Instant::now() }
        } else {
            Form::Lines { next: Instant::now() + Duration::from_millis(LINE_MS) }
        };
        Self { form, verb, done: HashMap::new(), objects, objects_done: 0, bytes, bytes_done: 0 }
    }

    /// One object moved. It may also move backwards: a transfer that broke begins again.
    pub(crate) fn moved(&mut self, name: &str, done: u64, total: u64) {
        if matches!(self.form, Form::Silent) {
            return;
        }
        let before = match self.done.get_mut(name) {
            Some(before) => before,
            None => self.done.entry(name.to_owned()).or_default(),
        };
        self.bytes_done = (self.bytes_done + done).saturating_sub(before.bytes);
        let whole = done >= total;
        match (before.whole, whole) {
            (false, true) => self.objects_done += 1,
            (true, false) => self.objects_done = self.objects_done.saturating_sub(1),
            _ => {}
        }
        *before = Done { bytes: done, whole };
        self.show();
    }

    /// A publish begins a phase.
    pub(crate) fn entered(&mut self, phase: &str) {
        match &self.form {
            Form::Bar { bar, .. } => bar.set_prefix(format!("{} {phase}", self.verb)),
            Form::Lines { .. } => say(&format!("{}: {phase}", self.verb)),
            Form::Silent => {}
        }
    }

    /// Nothing moves for a while. Short waits are not worth a word.
    pub(crate) fn waiting(&mut self, millis: u64) {
        if millis < WAIT_SAID_MS_MIN {
            return;
        }
        let text = format!("{}: no answer; trying again in {:.1} s", self.verb, millis as f64 / 1000.0);
        match &self.form {
            Form::Bar { bar, .. } => bar.set_message(text),
            Form::Lines { .. } => say(&text),
            Form::Silent => {}
        }
    }

    /// A line for people while the bar stands: it is printed above.
    pub(crate) fn say(&self, text: &str) {
        match &self.form {
            Form::Bar { bar, .. } => bar.suspend(|| say(text)),
            _ => say(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(self) {
        if let Form::Bar { bar, .. } = &self.form {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self) {
        match &mut self.form {
            Form::Bar { bar, next } => {
                let now = Instant::now();
                if now >= *next {
                    *next = now + Duration::from_millis(BAR_MS);
                    bar.set_message(format!("{}/{} objects", self.objects_done, self.objects));
                    bar.set_position(self.bytes_done);
                }
            }
            Form::Lines { next } => {
                let now = Instant::now();
                if now >= *next {
                    *next = now + Duration::from_millis(LINE_MS);
                    say(&format!(
                        "{}: {}/{} objects, {} of {}",
                        self.verb,
                        self.objects_done,
                        self.objects,
                        bytes_text(self.bytes_done),
                        bytes_text(self.bytes)
                    ));
                }
            }
            Form::Silent => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_bytes_add_up_even_backwards() {
        let mut meter = Meter {
            form: Form::Lines { next: Instant::now() + Duration::from_secs(3600) },
            ..Meter::new(&Voice { quiet: true, ..Voice::default() }, "hydrate", 2, 30)
        };
        for (name, done, total) in [("a", 5, 10), ("b", 20, 20), ("a", 0, 10), ("a", 10, 10), ("b", 20, 20)] {
            meter.moved(name, done, total);
        }
        assert_eq!((meter.bytes_done, meter.objects_done), (30, 2));
    }
}
