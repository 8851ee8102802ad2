//! What is done with the beginning of a blob that an earlier run left.

use super::fields::{self, number, status, text, word};
use super::scripted::{STORAGE, Scripted, config, shown};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::Want;
use hydrant_lfs::contract::{Beginning, EffectId, Exchange, Head, Header, Reply, StageId, Step};
use hydrant_lfs::text::oid::{Blob, Oid};
use serde_json::{Value, json};

/// What the answer that left the beginning called its state.
const VALIDATOR: &str = "\"v1\"";

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let (have, size) = (number(vector, "have")?, number(vector, "size")?);
    let expect = fields::expect(vector)?;
    if let Some((key, _)) = expect.iter().find(|(key, _)| !matches!(key.as_str(), "range" | "action")) {
        return Err(format!("no judge knows what to make of {key}"));
    }
    for validator in [None, Some(VALIDATOR)] {
        let play = Play { blob: blob(size)?, have, validator };
        play.judge(engine, vector)?;
    }
    Ok(())
}

/// An object of any size: the host says that it hashed the bytes, so that there need be none.
fn blob(size: u64) -> Result<Blob, String> {
    let oid = if size == 0 { Oid::EMPTY } else { Oid::parse(&"5a".repeat(32)).ok_or("64 digits")? };
    Ok(Blob { oid, size })
}

struct Play {
    blob: Blob,
    have: u64,
    validator: Option<&'static str>,
}

impl Play {
    fn judge(&self, engine: &dyn Engine, vector: &Value) -> Result<(), String> {
        let expect = &vector["expect"];
        let action = word(expect, "action");
        let blob = self.blob;
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
            Some(stage) if stage.resumed() == kept && stage.blob == self.blob => Ok(()),
            other => Err(format!("expected a stage that keeps {kept} bytes, got {other:?}")),
        }
    }

    fn judge_answer(&self, mut host: Scripted, id: EffectId, response: &Value, action: &str) -> Result<(), String> {
        let mut head = Head { status: status(response)?, headers: fields::headers(response.get("headers"))? };
        head.headers.extend(word(response, "content_range").map(|range| Header::new("Content-Range", range)));
        let staged = Head::is_staged(head.status);
        host.reply(id, Reply::Head(head))?;
        match action {
            // The host feeds the whole stage: what was kept and what came, or this body alone.
            "append" | "restart-this-body" => {
                let appended = word(response, "content_range").is_some();
                if appended != (action == "append") {
                    return Err(format!("{action} does not follow from this answer"));
                }
                host.reply(id, Reply::Received(self.blob))?;
                host.keep(self.blob.oid)?;
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
        let size = self.blob.size;
        let from = exchange.stage.as_ref().map_or(0, |stage| stage.resumed());
        let head = if from > 0 {
            let range = format!("bytes {from}-{}/{size}", size.saturating_sub(1));
            Head { status: 206, headers: vec![Header::new("Content-Range", range)] }
        } else {
            Head { status: 200, headers: Vec::new() }
        };
        host.reply(id, Reply::Head(head))?;
        host.reply(id, Reply::Received(self.blob))?;
        host.keep(self.blob.oid)?;
        host.succeeds()
    }
}

fn resumes(exchange: &Exchange) -> bool {
    exchange.request.headers.iter().any(|header| header.name == "Range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Native;

    #[test]
    fn objects_of_any_size_are_played() {
        for (have, size, range) in [
            (0_u64, 0, Value::Null),
            (0, 1_u64 << 40, Value::Null),
            (1_u64 << 32, 1_u64 << 40, json!("bytes=4294967296-1099511627775")),
            (1_u64 << 40, 1_u64 << 40, Value::Null),
        ] {
            let action = if have > 0 && have == size { json!("verify-local") } else { Value::Null };
            let vector = json!({"have": have, "size": size, "expect": {"range": range, "action": action}});
            assert_eq!(judge(&Native, &vector), Ok(()), "{vector}");
        }
        let wrong = json!({"have": 4, "size": 9, "expect": {"range": "bytes=3-8"}});
        assert!(judge(&Native, &wrong).is_err());
    }
}
