//! A server that answers every batch request in one way, and counts the objects of each.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Seconds that a silent server waits for its client to go away.
const PATIENCE_S: u64 = 30;

/// What it says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// It has every object.
    HasAll,
    /// It lacks every object, and the last one is answered with this status.
    LacksAllBut(u16),
    /// 404 for a whole download, and it takes everything: giftless, which has none of the objects.
    WouldTake,
    /// This status, for the whole request.
    Status(u16),
    /// Nothing at all.
    Nothing,
}

pub(crate) struct Answerer {
    pub(crate) url: String,
    /// Objects of each request.
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Answerer {
    pub(crate) fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (notes, place) = (Arc::clone(&asked), url.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (notes, place) = (Arc::clone(&notes), place.clone());
                thread::spawn(move || while converse(&stream, says, &notes, &place).is_some() {});
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<usize> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

fn converse(mut stream: &TcpStream, says: Says, notes: &Mutex<Vec<usize>>, place: &str) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(PATIENCE_S))).ok()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let question: Value = serde_json::from_slice(&body).ok()?;
    let objects = question["objects"].as_array()?;
    notes.lock().ok()?.push(objects.len());
    let (status, answer) = match says {
        Says::Nothing => {
            stream.read_exact(&mut byte).ok();
            return None;
        }
        Says::Status(status) => (status, json!({ "message": "no" })),
        Says::WouldTake if question["operation"] == "download" => (404, json!({ "message": "Cannot find any" })),
        Says::WouldTake => (200, json!({ "objects": objects.iter().map(|one| takes(one, place)).collect::<Vec<_>>() })),
        Says::HasAll => (200, json!({ "objects": objects.iter().map(|one| has(one, place)).collect::<Vec<_>>() })),
        Says::LacksAllBut(status) => {
            let last = objects.len().saturating_sub(1);
            let lacks = objects.iter().enumerate().map(|(at, one)| {
                let code = if at == last { status } else { 404 };
                json!({ "oid": one["oid"], "size": one["size"], "error": { "code": code, "message": "no" } })
            });
            (200, json!({ "objects": lacks.collect::<Vec<_>>() }))
        }
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/vnd.git-lfs+json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all((head + &answer).as_bytes()).ok()
}

fn has(object: &Value, place: &str) -> Value {
    offers("download", object, place)
}

fn takes(object: &Value, place: &str) -> Value {
    offers("upload", object, place)
}

fn offers(action: &str, object: &Value, place: &str) -> Value {
    let oid = object["oid"].as_str().unwrap_or_default();
    let actions = json!({ action: { "href": format!("{place}/objects/{oid}") } });
    json!({ "oid": oid, "size": object["size"], "actions": actions })
}
