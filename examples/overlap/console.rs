//! What people see while it runs: text on stdout unless the object has it, and a bar on a terminal's stderr.

use gapless::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::{Problem, print};

pub(crate) struct Console {
    json: bool,
    /// Invisible where stderr is no terminal.
    bar: ProgressBar,
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("  {msg:<13} {bar:40} {pos}/{len}  {elapsed}") {
            bar.set_style(style);
        }
        bar.finish_and_clear();
        Self { json, bar }
    }

    /// Says something to people; stdout belongs to the object where one was asked for.
    pub(crate) fn say(&self, text: &str) -> Result<(), Problem> {
        if self.json {
            return Ok(());
        }
        self.bar.suspend(|| print(text))?;
        Ok(())
    }

    /// Starts the bar anew; the function that it gives moves it.
    pub(crate) fn bar(&self, what: &'static str, documents: usize) -> impl FnMut(&Progress) + Send + 'static {
        self.bar.set_message(what);
        self.bar.set_length(documents as u64);
        self.bar.reset();
        let bar = self.bar.clone();
        move |progress| bar.set_position(progress.delivered + progress.failed)
    }

    /// Takes the bar away.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
