//! What people see while it runs: text on stdout unless the object has it. The bars on a terminal's stderr
//! are the runs' own.

use crate::terminal::{Problem, print};

pub(crate) struct Console {
    json: bool,
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says something to people; stdout belongs to the object where one was asked for.
    pub(crate) fn say(&self, text: &str) -> Result<(), Problem> {
        if !self.json {
            print(text)?;
        }
        Ok(())
    }
}
