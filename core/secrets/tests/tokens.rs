//! Tokens that can be told by their looks: each is found where it stands, and nothing that only looks like one.

#![allow(clippy::unwrap_used, reason = "what cannot be fails the test")]

mod making;

use hydrant_secrets::rules::{Start, TOKENS, Token};
use hydrant_secrets::{Named, Rules, Scan};
use making::samples::{Little, SAMPLES, Sample};
use making::{BASE62, Random};
use std::collections::BTreeMap;
use std::path::Path;

/// Texts of each kind.
const COUNT: usize = 200;

struct Searcher {
    rules: Rules,
    named: Named,
}

impl Searcher {
    fn new() -> Self {
        Self { rules: Rules::built_in().unwrap(), named: Named::default() }
    }

    /// Each kind that is found in a text, and what was found.
    fn found(&self, text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut scan = Scan::new(&self.rules, &self.named);
        let mut note = |finding: hydrant_secrets::Finding<'_>| {
            let place = usize::try_from(finding.place.start).unwrap()..usize::try_from(finding.place.end).unwrap();
            found.push((self.rules.name(finding.kind).to_owned(), text[place].to_owned()));
        };
        scan.push(text.as_bytes(), &mut note).unwrap();
        scan.end(&mut note);
        found
    }
}

/// Each maker with numbers of its own, so that a new one changes no other.
fn each(mut test: impl FnMut(&Sample, &mut Random)) {
    for (at, sample) in SAMPLES.iter().enumerate() {
        let mut random =
            Random(sample.kind.bytes().fold(at as u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte)));
        for _ in 0..COUNT {
            test(sample, &mut random);
        }
    }
}

/// Says of each kind how many texts were wrong, with the first of them.
#[derive(Default)]
struct Wrong(BTreeMap<String, (usize, String)>);

impl Wrong {
    fn note(&mut self, kind: &str, text: impl FnOnce() -> String) {
        self.0.entry(kind.to_owned()).or_insert_with(|| (0, text())).0 += 1;
    }

    fn none(self) {
        let lines: Vec<String> =
            self.0.into_iter().map(|(kind, (count, text))| format!("{kind}: {count}, first {text}")).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

#[test]
fn every_token_is_found_where_it_stands() {
    const AROUND: [(&str, &str); 6] =
        [("", ""), ("see ", " here"), ("X=", "\n"), (r#"{"a":"\n"#, r#"\n"}"#), ("f('", "')"), ("it: ", ".")];
    let (searcher, mut wrong, mut turn) = (Searcher::new(), Wrong::default(), 0);
    each(|sample, random| {
        let token = (sample.make)(random);
        // A value beside a name goes on to the end of a word: the dot of a sentence is for those without a name.
        let around = if sample.before.is_empty() { &AROUND[..] } else { &AROUND[..AROUND.len() - 1] };
        let (before, after) = around[turn % around.len()];
        turn += 1;
        let text = format!("{before}{}{token}{after}", sample.before);
        let found = searcher.found(&text);
        if found != [(sample.kind.to_owned(), token)] {
            wrong.note(sample.kind, || format!("{text:?} {found:?}"));
        }
    });
    wrong.none();
}

#[test]
fn what_only_looks_like_a_token_is_none() {
    let (searcher, mut wrong, mut turn) = (Searcher::new(), Wrong::default(), 0);
    each(|sample, random| {
        let token = (sample.make)(random);
        let row = TOKENS.iter().find(|row| tells(row, sample, &token)).unwrap();
        let (text, how) = match turn % 4 {
            0 => (too_little(sample, &token), "too little"),
            1 => (of_another_alphabet(row, sample, &token), "another alphabet"),
            2 => (within_a_word(row, sample, &token), "within a word"),
            _ => (placeholder(row, sample, &token, random), "placeholder"),
        };
        turn += 1;
        let text = format!("see {text} here");
        let mut found = searcher.found(&text);
        // What another rule has good reason to find: a value beside a name, a token within what is none any more.
        found.retain(|(kind, _)| match kind.as_str() {
            "keyed-value" => sample.before.is_empty(),
            "json-web-token" => sample.kind == "json-web-token",
            _ => true,
        });
        if !found.is_empty() {
            wrong.note(&format!("{} ({how})", sample.kind), || format!("{text:?} {found:?}"));
        }
    });
    wrong.none();
}

fn tells(row: &Token, sample: &Sample, token: &str) -> bool {
    row.kind == sample.kind && told(row, &format!("{}{token}", sample.before)).is_some()
}

/// The end of what tells of a token.
fn told(row: &Token, text: &str) -> Option<usize> {
    let end = |begin: &&str| match row.start {
        Start::There => text.starts_with(*begin).then_some(begin.len()),
        Start::Behind | Start::Before { .. } => text.find(*begin).map(|at| at + begin.len()),
    };
    row.begins.iter().filter_map(end).max()
}

fn too_little(sample: &Sample, token: &str) -> String {
    let count = match sample.little {
        Little::ButOne => token.len() - 1,
        Little::First(count) => count.min(token.len() - 1),
    };
    format!("{}{}", sample.before, &token[..count])
}

fn of_another_alphabet(row: &Token, sample: &Sample, token: &str) -> String {
    let at = match row.start {
        Start::There => told(row, token).unwrap(),
        Start::Behind | Start::Before { .. } => 4,
    };
    format!("{}{}!{}", sample.before, &token[..at], &token[at + 1..])
}

fn within_a_word(row: &Token, sample: &Sample, token: &str) -> String {
    match row.start {
        Start::There | Start::Before { .. } => format!("{}7777{token}", sample.before),
        // What tells of it is not there.
        Start::Behind => format!("it {token}"),
    }
}

/// The token with the same signs, and with characters that somebody chose.
fn placeholder(row: &Token, sample: &Sample, token: &str, random: &mut Random) -> String {
    let whole = format!("{}{token}", sample.before);
    let end = told(row, &whole).unwrap();
    let begins = row.begins.iter().filter(|begin| whole[..end].ends_with(**begin)).map(|begin| begin.len());
    let kept = end - begins.max().unwrap()..end;
    let fills =
        ["x", "X", "0", "a", "abc123", "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz0123456789", "1234567890"];
    let mut fill = random.pick(&fills).chars().cycle();
    let from = if matches!(row.start, Start::Before { .. }) { sample.before.len() } else { end };
    let is_filled = |at: usize| at >= from && !kept.contains(&at);
    let chars = whole.char_indices().map(|(at, char)| match char.is_ascii_alphanumeric() && is_filled(at) {
        true => fill.next().unwrap(),
        false => char,
    });
    chars.collect()
}

#[test]
fn famous_examples_are_no_tokens() {
    let searcher = Searcher::new();
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "sk-ant-api03-...",
        "sk-ant-xxxxxxxxxxxxxxxxxxxx",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "ghp_thisisnotatokenbutaverylongwordofall",
        "npm_thisisnotatokenbutaverylongwordofall",
        "glpat-your-token-of-gitlab-here",
        "glpat-this-is-not-a-token-of-anybody",
        "xoxb-your-bot-token-goes-here-please",
        "xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx",
        "AIzaSy_YOUR_API_KEY_GOES_HERE_OR_THERE_",
        "dop_v1_0000000000000000000000000000000000000000000000000000000000000000",
        "123456789:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk_test_YourStripeSecretKeyGoesHere",
        "SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "AccountKey=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    ] {
        assert_eq!(searcher.found(&format!("see {text} here")), [], "{text}");
    }
}

#[test]
fn a_wrong_sum_needs_the_looks_of_chance() {
    let (searcher, mut random) = (Searcher::new(), Random(1));
    for (kind, begin, count) in [("github-token", "ghp_", 36), ("github-token", "ghs_", 36), ("npm-token", "npm_", 36)]
    {
        let mut found = 0;
        for _ in 0..COUNT {
            // A sum that is right by chance is one in four billion.
            let by_chance = format!("see {begin}{} here", random.of(BASE62, count));
            found += usize::from(searcher.found(&by_chance).iter().any(|(other, _)| other == kind));
            for alphabet in ["ab1", "x0y1z", "abcdefghijklmnoprstu", "0123456789"] {
                let text = format!("see {begin}{} here", random.of(alphabet, count));
                assert_eq!(searcher.found(&text), [], "{text}");
            }
        }
        // Of those one in 600 has no digit, and may be a name.
        assert!(found >= COUNT - 2, "{kind}: {found} of {COUNT}");
    }
}

#[test]
fn a_token_is_found_beside_what_belongs_to_no_word() {
    let searcher = Searcher::new();
    let make = |kind: &str| (SAMPLES.iter().find(|sample| sample.kind == kind).unwrap().make)(&mut Random(7));
    for (kind, before, after) in [
        ("telegram-bot-token", "https://api.telegram.org/bot", "/getMe"),
        ("slack-webhook", "curl -X POST https://", " -d @x"),
        ("discord-webhook", "https://ptb.", "?wait=true"),
        ("github-token", "https://oauth2:", "@github.com/some/one.git"),
        ("fly-token", "FlyV1 ", ""),
        ("teams-webhook", "https://some.", ""),
        ("aws-access-key", "aws_access_key_id = ", "\n"),
        ("google-api-key", "https://host/v1/it?key=", "&alt=json"),
        ("terraform-token", "credentials \"app.terraform.io\" { x = \"", "\" }"),
    ] {
        let token = make(kind);
        let found = searcher.found(&format!("{before}{token}{after}"));
        assert!(found.contains(&(kind.to_owned(), token.clone())), "{kind}: {found:?}");
    }
}

#[test]
fn every_row_of_the_table_is_whole() {
    let mut whats: BTreeMap<&str, &str> = BTreeMap::new();
    for row in TOKENS {
        assert!(SAMPLES.iter().any(|sample| sample.kind == row.kind), "{}: nothing makes samples of it", row.kind);
        assert!(row.what.len() > 10 && !row.what.contains('|'), "{}: {:?}", row.kind, row.what);
        assert!(row.source.starts_with("https://") && !row.source.contains(' '), "{}: {:?}", row.kind, row.source);
        assert!(row.begins.iter().all(|begin| begin.len() >= 3), "{}: {:?}", row.kind, row.begins);
        assert_eq!(*whats.entry(row.kind).or_insert(row.what), row.what, "{}", row.kind);
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(row.kind.bytes().all(is_name), "{}: markers cannot say it", row.kind);
    }
    for sample in SAMPLES {
        assert!(whats.contains_key(sample.kind), "{}: no row", sample.kind);
    }
    assert!(whats.len() >= 75, "{}", whats.len());
}

/// `UPDATE_EXPECT=1` writes the table.
#[test]
fn the_document_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/secrets.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let head = "| kind | what it is | source |\n| --- | --- | --- |\n";
    let (before, rest) = document.split_once(head).expect("docs/secrets.md has the head of the table");
    let end = rest.find("\n\n").map_or(rest.len(), |at| at + 1);
    let mut rows: Vec<String> = Vec::new();
    for token in TOKENS {
        let host = token.source.split('/').nth(2).unwrap();
        let row = format!("| `{}` | {} | [{host}]({}) |\n", token.kind, token.what, token.source);
        if !rows.iter().any(|known| known.starts_with(&format!("| `{}` |", token.kind))) {
            rows.push(row);
        }
    }
    let rows = rows.concat();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, format!("{before}{head}{rows}{}", &rest[end..])).unwrap();
        return;
    }
    assert_eq!(&rest[..end], rows, "docs/secrets.md: run with UPDATE_EXPECT=1");
}
