//! Set-up, build, demo, test, bench and interop: every command that a person working on hydrant types.

mod bench;
mod child;
mod component;
mod demo;
mod dist;
mod engine;
mod failure;
mod fuzz;
mod hosts;
mod interop;
mod lint;
mod mac;
mod memory;
mod mutants;
mod release;
mod rooms;
mod secrets;
mod seed;
mod setup;
mod sim;
mod soak;
mod suites;
mod terminal;
mod web;
mod workspace;

use failure::{Failure, Result};
use setup::Tool;
use std::process::ExitCode;
use terminal::{remark, say};
use workspace::{Profile, Workspace};

const HELP: &str = "\
cargo xtask COMMAND

  demo [ARGS]     see hydrant at work; sets up and builds first (needs Rust and git)
  test            everything that must pass: lint, every package, every host; sets up and builds first
  test --quick    a verdict in minutes: no lint, no host in another language, no long test
  build           target/dist/hydrant-engine.wasm, its compiled form, and target/release/hydrant
  web             target/dist/web, the browser package; sets up and builds first
  web --serve     the same, and its examples at a URL of this machine
  web --bench     the same, beside what it is measured by, as ratios
  dist            target/dist, everything that a release has, with SHA256SUMS; sets up and builds first
  sizes           how large the browser package is, and what it consists of
  setup           wasm targets and the programs that tests call; installs them as root on Debian
  lint            format, clippy and documentation, warnings as errors
  check-mac       the same for macOS, as far as a compiler can tell; `lint` does it where CI is set
  rooms           which part of the core uses which; fails on a circle and on an arrow against the order
  mutants [NAME…] plants each bug of tests/mutants in a copy of the tree and demands that its test turns red
  bench [ARGS]    hydrant beside other clients, as ratios; `bench --help` lists the workloads
  sim [ARGS]      seeded lives on every core: `--seeds N [--from S]`, or `--seed S [--trace]` for one again
  fuzz [MINUTES]  a host that does anything at all, against the native core and the component in Node
  soak            kills and seeded lives, for longer than `test` takes
  interop [NAME]  hydrant with other people's clients and servers; `interop --help` lists them
  release [PART…] all that, and everything too long for every change; `release --help` lists the parts
  help            this text

A command ends with 0 when all went well, 1 when something failed, 2 when it was not understood.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if std::env::var_os(web::simd::STANDS_IN).is_some() {
        return web::simd::rustc(&arguments).unwrap_or_else(|failure| {
            remark(&failure.to_string());
            ExitCode::FAILURE
        });
    }
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    if matches!(command, "help" | "--help" | "-h") {
        say(HELP);
        return ExitCode::SUCCESS;
    }
    if command == bench::PART {
        return match bench::part(rest) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                remark(&failure.to_string());
                ExitCode::FAILURE
            }
        };
    }
    match run(command, rest) {
        Ok(Some(true)) => ExitCode::SUCCESS,
        Ok(Some(false)) => ExitCode::FAILURE,
        Ok(None) => {
            remark(&format!("no such command or argument; see `cargo xtask help`: {}", arguments.join(" ")));
            ExitCode::from(2)
        }
        Err(failure) => {
            remark(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// None when the words are not understood; otherwise whether all went well.
fn run(command: &str, rest: &[String]) -> Result<Option<bool>> {
    let quick = command == "test" && rest == ["--quick"];
    let serve = command == "web" && rest == ["--serve"];
    let measure = command == "web" && rest == ["--bench"];
    let takes_arguments =
        matches!(command, "demo" | "dist" | "mutants" | "bench" | "interop" | "fuzz" | "sim" | "release");
    if !rest.is_empty() && !takes_arguments && !quick && !serve && !measure {
        return Ok(None);
    }
    let workspace = Workspace::find()?;
    let done = match command {
        "web" if measure => {
            setup::prepare(&workspace, &[Tool::Node, Tool::Npm, Tool::Chromium])?;
            web::bench(&workspace)?
        }
        "web" if serve => {
            setup::prepare(&workspace, &[Tool::Node, Tool::Npm])?;
            web::serve(&workspace)?;
            true
        }
        "setup" => {
            setup::prepare(&workspace, &Tool::FOR_TESTS)?;
            let missing: Vec<&str> =
                Tool::FOR_TESTS.iter().filter(|t| !t.is_present(&workspace)).map(|t| t.name()).collect();
            if !missing.is_empty() {
                return Err(Failure::new(format!("still missing: {}", missing.join(", "))));
            }
            true
        }
        "build" => {
            setup::prepare(&workspace, &[Tool::Git])?;
            engine::build(&workspace, Profile::Release)?;
            true
        }
        "web" => {
            setup::prepare(&workspace, &[])?;
            let package = web::build(&workspace)?;
            say(&package.display().to_string());
            true
        }
        "sizes" => {
            setup::prepare(&workspace, &[Tool::Node, Tool::Npm])?;
            web::sizes(&workspace)?;
            true
        }
        "demo" => {
            demo::demo(&workspace, rest)?;
            true
        }
        "lint" => {
            let linted = lint::lint(&workspace)?;
            linted.failed.iter().for_each(|name| remark(&format!("{name} failed")));
            say(&format!("{} passed, {} failed", linted.passed, linted.failed.len()));
            linted.failed.is_empty()
        }
        "check-mac" => {
            mac::check(&workspace)?;
            true
        }
        "test" => suites::test(&workspace, quick)?,
        "rooms" => rooms::rooms(&workspace.root)?,
        "soak" => {
            soak::soak(&workspace)?;
            true
        }
        "fuzz" => return fuzz::fuzz(&workspace, rest),
        "sim" => return sim::sim(&workspace, rest),
        "release" => return release::release(&workspace, rest),
        "mutants" => mutants::mutants(&workspace, rest)?,
        "dist" => return dist::dist(&workspace, rest),
        "bench" => return bench::bench(&workspace, rest),
        "interop" => interop::interop(&workspace, rest)?,
        _ => return Ok(None),
    };
    Ok(Some(done))
}
