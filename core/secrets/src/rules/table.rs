//! The tokens that can be told by their looks. `docs/secrets.md` lists them for people.
//!
//! Each is written from what its provider publishes. Where a provider names no length, or says that it may change, the
//! pattern takes more of them. No two tell of the same text.

mod chat;
mod clouds;
mod code;
mod models;
mod payments;
mod services;

use super::{Check, Start, Token};

/// All of them.
pub const TOKENS: &[Token] = &joined();

const GROUPS: [&[Token]; 6] =
    [code::TOKENS, clouds::TOKENS, models::TOKENS, chat::TOKENS, payments::TOKENS, services::TOKENS];

const COUNT: usize = {
    let (mut group, mut count) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

const fn joined() -> [Token; COUNT] {
    let mut all = [PLAIN; COUNT];
    let (mut group, mut at) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            all[at] = GROUPS[group][row];
            at += 1;
            row += 1;
        }
        group += 1;
    }
    all
}

/// What most rows have in common.
const PLAIN: Token = Token {
    kind: "",
    what: "",
    source: "",
    begins: &[],
    start: Start::There,
    pattern: "",
    check: Check::NoPlaceholder,
};

/// Characters of base64.
fn base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}
