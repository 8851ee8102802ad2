//! Headers that the user's git sends with every request to a server: `http.extraHeader`, chosen for the URL of each
//! request, and cookies. The last one that is a login is handed on as such.

use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Url;

use super::cookies::{self, Cookie};
use super::credential::AUTHORIZATION;
use super::origin::Origin;
use crate::contract::clock::wall;
use crate::net::secret::Secret;

const MS_PER_SECOND: u64 = 1000;

/// What the user's settings say for a URL: names in lower case, in his order.
pub(crate) type HeadersFor = Arc<dyn Fn(&Url) -> Vec<(String, Secret)> + Send + Sync>;

/// The headers, for one origin alone.
#[derive(Clone, Default)]
pub(crate) struct OwnHeaders {
    origin: Option<Origin>,
    headers: Option<HeadersFor>,
    cookie_file: Option<PathBuf>,
    cookies: Vec<Cookie>,
}

impl OwnHeaders {
    pub(super) fn new(origin: Origin, headers: HeadersFor, cookie_file: Option<PathBuf>) -> Self {
        Self { origin: Some(origin), headers: Some(headers), cookie_file, cookies: Vec::new() }
    }

    /// The login among the headers for this URL.
    pub(super) fn login(&self, url: &Url) -> Option<(String, Secret)> {
        if !self.is_for(url) {
            return None;
        }
        self.chosen(url).into_iter().rfind(|(name, _)| name == AUTHORIZATION)
    }

    fn is_for(&self, url: &Url) -> bool {
        Origin::of(url).is_ok_and(|origin| Some(origin) == self.origin)
    }

    fn chosen(&self, url: &Url) -> Vec<(String, Secret)> {
        self.headers.as_ref().map(|headers| headers(url)).unwrap_or_default()
    }

    /// The same with the cookies of the file as it is now: it is read once for a run, and not for each request.
    pub(super) fn with_cookies(&self) -> Self {
        let cookies = self.cookie_file.as_deref().map(|file| cookies::of_file(file, now())).unwrap_or_default();
        Self { cookies, ..self.clone() }
    }

    pub(super) fn is_for_any_of(&self, origins: &[Origin]) -> bool {
        self.origin.as_ref().is_some_and(|origin| origins.contains(origin))
    }

    /// The headers for a request to this URL.
    pub(crate) fn to(&self, url: &Url) -> Vec<(String, Secret)> {
        if !self.is_for(url) {
            return Vec::new();
        }
        let mut headers = self.chosen(url);
        headers.retain(|(name, _)| name != AUTHORIZATION);
        let cookies = cookies::header(&self.cookies, url, now());
        headers.extend(cookies.map(|cookies| ("cookie".to_owned(), Secret::new(cookies))));
        headers
    }
}

fn now() -> u64 {
    wall() / MS_PER_SECOND
}
