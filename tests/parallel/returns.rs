//! What functions may return: any error, wherever a function is given, and no `Result` where nothing can fail.

use std::error::Error as StdError;
use std::future::ready;
use std::num::ParseIntError;

use gapless::parallel::{Vectorizer, apply};
use gapless::{Cause, OnFailure, Pipeline, async_stage, parallel, with_state};

use crate::support::watch;

type Boxed = Box<dyn StdError + Send + Sync>;

fn words() -> [String; 3] {
    ["1", "two", "3"].map(String::from)
}

#[expect(clippy::ptr_arg, reason = "it is a stage for strings")]
fn parse(text: &mut String) -> Result<u64, ParseIntError> {
    text.parse()
}

fn is_of_parse(cause: &Cause) -> bool {
    cause.downcast_ref::<ParseIntError>().is_some()
}

#[test]
fn a_stage_of_any_kind_may_fail_with_any_error_which_is_found_in_the_cause() {
    let _watch = watch();
    let with_state = with_state(|_| (), |(): &mut (), text: &mut String| parse(text));
    let later = async_stage(|text: &mut String| ready(parse(text)));
    let boxed = |text: &mut String| -> Result<u64, Boxed> { Ok(parse(text)?) };
    let runs = [
        parallel(parse, words()).collect().unwrap_err(),
        parallel(with_state, words()).collect().unwrap_err(),
        parallel(later, words()).collect().unwrap_err(),
        parallel(boxed, words()).collect().unwrap_err(),
        Vectorizer::new(parse).process(words()).unwrap_err(),
    ];
    for failed in runs {
        let failure = failed.item().expect("a document failed");
        assert_eq!(failure.position.get(), 1);
        assert!(is_of_parse(&failure.cause), "{failed}");
    }
    let mapped = parallel::map(words(), parse).run().filter_map(Result::err).next().unwrap();
    assert_eq!(mapped.to_string(), "document 1 failed in the CPU stage: invalid digit found in string");
}

#[test]
fn functions_behind_a_stage_may_fail_with_any_error() {
    let _watch = watch();
    let length = |text: &mut String| text.len() as u64;
    let same = |batch: &[u64]| batch.to_vec();
    let refuses = |_: &[u64]| -> Result<Vec<u64>, Boxed> { Err("planted")? };
    let then = |text: &mut String, _: &u64| parse(text);
    let skip = OnFailure::Skip;
    let failures = [
        Pipeline::new(length, same).then(then).on_failure(skip).run(words()).next(),
        Pipeline::new(length, same)
            .then_gpu(then, same)
            .last_half(|half| half.on_failure(skip))
            .run(words())
            .next(),
    ];
    for batch in failures {
        let batch = batch.unwrap().unwrap();
        assert_eq!((batch.len(), batch.failures().len()), (2, 1));
        assert!(is_of_parse(&batch.failures()[0].cause));
    }
    let error = Pipeline::new(length, refuses).run(words()).next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "batch 0 failed: planted");
    let mut documents = Vec::from(words());
    let applied =
        apply(&mut documents, length).run_with(|length| if length == 3 { Err("planted") } else { Ok(()) });
    assert_eq!(applied.unwrap_err().to_string(), "planted");
}

#[test]
fn a_function_that_cannot_fail_returns_its_value_alone() {
    let _watch = watch();
    let pair = |text: &mut String| (text.len(), [0_u8; 2]);
    let lengths = |batch: &[(usize, [u8; 2])]| batch.iter().map(|(length, _)| *length).collect::<Vec<_>>();
    let add_one = |_: &mut String, length: &usize| *length + 1;
    let mut run = Pipeline::new(pair, lengths).then(add_one).run(words());
    assert_eq!(run.next().unwrap().unwrap().output(), Some(&vec![2, 4, 2]));
    let later = async_stage(|text: &mut String| ready(text.len()));
    assert_eq!(parallel(later, words()).collect().unwrap(), [1, 3, 1]);
    let counts = with_state(|rank| rank, |state: &mut usize, _: &mut String| *state);
    assert_eq!(parallel(counts, words()).workers(1).collect().unwrap(), [0; 3]);
    let mut documents = Vec::from(words());
    apply(&mut documents, |text: &mut String| text.push('!')).run().unwrap();
    assert_eq!(documents, ["1!", "two!", "3!"]);
}
