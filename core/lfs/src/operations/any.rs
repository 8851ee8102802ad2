//! Machines of several kinds behind one type, for a binding whose operations have one.

use super::Machine;
use crate::contract::EffectId;
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use alloc::boxed::Box;

/// Declares an enum of machines, which is a machine itself, and the enum of their reports.
///
/// ```
/// use hydrant_lfs::operations::{Batch, Download};
///
/// hydrant_lfs::machines! {
///     /// What runs.
///     pub enum AnyMachine,
///     /// What it came to.
///     pub enum AnyReport {
///         Download(Download),
///         Batch(Batch),
///     }
/// }
/// ```
#[macro_export]
macro_rules! machines {
    (
        $(#[$of_any:meta])* $vis_of_any:vis enum $Any:ident,
        $(#[$of_report:meta])* $vis_of_report:vis enum $Report:ident {
            $($(#[$when:meta])* $Kind:ident($Machine:ty)),+ $(,)?
        }
    ) => {
        $(#[$of_any])*
        $vis_of_any enum $Any {
            $($(#[$when])* #[allow(missing_docs)] $Kind($Machine)),+
        }

        $(#[$of_report])*
        $vis_of_report enum $Report {
            $($(#[$when])* #[allow(missing_docs)] $Kind(<$Machine as $crate::operations::Machine>::Report)),+
        }

        impl $crate::operations::Machine for $Any {
            type Report = $Report;

            fn advance(
                &mut self,
                out: &mut $crate::protocol::outbox::Outbox,
                link: &mut $crate::protocol::link::Link,
            ) {
                match self { $($(#[$when])* $Any::$Kind(it) => it.advance(out, link)),+ }
            }

            fn on(
                &mut self,
                id: $crate::contract::EffectId,
                event: $crate::protocol::outbox::Event,
                out: &mut $crate::protocol::outbox::Outbox,
                link: &mut $crate::protocol::link::Link,
            ) {
                match self { $($(#[$when])* $Any::$Kind(it) => it.on(id, event, out, link)),+ }
            }

            fn stop(&mut self, out: &mut $crate::protocol::outbox::Outbox) {
                match self { $($(#[$when])* $Any::$Kind(it) => it.stop(out)),+ }
            }

            fn wake(&self, now: u64, link: &$crate::protocol::link::Link) -> Option<u64> {
                match self { $($(#[$when])* $Any::$Kind(it) => it.wake(now, link)),+ }
            }

            fn left(&self) -> usize {
                match self { $($(#[$when])* $Any::$Kind(it) => it.left()),+ }
            }

            fn is_done(&self) -> bool {
                match self { $($(#[$when])* $Any::$Kind(it) => it.is_done()),+ }
            }

            fn finish(self) -> $Report {
                match self { $($(#[$when])* $Any::$Kind(it) => $Report::$Kind(it.finish())),+ }
            }
        }
    };
}

/// A large machine among small ones.
impl<M: Machine> Machine for Box<M> {
    type Report = M::Report;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        M::advance(self, out, link);
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        M::on(self, id, event, out, link);
    }

    fn stop(&mut self, out: &mut Outbox) {
        M::stop(self, out);
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        M::wake(self, now, link)
    }

    fn left(&self) -> usize {
        M::left(self)
    }

    fn is_done(&self) -> bool {
        M::is_done(self)
    }

    fn finish(self) -> M::Report {
        M::finish(*self)
    }
}
