//! Which transfers go next: those ready, those in flight, those that wait for another try.
//!
//! The number in flight is small while the server is near, larger once it is far, and always small for large objects.

use crate::protocol::link::Link;
use crate::text::limits::{IN_FLIGHT_LARGE_MAX, IN_FLIGHT_MAX, IN_FLIGHT_NEAR_MAX, LARGE_BYTES_MIN};
use alloc::collections::{BinaryHeap, VecDeque};
use core::cmp::Reverse;

/// Numbers of objects, by what they wait for.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    ready_large: VecDeque<usize>,
    ready_small: VecDeque<usize>,
    in_flight: usize,
    in_flight_large: usize,
    settling: usize,
    /// By the tick at which they are due.
    waiting: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Scheduler {
    /// An object may be transferred.
    pub(crate) fn ready(&mut self, number: usize, size: u64) {
        if size >= LARGE_BYTES_MIN { self.ready_large.push_back(number) } else { self.ready_small.push_back(number) }
    }

    /// The next object to transfer, if the bounds allow one more.
    pub(crate) fn next(&mut self, link: &Link) -> Option<usize> {
        let width = width(link);
        if self.in_flight >= width || self.in_flight + self.settling >= 2 * width {
            return None;
        }
        if self.in_flight_large < IN_FLIGHT_LARGE_MAX
            && let Some(number) = self.ready_large.pop_front()
        {
            return Some(number);
        }
        self.ready_small.pop_front()
    }

    /// Whether more objects should be asked about, so that transfers never wait for answers.
    pub(crate) fn hungry(&self, link: &Link) -> bool {
        self.ready_large.len() + self.ready_small.len() < 2 * width(link)
    }

    /// A transfer began.
    pub(crate) fn began(&mut self, size: u64) {
        self.in_flight += 1;
        self.in_flight_large += usize::from(size >= LARGE_BYTES_MIN);
    }

    /// A transfer ended.
    pub(crate) fn ended(&mut self, size: u64) {
        self.in_flight -= 1;
        self.in_flight_large -= usize::from(size >= LARGE_BYTES_MIN);
    }

    /// The host is promoting or removing a stage: a slow disk must hold transfers back.
    pub(crate) fn settles(&mut self) {
        self.settling += 1;
    }

    /// The host has settled a stage.
    pub(crate) fn settled(&mut self) {
        self.settling -= 1;
    }

    /// Stages the host is settling.
    pub(crate) fn settling(&self) -> usize {
        self.settling
    }

    /// An object is tried again at this tick.
    pub(crate) fn later(&mut self, at: u64, number: usize) {
        self.waiting.push(Reverse((at, number)));
    }

    /// The next object that is due.
    pub(crate) fn due(&mut self, now: u64) -> Option<usize> {
        let Reverse((at, number)) = *self.waiting.peek()?;
        if at > now {
            return None;
        }
        self.waiting.pop();
        Some(number)
    }

    /// The tick at which the next object is due.
    pub(crate) fn wake(&self) -> Option<u64> {
        self.waiting.peek().map(|Reverse((at, _))| *at)
    }

    /// Forgets everything that is not in flight.
    pub(crate) fn clear(&mut self) {
        self.ready_large.clear();
        self.ready_small.clear();
        self.waiting.clear();
    }
}

/// Transfers worth having in flight now.
fn width(link: &Link) -> usize {
    let width = if link.is_far() { IN_FLIGHT_MAX as usize } else { IN_FLIGHT_NEAR_MAX };
    width.min(link.config.in_flight_max.max(1) as usize)
}
