//! How many secrets are found, and how much is taken for one, in files as they are: transcripts, logs, settings.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what cannot be fails the test; figures are printed")]

mod making;

use hydrant_secrets::{Finding, Named, Piece, Redact, Rules, Scan, Secrets};
use making::corpus::{Class, Corpus, Plant, SEED};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;

/// Of a hundred secrets so many are found at least.
const RECALL_MIN: [(Class, f64); 4] =
    [(Class::Prefixed, 100.0), (Class::Keyed, 97.0), (Class::Nested, 95.0), (Class::Split, 95.0)];
/// Of a hundred findings so many are secrets at least.
const PRECISION_MIN: f64 = 95.0;
/// Findings in texts without a secret at most, for each so many of them.
const FALSE_HIT_MAX: usize = 1;
const DECOYS_OF_A_FALSE_HIT: usize = 10_000;
/// Bytes beyond a secret that are taken along at most: the rest of a group of base64.
const WIDER_MAX: usize = 4;
/// Lines of a report for each class.
const LISTED_MAX: usize = 40;

/// What was taken out of a file: where, and what it was taken for.
type Taken = BTreeMap<&'static str, Vec<(Range<usize>, String)>>;

#[test]
fn secrets_are_found_and_nothing_else_is() {
    let corpus = Corpus::make(SEED).with_lines();
    let kinds: BTreeSet<&str> = corpus.plants.iter().map(|plant| plant.kind.as_str()).collect();
    let dresses: BTreeSet<&str> = corpus.plants.iter().map(|plant| plant.dress).collect();
    let size = (corpus.plants.len(), kinds.len(), dresses.len(), corpus.decoys);
    assert!(size.0 >= 2000 && size.1 >= 60 && size.2 >= 10 && size.3 >= 10_000, "{size:?}");

    let taken = taken(&corpus);
    let (mut report, mut is_well) = (String::new(), true);
    for (class, least) in RECALL_MIN {
        let all: Vec<&Plant> = corpus.plants.iter().filter(|plant| plant.class == class).collect();
        let missed: Vec<&&Plant> = all.iter().filter(|plant| !is_taken(&corpus, &taken, plant)).collect();
        let recall = percent(all.len() - missed.len(), all.len());
        is_well &= recall >= least;
        writeln!(report, "{class:?}: {recall:.2} % of {}, {least} % wanted", all.len()).unwrap();
        for plant in missed.iter().take(LISTED_MAX) {
            let stands = &corpus.files[plant.file][plant.places[0].clone()];
            writeln!(report, "  missed: {} ({}) {stands:?} in {:?}", plant.kind, plant.dress, around(&corpus, plant))
                .unwrap();
        }
    }
    let wrong = wrong(&corpus, &taken);
    let all: usize = taken.values().map(Vec::len).sum();
    let precision = percent(all - wrong.len(), all);
    let false_max = corpus.decoys / DECOYS_OF_A_FALSE_HIT * FALSE_HIT_MAX;
    is_well &= precision >= PRECISION_MIN && wrong.len() <= false_max;
    writeln!(report, "precision: {precision:.2} %, {} false in {} decoys", wrong.len(), corpus.decoys).unwrap();
    wrong.iter().take(2 * LISTED_MAX).for_each(|line| writeln!(report, "  {line}").unwrap());
    assert!(is_well, "\n{report}");
}

fn percent(part: usize, all: usize) -> f64 {
    part as f64 * 100.0 / all.max(1) as f64
}

/// What is taken out of the files of one session, in two passes.
fn taken(corpus: &Corpus) -> Taken {
    let (rules, none, mut secrets) = (Rules::built_in().unwrap(), Named::default(), Secrets::default());
    for text in corpus.files.values() {
        let mut note = |finding: Finding<'_>| secrets.note(&finding);
        let mut scan = Scan::new(&rules, &none);
        scan.push(text.as_bytes(), &mut note).unwrap();
        let marked = scan.end(&mut note);
        secrets.note_marked(&marked);
    }
    let (named, mut markers) = (secrets.named([]), secrets.markers(&rules));
    let mut all = Taken::new();
    for (name, text) in &corpus.files {
        let taken = all.entry(*name).or_default();
        let mut redact = Redact::new(&rules, &named, &mut markers);
        let mut give = |piece: Piece<'_>| match piece {
            Piece::Kept(_) => {}
            Piece::Marker(_, finding) => taken.push((in_bytes(&finding.place), rules.name(finding.kind).to_owned())),
            // The marker before counts for it.
            Piece::Rest(place) => {
                let kind = taken.last().unwrap().1.clone();
                taken.push((in_bytes(&place), kind));
            }
        };
        redact.push(text.as_bytes(), &mut give).unwrap();
        redact.end(&mut give);
    }
    all
}

fn in_bytes(place: &Range<u64>) -> Range<usize> {
    usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap()
}

/// Whether nothing of a secret stays but the ends of its lines.
fn is_taken(corpus: &Corpus, taken: &Taken, plant: &Plant) -> bool {
    let taken = &taken[plant.file];
    let text = corpus.files[plant.file].as_bytes();
    plant.places.iter().cloned().flatten().filter(|at| text[*at] != b'\n').all(|at| {
        let after = taken.partition_point(|(place, _)| place.start <= at);
        after > 0 && taken[after - 1].0.contains(&at)
    })
}

/// What was taken and is no secret, or is more than one.
fn wrong(corpus: &Corpus, taken: &Taken) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, taken) in taken {
        let mut plants: Vec<(usize, usize)> = corpus
            .plants
            .iter()
            .filter(|plant| plant.file == *name)
            .flat_map(|plant| plant.places.iter().map(|place| (place.start, place.end)))
            .collect();
        plants.sort_unstable();
        for (place, kind) in taken {
            let after = plants.partition_point(|(start, _)| *start < place.end);
            let (start, end) = plants[..after].last().copied().unwrap_or_default();
            let is_right = end > place.start && start <= place.start + WIDER_MAX && place.end <= end + WIDER_MAX;
            if !is_right {
                let text = &corpus.files[name];
                let from = text.floor_char_boundary(place.start.saturating_sub(60));
                let until = text.ceil_char_boundary((place.end + 20).min(text.len()));
                let how = if end > place.start { "too wide" } else { "false" };
                wrong.push(format!("{how}: {kind} {:?} in {:?}", &text[place.clone()], &text[from..until]));
            }
        }
    }
    wrong
}

fn around<'a>(corpus: &'a Corpus, plant: &Plant) -> &'a str {
    let text = &corpus.files[plant.file];
    let (start, end) = (plant.places[0].start, plant.places.last().unwrap().end);
    let from = text.floor_char_boundary(start.saturating_sub(60));
    &text[from..text.ceil_char_boundary((end.min(start + 300) + 30).min(text.len()))]
}
