//! The programs that are compared, each as its README says for a folder, and how each tells what it found.
//!
//! None may ask anybody whether a secret is valid: that is another question, and what was made by chance is not. What
//! a program leaves out as the same secret elsewhere is asked for, where it can be.

use super::Ground;
use super::score::Hit;
use crate::bench::stopwatch::{self, Run};
use crate::failure::{Because, Failure, Result};
use crate::setup;
use crate::workspace::{Profile, succeed, write_if_changed};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What pip installs, each in an environment of its own.
const KINGFISHER: &str = "kingfisher-bin==2.14.0\n";
const DETECT_SECRETS: &str = "detect-secrets==1.5.0\n";
const CREDSWEEPER: &str = "credsweeper==1.19.5\n";
/// What npm installs.
const SECRETLINT: [&str; 2] = ["secretlint@13.0.6", "@secretlint/secretlint-rule-preset-recommend@13.0.6"];
/// The settings that `secretlint --init` writes.
const SECRETLINT_SETTINGS: &str = r#"{"rules":[{"id":"@secretlint/secretlint-rule-preset-recommend"}]}"#;

/// A program, ready to look through a folder or a file.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// The command that writes what it finds to the file.
    pub(super) command: fn(&Ground<'_>, looked: &Path, told: &Path) -> Result<Command>,
    read: fn(&Value) -> Option<Vec<Hit>>,
}

/// Ours is the first.
pub(super) fn all() -> [Program; 5] {
    [HYDRANT, KINGFISHER_BIN, DETECT, SWEEPER, LINT]
}

pub(super) const HYDRANT: Program = Program {
    name: "hydrant redact",
    command: |ground, looked, told| {
        // Values of this machine would be looked for as well.
        let mut hydrant = Command::new("env");
        hydrant.args(["--ignore-environment", "PATH=/usr/bin:/bin"]);
        hydrant.arg(ground.workspace.program("hydrant", Profile::Release)).args(["redact", "--json"]).arg(looked);
        into(hydrant.current_dir(&ground.scratch), told)
    },
    read: |told| each(&told["finding_list"], |one| Some((text(&one["file"])?, number(&one["line"])?, None))),
};

/// `kingfisher scan PATH`. `--no-validate`: see above. `--no-dedup`: each place.
pub(super) const KINGFISHER_BIN: Program = Program {
    name: "kingfisher-bin",
    command: |ground, looked, told| {
        let mut kingfisher = Command::new(python(ground, "kingfisher", KINGFISHER)?.join("kingfisher"));
        kingfisher.args(["scan", "--no-validate", "--no-update-check", "--no-dedup", "--format", "json"]);
        kingfisher.args(["--jobs", "1"]).arg(looked);
        into(&kingfisher, told)
    },
    read: |told| {
        each(&told["findings"], |one| {
            let finding = &one["finding"];
            Some((text(&finding["path"])?, number(&finding["line"])?, Some(text(&finding["snippet"])?)))
        })
    },
};

/// `detect-secrets scan PATH`. `--all-files`: the corpus is not in git. `--no-verify`: see above.
pub(super) const DETECT: Program = Program {
    name: "detect-secrets",
    command: |ground, looked, told| {
        let mut detect = Command::new(python(ground, "detect-secrets", DETECT_SECRETS)?.join("detect-secrets"));
        detect.args(["scan", "--all-files", "--no-verify"]).arg(looked);
        into(detect.current_dir(&ground.corpus), told)
    },
    read: |told| {
        let lists = told["results"]
            .as_object()?
            .values()
            .map(|list| each(list, |one| Some((text(&one["filename"])?, number(&one["line_number"])?, None))));
        lists.collect::<Option<Vec<_>>>().map(|lists| lists.into_iter().flatten().collect())
    },
};

/// `credsweeper --path PATH --save-json FILE`.
const SWEEPER: Program = Program {
    name: "credsweeper",
    command: |ground, looked, told| {
        let mut sweeper = Command::new(python(ground, "credsweeper", CREDSWEEPER)?.join("credsweeper"));
        sweeper.arg("--path").arg(looked).arg("--save-json").arg(told);
        Ok(sweeper)
    },
    read: |told| {
        let lists = told.as_array()?.iter().map(|one| {
            each(&one["line_data_list"], |line| {
                Some((text(&line["path"])?, number(&line["line_num"])?, Some(text(&line["value"])?)))
            })
        });
        lists.collect::<Option<Vec<_>>>().map(|lists| lists.into_iter().flatten().collect())
    },
};

/// `secretlint "**/*"` in the folder, with the recommended rules.
const LINT: Program = Program {
    name: "secretlint",
    command: |ground, looked, told| {
        let home = ground.tools.join("secretlint");
        if write_if_changed(&home.join("packages"), SECRETLINT.join("\n").as_bytes())? || !is_installed(&home) {
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&home);
            succeed(npm.args(SECRETLINT), "npm cannot install secretlint")?;
        }
        let settings = home.join("settings.json");
        write_if_changed(&settings, SECRETLINT_SETTINGS.as_bytes())?;
        let mut lint = Command::new(setup::node(ground.workspace));
        lint.arg(home.join(SECRETLINT_PROGRAM)).args(["--format", "json", "--secretlintrc"]).arg(settings);
        lint.arg("**/*").current_dir(looked);
        into(&lint, told)
    },
    read: |told| {
        let lists = told.as_array()?.iter().map(|file| {
            each(&file["messages"], |one| Some((text(&file["filePath"])?, number(&one["loc"]["start"]["line"])?, None)))
        });
        lists.collect::<Option<Vec<_>>>().map(|lists| lists.into_iter().flatten().collect())
    },
};

const SECRETLINT_PROGRAM: &str = "node_modules/secretlint/bin/secretlint.js";

fn is_installed(home: &Path) -> bool {
    home.join(SECRETLINT_PROGRAM).is_file()
}

impl Program {
    /// Looks through the files of the corpus; what it found, and the seconds that it took.
    pub(super) fn look(&self, ground: &Ground<'_>) -> Result<(Vec<Hit>, f64)> {
        let folder = ground.corpus.join("files");
        let told = ground.scratch.join(format!("{}.json", self.name.replace(' ', "-")));
        let run = self.measured(ground, &folder, &told)?;
        let text = fs::read_to_string(&told).because(format!("{} told nothing", self.name))?;
        // Kingfisher writes a second document behind it.
        let first = serde_json::Deserializer::from_str(&text).into_iter::<Value>().next();
        let value = first.unwrap_or(Ok(Value::Null)).because(format!("what {} told is no JSON", self.name))?;
        let not_read = || Failure::new(format!("what {} told cannot be read", self.name));
        let mut hits = (self.read)(&value).ok_or_else(not_read)?;
        for hit in &mut hits {
            // Some name files by their whole path, others from where they run.
            let whole = format!("{}/", folder.display());
            let files = [whole.as_str(), "files/"];
            let name = files.iter().find_map(|files| hit.file.strip_prefix(files));
            hit.file = name.unwrap_or(&hit.file).to_owned();
        }
        Ok((hits, run.seconds))
    }

    /// How long it takes, and its memory. To find something is an error for some, so their exit codes say nothing.
    pub(super) fn measured(&self, ground: &Ground<'_>, looked: &Path, told: &Path) -> Result<Run> {
        stopwatch::run(&(self.command)(ground, looked, told)?)
    }
}

/// Its standard output in a file, and no exit code.
fn into(command: &Command, told: &Path) -> Result<Command> {
    let mut shell = Command::new("sh");
    shell.args(["-c", "out=$1; shift; \"$@\" > \"$out\"; exit 0", "sh"]).arg(told);
    shell.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    Ok(shell)
}

fn python(ground: &Ground<'_>, name: &str, packages: &str) -> Result<PathBuf> {
    let home = ground.tools.join(name);
    setup::python_packages(&home, packages)?;
    Ok(home.join("bin"))
}

fn each(list: &Value, read: impl Fn(&Value) -> Option<(String, usize, Option<String>)>) -> Option<Vec<Hit>> {
    let hit = |one| read(one).map(|(file, line, value)| Hit { file, line, value });
    list.as_array()?.iter().map(hit).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}
