//! Whether a certificate may vouch for others: whether it is an authority's.

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

/// The extension that says so: `basicConstraints`, 2.5.29.19.
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
/// Numbers of two fields of a certificate.
const VERSION: u32 = 0;
const EXTENSIONS: u32 = 3;

/// True for one that says so, and for one of the first version, which cannot say it. What cannot be read is none.
pub(super) fn is_authority(certificate: &[u8]) -> bool {
    says_so(certificate).unwrap_or(false)
}

fn says_so(certificate: &[u8]) -> Option<bool> {
    let signed = inside(*inside(*parts(certificate)?.first()?)?.first()?)?;
    let field = |number| {
        let tag = Tag::ContextSpecific { constructed: true, number: TagNumber(number) };
        signed.iter().copied().find(|field| field.tag() == tag)
    };
    if field(VERSION).is_none() {
        return Some(true);
    }
    for extension in inside(*inside(field(EXTENSIONS)?)?.first()?)? {
        let extension = inside(extension)?;
        if let [name, .., value] = extension.as_slice()
            && name.value() == BASIC_CONSTRAINTS
        {
            let first = inside(*inside(*value)?.first()?)?.first().copied();
            return Some(first.is_some_and(|first| first.tag() == Tag::Boolean && first.value() != [0]));
        }
    }
    Some(false)
}

fn inside(whole: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    parts(whole.value())
}

fn parts(bytes: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(parts)
}
