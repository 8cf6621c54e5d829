//! What values of the user's say, as a text of bounded length; a `Display` that panics says so there.

use std::error::Error as StdError;
use std::fmt::{Display, Write};

use super::guard::guard;

/// Longest text, in bytes; an ellipsis stands behind one that is cut.
pub(super) const LONGEST: usize = 1 << 20;
/// Most sources of an error that are told.
pub(super) const SOURCES: usize = 64;

const CUT: &str = "…";

/// A text that grows to [`LONGEST`] and no further.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    full: bool,
}

impl Text {
    /// Puts behind the text what this value says.
    pub(super) fn add(&mut self, value: &dyn Display) {
        let failed = match guard(|| write!(self, "{value}")) {
            Ok(Err(_)) if !self.full => "[its Display failed]",
            Ok(_) => return,
            Err(panic) => &format!("[its Display {panic}]"),
        };
        let _full = self.write_str(failed);
    }

    /// Puts behind the text what the sources of this error say.
    pub(super) fn add_sources(&mut self, error: &dyn StdError) {
        let mut error = error;
        for told in 0..=SOURCES {
            error = match guard(|| error.source()) {
                Ok(Some(source)) if !self.full => source,
                Ok(_) => return,
                Err(panic) => return self.add(&format_args!(": [its source {panic}]")),
            };
            self.add(&": ");
            self.add(if told < SOURCES { &error } else { &CUT });
        }
    }

    /// Its bytes so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn take(self) -> String {
        self.text
    }
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        if self.full {
            return Err(std::fmt::Error);
        }
        let room = LONGEST - self.text.len();
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        let whole = (0..=room).rev().find(|end| more.is_char_boundary(*end));
        self.text.push_str(&more[..whole.unwrap_or_default()]);
        self.text.push_str(CUT);
        self.full = true;
        Err(std::fmt::Error)
    }
}
