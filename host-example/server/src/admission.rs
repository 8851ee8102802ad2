//! Who has a place among the connections, and who gives one up. Keeps two rules: strangers go before callers whom the
//! server let in, and the strangers of one address never take the places of all.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::guest::Guest;
use super::limits::Limits;

/// The places of the server.
pub(super) struct Admission {
    places_max: usize,
    share: usize,
    fresh: Duration,
    places: Mutex<Places>,
    /// Told whenever a place is free.
    freed: Notify,
}

#[derive(Default)]
struct Places {
    next: u64,
    /// Numbers grow, so whoever came first stands first.
    taken: BTreeMap<u64, (Peer, Arc<Guest>)>,
}

/// Where a connection comes from, as far as shares go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Peer(IpAddr);

impl Peer {
    /// Whoever has one address of IPv6 has all of its network.
    fn of(address: IpAddr) -> Peer {
        match address.to_canonical() {
            IpAddr::V6(long) => {
                let [a, b, c, d, ..] = long.segments();
                Peer(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            short => Peer(short),
        }
    }
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Arc<Admission> {
        Arc::new(Admission {
            places_max: limits.connections_max,
            share: limits.strangers_per_address_max,
            fresh: limits.fresh,
            places: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// A place for one more connection, as soon as somebody can give one up.
    pub(super) async fn enter(self: &Arc<Admission>, address: IpAddr) -> Place {
        loop {
            if let Some(place) = self.try_enter(address) {
                return place;
            }
            // Whoever is fresh now is not for long.
            tokio::time::timeout(self.fresh, self.freed.notified()).await.ok();
        }
    }

    fn try_enter(self: &Arc<Admission>, address: IpAddr) -> Option<Place> {
        let peer = Peer::of(address);
        let mut places = self.places();
        let mut going = places.over_its_share(peer, self.share, self.fresh);
        if going.is_empty() && places.taken.len() >= self.places_max {
            going.push(places.first_to_go(self.fresh)?);
        }
        for (_, guest) in going.iter().filter_map(|number| places.taken.remove(number)) {
            guest.ask_to_leave();
        }
        let number = places.next;
        places.next += 1;
        let guest = Arc::new(Guest::new());
        places.taken.insert(number, (peer, Arc::clone(&guest)));
        Some(Place { admission: Arc::clone(self), number, guest })
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// The oldest stranger of the address with the most of them; without strangers, who asks nothing for longest.
    fn first_to_go(&self, fresh: Duration) -> Option<u64> {
        let mut strangers: BTreeMap<Peer, (usize, u64)> = BTreeMap::new();
        let mut idle: Option<(Duration, u64)> = None;
        for (number, (peer, guest)) in &self.taken {
            if guest.age() < fresh {
                continue;
            }
            if guest.is_stranger() {
                strangers.entry(*peer).or_insert((0, *number)).0 += 1;
            } else if guest.is_idle() && guest.quiet() >= fresh {
                idle = idle.max(Some((guest.quiet(), *number)));
            }
        }
        let crowd = strangers.into_values().max_by_key(|(count, _)| *count);
        crowd.or(idle.map(|(_, number)| (1, number))).map(|(_, number)| number)
    }

    /// The oldest strangers of an address that has too many with the next one. Those who are fresh stay for now.
    fn over_its_share(&self, peer: Peer, share: usize, fresh: Duration) -> Vec<u64> {
        let strangers = self.taken.iter().filter(|(_, (from, guest))| *from == peer && guest.is_stranger());
        let too_many = (strangers.clone().count() + 1).saturating_sub(share);
        let oldest = strangers.take(too_many).filter(|(_, (_, guest))| guest.age() >= fresh);
        oldest.map(|(number, _)| *number).collect()
    }
}

/// A place that a connection has, given back when it is dropped.
pub(super) struct Place {
    admission: Arc<Admission>,
    number: u64,
    pub(super) guest: Arc<Guest>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.places().taken.remove(&self.number);
        self.admission.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Everybody may be asked to go at once.
    fn admission(places: usize, share: usize) -> Arc<Admission> {
        Admission::new(&Limits {
            connections_max: places,
            strangers_per_address_max: share,
            fresh: Duration::ZERO,
            ..Limits::default()
        })
    }

    fn from(admission: &Arc<Admission>, address: &str) -> Option<Place> {
        admission.try_enter(address.parse().expect("an address"))
    }

    fn is_in(place: &Place) -> bool {
        place.admission.places().taken.contains_key(&place.number)
    }

    #[test]
    fn strangers_go_first_the_oldest_of_the_largest_crowd() {
        let admission = admission(5, 5);
        let known = from(&admission, "10.0.0.1").expect("a place");
        known.guest.let_in();
        let single = from(&admission, "10.0.0.2").expect("a place");
        let crowd: Vec<Place> = (0..3).filter_map(|_| from(&admission, "10.0.0.3")).collect();
        let newcomer = from(&admission, "10.0.0.4").expect("room is made");
        assert!(!is_in(&crowd[0]), "the oldest of the crowd went");
        for stays in [&known, &single, &crowd[1], &crowd[2], &newcomer] {
            assert!(is_in(stays));
        }
    }

    #[test]
    fn callers_who_were_let_in_go_only_when_they_ask_nothing() {
        let admission = admission(2, 2);
        let (one, other) = (from(&admission, "::1").expect("a place"), from(&admission, "::1").expect("a place"));
        one.guest.let_in();
        other.guest.let_in();
        let turns = (one.guest.turn(false), other.guest.turn(false));
        assert!(from(&admission, "::2").is_none(), "both are at work");
        drop(turns.1);
        assert!(from(&admission, "::2").is_some());
        assert!(is_in(&one) && !is_in(&other));
    }

    #[test]
    fn an_address_has_a_share_which_callers_with_a_login_do_not_take() {
        let admission = admission(100, 2);
        let known: Vec<Place> = (0..5).filter_map(|_| from(&admission, "10.0.0.1")).collect();
        known.iter().for_each(|place| place.guest.let_in());
        assert_eq!(known.len(), 5);
        let strangers: Vec<Place> = (0..5).filter_map(|_| from(&admission, "10.0.0.1")).collect();
        assert_eq!(strangers.iter().filter(|place| is_in(place)).count(), 2);
        let known = (0..5).filter_map(|_| from(&admission, "10.0.0.1").inspect(|place| place.guest.let_in()));
        assert!(known.collect::<Vec<_>>().iter().all(is_in), "each was let in before the next came");
    }

    #[test]
    fn whoever_just_came_is_heard_first() {
        let limits = Limits { connections_max: 1, strangers_per_address_max: 1, ..Limits::default() };
        let admission = Admission::new(&Limits { fresh: Duration::from_secs(3600), ..limits });
        let first = from(&admission, "::1").expect("a place");
        assert!(from(&admission, "::1").is_none() && is_in(&first));
    }

    #[test]
    fn an_address_is_back_at_its_share_when_its_strangers_are_no_longer_fresh() {
        for places_max in [10, 100] {
            let fresh = Duration::from_millis(50);
            let limits = Limits { connections_max: places_max, strangers_per_address_max: 3, ..Limits::default() };
            let admission = Admission::new(&Limits { fresh, ..limits });
            let known = from(&admission, "10.0.0.1").expect("a place");
            known.guest.let_in();
            let other = from(&admission, "10.0.0.2").expect("a place");
            let mut strangers: Vec<Place> = (0..8).filter_map(|_| from(&admission, "10.0.0.1")).collect();
            while strangers.iter().any(|place| place.guest.age() < fresh) {
                thread::yield_now();
            }
            strangers.push(from(&admission, "10.0.0.1").expect("a place"));
            let stays: Vec<bool> = strangers.iter().map(is_in).collect();
            let (gone, stay) = stays.split_at(stays.len() - 3);
            assert!(gone.iter().all(|stays| !stays) && stay.iter().all(|stays| *stays), "{places_max} {stays:?}");
            assert!(is_in(&known) && is_in(&other), "{places_max}");
        }
    }

    #[test]
    fn one_network_is_one_peer() {
        for (one, other, same) in [
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            let peer = |text: &str| Peer::of(text.parse().expect("an address"));
            assert_eq!(peer(one) == peer(other), same, "{one} {other}");
        }
    }
}
