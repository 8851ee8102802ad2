//! A look in a thread of its own, beside whoever reads the file for another purpose.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::looking::{Looked, Looker, Sought};

/// Pieces that wait to be looked through. Whoever reads faster waits, so that memory stays bounded.
const PIECES_AHEAD: usize = 2;

/// A look that is told the file piece by piece.
pub(crate) struct Beside {
    pieces: mpsc::Sender<Vec<u8>>,
    looked: oneshot::Receiver<Looked>,
}

impl Beside {
    pub(crate) fn begin(sought: &Arc<Sought>) -> io::Result<Self> {
        let (pieces, mut next) = mpsc::channel::<Vec<u8>>(PIECES_AHEAD);
        let (answer, looked) = oneshot::channel();
        let sought = Arc::clone(sought);
        thread::Builder::new().name("hydrant-gate".into()).spawn(move || {
            let mut looker = Looker::new(&sought);
            while let Some(piece) = next.blocking_recv() {
                looker.push(&piece);
            }
            // Nobody waits for it once the reading was given up.
            drop(answer.send(looker.end()));
        })?;
        Ok(Self { pieces, looked })
    }

    pub(crate) async fn push(&self, piece: Vec<u8>) -> io::Result<()> {
        self.pieces.send(piece).await.map_err(|_| gone())
    }

    pub(crate) async fn end(self) -> io::Result<Looked> {
        drop(self.pieces);
        self.looked.await.map_err(|_| gone())
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that looks for secrets ended")
}
