//! The manifest of the made-up session, in the bytes its recorder would write: two blanks of indent, no final newline.

use hydrant_host::wit::types::Blob;

/// One file of a session.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) blob: Blob,
    pub(crate) place: ListedPlace,
}

/// Where the manifest says that a file's bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListedPlace {
    /// On the LFS server.
    Lfs,
    /// In git.
    Git,
    /// As old manifests say it: an oid without a place means the LFS server.
    Unsaid,
}

/// The whole text. `head` holds the fields before `files`, each line with its comma.
pub(crate) fn text(head: &str, mut files: Vec<Listed>) -> String {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let entries: Vec<String> = files.iter().map(entry).collect();
    format!("{{\n{head}\n  \"files\": {{\n{}\n  }}\n}}", entries.join(",\n"))
}

fn entry(one: &Listed) -> String {
    let mut fields = Vec::new();
    match one.place {
        ListedPlace::Lfs => fields.push("\"storage\": \"lfs\"".to_owned()),
        ListedPlace::Git => fields.push("\"storage\": \"git\"".to_owned()),
        ListedPlace::Unsaid => {}
    }
    if one.place != ListedPlace::Git {
        fields.push(format!("\"oid\": \"sha256:{}\"", one.blob.oid));
    }
    fields.push(format!("\"size\": {}", one.blob.size));
    // The names are ours and need no escapes.
    format!("    \"{}\": {{\n      {}\n    }}", one.name, fields.join(",\n      "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_a_recorder_writes() {
        let listed = |name: &str, place| Listed { name: name.into(), blob: Blob { oid: "ab".into(), size: 5 }, place };
        let text = text(
            "  \"version\": \"1.0\",",
            vec![listed("b", ListedPlace::Git), listed("a", ListedPlace::Lfs), listed("c", ListedPlace::Unsaid)],
        );
        let expected = r#"{
  "version": "1.0",
  "files": {
    "a": {
      "storage": "lfs",
      "oid": "sha256:ab",
      "size": 5
    },
    "b": {
      "storage": "git",
      "size": 5
    },
    "c": {
      "oid": "sha256:ab",
      "size": 5
    }
  }
}"#;
        assert_eq!(text, expected);
    }
}
