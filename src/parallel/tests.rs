//! A run without a device under manual time: what its report says where the bottleneck is known.

use std::time::Duration;

use super::parallel;
use crate::engine::seam::manual::World;
use crate::error::Cause;
use crate::observe::bound::Bottleneck;

#[test]
fn a_run_without_a_device_is_bound_by_its_workers_its_source_or_its_caller() {
    for (source, cpu, caller, bottleneck) in
        [(0, 20, 1, Bottleneck::Cpu), (20, 2, 1, Bottleneck::Source), (0, 2, 20, Bottleneck::Caller)]
    {
        let world = World::new();
        let report = world.with_faces(|| {
            let waits = |millis| {
                let world = world.clone();
                move || world.sleep(Duration::from_millis(millis))
            };
            let (pause, work) = (waits(source), waits(cpu));
            let stage = move |number: &mut u64| {
                work();
                Ok::<_, Cause>(*number)
            };
            let mut run = parallel(stage, (0..120_u64).inspect(move |_| pause())).workers(2).ahead(8).run();
            for outcome in run.by_ref() {
                outcome.expect("nothing fails");
                world.sleep(Duration::from_millis(caller));
            }
            run.report()
        });
        assert_eq!(report.bottleneck, bottleneck, "{report}");
        assert!(report.above_bound_percent < 10.0, "{report}");
    }
}
