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

/// The policy of one run, set by its endpoint. Also the resolver the connections are made with.
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

/// The resolver of connections to a proxy of the user's: it knows that one name, wherever it lies.
pub struct ProxyName(pub String);

impl Resolve for ProxyName {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.0.eq_ignore_ascii_case(name.as_str());
        Box::pin(async move {
            if !is_proxy {
                return Err(LessPublic.into());
            }
            let addresses: Addrs = Box::new(lookup(name.as_str()).await?.into_iter());
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
    Ok(tokio::net::lookup_host((host, 0)).await?.collect())
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{AddressPolicy, ProxyName, Reach, is_loopback, reach, reaches};
    use reqwest::Url;
    use reqwest::dns::Resolve;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL of this test")
    }

    #[test]
    fn reach_of_addresses() {
        let table = [
            ("127.0.0.1", Reach::Loopback),
            ("127.255.255.254", Reach::Loopback),
            ("0.0.0.0", Reach::Loopback),
            ("::1", Reach::Loopback),
            ("::", Reach::Loopback),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("::127.0.0.1", Reach::Loopback),
            ("64:ff9b::7f00:1", Reach::Loopback),
            ("2002:7f00:1::", Reach::Loopback),
            ("10.1.2.3", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("172.32.0.1", Reach::Public),
            ("192.168.1.1", Reach::Private),
            ("169.254.169.254", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("100.128.0.1", Reach::Public),
            ("198.18.0.1", Reach::Private),
            ("224.0.0.1", Reach::Private),
            ("255.255.255.255", Reach::Private),
            ("::ffff:10.0.0.1", Reach::Private),
            ("64:ff9b::a9fe:a9fe", Reach::Private),
            ("64:ff9b:1::808:808", Reach::Private),
            ("fe80::1", Reach::Private),
            ("fd00::1", Reach::Private),
            ("ff02::1", Reach::Private),
            ("2001::1", Reach::Private),
            ("2001:4860:4860::8888", Reach::Public),
            ("8.8.8.8", Reach::Public),
            ("::ffff:8.8.8.8", Reach::Public),
            ("2606:4700::1111", Reach::Public),
        ];
        for (text, expected) in table {
            assert_eq!(reach(text.parse().expect("an address")), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn an_action_is_at_least_as_public_as_the_endpoint() {
        let table = [
            ("http://127.0.0.1:1/r", "http://127.0.0.1:2/o", true),
            ("http://127.0.0.1:1/r", "http://10.0.0.1/o", true),
            ("http://127.0.0.1:1/r", "https://8.8.8.8/o", true),
            ("http://localhost:1/r", "http://[::1]:2/o", true),
            ("http://10.0.0.1/r", "http://10.0.0.1:81/o", true),
            ("http://10.0.0.1/r", "http://127.0.0.1/o", false),
            ("http://10.0.0.1/r", "http://localhost/o", false),
            ("http://10.0.0.1/r", "http://localhost./o", false),
            ("http://10.0.0.1/r", "http://a.localhost/o", false),
            ("http://10.0.0.1/r", "http://192.168.0.1/o", true),
            ("https://8.8.8.8/r", "https://8.8.4.4/o", true),
            ("https://8.8.8.8/r", "http://169.254.169.254/latest", false),
            ("https://8.8.8.8/r", "http://[::ffff:7f00:1]/o", false),
            ("https://8.8.8.8/r", "http://2130706433/o", false),
            ("https://8.8.8.8/r", "http://0x7f.1/o", false),
            ("https://[2606:4700::1]/r", "https://[fd00::1]/o", false),
        ];
        for (endpoint, action, allowed) in table {
            let policy = AddressPolicy::new(Some(&url(endpoint)), Reach::Loopback);
            assert_eq!(policy.judge(&url(action)).await.is_ok(), allowed, "{endpoint} -> {action}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_on_what_they_resolve_to() {
        let public = AddressPolicy::new(Some(&url("https://8.8.8.8/r")), Reach::Loopback);
        assert!(public.allowed("localhost").await.is_err());
        let own = AddressPolicy::new(Some(&url("http://127.0.0.1/r")), Reach::Loopback);
        assert!(own.allowed("localhost").await.is_ok());
    }

    #[tokio::test]
    async fn the_most_public_address_of_the_endpoint_is_the_floor() {
        let at = |text: &str| SocketAddr::new(text.parse().expect("an address"), 0);
        let policy = AddressPolicy::new(Some(&url("https://lfs.invalid/r")), Reach::Loopback);
        assert_eq!(policy.learn(&[at("10.0.0.1"), at("8.8.8.8"), at("127.0.0.1")]), Reach::Public);
        // A later answer for the same name does not lower it.
        assert_eq!(policy.learn(&[at("127.0.0.1")]), Reach::Public);
        assert!(policy.judge(&url("https://10.0.0.1/o")).await.is_err());
    }

    #[tokio::test]
    async fn an_endpoint_of_somebody_elses_choice_is_judged_too() {
        let policy = AddressPolicy::new(Some(&url("http://127.0.0.1/r")), Reach::Public);
        assert!(policy.judge(&url("http://127.0.0.1/r")).await.is_err());
        assert!(policy.judge(&url("https://8.8.8.8/r")).await.is_ok());
        let named = AddressPolicy::new(Some(&url("http://localhost/r")), Reach::Private);
        assert!(named.allowed("localhost").await.is_err());
    }

    #[tokio::test]
    async fn names_that_a_proxy_resolves_must_pass_here() {
        let policy = AddressPolicy::new(Some(&url("https://8.8.8.8/r")), Reach::Loopback);
        assert!(policy.judge_proxied(&url("https://nobody.invalid/o")).await.is_ok());
        assert!(policy.judge(&url("https://localhost/o")).await.is_err());
    }

    #[tokio::test]
    async fn a_proxys_resolver_knows_the_proxy_alone() {
        let resolver = ProxyName("localhost".into());
        assert!(resolver.resolve("localhost".parse().expect("a name")).await.is_ok());
        assert!(resolver.resolve("elsewhere.invalid".parse().expect("a name")).await.is_err());
    }

    #[test]
    fn reaches_of_urls() {
        assert_eq!(reaches(&url("http://localhost/")), Some((Reach::Loopback, Reach::Loopback)));
        assert_eq!(reaches(&url("http://192.168.0.1/")), Some((Reach::Private, Reach::Private)));
        assert_eq!(reaches(&url("http://nobody.invalid/")), None);
    }

    #[test]
    fn loopback_urls() {
        assert!(is_loopback(&url("http://localhost:8080/")));
        assert!(is_loopback(&url("http://[::1]/")));
        assert!(is_loopback(&url("http://app.localhost:3000/")));
        assert!(!is_loopback(&url("http://10.0.0.1/")));
        assert!(!is_loopback(&url("http://localhost.example.com/")));
    }
}
