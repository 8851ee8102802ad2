//! Whether a document that differs from its schema is seen at all.

use hydrant_kit::schemas::validate;
use serde_json::Value;

#[test]
fn a_field_that_no_schema_names_is_seen() {
    let good = serde_json::json!({
        "schema_version": 1, "ok": true, "error": null, "url": "http://127.0.0.1:1", "user": "hydrant", "token": null,
        "shared": false,
    });
    assert_eq!(validate("serve", &good), Ok(()));
    for (field, value) in [("extra", Value::Null), ("url", 1.into())] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(validate("serve", &bad).is_err(), "{field}");
    }
}
