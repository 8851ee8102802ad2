//! The memory that requests hold, of all connections together. Keeps two rules: what is not counted is small and of a
//! fixed number, and when memory runs out, who has held it for longest gives it up.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::Notify;

use super::guest::Guest;
use super::limits::Limits;

/// All of it.
pub(super) struct Budget {
    bytes_max: usize,
    fresh: Duration,
    patience: Duration,
    leases: Mutex<Leases>,
    /// Told whenever memory is given back.
    freed: Notify,
}

#[derive(Default)]
struct Leases {
    next: u64,
    bytes: usize,
    held: BTreeMap<u64, Holding>,
}

struct Holding {
    bytes: usize,
    /// When it first got any.
    since: Instant,
    guest: Arc<Guest>,
}

/// Memory that is not there in time.
#[derive(Debug)]
pub(super) struct Exhausted;

/// A lease that is still waited for.
pub(super) type Waiting = Pin<Box<dyn Future<Output = Result<Lease, Exhausted>> + Send + Sync>>;

impl Budget {
    pub(super) fn new(limits: &Limits) -> Arc<Budget> {
        Arc::new(Budget {
            bytes_max: limits.memory_bytes_max,
            fresh: limits.fresh,
            patience: limits.patience,
            leases: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// A lease that holds nothing yet.
    pub(super) fn lease(self: &Arc<Budget>, guest: &Arc<Guest>) -> Lease {
        let mut leases = self.leases();
        let number = leases.next;
        leases.next += 1;
        leases.held.insert(number, Holding { bytes: 0, since: Instant::now(), guest: Arc::clone(guest) });
        Lease { budget: Arc::clone(self), number }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory of one request, given back when it is dropped.
pub(super) struct Lease {
    budget: Arc<Budget>,
    number: u64,
}

impl Lease {
    /// Takes so much more if it is there; if not, somebody else is asked to go.
    pub(super) fn try_grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let mut leases = self.budget.leases();
        if leases.bytes + bytes > self.budget.bytes_max {
            // An empty lease holds nothing back.
            let held = leases.held.values().filter(|holding| holding.bytes > 0);
            let longest = held.min_by_key(|holding| holding.since);
            if let Some(longest) = longest.filter(|holding| holding.since.elapsed() >= self.budget.fresh) {
                longest.guest.ask_to_leave();
            }
            return Err(Exhausted);
        }
        leases.bytes += bytes;
        if let Some(holding) = leases.held.get_mut(&self.number) {
            // Who had to wait for it has not held it meanwhile.
            if holding.bytes == 0 {
                holding.since = Instant::now();
            }
            holding.bytes += bytes;
        }
        Ok(())
    }

    /// Takes so much more, and waits for it, but not for long.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if self.try_grow(bytes).is_ok() {
            return Ok(());
        }
        let budget = Arc::clone(&self.budget);
        let deadline = Instant::now() + budget.patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Exhausted);
            }
            let freed = budget.freed.notified();
            // Whoever holds memory freshly now does not for long.
            tokio::time::timeout(budget.fresh.min(left), freed).await.ok();
            if self.try_grow(bytes).is_ok() {
                // There may be enough for the next one as well.
                budget.freed.notify_one();
                return Ok(());
            }
        }
    }

    /// The same, for who polls.
    pub(super) fn grown(mut self, bytes: usize) -> Waiting {
        Box::pin(async move { self.grow(bytes).await.map(|()| self) })
    }

    /// Binds the lease to the bytes it is for.
    pub(super) fn bind(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Leased { bytes, _lease: self })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leases = self.budget.leases();
        if let Some(holding) = leases.held.remove(&self.number) {
            leases.bytes -= holding.bytes;
        }
        drop(leases);
        self.budget.freed.notify_one();
    }
}

/// Bytes that give their memory back when the last reader has let go.
struct Leased {
    bytes: Vec<u8>,
    _lease: Lease,
}

impl AsRef<[u8]> for Leased {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(fresh: Duration) -> Arc<Budget> {
        let patience = Duration::from_millis(1);
        Budget::new(&Limits { memory_bytes_max: 100, fresh, patience, ..Limits::default() })
    }

    fn asked_to_leave(guest: &Arc<Guest>) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let forever = Duration::from_secs(3600);
        let limits = Limits { head: forever, idle: forever, ..Limits::default() };
        let asked = async { tokio::time::timeout(Duration::ZERO, guest.must_go(&limits)).await.is_ok() };
        runtime.block_on(asked)
    }

    #[test]
    fn all_connections_share_one_budget_and_give_back() {
        let budget = budget(Duration::ZERO);
        let (one, other) = (Arc::new(Guest::new()), Arc::new(Guest::new()));
        let mut first = budget.lease(&one);
        first.try_grow(60).expect("it fits");
        let mut second = budget.lease(&other);
        second.try_grow(40).expect("it fits");
        assert!(second.try_grow(1).is_err());
        drop(first);
        second.try_grow(60).expect("it was given back");
        let bytes = second.bind(vec![0; 10]);
        let part = bytes.slice(2..3);
        drop(bytes);
        assert_eq!(budget.leases().bytes, 100, "a part is still read");
        drop(part);
        let leases = budget.leases();
        assert_eq!((leases.bytes, leases.held.len()), (0, 0));
    }

    #[test]
    fn who_has_held_for_longest_is_asked_to_go() {
        let forever = Duration::from_secs(3600);
        for (fresh, order, goes) in [
            (Duration::ZERO, [1, 2, 3], Some(1)),
            (Duration::ZERO, [3, 1, 2], Some(3)),
            (Duration::ZERO, [2, 3, 1], Some(2)),
            (forever, [1, 2, 3], None),
        ] {
            let budget = budget(fresh);
            let guests: Vec<Arc<Guest>> = (0..4).map(|_| Arc::new(Guest::new())).collect();
            let mut leases: Vec<Lease> = guests.iter().map(|guest| budget.lease(guest)).collect();
            for holder in order {
                leases[holder].try_grow(30).expect("it fits");
                let now = Instant::now();
                while now.elapsed().is_zero() {}
            }
            assert!(leases[3].try_grow(30).is_err());
            let asked: Vec<usize> = (0..guests.len()).filter(|one| asked_to_leave(&guests[*one])).collect();
            assert_eq!(asked, Vec::from_iter(goes), "the first holds nothing");
        }
    }
}
