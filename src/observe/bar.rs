//! The bar on a terminal: how far a run has come, in one line of stderr.
//!
//! It only draws; what it says is the `Display` of [`Progress`], and when it is drawn is decided by the
//! engine. Where stderr is no terminal there is no bar.

use super::progress::Show;
#[cfg(feature = "progress")]
use {
    super::progress::Progress,
    indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle},
    std::cmp::Ordering,
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
        // The bar stands in the message, so that position and text are drawn at once and not one by one.
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

#[cfg(feature = "progress")]
impl Show for Bar {
    fn show(&mut self, progress: &Progress) {
        self.0.set_message(line(progress));
    }

    fn end(&mut self, progress: &Progress, finished: bool) {
        // A source may have said a wrong total of itself; what came out is what there was.
        let total = if finished { progress.total.map(|_| progress.done()) } else { progress.total };
        self.0.abandon_with_message(line(&Progress { total, ..*progress }));
    }
}

/// Letters of the bar.
#[cfg(feature = "progress")]
const WIDTH: u64 = 12;

/// What is drawn: a bar where the total is known, and the text.
#[cfg(feature = "progress")]
fn line(progress: &Progress) -> String {
    let Some(total) = progress.total else { return progress.to_string() };
    let share = progress.done().min(total) as f64 / total.max(1) as f64;
    let full = if total == 0 { WIDTH } else { (share * WIDTH as f64) as u64 };
    let bar: String = (0..WIDTH)
        .map(|place| match place.cmp(&full) {
            Ordering::Less => '=',
            Ordering::Equal => '>',
            Ordering::Greater => ' ',
        })
        .collect();
    format!("[{bar}] {progress}")
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
    fn a_bar_stands_before_the_text_where_the_total_is_known() {
        let text = |done| line(&progress(done, Some(24)));
        assert_eq!(text(0), "[>           ] 0/24  0.0/s  ETA -  CPU 0 %  line 0/4");
        assert_eq!(text(12), "[======>     ] 12/24  12.0/s  ETA 0:00:01  CPU 0 %  line 0/4");
        assert_eq!(text(24), "[============] 24/24  24.0/s  ETA 0:00:00  CPU 0 %  line 0/4");
        assert!(text(30).starts_with("[============] 30/24  "), "more than was said");
        assert!(line(&progress(0, Some(0))).starts_with("[============] 0/0  "), "nothing is all there was");
        assert_eq!(line(&progress(12, None)), "12  12.0/s  0:00:01  CPU 0 %  line 0/4");
    }

    #[test]
    fn each_showing_is_drawn_once() {
        let (mut bar, terminal) = bar();
        bar.show(&progress(1, Some(24)));
        bar.end(&progress(2, Some(24)), false);
        let expected = [1, 2].map(|done| line(&progress(done, Some(24))));
        assert_eq!(terminal.lines(), expected);
    }

    #[test]
    fn the_last_line_of_a_run_that_finished_is_full_whatever_its_source_said() {
        let (mut bar, terminal) = bar();
        bar.end(&progress(20, Some(24)), true);
        let last = terminal.lines().pop().unwrap_or_default();
        assert!(last.starts_with("[============] 20/20  "), "{last}");
    }
}
