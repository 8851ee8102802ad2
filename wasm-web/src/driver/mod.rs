//! The loop of the contract for a platform with `fetch`: poll, perform, answer, sleep. It decides nothing.

mod digest;
mod exchange;
mod failure;
mod files;
mod host;

use crate::machine::AnyMachine;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use failure::failed;
pub(crate) use host::Host;
use hydrant_lfs::contract::{
    Beginning, Doc, Effect, EffectId, Failed, Failure, Instant, Reply, Revision, StageId, Step,
};
use hydrant_lfs::order::SortedMap;
use hydrant_lfs::{Blob, Handle};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

/// Milliseconds between two `so-far` of one effect at least.
const SO_FAR_MS_MIN: f64 = 100.0;

/// An operation under way.
pub(crate) struct Driver {
    handle: Rc<RefCell<Handle<AnyMachine>>>,
    host: Host,
    open: RefCell<Vec<(EffectId, AbortController)>>,
    /// What files hash to, by name: a file of a browser cannot change.
    hashed: RefCell<SortedMap<String, Blob>>,
    /// A fault of this host, or of the caller's hooks.
    fault: RefCell<Option<JsValue>>,
}

/// One effect under way.
struct Task {
    driver: Rc<Driver>,
    id: EffectId,
    controller: AbortController,
    told: Cell<f64>,
}

/// What the loop does next.
enum Next {
    Sleep(Option<f64>),
    End,
}

/// Drives an operation to its end. An error is one that the caller's hooks threw.
pub(crate) async fn drive(handle: Rc<RefCell<Handle<AnyMachine>>>, host: Host) -> Result<JsValue, JsValue> {
    let driver = Rc::new(Driver {
        handle,
        host,
        open: RefCell::default(),
        hashed: RefCell::default(),
        fault: RefCell::default(),
    });
    loop {
        let next = driver.pump();
        if let Some(fault) = driver.fault.borrow_mut().take() {
            driver.open.borrow().iter().for_each(|(_, request)| request.abort());
            return Err(fault);
        }
        match next {
            Next::End => return Ok(JsValue::UNDEFINED),
            Next::Sleep(milliseconds) => driver.host.sleep(milliseconds).await,
        }
    }
}

impl Driver {
    /// Takes steps until there is nothing to do but wait. What a hook throws ends the loop.
    fn pump(self: &Rc<Self>) -> Next {
        loop {
            let now = Instant { ticks: host::ticks() as u64, wall: js_sys::Date::now() as u64 };
            let step = self.handle.borrow_mut().poll(now);
            let told = match step {
                Step::Perform(id, effect) => self.begin(id, effect),
                Step::Cancel(id) => {
                    let open = self.open.borrow();
                    open.iter().filter(|(open, _)| *open == id).for_each(|(_, request)| request.abort());
                    Ok(())
                }
                Step::Note(it) => self.host.note(it.name, it.done as f64, it.total as f64),
                Step::Retry(it) => self.host.retry(it.name, it.error.detail, it.at.saturating_sub(now.ticks) as f64),
                Step::Enter(_) => Ok(()),
                Step::Wait(until) => {
                    return Next::Sleep(until.map(|tick| tick.saturating_sub(now.ticks) as f64));
                }
                Step::Done => return Next::End,
            };
            if let Err(fault) = told {
                self.fail(fault);
            }
        }
    }

    /// The loop ends with this.
    fn fail(&self, fault: JsValue) {
        self.fault.borrow_mut().get_or_insert(fault);
        self.host.rouse();
    }

    fn begin(self: &Rc<Self>, id: EffectId, effect: Effect) -> Result<(), JsValue> {
        let controller = AbortController::new()?;
        self.open.borrow_mut().push((id, controller.clone()));
        let task = Task { driver: Rc::clone(self), id, controller, told: Cell::new(0.0) };
        spawn_local(async move {
            let last = task.perform(effect).await.unwrap_or_else(Reply::Failed);
            task.driver.open.borrow_mut().retain(|(open, _)| *open != task.id);
            task.say(last);
        });
        Ok(())
    }
}

impl Task {
    /// Replies, and rouses the loop.
    fn say(&self, reply: Reply) {
        if self.driver.handle.borrow_mut().reply(self.id, reply).is_err() {
            let fault = js_sys::Error::new("the driver broke the contract: this is a bug of hydrant");
            self.driver.fail(fault.into());
        }
        self.driver.host.rouse();
    }

    /// Says how far it is, not too often.
    fn so_far(&self, bytes: u64) {
        let now = host::ticks();
        if now - self.told.get() >= SO_FAR_MS_MIN {
            self.told.set(now);
            self.say(Reply::SoFar(bytes));
        }
    }

    fn host(&self) -> &Host {
        &self.driver.host
    }

    fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// Fails once the effect was cancelled.
    fn wanted(&self) -> Result<(), Failed> {
        match self.signal().aborted() {
            true => Err(failed(&self.signal().reason())),
            false => Ok(()),
        }
    }

    /// Performs an effect; the result is its last reply.
    async fn perform(&self, effect: Effect) -> Result<Reply, Failed> {
        match effect {
            Effect::Http(exchange) => self.exchange(exchange).await,
            Effect::ReadFile(reading) => self.read_file(reading).await,
            Effect::LoadDoc(name) => Ok(match self.host().doc(&name) {
                Some(bytes) => Reply::Doc(Doc { bytes, revision: unchanging() }),
                None => Reply::Absent,
            }),
            Effect::HasBlob(blob) => self.has(blob).await,
            Effect::KeepBlob(it) => {
                let kept = self.host().keep(it.stage.0, it.blob.oid.to_string()).await;
                kept.map(|_| Reply::End).map_err(|error| failed(&error))
            }
            Effect::DropStage(stage) => {
                let dropped = self.host().drop_stage(stage.0).await;
                dropped.map(|_| Reply::End).map_err(|error| failed(&error))
            }
            _ => Err(Failed { why: Failure::Io, detail: "nothing here has a ledger".into() }),
        }
    }

    async fn has(&self, blob: Blob) -> Result<Reply, Failed> {
        let found = self.host().has(blob.oid.to_string(), blob.size as f64).await.map_err(|error| failed(&error))?;
        if found == JsValue::TRUE {
            return Ok(Reply::Present);
        }
        if !found.is_object() {
            return Ok(Reply::Absent);
        }
        let found: host::Beginning = found.unchecked_into();
        let bytes = found.blob().size() as u64;
        let partial = Reply::Partial(Beginning { stage: StageId(found.stage()), bytes, validator: found.validator() });
        if bytes < blob.size {
            return Ok(partial);
        }
        self.say(partial);
        Ok(Reply::Received(self.hash(&found.blob(), blob.size).await?))
    }
}

/// The revision of what cannot change.
fn unchanging() -> Revision {
    Revision("0".into())
}
