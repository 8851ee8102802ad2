//! Texts that must never be in a title or summary: the diagnostics of a failed summary, and counts of messages.

/// Beginnings of diagnostics that once reached titles and summaries.
const LEAKS: [&str; 3] =
    ["Summary failed content validation", "Summary failed richness validation", "Summary generation failed"];

/// Why a title or summary must not be shown to users; `None` when it may. Empty text is fine.
pub fn leak(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if LEAKS.iter().any(|leak| text.starts_with(leak)) {
        return Some("it is the diagnostic of a failed summary");
    }
    if is_count(text) {
        return Some("it only counts messages");
    }
    None
}

/// `3 user messages, 4 assistant responses`.
fn is_count(text: &str) -> bool {
    let counted = |part: &str, noun: &str| {
        let part = part.trim();
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let rest = part[digits..].trim_start();
        digits > 0 && rest.strip_prefix(noun).is_some_and(|end| matches!(end.trim_end_matches('.'), "" | "s"))
    };
    text.split_once(',')
        .is_some_and(|(user, assistant)| counted(user, "user message") && counted(assistant, "assistant response"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaks() {
        for bad in [
            "Summary generation failed: provider timed out",
            "  Summary failed content validation",
            "Summary failed richness validation (2)",
            "3 user messages, 4 assistant responses",
            "1 user message, 1 assistant response",
        ] {
            assert!(leak(bad).is_some(), "{bad}");
        }
        for good in [
            "",
            "Keep the refs",
            "Why summary generation failed",
            "3 user messages",
            "3 user messages, 4 assistants",
            "é, ü",
        ] {
            assert_eq!(leak(good), None, "{good}");
        }
    }
}
