//! One request and its answer.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{Method, Response};
use tokio::time::Instant;

use crate::contract::types;
use crate::contract::types::{Exchange, Failure, Head, Header, LfsBlob, Login, Reply, RequestBody, Slice, Stage};
use crate::effects::{Answers, BLOCK, Ended, Hash, Performer, revision};
use crate::why;

/// Headers that only the host sets.
const OURS: [&str; 4] = ["host", "content-length", "connection", "transfer-encoding"];

/// A client that follows and decodes nothing.
pub(crate) fn client() -> io::Result<reqwest::Client> {
    // Whoever embeds this may have chosen already.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().map_err(io::Error::other)
}

impl Performer {
    pub(crate) async fn exchange(&self, exchange: Exchange, answers: &mut Answers) -> Ended {
        let request = exchange.request;
        let method = match request.method {
            types::Method::Get => Method::GET,
            types::Method::Post => Method::POST,
            types::Method::Put => Method::PUT,
        };
        let url = reqwest::Url::parse(&request.url).map_err(|_| Failure::Io)?;
        let mut builder = self.http().request(method, url.clone());
        for header in request.headers.iter().filter(|header| !OURS.contains(&&*header.name.to_lowercase())) {
            builder = builder.header(&header.name, &header.value);
        }
        if request.login != Login::None {
            let stored = self.login(&url).filter(|_| request.login == Login::Stored);
            let (user, password) = stored.ok_or(Failure::Denied)?;
            builder = builder.basic_auth(user, Some(password));
        }
        let idle = Idle::new(exchange.idle_max);
        let mut file = None;
        builder = match request.body {
            RequestBody::Empty => builder,
            RequestBody::Bytes(bytes) => builder.body(bytes),
            RequestBody::File(slice) => {
                let Some(opened) = FileBody::open(&slice, &idle, answers)? else { return Ok(Reply::Conflict) };
                file = Some(opened.sent.clone());
                builder.body(reqwest::Body::wrap(opened))
            }
        };
        let sent = idle.bound(builder.send()).await;
        match file.as_deref().map(take) {
            Some(Sent::Changed) => return Ok(Reply::Conflict),
            Some(Sent::Whole(blob)) => answers.say(Reply::Sent(blob)),
            Some(Sent::Partly) | None => {}
        }
        let answer = sent?;
        let headers = answer.headers().iter().map(|(name, value)| Header {
            name: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        });
        let status = answer.status().as_u16();
        answers.say_and_wait(Reply::Head(Head { status, headers: headers.collect() })).await;
        let body = AnswerBody { answer, idle, left: exchange.answer_bytes_max };
        match exchange.stage {
            Some(stage) if matches!(status, 200 | 203 | 206) => self.receive(&stage, body, answers).await,
            _ => feed(body, answers).await,
        }
    }

    /// Into the stage, a file of this try alone.
    async fn receive(&self, stage: &Stage, mut body: AnswerBody, answers: &mut Answers) -> Ended {
        let mut file = File::create_new(self.stage(&stage.id)).map_err(|error| why(&error))?;
        let mut hash = Hash::default();
        while let Some(bytes) = body.next().await? {
            file.write_all(&bytes).map_err(|error| why(&error))?;
            hash.add(&bytes);
            answers.so_far(hash.size);
        }
        Ok(Reply::Received(hash.blob()))
    }
}

/// To the component.
async fn feed(mut body: AnswerBody, answers: &Answers) -> Ended {
    while let Some(bytes) = body.next().await? {
        for chunk in bytes.chunks(BLOCK) {
            answers.say(Reply::Chunk(chunk.to_vec()));
        }
    }
    Ok(Reply::End)
}

/// The body of an answer, up to the bound that the component gave.
struct AnswerBody {
    answer: Response,
    idle: Idle,
    left: u64,
}

impl AnswerBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(mut bytes) = self.idle.bound(self.answer.chunk()).await? else { return Ok(None) };
        bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= bytes.len() as u64;
        Ok(Some(bytes))
    }
}

/// What became of a file that was to be sent.
#[derive(Debug)]
enum Sent {
    Partly,
    Whole(LfsBlob),
    /// It is no longer what it was when it was hashed.
    Changed,
}

fn take(sent: &Mutex<Sent>) -> Sent {
    std::mem::replace(&mut *sent.lock().unwrap_or_else(PoisonError::into_inner), Sent::Partly)
}

/// A range of a file, hashed while it is sent. Its length is exact, so it has a `Content-Length`.
struct FileBody {
    file: File,
    revision: String,
    left: u64,
    hash: Hash,
    sent: Arc<Mutex<Sent>>,
    idle: Idle,
    answers: Answers,
}

impl FileBody {
    /// None when the file is gone or has changed.
    fn open(slice: &Slice, idle: &Idle, answers: &Answers) -> Result<Option<FileBody>, Failure> {
        let mut file = match File::open(&slice.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| why(&error))?,
        };
        if revision(&file).map_err(|error| why(&error))?.name != slice.revision {
            return Ok(None);
        }
        file.seek(io::SeekFrom::Start(slice.offset)).map_err(|error| why(&error))?;
        let mut body = FileBody {
            file,
            revision: slice.revision.clone(),
            left: slice.length,
            hash: Hash::default(),
            sent: Arc::new(Mutex::new(Sent::Partly)),
            idle: idle.clone(),
            answers: answers.clone(),
        };
        if slice.length == 0 {
            // Nobody asks for a block of nothing.
            body.end().map_err(|error| why(&error))?;
        }
        Ok(Some(body))
    }

    fn read(&mut self) -> io::Result<Bytes> {
        let mut block = vec![0; BLOCK.min(usize::try_from(self.left).unwrap_or(BLOCK))];
        let read = self.file.read(&mut block)?;
        if read == 0 {
            self.settle(Sent::Changed);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        block.truncate(read);
        self.left -= read as u64;
        self.hash.add(&block);
        self.idle.moved();
        self.answers.so_far(self.hash.size);
        if self.left == 0 {
            self.end()?;
        }
        Ok(block.into())
    }

    fn end(&mut self) -> io::Result<()> {
        let same = revision(&self.file)?.name == self.revision;
        let blob = std::mem::take(&mut self.hash).blob();
        self.settle(if same { Sent::Whole(blob) } else { Sent::Changed });
        Ok(())
    }

    fn settle(&self, sent: Sent) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = sent;
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Self::Data>>>> {
        let ready = (self.left > 0).then(|| self.read().map(Frame::data));
        Poll::Ready(ready)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Ends what waits too long for a byte in either direction.
#[derive(Clone)]
struct Idle {
    max: Duration,
    moved: Arc<Mutex<Instant>>,
}

impl Idle {
    fn new(ms: u64) -> Idle {
        Idle { max: Duration::from_millis(ms), moved: Arc::new(Mutex::new(Instant::now())) }
    }

    fn moved(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    async fn bound<T>(&self, wanted: impl Future<Output = reqwest::Result<T>>) -> Result<T, Failure> {
        self.moved();
        let mut wanted = std::pin::pin!(wanted);
        loop {
            let until = *self.moved.lock().unwrap_or_else(PoisonError::into_inner) + self.max;
            if Instant::now() >= until {
                return Err(Failure::TimedOut);
            }
            if let Ok(ended) = tokio::time::timeout_at(until, &mut wanted).await {
                return ended.map_err(|error| failure(&error));
            }
        }
    }
}

/// What went wrong between us and the server, or before.
fn failure(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        // An I/O error does not name what it wraps as its source.
        let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if wrapped.is_some_and(|wrapped| wrapped.is::<rustls::Error>()) || inner.is::<rustls::Error>() {
            return Failure::Blocked;
        }
        cause = inner.source();
    }
    if error.is_builder() { Failure::Io } else { Failure::Offline }
}
