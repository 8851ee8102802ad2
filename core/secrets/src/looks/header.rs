//! Logins in headers: `Authorization: Bearer …`, also where a program has them as an option.
//! Source: RFC 9110, section 11.6.2; RFC 6750; RFC 7617.

use crate::looks::plausible;
use crate::text::decode;
use core::ops::Range;

/// The schemes that begin the search.
pub(crate) const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// The name and password of RFC 7617's example.
const EXAMPLE: &[u8] = b"Aladdin:open sesame";

/// What follows the name of a scheme, where it can be a login.
pub(crate) fn login(text: &[u8], scheme: Range<usize>) -> Option<Range<usize>> {
    let from = scheme.end;
    let is_of_login = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let length = text[from..].iter().take_while(|byte| is_of_login(byte)).count();
    let login = &text[from..from + length];
    let is_basic = text[scheme.start].eq_ignore_ascii_case(&b'B') && text[scheme.start + 1].eq_ignore_ascii_case(&b'a');
    let is_one = if is_basic { is_name_and_password(login) } else { length >= 16 && plausible::is_random(login) };
    is_one.then_some(from..from + length)
}

fn is_name_and_password(login: &[u8]) -> bool {
    let Some(pair) = decode::base64(login).filter(|_| login.len() >= 8) else { return false };
    let is_text = pair.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte >= 0x80);
    let colon = memchr::memchr(b':', &pair);
    if pair == EXAMPLE {
        return false;
    }
    is_text && colon.is_some_and(|at| at + 1 < pair.len() && !plausible::stands_for_another(&pair[at + 1..]))
}
