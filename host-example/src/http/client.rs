//! The connections: one client for plain requests, and one with certificates that is made when the first https URL
//! comes, because reading the system's certificates takes longer than a small download.

use std::cell::OnceCell;
use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, Url};
use rustls::{ClientConfig, RootCertStore};

use crate::address::{AddressPolicy, Resolver, is_loopback};
use crate::error::HostError;
use crate::failure::{failed, of_http};
use crate::wit::types::{Failed, Failure};

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
    /// Time a connection may take to be made.
    pub connect_timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            insecure_http: false,
            ca_files: Vec::new(),
            proxy: None,
            connect_timeout: Duration::from_secs(CONNECT_S_MAX),
        }
    }
}

/// The connections of one host and their policy.
pub(crate) struct Http {
    options: HttpOptions,
    policy: Arc<AddressPolicy>,
    proxies: Vec<Route>,
    plain: OnceCell<Client>,
    secure: OnceCell<Client>,
}

/// A proxy and the scheme of the requests it is for.
struct Route {
    scheme: &'static str,
    proxy: Url,
}

impl Http {
    pub(crate) fn new(endpoint: Option<&Url>, options: HttpOptions) -> Result<Http, HostError> {
        let proxies = routes(&options)?;
        let names = proxies.iter().filter_map(|route| route.proxy.host_str().map(str::to_owned)).collect();
        let policy = AddressPolicy::new(endpoint, names);
        Ok(Http { options, policy, proxies, plain: OnceCell::new(), secure: OnceCell::new() })
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
        self.policy.judge(&url).await.map_err(|less| failed(Failure::Blocked, &less.to_string()))?;
        Ok(url)
    }

    /// The client for this URL, made when it is needed first.
    pub(crate) fn client_for(&self, url: &Url) -> Result<Client, Failed> {
        let plain = url.scheme() == "http" && (self.proxies.is_empty() || is_loopback(url));
        let (slot, make): (_, fn(&Self) -> _) =
            if plain { (&self.plain, Self::make_plain) } else { (&self.secure, Self::make_secure) };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let client = make(self)?;
        Ok(slot.get_or_init(|| client).clone())
    }

    fn make_plain(&self) -> Result<Client, Failed> {
        // No certificate is trusted, because none is ever asked for.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(Failure::Io, &error.to_string()))?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        self.builder().tls_backend_preconfigured(tls).no_proxy().build().map_err(of_http)
    }

    fn make_secure(&self) -> Result<Client, Failed> {
        // Fails only when somebody installed a provider before, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut more = Vec::new();
        for file in self.options.ca_files.iter().chain(&ca_file_of_environment()) {
            more.extend(certificates(file)?);
        }
        let mut builder = self.builder().no_proxy();
        if !more.is_empty() {
            builder = builder.tls_certs_merge(more);
        }
        for route in &self.proxies {
            let made = match route.scheme {
                "http" => Proxy::http(route.proxy.clone()),
                _ => Proxy::https(route.proxy.clone()),
            };
            builder = builder.proxy(made.map_err(of_http)?.no_proxy(exceptions()));
        }
        builder.build().map_err(of_http)
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
            .dns_resolver(Resolver(Arc::clone(&self.policy)))
    }
}

/// Which proxies the user configured: git's own setting, else the environment as curl reads it.
fn routes(options: &HttpOptions) -> Result<Vec<Route>, HostError> {
    let mut routes = Vec::new();
    for (scheme, names) in [
        // Never HTTP_PROXY in capitals: a web server can set it from a request's header.
        ("http", ["http_proxy", "all_proxy", "ALL_PROXY"].as_slice()),
        ("https", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].as_slice()),
    ] {
        let named = match &options.proxy {
            Some(proxy) => Some(proxy.clone()),
            None => names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty())),
        };
        let Some(text) = named.filter(|text| !text.is_empty()) else { continue };
        let full = if text.contains("://") { text } else { format!("http://{text}") };
        let proxy = Url::parse(&full).map_err(|_| HostError::local("the configured proxy is not a URL"))?;
        if !matches!(proxy.scheme(), "http" | "https") {
            return Err(HostError::local("only http and https proxies are supported"));
        }
        routes.push(Route { scheme, proxy });
    }
    Ok(routes)
}

fn exceptions() -> Option<NoProxy> {
    let named = env::var("no_proxy").or_else(|_| env::var("NO_PROXY")).unwrap_or_default();
    NoProxy::from_string(&format!("{LOOPBACK_NAMES},{named}"))
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
