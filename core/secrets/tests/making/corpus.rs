//! Files with secrets among texts that hold none, and the truth about them. The same seed makes the same files.

use super::Random;
use super::decoys::{DECOYS, Decoy};
use super::dresses::{Cover, DRESSES, Dress};
use super::near::NEAR;
use super::secrets::{Tells, makers};
use super::text::Text;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

/// The seed of the corpus that is judged.
pub(crate) const SEED: u64 = 20_261_130;

/// Secrets of each kind in each dress.
const PLANTS: usize = 1;
/// Texts without a secret, of each class.
const DECOY_COUNT: usize = 230;

/// How easily a secret is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Prefixed,
    Keyed,
    Nested,
    Split,
}

/// A secret that was put into a file.
pub(crate) struct Plant {
    pub(crate) class: Class,
    pub(crate) kind: String,
    pub(crate) dress: &'static str,
    pub(crate) file: &'static str,
    /// Its lines, from 1.
    pub(crate) lines: RangeInclusive<usize>,
    /// What it says.
    pub(crate) value: String,
    /// Where it stands in the file, as it is written there.
    pub(crate) places: Vec<Range<usize>>,
}

#[derive(Default)]
pub(crate) struct Corpus {
    pub(crate) files: BTreeMap<&'static str, String>,
    pub(crate) plants: Vec<Plant>,
    pub(crate) decoys: usize,
}

/// What is put next.
enum Next {
    /// The secret of this maker.
    Plant(usize),
    /// A text of this class.
    Decoy(usize),
}

impl Corpus {
    pub(crate) fn make(seed: u64) -> Self {
        let (mut random, makers) = (Random(seed), makers());
        let decoys: Vec<&Decoy> = DECOYS.iter().chain(NEAR).collect();
        let mut order: Vec<(usize, Next)> = Vec::new();
        for dress in 0..DRESSES.len() {
            let plants = (0..makers.len()).flat_map(|maker| [maker; PLANTS]);
            order.extend(plants.map(|maker| (dress, Next::Plant(maker))));
        }
        for class in 0..decoys.len() {
            order.extend((0..DECOY_COUNT).map(|at| (at % DRESSES.len(), Next::Decoy(class))));
        }
        // Source: Fisher and Yates.
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        let mut corpus = Self::default();
        for (dress, next) in order {
            let dress = &DRESSES[dress];
            match next {
                Next::Plant(maker) => {
                    let maker = &makers[maker];
                    let (value, text) = (maker.make)(&mut random);
                    corpus.plant(dress, maker.tells, &maker.kind, value, &(dress.put)(&mut random, &text));
                }
                Next::Decoy(class) => {
                    let text = (decoys[class].make)(&mut random);
                    let text = (dress.put)(&mut random, &Text::plain(text.trim_end()));
                    corpus.files.entry(dress.file).or_default().push_str(&text.text());
                    corpus.decoys += 1;
                }
            }
        }
        corpus
    }

    fn plant(&mut self, dress: &'static Dress, tells: Tells, kind: &str, value: String, text: &Text) {
        let file = self.files.entry(dress.file).or_default();
        let mut places: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for (piece, secret) in &text.0 {
            let place = file.len()..file.len() + piece.len();
            file.push_str(piece);
            if let Some(secret) = secret.filter(|_| !place.is_empty()) {
                let own = places.entry(secret).or_default();
                match own.last_mut().filter(|last| last.end == place.start) {
                    Some(last) => last.end = place.end,
                    None => own.push(place),
                }
            }
        }
        let class = match (dress.cover, tells) {
            (Cover::Plain, Tells::Looks) => Class::Prefixed,
            (Cover::Plain, Tells::Name) => Class::Keyed,
            (Cover::Nested, _) => Class::Nested,
            (Cover::Split, _) => Class::Split,
        };
        for places in places.into_values() {
            self.plants.push(Plant {
                class,
                kind: kind.to_owned(),
                dress: dress.name,
                file: dress.file,
                lines: 0..=0,
                value: value.clone(),
                places,
            });
        }
    }

    /// Which lines each is in. The files are whole now.
    pub(crate) fn with_lines(mut self) -> Self {
        let ends: BTreeMap<&str, Vec<usize>> = self.files.iter().map(|(name, text)| (*name, ends_of(text))).collect();
        for plant in &mut self.plants {
            let line = |at: usize| ends[plant.file].partition_point(|end| *end <= at) + 1;
            plant.lines = line(plant.places[0].start)..=line(plant.places.last().unwrap().end - 1);
        }
        self
    }
}

fn ends_of(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at + 1).collect()
}

/// A transcript of Claude Code as long as this: talk, calls of tools, what they gave, pictures, and a secret now and
/// then.
pub(crate) fn transcript(seed: u64, bytes: usize) -> String {
    /// Of so many lines one has a secret.
    const LINES_OF_A_SECRET: usize = 300;
    let (mut random, makers) = (Random(seed), makers());
    let decoys: Vec<&Decoy> = DECOYS.iter().chain(NEAR).collect();
    let is_line = |dress: &&Dress| dress.name.starts_with("Claude Code");
    let dresses: Vec<&Dress> = DRESSES.iter().filter(is_line).collect();
    let mut transcript = String::with_capacity(bytes);
    while transcript.len() < bytes {
        let mut text = Text::default();
        // Most lines are short, and some are whole files.
        let count = random.below(8) * random.below(8) * random.between(1, 3);
        for _ in 0..=count {
            text = text.then(Text::plain((random.pick(&decoys).make)(&mut random)));
        }
        if random.below(LINES_OF_A_SECRET) == 0 {
            text = text.then((random.pick(&makers).make)(&mut random).1);
        }
        let dress = *random.pick(&dresses);
        transcript.push_str(&(dress.put)(&mut random, &text).text());
    }
    transcript
}
