//! Sources that are no plain iterators: those that fail, and streams.

use gapless::{Cause, Error, Pipeline};

use crate::support::{double, expected, plus_one, watch};

#[test]
fn the_first_error_of_a_source_ends_the_run_behind_what_it_gave() {
    let _watch = watch();
    for (good, workers) in [(0, 2), (5, 2), (16, 2), (17, 0)] {
        let source =
            (0..40).map(move |number| if number < good { Ok(number) } else { Err(Cause::msg("line")) });
        let mut run = Pipeline::new(double, plus_one).batch_size(8).workers(workers).try_run(source);
        let mut out = Vec::new();
        let error = loop {
            match run.next().expect("an error comes first") {
                Ok(batch) => out.extend(batch),
                Err(error) => break error,
            }
        };
        assert_eq!(out, (0..good).map(|number| (number, expected(number))).collect::<Vec<_>>());
        let Error::Source { position, cause, .. } = error else { panic!("{error}") };
        assert_eq!((position.get(), cause.to_string().as_str()), (good, "line"));
        assert!(run.next().is_none() && run.accounts().balance());
        assert_eq!(run.accounts().delivered, good);
    }
}

#[cfg(feature = "stream")]
mod streams {
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};

    use futures_core::Stream;

    use super::*;
    use crate::support::{planted_panic, until};

    /// A stream that others fill.
    #[derive(Clone, Default)]
    struct Filled(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        documents: Vec<u64>,
        ended: bool,
        panics: bool,
        waker: Option<Waker>,
        polls: usize,
    }

    impl Filled {
        fn change(&self, change: impl FnOnce(&mut State)) {
            let mut state = self.0.lock().unwrap();
            change(&mut state);
            let waker = state.waker.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    impl Stream for Filled {
        type Item = u64;

        fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<u64>> {
            let mut state = self.0.lock().unwrap();
            state.polls += 1;
            if state.panics {
                drop(state);
                planted_panic();
            }
            if !state.documents.is_empty() {
                return Poll::Ready(Some(state.documents.remove(0)));
            }
            if state.ended {
                return Poll::Ready(None);
            }
            state.waker = Some(task.waker().clone());
            Poll::Pending
        }
    }

    #[test]
    fn documents_of_a_stream_come_through_as_they_are_given() {
        let _watch = watch();
        for workers in [0, 2] {
            let stream = Filled::default();
            stream.change(|state| state.documents = vec![0, 1, 2]);
            let mut run = Pipeline::new(double, plus_one)
                .batch_size(3)
                .workers(workers)
                .run_from_stream(stream.clone());
            let first: Vec<_> = run.next().unwrap().unwrap().into_iter().collect();
            assert_eq!(first, [(0, 1), (1, 3), (2, 5)]);
            stream.change(|state| (state.documents, state.ended) = (vec![3], true));
            assert_eq!(run.next().unwrap().unwrap().into_iter().collect::<Vec<_>>(), [(3, 7)]);
            assert!(run.next().is_none());
            assert!(run.accounts().balance());
        }
    }

    #[test]
    fn a_stop_ends_the_wait_for_a_stream_that_gives_nothing() {
        let _watch = watch();
        let stream = Filled::default();
        let mut run = Pipeline::new(double, plus_one).workers(1).run_from_stream(stream.clone());
        until("the feeder waits", || stream.0.lock().unwrap().waker.is_some());
        run.stop();
        assert_eq!(run.report().left_behind, Vec::<String>::new());
        assert_eq!(Arc::strong_count(&stream.0), 1, "the stream was dropped");
    }

    #[test]
    fn a_stream_that_panics_is_a_source_that_does() {
        let _watch = watch();
        let stream = Filled::default();
        stream.change(|state| state.panics = true);
        let mut run = Pipeline::new(double, plus_one).workers(1).run_from_stream(stream);
        assert!(matches!(run.next(), Some(Err(Error::Source { position, .. })) if position.get() == 0));
        assert!(run.next().is_none());
    }
}
