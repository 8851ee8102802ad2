//! Which addresses a request may reach: an action may not lead to a place less public than the endpoint itself.
//!
//! Rule: literals are judged before connecting, names are judged on what they resolve to, and only addresses that pass
//! are handed to the connector, so what was judged is what is connected to. Where a proxy resolves, a name must pass on
//! what it means here.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::timeout;

/// Milliseconds a name may take to be looked up where the answer is only a second opinion.
const LOOKUP_MS_MAX: u64 = 3000;
/// Names whose judgement is remembered.
const JUDGED_NAMES_MAX: usize = 1024;

/// How far an address reaches, from this machine outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This machine.
    Loopback,
    /// Link-local, private, shared and unique-local networks, and what is no unicast address at all.
    Private,
    /// Everybody's network.
    Public,
}

/// The reach of an address, looked at through every form that carries an IPv4 address inside.
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // "This network" reaches this machine on Linux.
        (127 | 0, ..) => Reach::Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (169, 254, _) => Reach::Private,
        // Shared (carrier) networks, protocol assignments, benchmarking.
        (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _) => Reach::Private,
        // Multicast, reserved, broadcast.
        (224.., ..) => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if address.is_loopback() || address.is_unspecified() {
        return Reach::Loopback;
    }
    if let Some(inner) = carried_v4(address) {
        return reach_v4(inner);
    }
    match address.segments()[0] {
        // Unique-local, link-local, the old site-local, multicast, and the local-use translation prefix.
        0xfc00..=0xfdff | 0xfe80..=0xfeff | 0xff00..=0xffff => Reach::Private,
        _ if matches!(address.segments(), [0x64, 0xff9b, 1, ..]) => Reach::Private,
        // Teredo: the packets go wherever the relay inside the address says.
        _ if matches!(address.segments(), [0x2001, 0, ..]) => Reach::Private,
        _ => Reach::Public,
    }
}

/// The IPv4 address inside a mapped, compatible, translated (NAT64) or 6to4 address.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let pair = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => Some(pair(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(pair(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(pair(high, low)),
        [0x2002, high, low, ..] => Some(pair(high, low)),
        _ => None,
    }
}

/// The policy refused an address before any connection.
#[derive(Debug)]
pub struct LessPublic;

impl fmt::Display for LessPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address is less public than the server that named it")
    }
}

impl std::error::Error for LessPublic {}

/// The name service says that there is no host of this name. It does not change from one second to the next.
#[derive(Debug)]
pub struct UnknownHost(String);

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no host {}: is the address spelled right, and is the network up?", self.0)
    }
}

impl std::error::Error for UnknownHost {}

/// The policy of one run, set by its endpoint. Also the resolver of direct connections.
pub struct AddressPolicy {
    endpoint: Option<String>,
    /// Nothing below this passes, not even the endpoint.
    least: Reach,
    floor: Mutex<Option<Reach>>,
    /// Names that a proxy resolves, and whether they passed here.
    judged: Mutex<HashMap<String, bool>>,
}

impl AddressPolicy {
    /// A policy for requests that start from this endpoint. Without one, only public addresses pass. `least` binds the
    /// endpoint itself: it is above `Loopback` where somebody else than the user named it.
    pub fn new(endpoint: Option<&Url>, least: Reach) -> Arc<Self> {
        let floor = match endpoint {
            Some(url) => literal(url).map(|address| reach(address).max(least)),
            None => Some(Reach::Public),
        };
        let endpoint = endpoint.and_then(Url::host_str).map(str::to_owned);
        Arc::new(AddressPolicy { endpoint, least, floor: Mutex::new(floor), judged: Mutex::default() })
    }

    /// Judges the parts of a URL that need no resolving. Names are judged by the resolver.
    pub async fn judge(&self, url: &Url) -> Result<(), LessPublic> {
        let Some(address) = literal(url) else { return Ok(()) };
        if reach(address) >= self.floor().await { Ok(()) } else { Err(LessPublic) }
    }

    /// Judges the name of a URL that a proxy will resolve. A name that means nothing here passes: only the proxy knows.
    pub async fn judge_proxied(&self, url: &Url) -> Result<(), LessPublic> {
        let Some(host) = url.host_str().filter(|_| literal(url).is_none()) else { return Ok(()) };
        let known = locked(&self.judged).get(host).copied();
        let passes = match known {
            Some(passes) => passes,
            None => {
                let passes = self.passes_here(host).await;
                let mut judged = locked(&self.judged);
                if judged.len() < JUDGED_NAMES_MAX {
                    judged.insert(host.to_owned(), passes);
                }
                passes
            }
        };
        if passes { Ok(()) } else { Err(LessPublic) }
    }

    async fn passes_here(&self, host: &str) -> bool {
        let found = opinion(host).await;
        let floor = self.floor().await;
        let mut above = found.iter().map(|address| reach(address.ip()) >= floor);
        // The endpoint was named by the user, so one good address is enough.
        found.is_empty() || if self.is_endpoint(host) { above.any(|it_is| it_is) } else { above.all(|it_is| it_is) }
    }

    fn is_endpoint(&self, host: &str) -> bool {
        self.endpoint.as_deref().is_some_and(|endpoint| endpoint.eq_ignore_ascii_case(host))
    }

    /// The floor, resolving the endpoint's name when no connection to it was made yet. A name that does not resolve
    /// here (a proxy resolves it) counts as public.
    async fn floor(&self) -> Reach {
        if let Some(floor) = *locked(&self.floor) {
            return floor;
        }
        let resolved = match &self.endpoint {
            Some(host) => opinion(host).await,
            None => Vec::new(),
        };
        self.learn(&resolved)
    }

    /// The first resolution of the endpoint's name decides: its most public address is the floor, for later
    /// resolutions of the same name, too. Who controls the name cannot lower it by adding an inner address.
    fn learn(&self, endpoint: &[SocketAddr]) -> Reach {
        let found = endpoint.iter().map(|address| reach(address.ip())).max().unwrap_or(Reach::Public);
        *locked(&self.floor).get_or_insert(found.max(self.least))
    }

    async fn allowed(&self, host: &str) -> Result<Vec<SocketAddr>, Refusal> {
        let mut found = lookup(host).await?;
        if is_local_name(host) {
            found.retain(|address| reach(address.ip()) == Reach::Loopback);
        }
        let floor = if self.is_endpoint(host) { self.learn(&found) } else { self.floor().await };
        found.retain(|address| reach(address.ip()) >= floor);
        if found.is_empty() { Err(LessPublic.into()) } else { Ok(found) }
    }
}

type Refusal = Box<dyn std::error::Error + Send + Sync>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The policy as the connector's resolver.
pub struct Resolver(pub Arc<AddressPolicy>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = policy.allowed(name.as_str()).await?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// The resolver of connections to a proxy of the user's: it knows that one name, wherever it lies. Others are looked up
/// for a proxy that wants addresses, where the policy allows it.
pub struct ProxyName {
    /// The proxy.
    pub name: String,
    /// What other names are judged by; none where the proxy resolves them.
    pub policy: Option<Arc<AddressPolicy>>,
}

impl Resolve for ProxyName {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.name.eq_ignore_ascii_case(name.as_str());
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = match policy {
                _ if is_proxy => lookup(name.as_str()).await?,
                Some(policy) => policy.allowed(name.as_str()).await?,
                None => return Err(LessPublic.into()),
            };
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// What a name means here, when that is known soon.
async fn opinion(host: &str) -> Vec<SocketAddr> {
    match timeout(Duration::from_millis(LOOKUP_MS_MAX), lookup(host)).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

async fn lookup(host: &str) -> std::io::Result<Vec<SocketAddr>> {
    match tokio::net::lookup_host((host, 0)).await {
        Ok(found) => Ok(found.collect()),
        Err(error) if says_unknown(&error.to_string()) => {
            Err(std::io::Error::new(std::io::ErrorKind::NotFound, UnknownHost(host.to_owned())))
        }
        Err(error) => Err(error),
    }
}

/// Whether a name service says that it knows no such host. A service that failed says something else: it is asked
/// again. Each platform has a number of its own for this, and its own words.
fn says_unknown(words: &str) -> bool {
    const UNKNOWN: [&str; 6] = [
        "not known",
        "No address associated",
        "nodename nor servname",
        "No such host",
        // musl's.
        "does not resolve",
        "no usable address",
    ];
    UNKNOWN.iter().any(|unknown| words.contains(unknown))
}

/// Host and port of a URL that leads to this machine by its own words.
pub(crate) fn on_this_machine(url: &Url) -> Option<String> {
    literal(url).filter(|address| reach(*address) == Reach::Loopback)?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// The address a URL spells out; names for this machine are this machine.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    if is_local_name(host) {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// `localhost` and what lies below it: set aside for this machine, whatever a name server says.
fn is_local_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// How far the addresses of a URL's host reach, looked up at once: the least and the most public one. None when the
/// name means nothing here.
pub fn reaches(url: &Url) -> Option<(Reach, Reach)> {
    if let Some(address) = literal(url) {
        return Some((reach(address), reach(address)));
    }
    let found: Vec<Reach> = (url.host_str()?, 0).to_socket_addrs().ok()?.map(|address| reach(address.ip())).collect();
    Some((*found.iter().min()?, *found.iter().max()?))
}

/// Whether a URL names this machine in words.
pub fn is_loopback(url: &Url) -> bool {
    literal(url).is_some_and(|address| reach(address) == Reach::Loopback)
}

/// Whether a URL is plain http to another machine.
pub(crate) fn is_plain_abroad(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

#[cfg(test)]
mod tests;
