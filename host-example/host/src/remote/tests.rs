//! The ledger's steps with a real git, a bare remote beside it, and a second clone that gets in the way.

mod following;
mod looking;
mod pushing;
mod ranging;
mod rewriting;
mod world;
