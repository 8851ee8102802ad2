//! The connections: one client for plain requests, and one with certificates that is made when the first https URL
//! comes, because reading the system's certificates takes longer than a small download.

use std::cell::OnceCell;
use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url};
use rustls::{ClientConfig, RootCertStore};

use crate::contract::error::HostError;
use crate::contract::failure::failed;
use crate::contract::types::{Failed, Failure};
use crate::net::address::{AddressPolicy, LessPublic, ProxyName, Reach, Resolver, is_loopback};
use crate::net::failure::of_http;
use crate::net::login::Origin;

/// Seconds a connection may take to be made.
const CONNECT_S_MAX: u64 = 30;
/// Seconds an idle connection is kept.
const POOL_IDLE_S: u64 = 60;
/// Bytes of one HTTP/2 stream that may be on the way unread.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of one HTTP/2 connection that may be on the way unread.
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// Bytes of a certificate file at most.
const CA_FILE_BYTES_MAX: u64 = 4 << 20;
/// What the requests call themselves.
const AGENT: &str = concat!("hydrant/", env!("CARGO_PKG_VERSION"));
/// Never asked through a proxy.
const LOOPBACK_NAMES: &str = "localhost,127.0.0.0/8,::1";

/// What the user's settings say about the network.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Plain http to other machines is allowed.
    pub insecure_http: bool,
    /// Files of more certificates to trust, in PEM: git's `http.sslCAInfo`, `GIT_SSL_CAINFO`.
    pub ca_files: Vec<PathBuf>,
    /// git's `http.proxy`; it wins over the environment. The empty text means no proxy.
    pub proxy: Option<String>,
    /// What the settings say for the endpoint's origin alone, instead of the two above: git's `http.<url>.*`.
    pub of_endpoint: Option<Way>,
    /// The endpoint itself may not be less public than this.
    pub endpoint_reach_min: Reach,
    /// Time a connection may take to be made.
    pub connect_timeout: Duration,
}

/// Settings of the way to one server.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// Files of more certificates to trust there.
    pub ca_files: Vec<PathBuf>,
    /// The proxy. The empty text means none, nothing means the environment's.
    pub proxy: Option<String>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            insecure_http: false,
            ca_files: Vec::new(),
            proxy: None,
            of_endpoint: None,
            endpoint_reach_min: Reach::Loopback,
            connect_timeout: Duration::from_secs(CONNECT_S_MAX),
        }
    }
}

/// The connections of one host and their policy.
pub(crate) struct Http {
    options: HttpOptions,
    policy: Arc<AddressPolicy>,
    lines: Lines,
    /// The endpoint's origin, where it has lines of its own.
    endpoint: Option<(Origin, Lines)>,
}

/// The ways to servers under the same settings, each made when it is needed first.
struct Lines {
    ca_files: Vec<PathBuf>,
    proxies: Vec<Route>,
    matcher: Matcher,
    plain: OnceCell<Client>,
    secure: OnceCell<Client>,
}

/// A proxy and the scheme of the requests it is for.
struct Route {
    scheme: &'static str,
    proxy: Url,
    client: OnceCell<Client>,
}

impl Http {
    pub(crate) fn new(endpoint: Option<&Url>, options: HttpOptions) -> Result<Http, HostError> {
        let own = match (endpoint, &options.of_endpoint) {
            (Some(url), Some(way)) => Some((Origin::of(url)?, Lines::new(way.proxy.as_deref(), &way.ca_files)?)),
            _ => None,
        };
        let lines = Lines::new(options.proxy.as_deref(), &options.ca_files)?;
        let policy = AddressPolicy::new(endpoint, options.endpoint_reach_min);
        Ok(Http { options, policy, lines, endpoint: own })
    }

    /// A URL the policy lets through.
    pub(crate) async fn admit(&self, text: &str) -> Result<Url, Failed> {
        let url = Url::parse(text).map_err(|_| failed(Failure::Blocked, "this is not an absolute URL"))?;
        let readable = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !readable || !url.username().is_empty() || url.password().is_some() {
            return Err(failed(Failure::Blocked, "only http and https URLs without a login inside are requested"));
        }
        if url.scheme() == "http" && !self.options.insecure_http && !is_loopback(&url) {
            return Err(failed(Failure::Blocked, "plain http is only spoken to this machine"));
        }
        let blocked = |less: LessPublic| failed(Failure::Blocked, &less.to_string());
        self.policy.judge(&url).await.map_err(blocked)?;
        if self.lines_to(&url).proxy(&url).is_some() {
            self.policy.judge_proxied(&url).await.map_err(blocked)?;
        }
        Ok(url)
    }

    /// The client for this URL, made when it is needed first.
    pub(crate) fn client_for(&self, url: &Url) -> Result<Client, Failed> {
        let lines = self.lines_to(url);
        match (lines.proxy(url), url.scheme()) {
            (Some(route), _) => kept(&route.client, || self.make_proxied(lines, route)),
            (None, "http") => kept(&lines.plain, || self.make_plain()),
            (None, _) => kept(&lines.secure, || self.make_secure(lines)),
        }
    }

    /// Settings for the endpoint's origin are for no other.
    fn lines_to(&self, url: &Url) -> &Lines {
        match &self.endpoint {
            Some((origin, lines)) if Origin::of(url).is_ok_and(|of_url| of_url == *origin) => lines,
            _ => &self.lines,
        }
    }

    fn make_plain(&self) -> Result<Client, Failed> {
        // No certificate is trusted, because none is ever asked for.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(Failure::Io, &error.to_string()))?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let builder = self.builder().dns_resolver(Resolver(Arc::clone(&self.policy)));
        builder.tls_backend_preconfigured(tls).no_proxy().build().map_err(of_http)
    }

    fn make_secure(&self, lines: &Lines) -> Result<Client, Failed> {
        let builder = self.with_certificates(lines)?.dns_resolver(Resolver(Arc::clone(&self.policy)));
        builder.no_proxy().build().map_err(of_http)
    }

    fn make_proxied(&self, lines: &Lines, route: &Route) -> Result<Client, Failed> {
        let name = route.proxy.host_str().unwrap_or_default().to_owned();
        let proxy = Proxy::all(route.proxy.clone()).map_err(of_http)?;
        let builder = self.with_certificates(lines)?.dns_resolver(ProxyName(name));
        builder.no_proxy().proxy(proxy).build().map_err(of_http)
    }

    fn with_certificates(&self, lines: &Lines) -> Result<ClientBuilder, Failed> {
        // Fails only when somebody installed a provider before, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut more = Vec::new();
        for file in lines.ca_files.iter().chain(&ca_file_of_environment()) {
            more.extend(certificates(file)?);
        }
        let builder = self.builder();
        Ok(if more.is_empty() { builder } else { builder.tls_certs_merge(more) })
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.options.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(POOL_IDLE_S))
            .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
    }
}

impl Lines {
    fn new(proxy: Option<&str>, ca_files: &[PathBuf]) -> Result<Lines, HostError> {
        let proxies = routes(proxy)?;
        let mut matcher = Matcher::builder().no(exceptions());
        for route in &proxies {
            let text = route.proxy.as_str().to_owned();
            matcher = if route.scheme == "http" { matcher.http(text) } else { matcher.https(text) };
        }
        let (plain, secure) = (OnceCell::new(), OnceCell::new());
        Ok(Lines { ca_files: ca_files.to_vec(), proxies, matcher: matcher.build(), plain, secure })
    }

    /// The proxy that a request for this URL goes through.
    fn proxy(&self, url: &Url) -> Option<&Route> {
        let route = self.proxies.iter().find(|route| route.scheme == url.scheme())?;
        let uri: http::Uri = url.as_str().parse().ok()?;
        self.matcher.intercept(&uri).map(|_| route)
    }
}

fn kept(slot: &OnceCell<Client>, make: impl FnOnce() -> Result<Client, Failed>) -> Result<Client, Failed> {
    if let Some(client) = slot.get() {
        return Ok(client.clone());
    }
    let client = make()?;
    Ok(slot.get_or_init(|| client).clone())
}

/// Which proxies the user configured: git's own setting, else the environment as curl reads it.
fn routes(configured: Option<&str>) -> Result<Vec<Route>, HostError> {
    let mut routes = Vec::new();
    for (scheme, names) in [
        // Never HTTP_PROXY in capitals: a web server can set it from a request's header.
        ("http", ["http_proxy", "all_proxy", "ALL_PROXY"].as_slice()),
        ("https", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].as_slice()),
    ] {
        let named = match configured {
            Some(proxy) => Some(proxy.to_owned()),
            None => names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty())),
        };
        let Some(text) = named.filter(|text| !text.is_empty()) else { continue };
        let full = if text.contains("://") { text } else { format!("http://{text}") };
        let proxy = Url::parse(&full).map_err(|_| HostError::local("the configured proxy is not a URL"))?;
        if !matches!(proxy.scheme(), "http" | "https") {
            return Err(HostError::local("only http and https proxies are supported"));
        }
        routes.push(Route { scheme, proxy, client: OnceCell::new() });
    }
    Ok(routes)
}

fn exceptions() -> String {
    let named = env::var("no_proxy").or_else(|_| env::var("NO_PROXY")).unwrap_or_default();
    format!("{LOOPBACK_NAMES},{named}")
}

fn ca_file_of_environment() -> Option<PathBuf> {
    env::var_os("GIT_SSL_CAINFO").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Failed> {
    let unusable = || failed(Failure::Io, "the configured certificate file cannot be read");
    let mut pem = Vec::new();
    let opened = fs::File::open(file).map_err(|_| unusable())?;
    opened.take(CA_FILE_BYTES_MAX).read_to_end(&mut pem).map_err(|_| unusable())?;
    Certificate::from_pem_bundle(&pem).map_err(|_| unusable())
}

#[cfg(test)]
mod tests {
    use super::{Http, HttpOptions, Lines, Way};
    use reqwest::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL of this test")
    }

    #[test]
    fn settings_of_the_endpoint_are_for_its_origin_alone() {
        let way = Way { ca_files: vec!["own.pem".into()], proxy: Some("http://own.invalid:1".into()) };
        let options = HttpOptions { of_endpoint: Some(way), proxy: Some(String::new()), ..HttpOptions::default() };
        let http = Http::new(Some(&url("https://lfs.invalid/r")), options).expect("settings");
        let proxy = |text: &str| http.lines_to(&url(text)).proxy(&url(text)).map(|route| route.proxy.to_string());
        assert_eq!(proxy("https://lfs.invalid/other").as_deref(), Some("http://own.invalid:1/"));
        assert_eq!(http.lines_to(&url("https://lfs.invalid/")).ca_files.len(), 1);
        assert_eq!(proxy("https://lfs.invalid:444/"), None);
        assert!(http.lines_to(&url("https://store.invalid/")).ca_files.is_empty());
    }

    #[test]
    fn this_machine_is_never_asked_through_a_proxy() {
        let lines = Lines::new(Some("proxy.invalid:8080"), &[]).expect("settings");
        assert!(lines.proxy(&url("http://8.8.8.8/")).is_some() && lines.proxy(&url("https://h.invalid/")).is_some());
        for own in ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]/", "http://a.localhost/"] {
            assert!(lines.proxy(&url(own)).is_none(), "{own}");
        }
        // The empty text wins over whatever the environment says.
        assert!(Lines::new(Some(""), &[]).expect("settings").proxies.is_empty());
    }
}
