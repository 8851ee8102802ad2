//! The simulated LFS server: right when left alone, and wrong in every way a [`Fault`] names.

use super::{Fault, blob};
use hydrant_lfs::contract::{Body, Head, Header, Login, Method, Request};
use hydrant_lfs::text::oid::Oid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Where the API lives.
pub const ENDPOINT: &str = "https://lfs.test/team/repo";
/// Where bytes live: another origin, as with most services.
pub(super) const STORAGE: &str = "https://store.test";
/// Where a redirect leads away to.
pub(super) const ELSEWHERE: &str = "https://elsewhere.test";
/// Stands in every secret the server hands out, with the origin it is meant for.
pub(super) const SECRET: &str = "s3cret-for-";

/// A server with its objects.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// What it holds.
    pub objects: BTreeMap<Oid, Vec<u8>>,
    /// What it claims to hold without holding it.
    pub claimed: BTreeSet<Oid>,
    /// What it ever claimed so, until it got it.
    pub lied: BTreeSet<Oid>,
    /// What it was ever sent.
    pub received: BTreeSet<Oid>,
    /// What it had and lost by itself.
    pub lost: BTreeMap<Oid, Vec<u8>>,
    /// Whether the API asks for a login.
    pub private: bool,
    /// Whether uploads are to be verified.
    pub verifies: bool,
    /// Requests so far.
    pub requests: usize,
    /// What to say next, whatever is asked.
    pub script: VecDeque<Answer>,
    /// Requests that were answered from the script, with the bytes of their bodies.
    pub heard: Vec<(Request, Vec<u8>)>,
}

/// An answer: a status line, headers, a body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    /// Body.
    pub body: Vec<u8>,
}

impl Server {
    /// Answers a request; `upload` are the bytes of a file body.
    pub fn answer(&mut self, request: &Request, upload: Option<&[u8]>, fault: Fault) -> Answer {
        self.requests += 1;
        if let Some(answer) = self.script.pop_front() {
            let body = match (&request.body, upload) {
                (Body::Bytes(bytes), _) => bytes.clone(),
                (_, upload) => upload.unwrap_or_default().to_vec(),
            };
            self.heard.push((request.clone(), body));
            return answer;
        }
        match fault {
            Fault::Status(status) => {
                // A success that stores nothing is a lie that only a later download can find.
                let name = request.url.rsplit('/').next().and_then(Oid::parse);
                if let (true, Method::Put, Some(oid)) = ((200..300).contains(&status), request.method, name) {
                    self.claim(oid);
                }
                return answer(status, &[], json!({"message": "planted"}));
            }
            Fault::RetryAfter(seconds) => return answer(429, &[("Retry-After", &seconds.to_string())], json!({})),
            Fault::RetryDate => {
                return answer(429, &[("Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT")], json!({}));
            }
            Fault::Html => return raw(200, &[("Content-Type", "text/html")], b"<html>log in</html>".to_vec()),
            Fault::Redirect if !request.url.contains("moved=") => {
                let mark = if request.url.contains('?') { '&' } else { '?' };
                return answer(307, &[("Location", &format!("{}{mark}moved=1", request.url))], json!({}));
            }
            Fault::RedirectAway => {
                let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
                return answer(302, &[("Location", &format!("{ELSEWHERE}/{path}"))], json!({}));
            }
            Fault::RedirectLoop => return answer(302, &[("Location", &request.url)], json!({})),
            _ => {}
        }
        let path = request.url.split('?').next().unwrap_or_default().to_owned();
        if path.ends_with("/objects/batch") {
            return self.batch(request, fault);
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some(oid) = Oid::parse(name) else { return answer(404, &[], json!({"message": "no such path"})) };
        match request.method {
            Method::Get => self.get(request, oid, fault),
            Method::Put if fault == Fault::WrongKept => self.put_wrongly(oid, upload.unwrap_or_default()),
            Method::Put => self.put(oid, upload.unwrap_or_default()),
            Method::Post if self.objects.contains_key(&oid) => answer(200, &[], json!({})),
            Method::Post => answer(404, &[], json!({"message": "not uploaded"})),
        }
    }

    fn batch(&mut self, request: &Request, fault: Fault) -> Answer {
        let Body::Bytes(body) = &request.body else { return answer(400, &[], json!({})) };
        if self.private && request.login == Login::None {
            return answer(401, &[("LFS-Authenticate", "Basic realm=\"world\"")], json!({"message": "log in"}));
        }
        let asked: Value = serde_json::from_slice(body).expect("the core writes JSON");
        let upload = asked["operation"] == "upload";
        let mut objects: Vec<Value> = Vec::new();
        for object in asked["objects"].as_array().expect("the core asks about objects") {
            let oid = Oid::parse(object["oid"].as_str().unwrap_or_default()).expect("the core writes oids");
            objects.push(self.entry(
                oid,
                object["size"].as_u64().unwrap_or_default(),
                upload,
                objects.is_empty(),
                fault,
            ));
        }
        match fault {
            Fault::Omit => drop(objects.remove(0)),
            Fault::Repeat => objects.push(objects[0].clone()),
            _ => {}
        }
        let whole = answer(200, &[], json!({"transfer": "basic", "objects": objects}));
        if fault == Fault::CutJson {
            let half = whole.body.len() / 2;
            return Answer { body: whole.body[..half].to_vec(), ..whole };
        }
        whole
    }

    fn entry(&mut self, oid: Oid, size: u64, upload: bool, first: bool, fault: Fault) -> Value {
        let size = if first && fault == Fault::WrongSize { size + 1 } else { size };
        let has = self.objects.contains_key(&oid) || self.claimed.contains(&oid);
        if let (true, Fault::ObjectError(code)) = (first, fault) {
            return json!({"oid": oid.to_string(), "size": size, "error": {"code": code, "message": "planted"}});
        }
        if upload && (has || (first && fault == Fault::FalsePresent)) {
            self.claim(oid);
            return json!({"oid": oid.to_string(), "size": size});
        }
        if !upload && !has {
            return json!({"oid": oid.to_string(), "size": size, "error": {"code": 404, "message": "unknown"}});
        }
        let href = match fault {
            Fault::BadHref if first => "/relative".to_owned(),
            _ => format!("{STORAGE}/o/{oid}"),
        };
        let mut action = json!({"href": href, "header": {"X-Token": format!("{SECRET}{STORAGE}")}});
        match fault {
            Fault::Expired => action["expires_in"] = json!(-5),
            Fault::Fleeting => action["expires_in"] = json!(6),
            _ => {}
        }
        let mut actions = json!({if upload { "upload" } else { "download" }: action});
        if upload && self.verifies {
            let header = json!({"X-Token": format!("{SECRET}https://lfs.test")});
            actions["verify"] = json!({"href": format!("{ENDPOINT}/verify/{oid}"), "header": header});
        }
        json!({"oid": oid.to_string(), "size": size, "authenticated": true, "actions": actions})
    }

    fn get(&self, request: &Request, oid: Oid, fault: Fault) -> Answer {
        let Some(bytes) = self.objects.get(&oid) else { return answer(404, &[], json!({"message": "gone"})) };
        let range = request.headers.iter().find(|header| header.name == "Range").map(|header| header.value.as_str());
        let from = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')?.0.parse::<usize>().ok());
        let last = bytes.len().saturating_sub(1);
        let mut body = bytes.clone();
        match fault {
            Fault::WrongBytes => body.iter_mut().for_each(|byte| *byte ^= 0x55),
            Fault::Short => body.truncate(last / 2),
            Fault::Long => body.extend_from_slice(b"more"),
            _ => {}
        }
        let etag = format!("\"{}\"", &oid.to_string()[..16]);
        match from {
            _ if fault == Fault::WrongRange => {
                let range = format!("bytes 1-{last}/{}", bytes.len());
                raw(206, &[("Content-Range", &range)], body.split_off(1.min(body.len())))
            }
            Some(from) if fault != Fault::NoRange && from <= body.len() => {
                let range = format!("bytes {from}-{last}/{}", bytes.len());
                raw(206, &[("Content-Range", &range), ("ETag", &etag)], body.split_off(from))
            }
            _ => raw(200, &[("ETag", &etag)], body),
        }
    }

    fn claim(&mut self, oid: Oid) {
        if !self.objects.contains_key(&oid) {
            self.claimed.insert(oid);
            self.lied.insert(oid);
        }
    }

    fn put(&mut self, oid: Oid, bytes: &[u8]) -> Answer {
        if blob(bytes).oid != oid {
            return answer(422, &[], json!({"message": "these are other bytes"}));
        }
        self.objects.insert(oid, bytes.to_vec());
        self.received.insert(oid);
        self.claimed.remove(&oid);
        self.lied.remove(&oid);
        self.lost.remove(&oid);
        answer(200, &[], json!({}))
    }

    /// Keeps something else under that name: only a later download can find it.
    fn put_wrongly(&mut self, oid: Oid, bytes: &[u8]) -> Answer {
        let answer = self.put(oid, bytes);
        if answer.head.status == 200 && !bytes.is_empty() {
            self.objects.insert(oid, bytes.iter().map(|byte| byte ^ 0x2a).collect());
            self.lied.insert(oid);
        }
        answer
    }

    /// Whether it holds the bytes of that name, whatever it says.
    pub fn holds(&self, oid: &Oid) -> bool {
        self.objects.contains_key(oid) && !self.lied.contains(oid)
    }

    /// Loses an object, as servers do.
    pub fn lose(&mut self, oid: Oid) {
        if let Some(bytes) = self.objects.remove(&oid) {
            self.lost.insert(oid, bytes);
        }
    }

    /// Whoever runs it brings back what it lost.
    pub fn recover(&mut self) {
        self.objects.extend(std::mem::take(&mut self.lost));
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: Value) -> Answer {
    let mut all = vec![("Content-Type", "application/vnd.git-lfs+json")];
    all.extend_from_slice(headers);
    raw(status, &all, body.to_string().into_bytes())
}

fn raw(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let headers = headers.iter().map(|(name, value)| Header::new(*name, *value)).collect();
    Answer { head: Head { status, headers }, body }
}
