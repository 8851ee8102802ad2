//! Headers that the user's git sends with every request to a server: `http.extraHeader` but for logins, and cookies.

use std::path::PathBuf;

use reqwest::Url;

use super::cookies::{self, Cookie};
use super::origin::Origin;
use crate::contract::clock::wall;
use crate::net::secret::Secret;

const MS_PER_SECOND: u64 = 1000;

/// The headers, for one origin alone.
#[derive(Clone, Default)]
pub(crate) struct OwnHeaders {
    origin: Option<Origin>,
    headers: Vec<(String, Secret)>,
    cookie_file: Option<PathBuf>,
    cookies: Vec<Cookie>,
}

impl OwnHeaders {
    pub(super) fn new(origin: Origin, headers: Vec<(String, Secret)>, cookie_file: Option<PathBuf>) -> Self {
        Self { origin: Some(origin), headers, cookie_file, cookies: Vec::new() }
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
        if !Origin::of(url).is_ok_and(|origin| Some(origin) == self.origin) {
            return Vec::new();
        }
        let mut headers = self.headers.clone();
        let cookies = cookies::header(&self.cookies, url, now());
        headers.extend(cookies.map(|cookies| ("cookie".to_owned(), Secret::new(cookies))));
        headers
    }
}

fn now() -> u64 {
    wall() / MS_PER_SECOND
}
