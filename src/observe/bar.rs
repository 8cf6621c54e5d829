//! The bar on a terminal: how far a run has come, in one line of stderr.
//!
//! It only draws; what it says is the `Display` of [`Progress`], and when it is drawn is decided by the
//! engine. Where stderr is no terminal there is no bar.

use super::progress::Show;
#[cfg(feature = "progress")]
use {
    super::progress::Progress,
    indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle},
};

/// A bar on stderr; `None` where that is no terminal.
#[cfg(feature = "progress")]
pub(crate) fn on_terminal() -> Option<Box<dyn Show>> {
    let target = ProgressDrawTarget::stderr();
    (!target.is_hidden()).then(|| Box::new(Bar::new(target)) as Box<dyn Show>)
}

/// Without the feature `progress` there is no bar.
#[cfg(not(feature = "progress"))]
pub(crate) fn on_terminal() -> Option<Box<dyn Show>> {
    None
}

#[cfg(feature = "progress")]
struct Bar(ProgressBar);

#[cfg(feature = "progress")]
impl Bar {
    fn new(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{wide_msg}"));
        Self(bar)
    }

    fn tell(&self, progress: &Progress) {
        if let Some(total) = progress.total
            && self.0.length().is_none()
        {
            self.0.set_style(style("[{bar:24}] {wide_msg}"));
            self.0.set_length(total);
        }
        self.0.set_position(progress.done());
        self.0.set_message(progress.to_string());
    }
}

#[cfg(feature = "progress")]
fn style(template: &str) -> ProgressStyle {
    // The templates are ours; the default style is no worse than an end of the run.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

#[cfg(feature = "progress")]
impl Show for Bar {
    fn show(&mut self, progress: &Progress) {
        self.tell(progress);
        self.0.tick();
    }

    fn end(&mut self, progress: &Progress, finished: bool) {
        self.tell(progress);
        if finished {
            // A source may have said a wrong total of itself; what came out is what there was.
            self.0.set_length(progress.done());
            self.0.finish();
        } else {
            self.0.abandon();
        }
    }
}

#[cfg(all(test, feature = "progress"))]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps the lines that were drawn.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<Vec<String>>>);

    impl Terminal {
        fn lines(&self) -> Vec<String> {
            let drawn = self.0.lock().unwrap();
            drawn.iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
        }

        fn note(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push(text.to_owned());
            Ok(())
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn bar() -> (Bar, Terminal) {
        let terminal = Terminal::default();
        (Bar::new(ProgressDrawTarget::term_like(Box::new(terminal.clone()))), terminal)
    }

    fn progress(delivered: u64, total: Option<u64>) -> Progress {
        let elapsed = Duration::from_secs(1);
        Progress { delivered, total, elapsed, tokens: Some(4), ..Progress::default() }.paced()
    }

    #[test]
    fn a_bar_is_drawn_where_the_total_is_known() {
        let (mut bar, terminal) = bar();
        bar.end(&progress(12, Some(24)), false);
        let expected = "[============>           ] 12/24  12.0/s  ETA 0:00:01  CPU 0 %  line 0/4";
        assert_eq!(terminal.lines().last().map(String::as_str), Some(expected));
    }

    #[test]
    fn without_a_total_there_is_the_text_alone() {
        let (mut bar, terminal) = bar();
        bar.end(&progress(12, None), true);
        let last = terminal.lines().pop();
        assert_eq!(last.as_deref(), Some("12  12.0/s  0:00:01  CPU 0 %  line 0/4"));
    }

    #[test]
    fn the_last_line_of_a_run_that_finished_is_full() {
        let (mut bar, terminal) = bar();
        bar.show(&progress(1, Some(24)));
        bar.end(&progress(24, Some(24)), true);
        let last = terminal.lines().pop().unwrap_or_default();
        assert!(last.starts_with("[========================] 24/24  "), "{last}");
    }
}
