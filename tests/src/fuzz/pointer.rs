//! Pointer text: the three classes, the canonical form, the wider door of uploads.

use hydrant_lfs::git_lfs::pointer::{Kind, classify, format, pointer_shaped};
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::limits::POINTER_BYTES_MAX;
use hydrant_lfs::text::oid::Oid;

/// Classifies the bytes as a whole file, as the beginning of a larger one, and in every role an upload gives them.
pub fn pointer(data: &[u8]) {
    let size = data.len() as u64;
    let kind = classify(data, size);
    let shaped = pointer_shaped(data, size);
    match &kind {
        Kind::Pointer(pointer) => {
            let text = match format(pointer.blob, &pointer.extensions) {
                Ok(text) => text,
                // Reading is as tolerant as git-lfs; writing refuses names that no line should hold, and a line end
                // more, or a name that is no UTF-8, can make it too long.
                Err(error) => {
                    let odd = |c: char| c.is_control() || c.is_whitespace();
                    let named = pointer.extensions.iter().any(|extension| extension.name.contains(odd));
                    return assert!(named || (error.code == Code::Limit && data.len() > POINTER_BYTES_MAX / 3));
                }
            };
            assert_eq!(pointer.canonical, text.as_bytes() == data, "canonical is what would be written");
            let Kind::Pointer(again) = classify(text.as_bytes(), text.len() as u64) else {
                panic!("what was written is no pointer: {text:?}");
            };
            // An empty file is the pointer of the empty blob, whatever oid stood beside a size of 0.
            if pointer.blob.size > 0 {
                assert_eq!((again.blob, &again.extensions), (pointer.blob, &pointer.extensions));
            } else {
                assert_eq!(again.blob.oid, Oid::EMPTY);
            }
            assert!(again.canonical && (shaped || data.is_empty()));
        }
        Kind::Malformed(finding) => {
            assert!(shaped, "a broken pointer never passes as content");
            assert!(!finding.explain().is_empty());
        }
        Kind::Content(finding) => assert!(!finding.explain().is_empty()),
    }
    if data.len() >= POINTER_BYTES_MAX {
        assert!(matches!(kind, Kind::Content(_)) && !shaped, "long files are content");
    }
    // The beginning of a long file is judged by the file's length.
    assert!(matches!(classify(data, POINTER_BYTES_MAX as u64), Kind::Content(_)));
    assert!(!pointer_shaped(data, POINTER_BYTES_MAX as u64) && !pointer_shaped(data, 0));
}
