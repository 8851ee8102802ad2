//! What should be known before a publish, and stands in nobody's way.

use crate::remote::Preflight;
use crate::sessions::downloaded;
use crate::text::{count_text, quote};

use super::recording::Place;
use super::scene::Scene;

impl Scene<'_> {
    /// What stays where it is.
    pub(super) fn say_left_out(&self) {
        for (name, why) in &self.recording.left_out {
            self.client.watching().noted(&format!("{} is left out: {why}", quote(name.as_bytes())));
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
        if self.recording.covered > 0 {
            let files = count_text(self.recording.covered, "file");
            self.client.watching().warned(&format!(
                "other content stands in the session's folder under the names of {files}; where it is not as committed \
                 it is left as it is"
            ));
        }
    }
}
