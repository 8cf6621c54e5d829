//! Recursion that works in the caller works in every thread of a run.

use gapless::{Cause, Pipeline, parallel};

use crate::support::watch;

/// Bytes of stack that a program's first thread has, less what it needs for itself.
const DEPTH: usize = (8 << 20) - (1 << 20);

/// Takes a kibibyte of stack and more for each call.
fn recurse(bytes: usize) -> usize {
    let frame = std::hint::black_box([1_u8; 1024]);
    if bytes < 2048 { 1 } else { recurse(bytes - 2048) + usize::from(frame[bytes % 1024]) }
}

/// What the caller can: on a thread like a program's first, whatever this test runs on.
fn in_the_caller() -> usize {
    let caller = std::thread::Builder::new().stack_size(8 << 20).spawn(|| recurse(DEPTH));
    caller.expect("a thread").join().expect("it works in the caller")
}

/// A source that recurses too.
fn source() -> impl Iterator<Item = usize> + Send {
    (0..4).map(|_| recurse(DEPTH))
}

#[test]
fn recursion_that_works_in_the_caller_works_in_a_worker_a_device_thread_and_the_feeder() {
    let _watch = watch();
    let deep = in_the_caller();
    let cpu = |document: &mut usize| Ok::<_, Cause>(*document + recurse(DEPTH));
    let gpu = |batch: &[usize]| batch.iter().map(|item| item + recurse(DEPTH)).collect::<Vec<_>>();
    let then = |_: &mut usize, row: &usize| Ok::<_, Cause>(row + recurse(DEPTH));
    let pipeline = || Pipeline::new(cpu, gpu).then(then).batch_size(2).workers(2);
    let rows: Vec<_> =
        pipeline().run(source()).flat_map(|batch| batch.expect("no error").into_iter()).collect();
    assert!(rows.len() == 4 && rows.iter().all(|(_, row)| *row == 4 * deep));
    let rows: Vec<_> = gapless::scope(|scope| {
        scope.run(pipeline(), source()).flat_map(|batch| batch.expect("no error").into_iter()).collect()
    });
    assert!(rows.len() == 4 && rows.iter().all(|(_, row): &(usize, usize)| *row == 4 * deep));
}

#[test]
fn the_stack_is_what_it_is_set_to() {
    let _watch = watch();
    let deep = |_: &mut u8| Ok::<_, Cause>(recurse(30 << 20));
    assert!(parallel(deep, 0..4).workers(2).stack_size(32 << 20).collect().is_ok());
    let shallow = |_: &mut u8| Ok::<_, Cause>(recurse(1 << 16));
    assert!(parallel(shallow, 0..4).workers(2).stack_size(0).collect().is_ok());
    let refused = parallel(shallow, 0..4).stack_size((1 << 30) + 1).collect();
    assert!(refused.is_err_and(|error| error.to_string().contains("stack_size")));
}
