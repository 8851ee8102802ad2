//! The connections: one client for plain requests, and others with certificates or over proxies. Each is made when it
//! is needed first, because reading the system's certificates takes longer than a small download.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Proxy, Url};
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use super::options::{HttpOptions, Way};
use super::proxy::{Named, Proxies};
use super::tls;
use crate::contract::error::HostError;
use crate::contract::failure::failed;
use crate::contract::types::{Failed, Failure};
use crate::net::address::{AddressPolicy, LessPublic, ProxyName, Resolver, is_plain_abroad};
use crate::net::failure::of_http;
use crate::net::login::Origin;

/// Seconds an idle connection is kept.
const POOL_IDLE_S: u64 = 60;
/// Bytes of one HTTP/2 stream that may be on the way unread.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of one HTTP/2 connection that may be on the way unread.
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// Why nothing goes through an https proxy where a client certificate is shown to the server.
const CERTIFICATE_AND_PROXY: &str = "the proxy of https would be shown the client certificate of http.sslCert, too; \
    name a proxy of http or socks5 for this server, or unset the certificate";
/// What the requests call themselves.
const AGENT: &str = concat!("hydrant/", env!("CARGO_PKG_VERSION"));

/// The connections of one host and their policy.
pub(crate) struct Http {
    options: HttpOptions,
    policy: Arc<AddressPolicy>,
    endpoint: Option<Origin>,
    plain: OnceCell<Client>,
    /// Which lines lead to an origin. Origins with the same settings share them.
    lines: RefCell<Vec<(Origin, Rc<Lines>)>>,
}

/// The ways to servers under the same settings, each made when it is needed first.
struct Lines {
    way: Way,
    proxies: Proxies,
    secure: OnceCell<Client>,
    /// Over the proxy for requests of http, and the one for those of https.
    proxied: [OnceCell<Client>; 2],
}

impl Http {
    pub(crate) fn new(endpoint: Option<&Url>, options: HttpOptions) -> Result<Http, HostError> {
        let policy = AddressPolicy::new(endpoint, options.endpoint_reach_min);
        let endpoint = endpoint.map(Origin::of).transpose()?;
        Ok(Http { options, policy, endpoint, plain: OnceCell::new(), lines: RefCell::default() })
    }

    /// A URL the policy lets through.
    pub(crate) async fn admit(&self, text: &str) -> Result<Url, Failed> {
        let url = Url::parse(text).map_err(|_| failed(Failure::Blocked, "this is not an absolute URL"))?;
        let readable = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !readable || !url.username().is_empty() || url.password().is_some() {
            return Err(failed(Failure::Blocked, "only http and https URLs without a login inside are requested"));
        }
        if is_plain_abroad(&url) && !self.options.insecure_http {
            return Err(failed(Failure::Blocked, "plain http is only spoken to this machine"));
        }
        let blocked = |less: LessPublic| failed(Failure::Blocked, &less.to_string());
        self.policy.judge(&url).await.map_err(blocked)?;
        if self.lines_to(&url)?.proxies.to(&url).is_some() {
            self.policy.judge_proxied(&url).await.map_err(blocked)?;
        }
        Ok(url)
    }

    /// The client for this URL, made when it is needed first.
    pub(crate) async fn client_for(&self, url: &Url) -> Result<Client, Failed> {
        let lines = self.lines_to(url)?;
        let is_plain = url.scheme() == "http";
        let client = match lines.proxies.to(url) {
            Some(Named::Unusable(why)) => return Err(failed(Failure::Blocked, why)),
            Some(Named::Usable(proxy)) => {
                let client = &lines.proxied[usize::from(!is_plain)];
                client.get_or_try_init(|| self.make_proxied(&lines, proxy)).await?
            }
            None if is_plain => self.plain.get_or_try_init(async || self.make_direct(tls::none()?)).await?,
            None => lines.secure.get_or_try_init(async || self.make_direct(self.tls(&lines).await?)).await?,
        };
        Ok(client.clone())
    }

    /// The lines to the origin of a URL.
    fn lines_to(&self, url: &Url) -> Result<Rc<Lines>, Failed> {
        let origin = Origin::of(url).map_err(|error| failed(Failure::Blocked, &error.to_string()))?;
        let mut all = self.lines.borrow_mut();
        if let Some((_, lines)) = all.iter().find(|(known, _)| *known == origin) {
            return Ok(Rc::clone(lines));
        }
        let mut way = (self.options.way_to)(url);
        let is_approved = self.options.endpoint_approved && self.endpoint.as_ref() == Some(&origin);
        // Our certificate is a login: whatever URL it is set for, only a server that the user approved is shown it.
        way.certificate = way.certificate.filter(|_| is_approved);
        let lines = match all.iter().find(|(_, lines)| lines.way == way) {
            Some((_, lines)) => Rc::clone(lines),
            None => Rc::new(Lines::new(way)),
        };
        all.push((origin, Rc::clone(&lines)));
        Ok(lines)
    }

    fn make_direct(&self, tls: ClientConfig) -> Result<Client, Failed> {
        let builder = self.builder(tls).dns_resolver(Resolver(Arc::clone(&self.policy)));
        builder.no_proxy().build().map_err(of_http)
    }

    async fn make_proxied(&self, lines: &Lines, proxy: &Url) -> Result<Client, Failed> {
        // One configuration of TLS serves both: the proxy would be shown what is for the server alone.
        if proxy.scheme() == "https" && lines.way.certificate.is_some() {
            return Err(failed(Failure::Blocked, CERTIFICATE_AND_PROXY));
        }
        let name = proxy.host_str().unwrap_or_default().to_owned();
        // Other names are looked up here for these two alone, and judged as those of direct connections.
        let policy = matches!(proxy.scheme(), "socks4" | "socks5").then(|| Arc::clone(&self.policy));
        let proxy = Proxy::all(proxy.clone()).map_err(of_http)?;
        let builder = self.builder(self.tls(lines).await?).dns_resolver(ProxyName { name, policy });
        builder.no_proxy().proxy(proxy).build().map_err(of_http)
    }

    /// The loop goes on meanwhile: git may ask the user for a password.
    async fn tls(&self, lines: &Lines) -> Result<ClientConfig, Failed> {
        let (way, work_dir) = (lines.way.clone(), self.options.work_dir.clone());
        let made = spawn_blocking(move || tls::config(&way, way.certificate.as_ref(), work_dir.as_deref())).await;
        made.unwrap_or_else(|_| Err(failed(Failure::Io, "the certificates could not be read")))
    }

    fn builder(&self, tls: ClientConfig) -> ClientBuilder {
        Client::builder()
            .tls_backend_preconfigured(tls)
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
    fn new(way: Way) -> Self {
        let proxies = Proxies::new(way.proxy.as_deref());
        Lines { way, proxies, secure: OnceCell::new(), proxied: [OnceCell::new(), OnceCell::new()] }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::sync::Arc;

    use super::super::{ClientCertificate, HttpOptions, Way};
    use super::{CERTIFICATE_AND_PROXY, Http};
    use crate::contract::types::Failure;
    use reqwest::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL of this test")
    }

    fn http(way_to: fn(&Url) -> Way, endpoint_approved: bool) -> Http {
        let options = HttpOptions { way_to: Arc::new(way_to), endpoint_approved, ..HttpOptions::default() };
        Http::new(Some(&url("https://lfs.invalid/r")), options).expect("settings")
    }

    #[test]
    fn servers_with_the_same_settings_share_their_lines() {
        let way = |url: &Url| Way { proxy: url.port().map(|_| String::new()), ..Way::default() };
        let http = http(way, false);
        let lines = |text: &str| http.lines_to(&url(text)).expect("lines");
        assert!(Rc::ptr_eq(&lines("https://lfs.invalid/other"), &lines("https://store.invalid/")));
        assert!(!Rc::ptr_eq(&lines("https://lfs.invalid/"), &lines("https://lfs.invalid:444/")));
    }

    fn with_certificate(proxy: Option<&str>) -> Way {
        let certificate = ClientCertificate { chain: "c".into(), key: "k".into() };
        Way { certificate: Some(certificate), proxy: proxy.map(str::to_owned), ..Way::default() }
    }

    #[test]
    fn a_client_certificate_goes_to_the_approved_server_alone() {
        // What the settings say for just one URL, or one with a star, is no approval either.
        let for_all: fn(&Url) -> Way = |_| with_certificate(None);
        let for_a_few: fn(&Url) -> Way =
            |url| if url.host_str() == Some("lfs.invalid") { with_certificate(None) } else { Way::default() };
        for (way_to, approved, at_endpoint) in [
            ((|_| Way::default()) as fn(&Url) -> Way, true, false),
            (for_all, true, true),
            (for_all, false, false),
            (for_a_few, true, true),
            (for_a_few, false, false),
        ] {
            let http = http(way_to, approved);
            let is_shown = |text: &str| http.lines_to(&url(text)).expect("lines").way.certificate.is_some();
            assert_eq!(is_shown("https://lfs.invalid/x"), at_endpoint);
            for elsewhere in ["https://lfs.invalid:444/", "http://lfs.invalid/x", "https://store.invalid/"] {
                assert!(!is_shown(elsewhere), "{elsewhere}");
            }
        }
    }

    #[tokio::test]
    async fn an_https_proxy_is_not_shown_the_servers_certificate() {
        let secure: fn(&Url) -> Way = |_| with_certificate(Some("https://me:pw@proxy.invalid"));
        let open: fn(&Url) -> Way = |_| with_certificate(Some("http://proxy.invalid"));
        for (way_to, approved, is_blocked) in [(secure, true, true), (secure, false, false), (open, true, false)] {
            let found = http(way_to, approved).client_for(&url("https://lfs.invalid/x")).await;
            let why = found.err().filter(|failed| failed.why == Failure::Blocked).map(|failed| failed.detail);
            assert_eq!(why.as_deref(), is_blocked.then_some(CERTIFICATE_AND_PROXY), "{approved}");
        }
    }
}
