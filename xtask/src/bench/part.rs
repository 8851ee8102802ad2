//! The parts that must be processes of their own: the stopwatch around a client, the delaying relay, and the floors
//! of the scan and of the status. Nobody types them.

use super::{delay, ledger, stopwatch, tree};
use crate::failure::{Failure, Result};
use std::path::Path;

/// The command by which this program calls itself.
pub(crate) const PART: &str = "bench-part";

/// Plays one part.
pub(crate) fn part(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["measure", program, ..] => stopwatch::measure_here(program, &words[2..]),
        ["delay", milliseconds] => delay::relay(milliseconds),
        ["walk", folder] => tree::floor(Path::new(folder)),
        ["manifests", folder] => ledger::floor(Path::new(folder)),
        _ => Err(Failure::new("there is no such part")),
    }
}
