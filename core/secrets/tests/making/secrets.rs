//! Secrets with the words around them: tokens, values beside a name, logins, and private keys.

use super::samples::{SAMPLES, Sample};
use super::text::{Text, in_percent};
use super::{BASE62, BASE64, DIGITS, HEX, LOWER, Random, UPPER, URL_SAFE, padded};

/// What tells of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tells {
    /// Its own looks.
    Looks,
    /// What stands beside it.
    Name,
}

/// Makes a secret, and the text that it stands in.
type Make = Box<dyn Fn(&mut Random) -> (String, Text)>;

/// A maker of secrets of one kind.
pub(crate) struct Maker {
    pub(crate) kind: String,
    pub(crate) tells: Tells,
    /// The secret, and the text that it stands in.
    pub(crate) make: Make,
}

/// All of them.
pub(crate) fn makers() -> Vec<Maker> {
    let tokens = SAMPLES.iter().map(|sample| Maker {
        kind: sample.kind.to_owned(),
        tells: Tells::Looks,
        make: Box::new(|r| token(r, sample)),
    });
    let beside = NAMES.iter().map(|name| Maker {
        kind: name.join(" "),
        tells: Tells::Name,
        make: Box::new(|r| beside(r, name)),
    });
    let others = OTHERS.iter().map(|(kind, tells, make)| Maker {
        kind: (*kind).to_owned(),
        tells: *tells,
        make: Box::new(make),
    });
    tokens.chain(beside).chain(others).collect()
}

fn token(r: &mut Random, sample: &Sample) -> (String, Text) {
    let value = (sample.make)(r);
    let text = Text::fill(&format!("{}@@", sample.before), &Text::secret(&*value));
    let templates: &[&str] = match sample.before.is_empty() {
        true => &[
            "@@",
            "it is @@, as I said",
            "the answer was: @@.",
            "client = Client('@@')",
            "curl -H \"X-It: @@\" https://host.example/it",
            "use(\"@@\");",
            "  - @@",
            "https://host.example/it?a=@@&b=2",
            "IT=@@",
            "export SERVICE_TOKEN=\"@@\"",
            "service_token: @@",
            "token = '@@'",
            "| it | @@ |",
            "<it>@@</it>",
            "{\"it\": \"@@\"}",
            "(@@)",
            "printed @@\nand no more",
        ],
        false => &["@@", "it is \"@@\"", "run '@@' again", "see @@ here"],
    };
    let template = *r.pick(templates);
    (value, Text::fill(template, &text))
}

/// Names of secrets, in words.
const NAMES: [&[&str]; 34] = [
    &["password"],
    &["db", "password"],
    &["smtp", "password"],
    &["admin", "passwd"],
    &["db", "pass"],
    &["mysql", "pwd"],
    &["redis", "password"],
    &["keystore", "passphrase"],
    &["api", "key"],
    &["service", "api", "key"],
    &["datadog", "api", "key"],
    &["x", "api", "key"],
    &["access", "key"],
    &["aws", "secret", "access", "key"],
    &["secret", "key"],
    &["django", "secret", "key"],
    &["secret", "key", "base"],
    &["client", "secret"],
    &["oauth", "client", "secret"],
    &["jwt", "secret"],
    &["session", "secret"],
    &["webhook", "secret"],
    &["shared", "secret"],
    &["access", "token"],
    &["refresh", "token"],
    &["auth", "token"],
    &["twilio", "auth", "token"],
    &["bot", "token"],
    &["deploy", "token"],
    &["encryption", "key"],
    &["signing", "key"],
    &["master", "key"],
    &["storage", "account", "key"],
    &["credential"],
];

/// How a name and its value are written. `@@` is the value; `S` the name with capitals and low lines, `s` with small
/// letters, `k` with hyphens, `h` with humps, each between braces.
const FORMS: [&str; 24] = [
    "{S}=@@",
    "{S}=\"@@\"",
    "export {S}='@@'",
    "set {S}=@@",
    "ENV {S}=@@",
    "{s}: @@",
    "{s}: \"@@\"",
    "{h}: '@@'",
    "{s} = \"@@\"",
    "{s} = '@@'",
    "const {h} = \"@@\";",
    "\"{h}\": \"@@\",",
    "\"{s}\":\"@@\"",
    "--{k} @@",
    "--{k}=@@",
    "tool --{k}=\"@@\" --verbose",
    "app.service.{k}=@@",
    "<{h}>@@</{h}>",
    "os.environ[\"{S}\"] = \"@@\"",
    "Server=db.example;User Id=app;{h}=@@;Encrypt=True",
    "https://host.example/it?{s}=@@&n=1",
    "X-{k}: @@",
    "{h} := \"@@\"",
    "'{s}' => '@@',",
];

fn beside(r: &mut Random, name: &[&str]) -> (String, Text) {
    let form = *r.pick(&FORMS);
    let is_password = name.iter().any(|word| word.starts_with("pass") || *word == "pwd");
    let value = if is_password { password(r) } else { key(r) };
    let humps: String = name.iter().map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let humps = humps[..1].to_lowercase() + &humps[1..];
    let form = form
        .replace("{S}", &name.join("_").to_uppercase())
        .replace("{s}", &name.join("_"))
        .replace("{k}", &name.join("-"))
        .replace("{h}", &humps);
    let secret = Text::secret(&*value);
    let secret = if form.starts_with("https:") { secret.written(in_percent) } else { secret };
    (value, Text::fill(&form, &secret))
}

/// A password, as people and programs make them.
fn password(r: &mut Random) -> String {
    const WORDS: [&str; 12] = [
        "summer", "dragon", "monkey", "sunshine", "welcome", "football", "shadow", "winter", "hunter", "purple",
        "coffee", "berlin",
    ];
    let word = *r.pick(&WORDS);
    let capital = word[..1].to_uppercase() + &word[1..];
    match r.below(60) {
        // Words alone: nothing tells them from a name.
        0 => format!("{word}-{}-{}", r.pick(&WORDS), r.pick(&WORDS)),
        1..=9 => format!("{capital}{}{}", r.of(DIGITS, 4), r.pick(&["!", "#", "?", "*", ""])),
        10..=14 => format!("{}{}", capital.replace('e', "3").replace('o', "0"), r.of("!#%*+", 2)),
        15..=19 => format!("{word}{}{}", r.pick(&WORDS), r.of(DIGITS, 3)),
        20..=34 => {
            let count = r.between(9, 19);
            r.of(BASE62, 1) + &r.of(&format!("{BASE62}!#%*+-_.~^"), count)
        }
        35..=44 => {
            let count = r.between(16, 32);
            r.of(BASE62, count)
        }
        45..=49 => r.of(&format!("{LOWER}{DIGITS}"), 12),
        50..=54 => r.of(HEX, 24),
        _ => padded(&r.bytes(18)),
    }
}

/// A key, as services give them.
fn key(r: &mut Random) -> String {
    match r.below(10) {
        0 | 1 => r.of(HEX, 32),
        2 => r.of(HEX, 64),
        3 => r.of(BASE62, 40),
        4 => r.of(BASE64, 40),
        5 => padded(&r.bytes(32)),
        6 => r.uuid(),
        7 => r.of(URL_SAFE, 43),
        8 => r.of(&format!("{UPPER}{DIGITS}"), 20),
        _ => {
            let count = r.between(20, 32);
            r.of(BASE62, count)
        }
    }
}

type Other = (&'static str, Tells, fn(&mut Random) -> (String, Text));

const OTHERS: [Other; 8] = [
    ("password of an address", Tells::Name, |r| {
        let value = r.of(BASE62, 16);
        let scheme = *r.pick(&["postgres", "postgresql+asyncpg", "mysql", "mongodb+srv", "redis", "amqps", "https"]);
        let user = *r.pick(&["app", "admin", ""]);
        let host = *r.pick(&["db.example.org:5432/app", "10.0.0.7/0", "cluster0.example.net/it?retryWrites=true"]);
        // The first two signs are the secret's place, the third is the address's own.
        (value.clone(), Text::fill(&format!("DATABASE={scheme}://{user}:@@@{host}"), &Text::secret(value)))
    }),
    ("bearer", Tells::Name, |r| {
        let count = r.between(24, 48);
        let value = r.of(BASE62, count);
        let template = *r.pick(&[
            "> Authorization: Bearer @@",
            "curl -H 'Authorization: Bearer @@' https://host.example/v1",
            "headers={\"Authorization\": \"Bearer @@\"}",
            "request failed: 401 for authorization: Bearer @@, retrying",
        ]);
        (value.clone(), Text::fill(template, &Text::secret(value)))
    }),
    ("basic", Tells::Name, |r| {
        let value = padded(format!("{}:{}", r.pick(&["me", "admin", "deploy"]), r.of(BASE62, 18)).as_bytes());
        (value.clone(), Text::fill("< authorization: Basic @@", &Text::secret(value)))
    }),
    ("login of netrc", Tells::Name, |r| {
        let value = r.of(BASE62, 20);
        (value.clone(), Text::fill("machine host.example login me password @@", &Text::secret(value)))
    }),
    ("private key, RSA", Tells::Looks, |r| pem(r, "RSA PRIVATE", 1190)),
    ("private key, EC", Tells::Looks, |r| pem(r, "EC PRIVATE", 121)),
    ("private key, OpenSSH", Tells::Looks, |r| pem(r, "OPENSSH PRIVATE", 330)),
    ("private key, PKCS #8", Tells::Looks, |r| pem(r, "PRIVATE", 138)),
];

fn pem(r: &mut Random, label: &str, count: usize) -> (String, Text) {
    let body = padded(&r.bytes(count));
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let label = [label, "KEY"].join(" ");
    let value = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"));
    (value.clone(), Text::secret(value))
}
