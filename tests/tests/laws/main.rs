//! The laws of the protocols, one surprising branch a test: a scripted server answers, and the transcript says what the
//! operation made of it.
//!
//! The traces are expect-tests: `UPDATE_EXPECT=1 cargo test -p hydrant-tests --test laws` writes them anew.

mod batches;
mod desk;
mod downloads;
mod ledger_replies;
mod limits;
mod locks;
mod logins;
mod native;
mod play;
mod publishing;
mod redirects;
mod refusals;
mod secrets;
mod stops;
mod uploads;
