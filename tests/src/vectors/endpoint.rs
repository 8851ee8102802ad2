//! Where the LFS server is, from git's configuration.

use super::fields::{self, direction, expect, meets, word};
use crate::engine::Engine;
use hydrant_lfs::git_lfs::endpoint::Setting;
use serde_json::{Value, json};

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let mut settings = Vec::new();
    for (key, value) in vector.get("config").and_then(Value::as_object).into_iter().flatten() {
        let values = fields::words(Some(value)).or_else(|| value.as_str().map(|value| vec![value.to_owned()]));
        let values = values.ok_or_else(|| format!("the setting {key} is no text"))?;
        settings.extend(values.into_iter().map(|value| Setting { key: key.clone(), value }));
    }
    let expect = expect(vector)?;
    let derived = engine.derive(&settings, direction(vector)?, word(vector, "remote").unwrap_or("origin"));
    match derived {
        // The format has no words for why there is none.
        Err(_) if expect.contains_key("error") => Ok(()),
        Err(error) => Err(format!("expected an endpoint, got {error}")),
        Ok(found) => {
            let ssh = found.ssh.map(|it| json!({"user_and_host": it.user_and_host, "port": it.port, "path": it.path}));
            if ssh.is_some() && !expect.contains_key("ssh") {
                return Err("expected no ssh, got some".to_owned());
            }
            meets(expect, &json!({"url": found.url, "ssh": ssh}))
        }
    }
}
