//! The real `hydrant` program against servers that lie, stall, flood, break off and lead astray, and against its own
//! death. Each table row is a script for a raw TCP server, and what must come of it. Whatever the script, the program
//! ends in time, panics never, leaves only verified files and named stages, and tells no secret to anybody.

mod addresses;
mod batches;
mod bodies;
mod case;
mod echoes;
mod evidence;
mod heads;
mod kills;
mod liar;
mod logins;
mod own_logins;
mod ranges;
mod redirects;
mod secure;
mod steering;
#[cfg(target_os = "linux")]
mod strangers;
mod talk;
mod uploads;
