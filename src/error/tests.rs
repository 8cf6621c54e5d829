//! Errors that misbehave in every way that there is: as causes they harm nobody.

mod texts;

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::text::{LONGEST, SOURCES};
use super::{Cause, Error, Failure, Stage};
use crate::place::Position;

/// What a method of an error does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Right,
    /// Panics, with a text.
    Panic,
    /// Panics, with what panics when it is dropped, and again when that is.
    PanicTwice,
    /// Says that it failed; where it cannot, it is right.
    Fail,
    /// Never comes to an end by itself; where it cannot, it is right.
    Endless,
}

const ALL: [Does; 5] = [Does::Right, Does::Panic, Does::PanicTwice, Does::Fail, Does::Endless];

/// Panics as often as it is dropped.
struct Bomb(u8);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(left) = self.0.checked_sub(1) {
            resume_unwind(Box::new(Bomb(left)));
        }
    }
}

impl Does {
    fn act(self) {
        match self {
            Self::Panic => resume_unwind(Box::new("planted")),
            Self::PanicTwice => resume_unwind(Box::new(Bomb(2))),
            Self::Right | Self::Fail | Self::Endless => {}
        }
    }
}

#[derive(Debug)]
struct Bad {
    display: Does,
    source: Does,
    drop: Does,
    dropped: Arc<AtomicUsize>,
    inner: Option<fmt::Error>,
}

impl Display for Bad {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("bad")?;
        self.display.act();
        match self.display {
            Does::Fail => Err(fmt::Error),
            Does::Endless => loop {
                f.write_str("ß and more of it")?;
            },
            _ => Ok(()),
        }
    }
}

impl StdError for Bad {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.act();
        match self.source {
            Does::Endless => Some(self),
            _ => self.inner.as_ref().map(|inner| inner as &dyn StdError),
        }
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
        self.drop.act();
    }
}

/// Every way to misbehave, and how often what was made of it has been dropped.
fn each(mut check: impl FnMut(Does, Does, Does, Bad, &AtomicUsize)) {
    for display in ALL {
        for source in ALL {
            for drop in ALL {
                let dropped = Arc::new(AtomicUsize::new(0));
                let inner = Some(fmt::Error);
                let bad = Bad { display, source, drop, dropped: dropped.clone(), inner };
                check(display, source, drop, bad, &dropped);
            }
        }
    }
}

/// What such an error says.
fn expected(display: Does, source: Does) -> String {
    let own = match display {
        Does::Right => "bad".to_owned(),
        Does::Panic => "bad[its Display panicked: planted]".to_owned(),
        Does::PanicTwice => "bad[its Display panicked: a value that is no text]".to_owned(),
        Does::Fail => "bad[its Display failed]".to_owned(),
        Does::Endless => return String::new(),
    };
    let source = match source {
        Does::Right | Does::Fail => ": ".to_owned() + &fmt::Error.to_string(),
        Does::Panic => ": [its source panicked: planted]".to_owned(),
        Does::PanicTwice => ": [its source panicked: a value that is no text]".to_owned(),
        // It says what its sources say, but for that there are more than are told.
        Does::Endless => ": …".to_owned(),
    };
    own + &source
}

#[test]
fn an_error_that_panics_anywhere_is_told_kept_and_dropped() {
    each(|display, source, _, bad, dropped| {
        let cause = Cause::from(bad);
        let text = cause.to_string();
        if display == Does::Endless {
            assert!((LONGEST - 4..=LONGEST + '…'.len_utf8()).contains(&text.len()));
            assert!(text.starts_with("badß and more") && text.ends_with('…'));
        } else {
            assert_eq!(text, expected(display, source));
        }
        assert_eq!(format!("{cause:?}"), format!("Cause({text})"));
        assert!(!cause.is_panic());
        assert_eq!(cause.downcast_ref::<Bad>().map(|bad| bad.display), Some(display));
        let context = cause.clone().context("photo");
        assert!(context.to_string().starts_with("photo: bad"));
        assert_eq!(context.downcast_ref::<Bad>().map(|bad| bad.source), Some(source));
        drop(cause);
        assert_eq!(dropped.load(Ordering::SeqCst), 0, "the one with a context holds it");
        drop(context);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn what_holds_a_cause_is_printed_and_dropped_like_it() {
    each(|_, _, _, bad, _| {
        let cause = Cause::from(bad);
        let failure =
            Failure { document: (), position: Position(7), stage: Stage::Cpu, cause: cause.clone() };
        assert!(failure.to_string().starts_with("document 7 failed in the CPU stage: bad"));
        let error = Error::Open { cause };
        assert!(error.to_string().starts_with("the GPU stage could not be opened: bad"));
        let again = Cause::from(error);
        assert!(format!("{again:?}{failure:?}").contains("bad"));
    });
}

#[test]
fn a_cause_may_be_dropped_by_a_pool_and_while_another_panic_unwinds() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    each(|_, _, _, bad, _| {
        let cause = Cause::from(bad);
        // A panic that left this would end the process.
        pool.spawn(move || drop(cause));
    });
    each(|_, _, _, bad, dropped| {
        let cause = Cause::from(bad);
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let _cause = cause;
            resume_unwind(Box::new("another"));
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"another"));
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_message_or_a_context_that_panics_is_told_too() {
    each(|display, source, _, bad, dropped| {
        let cause = Cause::msg(bad);
        assert!(cause.to_string().starts_with("bad"));
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "only its text is kept");
        if display != Does::Endless {
            assert!(expected(display, source).starts_with(&cause.to_string()));
        }
    });
    each(|display, _, _, bad, dropped| {
        let cause = Cause::msg("no photo").context(bad);
        assert!(cause.to_string().starts_with("bad"));
        assert!(display == Does::Endless || cause.to_string().ends_with(": no photo"));
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_panic_says_its_text_whatever_it_carries() {
    let thrown: [(fn(), &str); 5] = [
        (|| resume_unwind(Box::new("text")), "panicked: text"),
        (|| resume_unwind(Box::new(String::from("string"))), "panicked: string"),
        (|| resume_unwind(Box::new(7)), "panicked: a value that is no text"),
        (|| resume_unwind(Box::new(Bomb(0))), "panicked: a value that is no text"),
        (|| resume_unwind(Box::new(Bomb(9))), "panicked: a value that is no text"),
    ];
    for (throw, text) in thrown {
        let cause = super::guard::guard(throw).unwrap_err();
        assert_eq!((cause.to_string().as_str(), cause.is_panic()), (text, true));
        assert!(cause.context("here").is_panic());
    }
}

#[test]
fn contexts_without_end_take_bounded_memory_and_no_stack() {
    let mut cause = Cause::from(fmt::Error);
    for _ in 0..2000 {
        cause = cause.context("a context of some length, again and again, and behind it comes: ".repeat(10));
    }
    assert!(cause.to_string().len() <= LONGEST + 3);
    assert!(cause.downcast_ref::<fmt::Error>().is_some());
}

#[test]
fn errors_of_all_kinds_become_causes_by_a_question_mark() {
    fn parse(text: &str) -> Result<u8, Cause> {
        Ok(text.parse::<u8>()?)
    }
    fn open() -> Result<std::fs::File, Cause> {
        Ok(std::fs::File::open("/nowhere")?)
    }
    assert!(parse("300").unwrap_err().downcast_ref::<std::num::ParseIntError>().is_some());
    let cause = open().unwrap_err().context("the file");
    let kind = cause.downcast_ref().map(std::io::Error::kind);
    assert_eq!(kind, Some(std::io::ErrorKind::NotFound));
    assert!(cause.to_string().starts_with("the file: No such file"));
    assert!(cause.downcast_ref::<fmt::Error>().is_none());
}

/// An error and what it was made of, from the outermost.
#[derive(Debug)]
struct Layer(&'static str, Option<Box<Layer>>);

impl Layer {
    fn three() -> Self {
        Self("no photo", Some(Box::new(Self("no file", Some(Box::new(Self("no disk", None)))))))
    }
}

impl Display for Layer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Layer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|inner| inner as &dyn StdError)
    }
}

/// What whoever prints an error and its sources prints.
fn printed(error: &(dyn StdError + 'static)) -> Vec<String> {
    let (mut texts, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

#[test]
fn a_box_and_a_text_become_causes_with_their_whole_chain() {
    fn boxed(error: Box<dyn StdError + Send + Sync>) -> Result<(), Cause> {
        Err(error)?
    }
    fn text() -> Result<(), Cause> {
        Err("no photo")?
    }
    let cause = boxed(Box::new(Layer::three())).unwrap_err();
    assert_eq!(cause.to_string(), "no photo: no file: no disk");
    assert_eq!(cause.downcast_ref::<Layer>().unwrap().0, "no photo");
    let chain: Vec<_> = cause.chain().map(|error| error.downcast_ref::<Layer>().unwrap().0).collect();
    assert_eq!(chain, ["no photo", "no file", "no disk"]);
    assert_eq!(text().unwrap_err().to_string(), "no photo");
    assert_eq!(Cause::from("no photo".to_string()).to_string(), "no photo");
}

#[test]
fn whoever_prints_an_error_and_its_sources_prints_each_once_and_all_in_one_line_where_it_is_asked_for() {
    let cause = Cause::from(Layer::three()).context("cat.jpg");
    let stopped = Error::Stopped { position: Position(7), stage: Stage::Then, cause: cause.clone() };
    let what = "stopped: document 7 failed in the then: ";
    for (error, what) in [(&stopped as &(dyn StdError + 'static), what), (&cause.clone().into_error(), "")] {
        let own = format!("{what}cat.jpg: no photo");
        assert_eq!(printed(error), [own.as_str(), "no file", "no disk"]);
        assert_eq!(format!("{error:#}"), format!("{own}: no file: no disk"));
    }
    assert_eq!(Cause::from(stopped).to_string(), format!("{what}cat.jpg: no photo: no file: no disk"));
    let boxed: Box<dyn StdError> = cause.into();
    assert_eq!(printed(&*boxed), ["cat.jpg: no photo", "no file", "no disk"]);
}

#[test]
fn a_cause_that_was_an_error_meanwhile_is_the_same_cause() {
    fn again(error: impl Into<Cause>) -> Cause {
        error.into()
    }
    let panic = super::guard::guard(|| resume_unwind(Box::new("planted"))).unwrap_err().context("here");
    assert!(again(panic.into_error()).is_panic());
    let cause = Cause::from(Layer::three()).context("cat.jpg");
    let boxed: Box<dyn StdError + Send + Sync> = Box::new(cause.into_error());
    let cause = again(boxed);
    assert_eq!(cause.downcast_ref::<Layer>().unwrap().0, "no photo");
    assert_eq!(cause.to_string(), "cat.jpg: no photo: no file: no disk");
}

#[test]
fn a_chain_of_an_error_that_panics_or_never_ends_comes_to_an_end() {
    each(|display, source, _, bad, _| {
        let cause = Cause::from(bad);
        let expected = match source {
            Does::Right | Does::Fail => 2,
            Does::Panic | Does::PanicTwice => 1,
            Does::Endless => 1 + SOURCES,
        };
        assert_eq!(cause.chain().count(), expected);
        // A source that says what was said is none.
        let more = expected == 2 || (source == Does::Endless && display == Does::Endless);
        assert_eq!(cause.into_error().source().is_some(), more);
    });
}

#[test]
fn what_panics_when_it_is_made_an_error_is_a_cause_that_says_so() {
    struct Never;
    impl From<Never> for Box<dyn StdError + Send + Sync> {
        fn from(_: Never) -> Self {
            resume_unwind(Box::new("planted"))
        }
    }
    let cause = Cause::from(Never);
    assert_eq!((cause.to_string().as_str(), cause.is_panic()), ("panicked: planted", true));
}

#[cfg(feature = "anyhow")]
#[test]
fn an_anyhow_error_becomes_a_cause_and_a_cause_an_anyhow_error_by_a_question_mark() {
    use anyhow::Context as _;
    fn inward() -> Result<(), Cause> {
        Ok(Err(Layer::three()).context("cat.jpg").context("row 7")?)
    }
    fn outward() -> anyhow::Result<()> {
        Ok(inward()?)
    }
    let cause = inward().unwrap_err();
    assert_eq!(cause.to_string(), "row 7: cat.jpg: no photo: no file: no disk");
    assert_eq!(cause.downcast_ref::<Layer>().unwrap().0, "no photo");
    assert_eq!(cause.chain().count(), 5);
    let error = outward().unwrap_err();
    let lines = "row 7\n\nCaused by:\n    0: cat.jpg\n    1: no photo\n    2: no file\n    3: no disk";
    assert!(format!("{error:?}").starts_with(lines), "{error:?}");
    let again = Cause::from(error);
    assert!(again.downcast_ref::<Layer>().is_some(), "it is the cause that it was");
    let in_context = outward().context("at noon").map_err(Cause::from).unwrap_err();
    assert!(in_context.to_string().starts_with("at noon: row 7: cat.jpg"), "{in_context}");
}
