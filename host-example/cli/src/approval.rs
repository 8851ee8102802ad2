//! Asks the user on the terminal where only a commit names the server. Without a terminal the answer is no.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use hydrant_host::net::login::{Approver, Question};
use hydrant_host::text::plain;

/// Bytes of an answer at most.
const ANSWER_BYTES_MAX: u64 = 64;

/// The user at the terminal.
pub(crate) struct Terminal;

impl Approver for Terminal {
    fn approve(&self, place: &str, question: Question) -> bool {
        ask(place, question).unwrap_or(false)
    }
}

fn ask(place: &str, question: Question) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let place = plain(place);
    let named = format!("Only this repository's content names the server {place}.");
    let question = match question {
        Question::SendLogin => format!("{named} Send your login there?"),
        Question::SendFiles => format!("{named} Send files there?"),
        Question::AskForObjects => format!("{named} Ask it for objects?"),
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
