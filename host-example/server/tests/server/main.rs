//! The embedded server seen from outside, over real sockets: by a plain HTTP client and by the real `git lfs`.

mod batch;
mod client;
mod clients;
mod doors;
mod frames;
mod git_lfs;
mod locks;
mod objects;
mod running;
mod strangers;
