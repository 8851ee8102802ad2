//! The manifest of a made-up older session, in the bytes its recorder wrote: two blanks of indent, no final newline,
//! and
//! an oid without a place, which means the LFS server.

use hydrant_host::contract::types::Blob;

/// One file of a session.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) blob: Blob,
}

/// The whole text. `head` holds the fields before `files`, each line with its comma.
pub(crate) fn text(head: &str, mut files: Vec<Listed>) -> String {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let entries: Vec<String> = files.iter().map(entry).collect();
    format!("{{\n{head}\n  \"files\": {{\n{}\n  }}\n}}", entries.join(",\n"))
}

fn entry(one: &Listed) -> String {
    let fields = [format!("\"oid\": \"sha256:{}\"", one.blob.oid), format!("\"size\": {}", one.blob.size)];
    // The names are ours and need no escapes.
    format!("    \"{}\": {{\n      {}\n    }}", one.name, fields.join(",\n      "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_a_recorder_writes() {
        let listed = |name: &str| Listed { name: name.into(), blob: Blob { oid: "ab".into(), size: 5 } };
        let text = text("  \"version\": \"1.0\",", vec![listed("b"), listed("a")]);
        let expected = r#"{
  "version": "1.0",
  "files": {
    "a": {
      "oid": "sha256:ab",
      "size": 5
    },
    "b": {
      "oid": "sha256:ab",
      "size": 5
    }
  }
}"#;
        assert_eq!(text, expected);
    }
}
