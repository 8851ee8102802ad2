//! Asks the user on the terminal where only a commit names the server, once for each question. Without a terminal the
//! answer is no.

use std::collections::HashMap;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::sync::{Mutex, PoisonError};

use hydrant_host::net::login::{Approver, Question};
use hydrant_host::text::plain;

/// Bytes of an answer at most.
const ANSWER_BYTES_MAX: u64 = 64;

/// How the question never comes again.
const FOR_GOOD: &str = "`git config lfs.url URL` says yes for good.";

/// The user at the terminal, and what was answered in this run.
#[derive(Default)]
pub(crate) struct Terminal(Mutex<HashMap<(String, Question), bool>>);

impl Approver for Terminal {
    fn approve(&self, place: &str, question: Question) -> bool {
        self.once(place, question, ask)
    }
}

impl Terminal {
    fn once(&self, place: &str, question: Question, ask: impl FnOnce(&str, Question) -> io::Result<bool>) -> bool {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((place.to_owned(), question)).or_insert_with(|| ask(place, question).unwrap_or(false))
    }
}

fn ask(place: &str, question: Question) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let place = plain(place);
    let named = format!("Only this repository's content names the server {place}.");
    let question = match question {
        Question::SendLogin => format!("{named} {FOR_GOOD} Send your login there?"),
        Question::SendFiles => format!("{named} {FOR_GOOD} Send files there?"),
        Question::AskForObjects => format!("{named} {FOR_GOOD} Ask it for objects?"),
        Question::SendBroughtLogin => {
            format!("This repository brings a login for the server {place}. Send it there, from now on?")
        }
    };
    write!(io::stderr(), "{question} [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_is_asked_once() {
        let user = Terminal::default();
        let never = |_: &str, _| -> io::Result<bool> { panic!("it was asked again") };
        for (answer, place) in [(true, "https://a.test/r"), (false, "https://b.test/r")] {
            assert_eq!(user.once(place, Question::SendFiles, |_, _| Ok(answer)), answer);
            assert_eq!(user.once(place, Question::SendFiles, never), answer);
            // To send files somewhere is not to send a login there.
            assert_eq!(user.once(place, Question::SendLogin, |_, _| Ok(!answer)), !answer);
        }
    }
}
