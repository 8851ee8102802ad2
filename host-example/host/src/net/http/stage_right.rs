//! Exchanges that write the same stage take turns: one that was cancelled may still be putting the stage in order.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use tokio::sync::Notify;

/// Stages that are being written in this process.
#[derive(Clone, Default)]
pub(crate) struct StageRights(Rc<Busy>);

#[derive(Default)]
struct Busy {
    oids: RefCell<HashSet<String>>,
    freed: Notify,
}

/// The right to write one stage, until it is dropped.
pub(crate) struct StageRight {
    busy: Rc<Busy>,
    oid: String,
}

impl StageRights {
    /// Waits until nobody else writes this stage.
    pub(crate) async fn take(&self, oid: &str) -> StageRight {
        loop {
            if self.0.oids.borrow_mut().insert(oid.to_owned()) {
                return StageRight { busy: Rc::clone(&self.0), oid: oid.to_owned() };
            }
            // Nothing runs between the look and this wait: the loop has one thread.
            self.0.freed.notified().await;
        }
    }
}

impl Drop for StageRight {
    fn drop(&mut self) {
        self.busy.oids.borrow_mut().remove(&self.oid);
        self.busy.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::StageRights;
    use tokio::time::timeout;

    #[tokio::test]
    async fn one_at_a_time_for_each_stage() {
        let rights = StageRights::default();
        let first = rights.take("a").await;
        let _other = rights.take("b").await;
        let mut second = Box::pin(rights.take("a"));
        assert!(timeout(Duration::from_millis(20), &mut second).await.is_err());
        drop(first);
        assert!(timeout(Duration::from_millis(200), second).await.is_ok());
    }
}
