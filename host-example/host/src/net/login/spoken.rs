//! What was said to servers of the user's logins, so that none of it comes back in a server's words.
//!
//! Rule: a login that was sent is cut out of whatever a server says before anybody prints it or keeps it. It is looked
//! for as it was sent, as what it stands for, and percent-encoded. Headers and links that a server hands out are no
//! words: they are used, and shown by nobody who does not ask for secrets.

use std::borrow::Cow;
use std::cell::RefCell;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Takes a login with its padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// What need not be encoded in a URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Bytes of a secret at least: what is shorter is a word like any other, and hides nothing from anybody.
const SECRET_BYTES_MIN: usize = 4;
/// Bytes from which on words may have been cut in the middle of a secret, at their end.
const CUT_WORDS_BYTES_MIN: usize = 200;
/// Stands where a secret stood.
const HIDDEN: &str = "***";

/// The logins of this run in all their forms, longer ones first.
#[derive(Default)]
pub(crate) struct Spoken(RefCell<Vec<String>>);

impl Spoken {
    /// Notes the value of a header that is sent.
    pub(crate) fn say(&self, value: &[u8]) {
        forms(value).into_iter().for_each(|form| self.note(form));
    }

    fn note(&self, form: String) {
        let mut all = self.0.borrow_mut();
        if form.len() >= SECRET_BYTES_MIN && !all.contains(&form) {
            let at = all.partition_point(|known| known.len() >= form.len());
            all.insert(at, form);
        }
    }

    /// A server's words without them.
    pub(crate) fn cut<'a>(&self, words: &'a str) -> Cow<'a, str> {
        let mut words = Cow::Borrowed(words);
        let may_be_cut = words.len() >= CUT_WORDS_BYTES_MIN;
        for form in self.0.borrow().iter() {
            if words.contains(form.as_str()) {
                words = words.replace(form.as_str(), HIDDEN).into();
            }
        }
        if may_be_cut {
            let beginning = |form: &String| {
                let ends = (SECRET_BYTES_MIN..form.len()).rev().filter(|at| form.is_char_boundary(*at));
                ends.map(|at| &form[..at]).find(|beginning| words.ends_with(*beginning)).map(str::len)
            };
            if let Some(length) = self.0.borrow().iter().filter_map(beginning).max() {
                words = format!("{}{HIDDEN}", &words[..words.len() - length]).into();
            }
        }
        words
    }
}

/// The forms in which a header's value may come back.
fn forms(value: &[u8]) -> Vec<String> {
    // A password need not be text, and what comes back of it is no more so; its base64 is.
    let mut forms = vec![String::from_utf8_lossy(value).trim().to_owned()];
    let whole = forms[0].clone();
    if let Some((scheme, login)) = whole.split_once(' ') {
        forms.push(login.trim().to_owned());
        if scheme.eq_ignore_ascii_case("basic") {
            forms.push(login.trim().trim_end_matches('=').to_owned());
            let told = BASE64.decode(login.trim()).unwrap_or_default();
            let told = String::from_utf8_lossy(&told).into_owned();
            forms.extend(told.split_once(':').map(|(_, password)| password.to_owned()));
            forms.push(told);
        }
    }
    // Cookies, and settings in the form of cookies.
    forms.extend(whole.split(';').filter_map(|pair| Some(pair.split_once('=')?.1.trim().to_owned())));
    for at in 0..forms.len() {
        for set in [NON_ALPHANUMERIC, RESERVED] {
            let encoded = utf8_percent_encode(&forms[at], set).to_string();
            forms.push(encoded.replace("%20", "+"));
            forms.push(lower_escapes(&encoded));
            forms.push(encoded);
        }
    }
    forms
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

    fn spoken(value: &str) -> Spoken {
        let spoken = Spoken::default();
        spoken.say(value.as_bytes());
        spoken
    }

    #[test]
    fn a_login_is_cut_out_in_each_of_its_forms() {
        let told = "me@work:p%ss w/rd?é";
        let basic = format!("Basic {}", BASE64_STANDARD.encode(told));
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
        for (sent, come_back) in [
            (basic.as_str(), &of_basic[..]),
            (bearer, &of_bearer),
            ("token=s5cret; path", &["token=s5cret; path", "s5cret"]),
            ("k3y-of-a-gateway", &["k3y-of-a-gateway"]),
        ] {
            let spoken = spoken(sent);
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
        let spoken = spoken("Bearer abcdefghijkl");
        let long = "x".repeat(CUT_WORDS_BYTES_MIN);
        for end in ["abcd", "abcdefghijk", "Bearer abcdefghijk", "abcdefghijkl"] {
            assert_eq!(spoken.cut(&format!("{long} {end}")), format!("{long} ***"), "{end}");
        }
        assert_eq!(spoken.cut(&format!("{long} abc")), format!("{long} abc"));
        assert_eq!(spoken.cut("a short one abcdef"), "a short one abcdef");
    }

    #[test]
    fn what_is_too_short_to_hide_is_left() {
        let spoken = spoken(&format!("Basic {}", BASE64_STANDARD.encode("a:b")));
        assert_eq!(spoken.cut("a bad request: Basic YTpi"), "a bad request: ***");
    }
}
