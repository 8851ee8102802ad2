//! `cargo xtask release [PART...]`: what is too long for every change and must hold before a release. Each part is a
//! command of its own as well.

use crate::failure::Result;
use crate::terminal::{remark, say, table};
use crate::workspace::Workspace;
use crate::{bench, dist, fuzz, interop, mutants, secrets, sim, soak, suites, web};
use std::time::Instant;

/// Seeds of the simulation.
const SEEDS: &str = "20000";
/// Minutes of fuzzing.
const FUZZ_MINUTES: &str = "120";

struct Part {
    name: &'static str,
    shows: &'static str,
    run: fn(&Workspace) -> Result<bool>,
}

const PARTS: [Part; 11] = [
    Part {
        name: "test",
        shows: "everything that every change must pass",
        run: |workspace| suites::test(workspace, false),
    },
    Part {
        name: "mutants",
        shows: "every planted bug turns its test red",
        run: |workspace| mutants::mutants(workspace, &[]),
    },
    Part {
        name: "sim",
        shows: "20,000 seeded lives",
        run: |workspace| Ok(sim::sim(workspace, &["--seeds".to_owned(), SEEDS.to_owned()])? == Some(true)),
    },
    Part {
        name: "fuzz",
        shows: "two hours of a host that does anything at all",
        run: |workspace| Ok(fuzz::fuzz(workspace, &[FUZZ_MINUTES.to_owned()])? == Some(true)),
    },
    Part {
        name: "soak",
        shows: "kills and seeded lives, for longer",
        run: |workspace| soak::soak(workspace).map(|()| true),
    },
    Part {
        name: "interop",
        shows: "other people's clients and servers",
        run: |workspace| interop::interop(workspace, &[]),
    },
    Part {
        name: "secrets",
        shows: "the search for secrets beside other people's, a million lines of chance, and how fast it is",
        run: secrets::secrets,
    },
    Part { name: "web", shows: "the browser package beside what it is measured by", run: web::bench },
    Part { name: "firefox", shows: "the browser package in Firefox", run: web::firefox },
    Part { name: "dist", shows: "a release, installed where there is nothing but Debian", run: dist::install },
    Part {
        name: "bench",
        shows: "hydrant beside other clients",
        run: |workspace| Ok(bench::bench(workspace, &[])? == Some(true)),
    },
];

/// Runs the named parts, or all. None when a name is unknown; true when each went well.
pub(crate) fn release(workspace: &Workspace, arguments: &[String]) -> Result<Option<bool>> {
    if arguments.iter().any(|name| !PARTS.iter().any(|part| part.name == *name)) {
        say("cargo xtask release [PART...], where PART is one of:");
        PARTS.iter().for_each(|part| say(&format!("  {:8} {}", part.name, part.shows)));
        return Ok((arguments == ["--help"]).then_some(true));
    }
    let mut rows = vec![["part", "seconds", "ended"].map(String::from).to_vec()];
    let mut all_well = true;
    for part in PARTS.iter().filter(|part| arguments.is_empty() || arguments.iter().any(|name| name == part.name)) {
        remark(&format!("{}: {}", part.name, part.shows));
        let started = Instant::now();
        let ended = match (part.run)(workspace) {
            Ok(true) => "well".to_owned(),
            Ok(false) => "FAILED".to_owned(),
            Err(failure) => format!("FAILED: {failure}"),
        };
        all_well &= ended == "well";
        rows.push(vec![part.name.to_owned(), format!("{:.0}", started.elapsed().as_secs_f64()), ended]);
    }
    table(&rows);
    Ok(Some(all_well))
}
