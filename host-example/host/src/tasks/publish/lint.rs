//! What should be known before a publish, and stands in nobody's way.

use crate::remote::Preflight;
use crate::sessions::downloaded;
use crate::text::count_text;

use super::left_out::LeftOutReason;
use super::recording::Place;
use super::scene::Scene;

/// Files that are left out named one by one; the report names them all.
const LEFT_OUT_SHOWN_MAX: usize = 20;

impl Scene<'_> {
    /// What stays where it is: also to those who want to hear of nothing but what is wrong.
    pub(super) fn say_left_out(&self) {
        let left_out = &self.recording.left_out;
        let missed = left_out.iter().filter(|one| one.reason != LeftOutReason::Excluded);
        for one in missed.clone().take(LEFT_OUT_SHOWN_MAX) {
            self.client.watching().warned(&one.sentence());
        }
        let hidden = missed.count().saturating_sub(LEFT_OUT_SHOWN_MAX);
        if hidden > 0 {
            self.client.watching().warned(&format!("… and {hidden} more are left out; --json names them all"));
        }
        if left_out.iter().any(|one| one.asked_for) {
            self.client.watching().warned("--exclude PATTERN says what may be left out");
        }
    }

    /// What should be known beforehand and stands in nobody's way.
    pub(super) fn lint(&self, preflight: &Preflight) {
        for warning in &preflight.warnings {
            self.client.watching().warned(warning);
        }
        self.say_left_out();
        if preflight.unpushed > 0 {
            let commits = count_text(usize::try_from(preflight.unpushed).unwrap_or(usize::MAX), "commit");
            self.client.watching().noted(&format!("{commits} of yours not pushed yet: going along"));
        }
        if self.recording.files.iter().any(|file| file.place == Place::InSession && !file.in_git) {
            self.client.watching().noted(
                "content stands in the session's folder, where a commit could take it in full: \
                 better keep it outside and publish with --from; `hydrant hooks install` checks each commit",
            );
        }
        let is_copy = downloaded::is_marked(&self.repository.store_dir(), &self.session);
        if is_copy && !self.recording.files.is_empty() {
            self.client.watching().warned(
                "content of this session was fetched from the server, not recorded here: \
                 this publishes somebody else's session again",
            );
        }
    }
}
