//! What values of the user's say, as a text of bounded length in one line; a `Display` that panics says so there.

use std::error::Error as StdError;
use std::fmt::{Display, Formatter, Write};

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
    /// Puts behind the text what this value says, without line breaks and other control characters.
    pub(super) fn add(&mut self, value: &dyn Display) {
        self.add_lines(&OneLine(value));
    }

    /// Puts behind the text what this value says, as it says it.
    pub(super) fn add_lines(&mut self, value: &dyn Display) {
        let failed = match guard(|| write!(self, "{value}")) {
            Ok(Err(_)) if !self.full => "[its Display failed]",
            Ok(_) => return,
            Err(panic) => &format!("[its Display {panic}]"),
        };
        let _full = self.write_str(failed);
    }

    /// Puts behind the text what the sources of this error say and it does not. Gives the number of the first of them.
    pub(super) fn add_sources(&mut self, error: &dyn StdError) -> Option<usize> {
        let (mut error, mut first) = (error, None);
        for told in 1..=SOURCES + 1 {
            error = match guard(|| error.source()) {
                Ok(Some(_)) if self.full => return first.or(Some(told)),
                Ok(Some(source)) => source,
                Ok(None) => return first,
                Err(panic) => {
                    self.add(&format_args!(": [its source {panic}]"));
                    return first;
                }
            };
            let mut source = Self::default();
            source.add(if told <= SOURCES { &error } else { &CUT });
            // An error that says what its source says has said it.
            if !self.text.contains(&source.text) {
                first = first.or(Some(told));
                self.add(&": ");
                self.add_lines(&source.text);
            }
        }
        first
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

/// What a value says in one line: control characters are escaped, so that no name in it looks like more than a name.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(Escape(f), "{}", self.0)
    }
}

struct Escape<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(breaks_a_line) {
            let (plain, escaped) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = escaped.chars();
            if let Some(character) = characters.next() {
                write!(self.0, "{}", character.escape_default())?;
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Control characters, the line breaks of Unicode, and what turns the direction of a text.
fn breaks_a_line(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
