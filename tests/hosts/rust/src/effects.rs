//! What the component asks for, each as the contract's `effect` says: the four effects of a hydration, and the one more
//! of an upload.
//!
//! Each operation writes its stages into a folder of its own. Nothing of it is left behind, and so nothing is ever
//! resumed: this host never says `partial`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::contract::HostLimits;
use crate::contract::types::{Effect, EffectId, Failed, Failure, LfsBlob, Reading, Reply, Staged};
use crate::why;

/// Bytes read at once; a chunk may have 256 KiB.
pub(crate) const BLOCK: usize = 64 << 10;
/// Between two `so-far` of one effect.
const BEAT: Duration = Duration::from_millis(100);

/// The last reply of an effect, or why there is none.
pub(crate) type Ended = Result<Reply, Failure>;

/// What the effects of one operation share.
#[derive(Clone)]
pub(crate) struct Performer(Arc<Shared>);

struct Shared {
    http: reqwest::Client,
    endpoint: Url,
    login: Option<(String, String)>,
    folder: PathBuf,
    stages: PathBuf,
    pointer_bytes_below: u64,
}

impl Performer {
    pub(crate) fn new(
        http: &reqwest::Client,
        folder: &Path,
        endpoint: &str,
        login: Option<(String, String)>,
        seed: u64,
        limits: HostLimits,
    ) -> io::Result<Performer> {
        let endpoint = Url::parse(endpoint).map_err(io::Error::other)?;
        let stages = folder.join(format!("stages-{seed:016x}"));
        fs::create_dir(&stages)?;
        let pointer_bytes_below = limits.pointer_bytes_below.into();
        let folder = folder.into();
        Ok(Performer(Arc::new(Shared { http: http.clone(), endpoint, login, folder, stages, pointer_bytes_below })))
    }

    /// Removes what was staged and not kept.
    pub(crate) fn clean_up(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.0.stages)
    }

    pub(crate) async fn perform(self, effect: Effect, mut answers: Answers) {
        let ended = match effect {
            Effect::Http(exchange) => self.exchange(exchange, &mut answers).await,
            Effect::HasBlob(blob) => self.has_blob(&blob),
            Effect::KeepBlob(staged) => self.keep_blob(&staged).map_err(|error| why(&error)),
            Effect::DropStage(id) => self.drop_stage(&id).map_err(|error| why(&error)),
            Effect::ReadFile(reading) => read_file(&reading, self.0.pointer_bytes_below, &mut answers).await,
            // Only `sessions` asks for the rest.
            _ => Err(Failure::Io),
        };
        answers.say(ended.unwrap_or_else(|why| Reply::Failed(Failed { why, detail: String::new() })));
    }

    /// Only proved and synced bytes are called like their oid.
    fn has_blob(&self, blob: &LfsBlob) -> Ended {
        let held = fs::metadata(self.0.folder.join(&blob.oid)).is_ok_and(|found| found.len() == blob.size);
        Ok(if held { Reply::Present } else { Reply::Absent })
    }

    fn keep_blob(&self, staged: &Staged) -> io::Result<Reply> {
        let stage = self.stage(&staged.stage);
        File::open(&stage)?.sync_all()?;
        fs::rename(stage, self.0.folder.join(&staged.blob.oid))?;
        Ok(Reply::End)
    }

    fn drop_stage(&self, id: &str) -> io::Result<Reply> {
        fs::remove_file(self.stage(id))?;
        Ok(Reply::End)
    }

    /// The name was made by the component, and is fit for a file name.
    pub(crate) fn stage(&self, id: &str) -> PathBuf {
        self.0.stages.join(id)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// The login for a URL: it belongs to the endpoint's own origin.
    pub(crate) fn login(&self, url: &Url) -> Option<&(String, String)> {
        self.0.login.as_ref().filter(|_| url.origin() == self.0.endpoint.origin())
    }
}

async fn read_file(reading: &Reading, pointer_bytes_below: u64, answers: &mut Answers) -> Ended {
    let mut file = match File::open(&reading.name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reply::Absent),
        opened => opened.map_err(|error| why(&error))?,
    };
    // The state before: a file that changes while it is read has another one when it is sent.
    let before = revision(&file).map_err(|error| why(&error))?;
    let as_chunks = reading.as_chunks || before.size < pointer_bytes_below;
    let mut hash = Hash::default();
    let mut block = vec![0; BLOCK];
    loop {
        let read = file.read(&mut block).map_err(|error| why(&error))?;
        if read == 0 {
            break;
        }
        hash.add(&block[..read]);
        if as_chunks {
            answers.say(Reply::Chunk(block[..read].to_vec()));
        } else {
            answers.so_far(hash.size);
        }
        // Other effects get their turn, and a cancel is heard.
        tokio::task::yield_now().await;
    }
    if !as_chunks && hash.size != before.size {
        return Err(Failure::Io);
    }
    answers.say(if as_chunks { Reply::End } else { Reply::Received(hash.blob()) });
    Ok(Reply::At(before.name))
}

/// The state of a file.
pub(crate) struct Revision {
    pub(crate) name: String,
    pub(crate) size: u64,
}

pub(crate) fn revision(file: &File) -> io::Result<Revision> {
    let found = file.metadata()?;
    Ok(Revision { name: format!("{} {:?}", found.len(), found.modified()?), size: found.len() })
}

/// Counts and hashes.
#[derive(Default)]
pub(crate) struct Hash {
    sha256: Sha256,
    pub(crate) size: u64,
}

impl Hash {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(crate) fn blob(self) -> LfsBlob {
        let oid = self.sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        LfsBlob { oid, size: self.size }
    }
}

/// A reply of an effect.
pub(crate) struct Answer {
    pub(crate) id: EffectId,
    pub(crate) reply: Reply,
    /// Dropped once the component was polled with it.
    pub(crate) judged: Option<oneshot::Sender<()>>,
}

/// Where the replies of one effect go.
#[derive(Clone)]
pub(crate) struct Answers {
    inbox: UnboundedSender<Answer>,
    id: EffectId,
    told: Instant,
}

impl Answers {
    pub(crate) fn to(inbox: UnboundedSender<Answer>, id: EffectId) -> Answers {
        Answers { inbox, id, told: Instant::now() }
    }

    /// An operation that is over hears nothing more.
    pub(crate) fn say(&self, reply: Reply) {
        self.inbox.send(Answer { id: self.id, reply, judged: None }).ok();
    }

    /// Says it and waits until the component has seen it: if it cancels, this never goes on.
    pub(crate) async fn say_and_wait(&self, reply: Reply) {
        let (judged, seen) = oneshot::channel();
        self.inbox.send(Answer { id: self.id, reply, judged: Some(judged) }).ok();
        seen.await.ok();
    }

    pub(crate) fn so_far(&mut self, bytes: u64) {
        if self.told.elapsed() >= BEAT {
            self.told = Instant::now();
            self.say(Reply::SoFar(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_stays_with_its_origin() {
        let folder = std::env::temp_dir().join(format!("rust-host-login-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (http, login) = (crate::request::client().expect("a client"), Some(("user".into(), "secret".into())));
        let limits = HostLimits {
            pointer_bytes_below: 1024,
            chunk_bytes_max: 1 << 18,
            name_bytes_max: 4096,
            sent_bytes_per_ms_min: 4,
        };
        let performer = Performer::new(&http, &folder, "https://lfs.test/r", login, 1, limits).expect("a performer");
        let table = [
            ("https://lfs.test/another", true),
            ("https://lfs.test:443/r", true),
            ("https://lfs.test:444/r", false),
            ("http://lfs.test/r", false),
            ("https://store.lfs.test/r", false),
        ];
        for (url, ours) in table {
            assert_eq!(performer.login(&Url::parse(url).expect("a URL")).is_some(), ours, "{url}");
        }
        fs::remove_dir_all(folder).ok();
    }
}
