//! How well a program finds secrets, by the truth that was written with the files.
//!
//! A hit is right where file and line are those of a secret, and what the program shows of it, if it shows anything,
//! has a part of the secret: as it says, or as it is written there.

use crate::failure::{Because, Failure, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Characters that a value must have in common with a secret.
const COMMON_CHARS: usize = 6;

pub(super) const HEAD: [&str; 10] =
    ["program", "hits", "right", "precision", "recall", "F1", "prefixed", "keyed", "nested", "split"];
/// How `truth.tsv` calls them.
const CLASSES: [&str; 4] = ["Prefixed", "Keyed", "Nested", "Split"];

/// What a program found.
pub(super) struct Hit {
    /// Its file, from the folder of the corpus.
    pub(super) file: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Option<String>,
}

struct Secret {
    first: usize,
    last: usize,
    class: usize,
    /// What it says, and how it is written.
    texts: [String; 2],
}

/// What stands in the files.
pub(super) struct Truth(BTreeMap<String, Vec<Secret>>);

/// How well it was found.
pub(super) struct Score {
    hits: usize,
    right: usize,
    /// Of each class, how many were found of how many.
    found: [(usize, usize); CLASSES.len()],
}

impl Truth {
    pub(super) fn read(corpus: &Path) -> Result<Self> {
        let rows = fs::read_to_string(corpus.join("truth.tsv")).because("the truth cannot be read")?;
        let mut files: BTreeMap<String, Vec<Secret>> = BTreeMap::new();
        for row in rows.lines() {
            let (file, secret) = secret(row).ok_or_else(|| Failure::new("the truth has a row that is none"))?;
            files.entry(file).or_default().push(secret);
        }
        Ok(Self(files))
    }

    pub(super) fn score(&self, hits: &[Hit]) -> Score {
        let mut is_found: BTreeMap<&str, Vec<bool>> =
            self.0.iter().map(|(file, secrets)| (file.as_str(), vec![false; secrets.len()])).collect();
        let mut score = Score { hits: hits.len(), right: 0, found: [(0, 0); CLASSES.len()] };
        for hit in hits {
            let Some(is_found) = is_found.get_mut(hit.file.as_str()) else { continue };
            let mut is_right = false;
            for (secret, is_found) in self.0[&hit.file].iter().zip(is_found) {
                if secret.is_at(hit) {
                    (is_right, *is_found) = (true, true);
                }
            }
            score.right += usize::from(is_right);
        }
        for (file, secrets) in &self.0 {
            for (secret, is_found) in secrets.iter().zip(&is_found[file.as_str()]) {
                let (found, all) = &mut score.found[secret.class];
                *found += usize::from(*is_found);
                *all += 1;
            }
        }
        score
    }
}

/// A row: file, first line, last line, class, kind, dress, value and place as JSON.
fn secret(row: &str) -> Option<(String, Secret)> {
    let parts: Vec<&str> = row.split('\t').collect();
    let [file, first, last, class, _, _, value, place] = parts[..] else { return None };
    let text = |json| serde_json::from_str::<String>(json).ok();
    let class = CLASSES.iter().position(|name| *name == class)?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    Some((file.to_owned(), Secret { first, last, class, texts: [text(value)?, text(place)?] }))
}

impl Secret {
    fn is_at(&self, hit: &Hit) -> bool {
        let is_part = |value: &String| {
            let shared: Vec<char> = value.chars().collect();
            let length = COMMON_CHARS.min(shared.len());
            length > 0
                && shared.windows(length).any(|part| {
                    let part: String = part.iter().collect();
                    self.texts.iter().any(|text| text.contains(&part))
                })
        };
        (self.first..=self.last).contains(&hit.line) && hit.value.as_ref().is_none_or(is_part)
    }
}

impl Score {
    fn precision(&self) -> f64 {
        ratio(self.right, self.hits)
    }

    fn recall(&self) -> f64 {
        let sum = self.found.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        ratio(sum.0, sum.1)
    }

    /// The harmonic mean of both.
    pub(super) fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }

    /// As a row below [`HEAD`], with a column for the time.
    pub(super) fn row(&self, name: &str, seconds: f64) -> Vec<String> {
        let figures = [self.precision(), self.recall(), self.f1()];
        let mut row = vec![format!("{name} ({seconds:.1} s)"), self.hits.to_string(), self.right.to_string()];
        row.extend(figures.iter().map(|figure| format!("{figure:.4}")));
        row.extend(self.found.iter().map(|(found, all)| format!("{:.4}", ratio(*found, *all))));
        row
    }
}

fn ratio(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_right_where_a_secret_is() {
        let row = "a/b.log\t3\t5\tNested\tkind\tdress\t\"the secret\"\t\"dGhlIHNlY3JldA\"";
        let (file, secret) = secret(row).expect("a row");
        let truth = Truth([(file, vec![secret])].into());
        let hit = |file: &str, line, value: Option<&str>| Hit { file: file.into(), line, value: value.map(Into::into) };
        for (hit, is_right) in [
            (hit("a/b.log", 3, None), true),
            (hit("a/b.log", 5, Some("xx secret")), true),
            (hit("a/b.log", 4, Some("dGhlIHNl")), true),
            (hit("a/b.log", 4, Some("another")), false),
            (hit("a/b.log", 4, Some("")), false),
            (hit("a/b.log", 6, None), false),
            (hit("a/c.log", 3, None), false),
        ] {
            let score = truth.score(&[hit]);
            assert_eq!((score.right, score.found[2]), (usize::from(is_right), (usize::from(is_right), 1)));
        }
    }
}
