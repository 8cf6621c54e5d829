//! A call that returns after its grace period, while the documents of its run are put back.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gapless::parallel::{self, ApplyError};
use gapless::{Cause, Error, Watchdog};

use crate::support::watch;

/// What the batch that is put back does first.
type OnPutBack = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

#[derive(Clone)]
struct Word {
    id: u64,
    on_put_back: OnPutBack,
}

struct One(Word);

impl FromIterator<Word> for One {
    fn from_iter<I: IntoIterator<Item = Word>>(words: I) -> Self {
        Self(words.into_iter().next().expect("there is one"))
    }
}

impl IntoIterator for One {
    type Item = Word;
    type IntoIter = std::option::IntoIter<Word>;

    fn into_iter(self) -> Self::IntoIter {
        let first = self.0.on_put_back.lock().expect("no panic").take();
        first.into_iter().for_each(|first| first());
        Some(self.0).into_iter()
    }
}

thread_local! {
    /// Tells that this thread has ended, and with it all that it does with its document.
    static ENDS: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// Waits inside the call until it is let go.
fn wait(gate: &Mutex<(Receiver<()>, Option<Sender<()>>)>) {
    let mut gate = gate.lock().expect("no panic");
    ENDS.set(gate.1.take());
    gate.0.recv().expect("it is let go");
}

#[test]
fn a_document_that_comes_back_too_late_takes_no_place_of_another() {
    let _watch = watch();
    let ((let_go, is_let_go), (ends, ended)) = (channel(), channel::<()>());
    let gate = Mutex::new((is_let_go, Some(ends)));
    let on_put_back: OnPutBack = Arc::new(Mutex::new(Some(Box::new(move || {
        let_go.send(()).expect("it waits");
        assert!(ended.recv().is_err(), "its thread drops the other end");
    }))));
    let mut words: Vec<Word> = (0..6).map(|id| Word { id, on_put_back: on_put_back.clone() }).collect();
    let stage = move |one: &mut One| {
        if one.0.id == 0 {
            wait(&gate);
        }
        Ok::<_, Cause>(())
    };
    let apply = parallel::apply_batch(&mut words, 1, stage).workers(2).grace(Duration::ZERO);
    let apply = apply.watchdog(Duration::from_millis(50), Watchdog::End).on_stall(|_| ());
    let ApplyError { error, run, .. } = apply.run().expect_err("nothing moves");
    assert!(matches!(error, Error::Stalled { .. }), "{error}");
    assert_eq!(words.iter().map(|word| word.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(run.accounts().balance(), "{:?}", run.accounts());
}
