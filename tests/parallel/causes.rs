//! Errors that panic wherever they are touched: failures like any other, on every thread of a run.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use gapless::parallel::Failed;
use gapless::{Cause, OnFailure, parallel};

use crate::support::{planted_panic, until, watch};

/// Panics when it is printed, asked for its source, or dropped; the counter says how many there are.
#[derive(Debug)]
struct Bad(#[expect(dead_code, reason = "its clones are counted")] Arc<()>);

impl fmt::Display for Bad {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        planted_panic()
    }
}

impl StdError for Bad {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        planted_panic()
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        planted_panic()
    }
}

#[test]
fn an_error_that_panics_wherever_it_is_touched_is_one_failure() {
    let _watch = watch();
    for workers in 0..4 {
        for taken in [0, 1, 50, 100] {
            let errors = Arc::new(());
            let count = errors.clone();
            let stage = move |number: &mut u64| match *number % 3 {
                0 => Err(Cause::from(Bad(count.clone())).context("a third")),
                _ => Ok(*number),
            };
            let mut run = parallel(stage, 0..100).workers(workers).on_failure(OnFailure::Skip).run();
            for (number, item) in run.by_ref().take(taken).enumerate() {
                match item {
                    Ok(outcome) => assert_eq!(outcome.result, number as u64),
                    Err(Failed::Item(failure)) => {
                        let text = "a third: [its Display panicked: planted]: [its source panicked: planted]";
                        assert_eq!(failure.cause.to_string(), text);
                    }
                    Err(Failed::Run(error)) => panic!("{error}"),
                }
            }
            drop(run);
            until("all errors are gone", || Arc::strong_count(&errors) == 1);
        }
    }
}
