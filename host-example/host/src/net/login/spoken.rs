//! What was said to servers of the user's logins, so that none of it comes back in a server's words.
//!
//! Rule: a login that was sent is cut out of whatever a server says before anybody prints it or keeps it. It is looked
//! for as it was sent, as what it stands for, and percent-encoded. Headers and links that a server hands out are no
//! words: they are used, and shown by nobody who does not ask for secrets. They are not noted either: there are as many
//! of them as objects.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::credential::AUTHORIZATION;

/// Takes a login with its padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// What need not be encoded in a URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Bytes of a secret at least: what is shorter is a word like any other, and hides nothing from anybody.
const SECRET_BYTES_MIN: usize = 4;
/// The same for the value of a header that is no login, and for one cookie: such a one may be a plain word.
const VALUE_BYTES_MIN: usize = 8;
/// Bytes from which on a user's name may be a token that stands in its place.
const TOKEN_BYTES_MIN: usize = 20;
/// What servers of git take as the password beside such a token.
const NO_PASSWORD: &str = "x-oauth-basic";
/// Values that are known at once; the oldest goes first. A run has a few, and some more with each login that runs out.
const VALUES_MAX: usize = 64;
/// Bytes from which on words may have been cut in the middle of a secret, at their end.
const CUT_WORDS_BYTES_MIN: usize = 200;
/// Stands where a secret stood.
const HIDDEN: &str = "***";

/// The logins of this run.
#[derive(Default)]
pub(crate) struct Spoken(RefCell<Known>);

#[derive(Default)]
struct Known {
    /// Whether it is a login, and the value, as they were said.
    values: VecDeque<(bool, Vec<u8>)>,
    /// Of all of them, longer ones first.
    forms: Vec<String>,
}

impl Spoken {
    /// Notes the value of a header of the user's that is sent.
    pub(crate) fn say(&self, name: &str, value: &[u8]) {
        let is_login = name.eq_ignore_ascii_case(AUTHORIZATION);
        let mut known = self.0.borrow_mut();
        if known.values.iter().any(|said| (said.0, said.1.as_slice()) == (is_login, value)) {
            return;
        }
        if known.values.len() == VALUES_MAX {
            known.values.pop_front();
        }
        known.values.push_back((is_login, value.to_vec()));
        known.forms = known.values.iter().flat_map(|(is_login, value)| forms(*is_login, value)).collect();
        known.forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.forms.dedup();
    }

    /// How many texts are looked for.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().forms.len()
    }

    /// A server's words without them.
    pub(crate) fn cut<'a>(&self, words: &'a str) -> Cow<'a, str> {
        let mut words = Cow::Borrowed(words);
        let may_be_cut = words.len() >= CUT_WORDS_BYTES_MIN;
        let forms = &self.0.borrow().forms;
        for form in forms {
            if words.contains(form.as_str()) {
                words = words.replace(form.as_str(), HIDDEN).into();
            }
        }
        if may_be_cut {
            let beginning = |form: &String| {
                let ends = (SECRET_BYTES_MIN..form.len()).rev().filter(|at| form.is_char_boundary(*at));
                ends.map(|at| &form[..at]).find(|beginning| words.ends_with(*beginning)).map(str::len)
            };
            if let Some(length) = forms.iter().filter_map(beginning).max() {
                words = format!("{}{HIDDEN}", &words[..words.len() - length]).into();
            }
        }
        words
    }
}

/// The forms in which a header's value may come back, where they are long enough to hide something.
fn forms(is_login: bool, value: &[u8]) -> Vec<String> {
    // A password need not be text, and what comes back of it is no more so; its base64 is.
    let mut forms = vec![String::from_utf8_lossy(value).trim().to_owned()];
    let whole = forms[0].clone();
    if let Some((scheme, login)) = whole.split_once(' ') {
        forms.push(login.trim().to_owned());
        if scheme.eq_ignore_ascii_case("basic") {
            forms.push(login.trim().trim_end_matches('=').to_owned());
            let told = BASE64.decode(login.trim()).unwrap_or_default();
            let told = String::from_utf8_lossy(&told).into_owned();
            if let Some((user, password)) = told.split_once(':') {
                forms.extend(is_token(user, password).then(|| user.to_owned()));
                forms.push(password.to_owned());
            }
            forms.push(told);
        }
    }
    // Cookies, settings in the form of cookies, and the parts of schemes that sign: `Signature=…`, `response="…"`.
    let parts = whole.split([';', ',', ' ']).filter_map(|pair| Some(pair.split_once('=')?.1));
    forms.extend(parts.map(|part| part.trim().trim_matches('"').to_owned()));
    for at in 0..forms.len() {
        for set in [NON_ALPHANUMERIC, RESERVED] {
            let encoded = utf8_percent_encode(&forms[at], set).to_string();
            forms.push(encoded.replace("%20", "+"));
            forms.push(lower_escapes(&encoded));
            forms.push(encoded);
        }
    }
    let bytes_min = if is_login { SECRET_BYTES_MIN } else { VALUE_BYTES_MIN };
    forms.retain(|form| form.len() >= bytes_min && form != NO_PASSWORD);
    forms
}

/// Whether the user's name is the secret: nothing that could be one stands beside it, or it looks like one itself. Any
/// other name stays, because servers say whose a lock is.
fn is_token(user: &str, password: &str) -> bool {
    let has_no_password = password.len() < SECRET_BYTES_MIN || password == NO_PASSWORD;
    let is_long = user.len() >= TOKEN_BYTES_MIN && user.bytes().any(|byte| byte.is_ascii_digit());
    has_no_password || (is_long && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
}

/// The digits of escapes in lower case.
fn lower_escapes(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let mut lower = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        lower += &format!("%{}{rest}", digits.to_ascii_lowercase());
    }
    lower
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};

    use super::*;

    fn spoken(name: &str, value: &str) -> Spoken {
        let spoken = Spoken::default();
        spoken.say(name, value.as_bytes());
        spoken
    }

    fn basic(login: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(login))
    }

    #[test]
    fn a_part_of_a_signed_login_is_cut_out() {
        for (value, part) in [
            (
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/x, SignedHeaders=host, Signature=fe5f80f77d5fa3beca038a24",
                "fe5f80f77d5fa3beca038a24",
            ),
            (
                "Digest username=\"me\", response=\"6629fae49393a05397450978507c4ef1\", nc=1",
                "6629fae49393a05397450978507c4ef1",
            ),
        ] {
            let said = spoken("Authorization", value).cut(&format!("signature {part} does not match")).into_owned();
            assert_eq!(said, "signature *** does not match", "{value}");
        }
    }

    #[test]
    fn a_login_is_cut_out_in_each_of_its_forms() {
        let told = "me@work:p%ss w/rd?é";
        let basic = basic(told);
        let of_basic = [
            basic.as_str(),
            &basic[6..],
            &BASE64_STANDARD_NO_PAD.encode(told),
            told,
            "p%ss w/rd?é",
            "p%25ss%20w%2Frd%3F%C3%A9",
            "p%25ss%20w%2frd%3f%c3%a9",
            "p%25ss+w%2Frd%3F%C3%A9",
            "me%40work%3Ap%25ss%20w%2Frd%3F%C3%A9",
        ];
        let bearer = "Bearer tok.en_5-ecret~x";
        let of_bearer = [bearer, &bearer[7..], "tok%2Een%5F5%2Decret%7Ex"];
        for (name, sent, come_back) in [
            ("Authorization", basic.as_str(), &of_basic[..]),
            ("authorization", bearer, &of_bearer),
            ("cookie", "token=s5cret-7; path", &["token=s5cret-7; path", "s5cret-7"]),
            ("x-gate", "k3y-of-a-gateway", &["k3y-of-a-gateway"]),
        ] {
            let spoken = spoken(name, sent);
            for form in come_back {
                let cut = spoken.cut(&format!("denied: \"{form}\"")).trim_end_matches(['=', '"']).to_owned();
                assert_eq!(cut, "denied: \"***", "{form}");
            }
            for words in ["denied", "application/json", "Basic or Bearer"] {
                assert_eq!(spoken.cut(words), words);
            }
        }
    }

    #[test]
    fn a_login_that_was_cut_in_the_middle_is_cut_out_too() {
        let spoken = spoken("authorization", "Bearer abcdefghijkl");
        let long = "x".repeat(CUT_WORDS_BYTES_MIN);
        for end in ["abcd", "abcdefghijk", "Bearer abcdefghijk", "abcdefghijkl"] {
            assert_eq!(spoken.cut(&format!("{long} {end}")), format!("{long} ***"), "{end}");
        }
        assert_eq!(spoken.cut(&format!("{long} abc")), format!("{long} abc"));
        assert_eq!(spoken.cut("a short one abcdef"), "a short one abcdef");
    }

    #[test]
    fn what_is_too_short_to_hide_is_left() {
        let spoken = spoken("authorization", &basic("a:b"));
        assert_eq!(spoken.cut("a bad request: Basic YTpi"), "a bad request: ***");
    }

    #[test]
    fn a_token_in_the_place_of_the_user_is_cut_out() {
        let long = "0123456789abcdefABCD-_";
        for (login, is_cut) in [
            ("ghp_SECRET:", true),
            ("ghp_SECRET:x", true),
            ("ghp_SECRET:x-oauth-basic", true),
            ("ghp_SECRET:another", false),
            ("mina:another", false),
            (&format!("{long}:another"), true),
            (&format!("{}:another", &long[..TOKEN_BYTES_MIN]), true),
            (&format!("{}:another", &long[..TOKEN_BYTES_MIN - 1]), false),
            ("a-name-without-any-digit:another", false),
            ("mina.of.2026@company.example:another", false),
        ] {
            let spoken = spoken("authorization", &basic(login));
            let (user, password) = login.split_once(':').expect("both");
            for user in [user.to_owned(), utf8_percent_encode(user, NON_ALPHANUMERIC).to_string()] {
                let words = format!("no access for {user} here");
                assert_eq!(spoken.cut(&words), if is_cut { "no access for *** here" } else { &words }, "{login}");
            }
            let words = format!("not {password}");
            let is_secret = password == "another";
            assert_eq!(spoken.cut(&words), if is_secret { "not ***" } else { &words }, "{login}");
        }
    }

    #[test]
    fn plain_words_in_other_headers_are_left_in_all_words() {
        let words = "the product of a test team en route to de-prod";
        for (name, value) in
            [("X-Env", "prod"), ("Cookie", "lang=en; env=prod; theme=team"), ("x-team", "a test"), ("x-env", "product")]
        {
            assert_eq!(spoken(name, value).cut(words), words, "{name}: {value}");
        }
        assert_eq!(spoken("authorization", "Bearer prod").cut("of prod"), "of ***");
        assert_eq!(spoken("cookie", "a=prod; b=5ecret-77").cut("prod 5ecret-77"), "prod ***");
    }

    #[test]
    fn what_is_known_is_bounded() {
        let spoken = Spoken::default();
        let login = |at: usize| format!("Bearer {at:08}-of-a-login");
        let mut counts = Vec::new();
        for at in 0..3 * VALUES_MAX {
            for _ in 0..2 {
                spoken.say("authorization", login(at).as_bytes());
                spoken.say("x-gate", b"the same each time");
            }
            counts.push(spoken.count());
        }
        assert_eq!(counts[3 * VALUES_MAX - 1], counts[VALUES_MAX], "it grows no more");
        let last = login(3 * VALUES_MAX - 1);
        assert_eq!(spoken.cut(&format!("{last} the same each time")), "*** ***");
        assert_eq!(spoken.cut(&login(0)), login(0));
    }
}
