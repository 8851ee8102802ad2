//! Where `git push` would send the branch that HEAD is on, by git's own rules: the ref at the remote, the ref here that
//! tells of it, and what a push would send besides.
//!
//! Rule: nothing is guessed in silence. Where git itself would refuse, or send more than this branch, a sentence says
//! so, and whoever looked at this branch alone cannot say that all is well.

use super::words;
use crate::git::{Git, GitFault};
use crate::text::{count_text, quote};

/// A branch of a remote: what one here follows, or is pushed to.
#[derive(Default)]
pub(super) struct Upstream {
    /// Full name of the ref here; empty when the user's settings name none.
    pub(super) tracking: String,
    pub(super) remote: String,
    /// Full name of the branch there.
    pub(super) branch: String,
}

/// Where a push goes.
pub(super) struct Destination {
    pub(super) place: Upstream,
    /// What the remote is known to have, in git's words, where no ref here tells of the one that is pushed to. None:
    /// no remote of that name is set up, so it may be an address, and nothing is known to be there.
    pub(super) known: Option<String>,
    /// Why it is not the whole of what `git push` does.
    pub(super) doubt: Option<String>,
}

/// The settings of a push.
struct Settings<'a> {
    git: &'a Git,
    /// Short name of the branch here.
    branch: &'a str,
    remote: &'a str,
    /// What the remote's `push` says: a refspec each.
    specs: Vec<String>,
    mirrors: bool,
    /// `push.default`.
    default: String,
}

/// Where a push to this remote goes. `named` says that the user chose the remote for this once: then he says to git
/// what to push there, too.
pub(super) fn find(
    git: &Git,
    branch: &str,
    remote: &str,
    named: bool,
    upstream: Option<&Upstream>,
) -> Result<Destination, GitFault> {
    let all = |key: &str| -> Result<Vec<String>, GitFault> {
        let told = git.run(&["config", "--null", "--get-all", key], b"")?.stdout;
        let values = told.split(|byte| *byte == 0).filter(|value| !value.is_empty());
        Ok(values.map(|value| String::from_utf8_lossy(value).into_owned()).collect())
    };
    let settings = Settings {
        git,
        branch,
        remote,
        specs: all(&format!("remote.{remote}.push"))?,
        mirrors: git.run(&["config", "--type=bool", "--get", &format!("remote.{remote}.mirror")], b"")?.stdout
            == b"true\n",
        default: all("push.default")?.pop().unwrap_or_else(|| "simple".to_owned()),
    };
    let (reference, refused) = settings.reference(upstream)?;
    let tracking = settings.tracking(&reference)?;
    let known = match remote {
        // It sends nothing anywhere: what the next push to a remote would send is what none of them has.
        "." => Some("--remotes".to_owned()),
        _ if all(&format!("remote.{remote}.url"))?.is_empty() => None,
        _ => Some(format!("--remotes={remote}")),
    };
    let doubt = match refused.filter(|_| !named) {
        None => settings.others(known.as_deref())?,
        refused => refused,
    };
    let place = Upstream { tracking, remote: remote.to_owned(), branch: reference };
    Ok(Destination { place, known, doubt })
}

impl Settings<'_> {
    fn full(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// Full name of the ref at the remote, and why git would refuse.
    fn reference(&self, upstream: Option<&Upstream>) -> Result<(String, Option<String>), GitFault> {
        let (full, branch) = (self.full(), quote(self.branch.as_bytes()));
        let follows = upstream.filter(|upstream| upstream.remote == self.remote).map(|upstream| &upstream.branch);
        let is_triangle = upstream.is_some() && follows.is_none();
        if !self.specs.is_empty() {
            let reference = match self.named() {
                Some(reference) => reference,
                None => self.pushed(&[])?[0].clone(),
            };
            let why = format!("the push refspecs of this remote do not name {branch}: git push sends nothing of it");
            return Ok(if reference.is_empty() { (full, Some(why)) } else { (reference, None) });
        }
        let default = self.default.as_str();
        Ok(match (default, follows) {
            _ if self.mirrors => (full, None),
            ("nothing", _) => (full, Some("push.default is nothing: git push sends nothing by itself".to_owned())),
            ("upstream" | "tracking", Some(follows)) => (follows.clone(), None),
            ("upstream" | "tracking", None) if is_triangle => {
                let why =
                    format!("push.default is {default}, and {branch} pulls from another remote: git push refuses");
                (full, Some(why))
            }
            ("simple", Some(follows)) if *follows != full => {
                let other = quote(follows.as_bytes());
                let why = format!("push.default is simple, and {branch} follows {other}: git push refuses");
                (follows.clone(), Some(why))
            }
            _ => (full, None),
        })
    }

    /// Whether a refspec's source is this branch by one of its own names.
    fn is_this(&self, source: &str) -> bool {
        [self.branch, &self.full(), "HEAD", "@"].contains(&source)
    }

    /// Full name of the ref that a refspec of this very branch names: git tells only of those with its full name.
    fn named(&self) -> Option<String> {
        let target = |spec: &String| {
            let (source, target) = parts(spec);
            // `:` is what `matching` does.
            let is_this = self.is_this(source) || (source.is_empty() && target == Some(""));
            let target = target.filter(|target| !target.is_empty());
            is_this.then(|| match target {
                Some(target) if target.starts_with("refs/") => target.to_owned(),
                Some(target) => format!("refs/heads/{target}"),
                None => self.full(),
            })
        };
        self.specs.iter().find_map(target)
    }

    /// The ref here that says where that one was.
    fn tracking(&self, reference: &str) -> Result<String, GitFault> {
        let spec = format!("remote.{}.push={}:{reference}", self.remote, self.full());
        let [_, tracking] = self.pushed(&["-c", &spec])?;
        Ok(tracking)
    }

    /// What git says of a push to this remote: the ref there, and the one here that tells of it. Either may be empty.
    fn pushed(&self, more: &[&str]) -> Result<[String; 2], GitFault> {
        // In such a word git would find another setting.
        if self.branch.contains('=') || self.remote.contains('=') {
            return Ok([String::new(), String::new()]);
        }
        let (full, remote) = (self.full(), format!("branch.{}.pushRemote={}", self.branch, self.remote));
        let format = "--format=%(refname)%00%(push:remoteref)%00%(push)";
        let listed = self.git.read(&[&["-c", &remote], more, &["for-each-ref", format, &full]].concat(), b"")?;
        let told = listed.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).find_map(|line| {
            let mut facts = line.split('\0').map(str::to_owned);
            (facts.next()? == full).then(|| [facts.next().unwrap_or_default(), facts.next().unwrap_or_default()])
        });
        Ok(told.unwrap_or_default())
    }

    /// What a push sends of other branches; none when the remote has it.
    fn others(&self, known: Option<&str>) -> Result<Option<String>, GitFault> {
        let sources: Vec<&str> =
            self.specs.iter().filter(|spec| !spec.starts_with('^')).map(|spec| parts(spec).0).collect();
        let matches = sources.contains(&"") || (self.specs.is_empty() && self.default == "matching");
        let is_wide = self.mirrors || sources.iter().any(|source| !source.is_empty() && !self.is_this(source));
        let has_tags =
            self.mirrors || sources.iter().any(|it| it.starts_with("refs/tags/") || it.starts_with("refs/*"));
        let mut refs = Vec::new();
        if is_wide {
            refs.push("--branches".to_owned());
        } else if matches {
            let there = self.names("%(refname:strip=3)", &format!("refs/remotes/{}", self.remote))?;
            refs.extend(self.names("%(refname:strip=2)", "refs/heads")?.into_iter().filter(|it| there.contains(it)));
            refs.iter_mut().for_each(|name| name.insert_str(0, "refs/heads/"));
        }
        if has_tags {
            refs.push("--tags".to_owned());
        }
        if refs.is_empty() {
            return Ok(None);
        }
        let counted = ["rev-list", "--count"].map(str::to_owned).into_iter().chain(refs);
        let without = ["--not", "HEAD"].into_iter().chain(known).map(str::to_owned);
        let counted = self.git.read(&counted.chain(without).collect::<Vec<_>>(), b"")?;
        let commits = words::line(&counted).parse::<usize>().unwrap_or(usize::MAX);
        Ok((commits > 0).then(|| {
            format!(
                "git push also sends {} of other branches, which were not looked at: switch to each, and look again",
                count_text(commits, "commit")
            )
        }))
    }

    fn names(&self, format: &str, beneath: &str) -> Result<Vec<String>, GitFault> {
        let listed = self.git.read(&["for-each-ref", &format!("--format={format}"), beneath], b"")?;
        let names = listed.split(|byte| *byte == b'\n').filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }
}

/// Source and target of a refspec.
fn parts(spec: &str) -> (&str, Option<&str>) {
    let spec = spec.trim_start_matches('+');
    spec.split_once(':').map_or((spec, None), |(source, target)| (source, Some(target)))
}
