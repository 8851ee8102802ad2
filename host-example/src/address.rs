//! Which addresses a request may reach: an action may not lead to a place less public than the endpoint itself.
//!
//! Rule: literals are judged before connecting, names are judged on what they resolve to, and only addresses that pass
//! are handed to the connector, so what was judged is what is connected to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

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
    /// Proxies the user configured: connected to by their own names, whatever the request is for.
    proxies: Vec<String>,
    floor: Mutex<Option<Reach>>,
}

impl AddressPolicy {
    /// A policy for requests that start from this endpoint. Without one, only public addresses pass.
    pub fn new(endpoint: Option<&Url>, proxies: Vec<String>) -> Arc<Self> {
        let floor = match endpoint {
            Some(url) => literal(url).map(reach),
            None => Some(Reach::Public),
        };
        let endpoint = endpoint.and_then(Url::host_str).map(str::to_owned);
        Arc::new(AddressPolicy { endpoint, proxies, floor: Mutex::new(floor) })
    }

    /// Judges the parts of a URL that need no resolving. Names are judged by the resolver.
    pub async fn judge(&self, url: &Url) -> Result<(), LessPublic> {
        let Some(address) = literal(url) else { return Ok(()) };
        if self.is_endpoint(url.host_str().unwrap_or_default()) || reach(address) >= self.floor().await {
            return Ok(());
        }
        Err(LessPublic)
    }

    fn is_endpoint(&self, host: &str) -> bool {
        self.endpoint.as_deref().is_some_and(|endpoint| endpoint.eq_ignore_ascii_case(host))
    }

    /// The floor, resolving the endpoint's name when no connection to it was made yet. A name that does not resolve
    /// here (a proxy resolves it) counts as public.
    async fn floor(&self) -> Reach {
        if let Some(floor) = *self.locked() {
            return floor;
        }
        let resolved = match &self.endpoint {
            Some(host) => lookup(host).await.unwrap_or_default(),
            None => Vec::new(),
        };
        self.learn(&resolved)
    }

    fn learn(&self, endpoint: &[SocketAddr]) -> Reach {
        let found = endpoint.iter().map(|address| reach(address.ip())).min().unwrap_or(Reach::Public);
        *self.locked().get_or_insert(found)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Reach>> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn allowed(&self, host: &str) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = lookup(host).await?;
        if self.is_endpoint(host) {
            self.learn(&found);
            return Ok(found);
        }
        if self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(host)) {
            return Ok(found);
        }
        let floor = self.floor().await;
        let passed: Vec<_> = found.into_iter().filter(|address| reach(address.ip()) >= floor).collect();
        if passed.is_empty() { Err(LessPublic.into()) } else { Ok(passed) }
    }
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

async fn lookup(host: &str) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.collect())
}

/// The address a URL spells out; `localhost` is this machine wherever it resolves to.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    if host.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a URL names this machine in words.
pub fn is_loopback(url: &Url) -> bool {
    literal(url).is_some_and(|address| reach(address) == Reach::Loopback)
}

#[cfg(test)]
mod tests {
    use super::{AddressPolicy, Reach, is_loopback, reach};
    use reqwest::Url;

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
            ("http://10.0.0.1/r", "http://192.168.0.1/o", true),
            ("https://8.8.8.8/r", "https://8.8.4.4/o", true),
            ("https://8.8.8.8/r", "http://169.254.169.254/latest", false),
            ("https://8.8.8.8/r", "http://[::ffff:7f00:1]/o", false),
            ("https://8.8.8.8/r", "http://2130706433/o", false),
            ("https://8.8.8.8/r", "http://0x7f.1/o", false),
            ("https://[2606:4700::1]/r", "https://[fd00::1]/o", false),
        ];
        for (endpoint, action, allowed) in table {
            let policy = AddressPolicy::new(Some(&url(endpoint)), Vec::new());
            assert_eq!(policy.judge(&url(action)).await.is_ok(), allowed, "{endpoint} -> {action}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_on_what_they_resolve_to() {
        let public = AddressPolicy::new(Some(&url("https://8.8.8.8/r")), Vec::new());
        assert!(public.allowed("localhost").await.is_err());
        let own = AddressPolicy::new(Some(&url("http://127.0.0.1/r")), Vec::new());
        assert!(own.allowed("localhost").await.is_ok());
        let proxied = AddressPolicy::new(Some(&url("https://8.8.8.8/r")), vec!["localhost".into()]);
        assert!(proxied.allowed("localhost").await.is_ok());
    }

    #[test]
    fn loopback_urls() {
        assert!(is_loopback(&url("http://localhost:8080/")));
        assert!(is_loopback(&url("http://[::1]/")));
        assert!(!is_loopback(&url("http://10.0.0.1/")));
        assert!(!is_loopback(&url("http://localhost.example.com/")));
    }
}
