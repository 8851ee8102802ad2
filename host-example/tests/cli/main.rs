//! The real `hydrant` program, against the embedded server, real git and, where it is installed, the real git-lfs.

mod ledgers;
mod objects;
mod pointers;
mod scene;
mod secrets;
mod signals;
mod trees;
mod trust;
