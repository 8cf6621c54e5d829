//! What a stage may ask of its run: its document's place, its worker, and whether the run goes on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gapless::{Cause, Context, CpuStage, Pipeline, Position, parallel, with_context};

use crate::support::{plus_one, until, watch};

#[test]
fn every_call_knows_its_place_and_its_worker() {
    let _watch = watch();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let told = seen.clone();
    let stage = with_context(move |number: &mut u64, context: &Context<'_>| {
        assert_eq!(context.position().get(), *number);
        assert!(!context.is_stopped() && context.wait(Duration::ZERO), "the run goes on");
        told.lock().unwrap().insert(context.rank());
        Ok::<_, Cause>(*number)
    });
    let stage = Arc::new(stage);
    for workers in [0, 3] {
        let run = Pipeline::new(stage.clone(), plus_one).workers(workers).batch_size(4).run(0..40);
        assert_eq!(run.map(|batch| batch.unwrap().len()).sum::<usize>(), 40);
    }
    assert!(seen.lock().unwrap().iter().all(|rank| *rank < 3));
}

#[test]
fn a_call_that_waits_for_what_never_comes_ends_with_its_own_run_and_not_with_another() {
    let _watch = watch();
    let (gone, inside) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let (ended, count) = (gone.clone(), inside.clone());
    // Both runs share the stage: an interrupt could not say which of them it is for.
    let stage = Arc::new(with_context(move |name: &mut &'static str, context: &Context<'_>| {
        *count.lock().unwrap() += 1;
        while context.wait(Duration::from_millis(1)) {}
        ended.lock().unwrap().push(*name);
        Err::<u64, _>(Cause::msg("stopped"))
    }));
    let mut first = parallel(stage.clone(), ["first"]).workers(1).run();
    let second = parallel(stage, ["second"]).workers(1).run();
    until("both calls wait", || *inside.lock().unwrap() == 2);
    first.stop();
    assert_eq!(*gone.lock().unwrap(), ["first"]);
    assert_eq!(first.report().left_behind, Vec::<String>::new(), "nobody had to be left behind");
    drop(second);
    assert_eq!(*gone.lock().unwrap(), ["first", "second"]);
}

#[test]
fn a_stage_of_ones_own_is_called_with_its_context() {
    let _watch = watch();
    struct Places;
    impl CpuStage<u64> for Places {
        type Prepared = u64;

        fn prepare(&self, number: &mut u64) -> Result<u64, Cause> {
            self.prepare_in(number, &Context::alone())
        }

        fn prepare_in(&self, _: &mut u64, context: &Context<'_>) -> Result<u64, Cause> {
            Ok(context.position().get())
        }
    }
    assert_eq!(Places.prepare(&mut 7).unwrap(), 0, "by hand it belongs to no run");
    assert_eq!(parallel(Places, [9, 9, 9]).workers(2).collect().unwrap(), [0, 1, 2]);
    assert_eq!(Context::alone().position(), Position::default());
}
