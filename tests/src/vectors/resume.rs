//! What is done with the beginning of a blob that an earlier run left.

use super::fields::{self, number, status, text, word};
use super::scripted::{STORAGE, Scripted, config, shown};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::Want;
use hydrant_lfs::contract::{Beginning, EffectId, Exchange, Head, Header, Reply, StageId, Step};
use hydrant_lfs::text::oid::Blob;
use serde_json::{Value, json};

/// Larger objects are not played.
const SIZE_MAX: u64 = 1 << 20;
/// What the answer that left the beginning called its state.
const VALIDATOR: &str = "\"v1\"";

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let (have, size) = (number(vector, "have")?, number(vector, "size")?);
    if size > SIZE_MAX || size == 0 {
        return Err(format!("objects of {size} bytes are not played"));
    }
    let expect = fields::expect(vector)?;
    if let Some((key, _)) = expect.iter().find(|(key, _)| !matches!(key.as_str(), "range" | "action")) {
        return Err(format!("no judge knows what to make of {key}"));
    }
    for validator in [None, Some(VALIDATOR)] {
        let play = Play { content: crate::world::content(1, size as usize), have, validator };
        play.judge(engine, vector)?;
    }
    Ok(())
}

struct Play {
    content: Vec<u8>,
    have: u64,
    validator: Option<&'static str>,
}

impl Play {
    fn blob(&self) -> Blob {
        crate::world::blob(&self.content)
    }

    fn judge(&self, engine: &dyn Engine, vector: &Value) -> Result<(), String> {
        let expect = &vector["expect"];
        let action = word(expect, "action");
        let blob = self.blob();
        let want = Want { name: "file".to_owned(), oid: blob.oid.to_string(), size: blob.size };
        let mut host = Scripted::begin(engine, &config(engine), &Start::Hydrate(vec![want]))?;
        let left = |bytes| {
            let validator = self.validator.map(str::to_owned);
            Reply::Partial(Beginning { stage: StageId("left".to_owned()), bytes, validator })
        };
        host.cache(match self.have {
            0 => vec![Reply::Absent],
            have if have == blob.size => vec![left(have), Reply::Received(blob)],
            have => vec![left(have)],
        })?;
        if action == Some("verify-local") {
            if expect.get("range").is_some_and(|range| !range.is_null()) {
                return Err("a range of a blob that is whole".to_owned());
            }
            host.keep(blob.oid)?;
            return host.succeeds();
        }
        let (id, exchange) = self.fetch(&mut host)?;
        self.judge_range(&exchange, expect)?;
        match vector.get("response").filter(|response| !response.is_null()) {
            Some(response) => self.judge_answer(host, id, response, text(expect, "action")?),
            None => match (action, resumes(&exchange)) {
                (None, _) | (Some("restart"), false) | (Some("append"), true) => self.whole(host, id, &exchange),
                (Some(action), _) => Err(format!("expected {action}, but the request says otherwise")),
            },
        }
    }

    /// By way of a batch request, when one comes first.
    fn fetch(&self, host: &mut Scripted) -> Result<(EffectId, Exchange), String> {
        let (id, exchange) = host.request()?;
        if exchange.stage.is_some() {
            return Ok((id, exchange));
        }
        let asked = super::scripted::asked(&exchange)?;
        host.offer(id, &asked, &json!({"download": {"href": format!("{STORAGE}/file")}}))?;
        host.request()
    }

    fn judge_range(&self, exchange: &Exchange, expect: &Value) -> Result<(), String> {
        let header = |name: &str| {
            exchange.request.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
        };
        let range = header("Range");
        if let Some(expected) = expect.get("range")
            && expected.as_str() != range
        {
            return Err(format!("range: expected {expected}, got {range:?}"));
        }
        let validator = self.validator.filter(|_| range.is_some());
        if header("If-Range") != validator {
            return Err(format!("if-range: expected {validator:?}, got {:?}", header("If-Range")));
        }
        let kept = range.map_or(0, |_| self.have);
        match &exchange.stage {
            Some(stage) if stage.resumed() == kept && stage.blob == self.blob() => Ok(()),
            other => Err(format!("expected a stage that keeps {kept} bytes, got {other:?}")),
        }
    }

    fn judge_answer(&self, mut host: Scripted, id: EffectId, response: &Value, action: &str) -> Result<(), String> {
        let mut head = Head { status: status(response)?, headers: fields::headers(response.get("headers"))? };
        head.headers.extend(word(response, "content_range").map(|range| Header::new("Content-Range", range)));
        let staged = matches!(head.status, 200 | 206);
        host.reply(id, Reply::Head(head))?;
        match action {
            // The host feeds the whole stage: what was kept and what came, or this body alone.
            "append" | "restart-this-body" => {
                let appended = word(response, "content_range").is_some();
                if appended != (action == "append") {
                    return Err(format!("{action} does not follow from this answer"));
                }
                host.reply(id, Reply::Chunk(self.content.clone()))?;
                host.reply(id, Reply::End)?;
                host.keep(self.blob().oid)?;
                host.succeeds()
            }
            "restart-new-request" => {
                if staged {
                    host.cancelled(id)?;
                } else {
                    host.reply(id, Reply::End)?;
                }
                let (id, exchange) = self.fetch(&mut host)?;
                if resumes(&exchange) {
                    return Err("the new request has a range again".to_owned());
                }
                self.whole(host, id, &exchange)
            }
            "retry" => {
                host.reply(id, Reply::End)?;
                host.wait().map(|_| ())
            }
            "error" | "final" => {
                host.reply(id, Reply::End)?;
                host.fails().map(|_| ())
            }
            other => Err(format!("no judge knows the word {other}: {}", shown(&Step::Done))),
        }
    }

    /// The rest arrives, as asked, and all is well.
    fn whole(&self, mut host: Scripted, id: EffectId, exchange: &Exchange) -> Result<(), String> {
        let last = self.content.len() as u64 - 1;
        let from = exchange.stage.as_ref().map_or(0, |stage| stage.resumed());
        let head = if from > 0 {
            let range = format!("bytes {from}-{last}/{}", self.content.len());
            Head { status: 206, headers: vec![Header::new("Content-Range", range)] }
        } else {
            Head { status: 200, headers: Vec::new() }
        };
        host.answer(id, head, &self.content)?;
        host.keep(self.blob().oid)?;
        host.succeeds()
    }
}

fn resumes(exchange: &Exchange) -> bool {
    exchange.request.headers.iter().any(|header| header.name == "Range")
}
