//! Laws of predictions; that they are the engine's is shown by the engine's own tests.

use super::closed::closed_form;
use super::rules::Rules;
use super::schedule::{schedule, schedule_within, without_skips};
use super::*;
use crate::observe::bound::Bottleneck;

/// A small generator: tests need many cases and no secrets.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        gapless_photos::random::next(&mut self.0) % end
    }

    /// A whole number of nanoseconds, in seconds.
    pub(crate) fn seconds(&mut self, least: u64, most: u64) -> f64 {
        (least + self.below(most - least)) as f64 / 1e9
    }
}

fn experiment() -> (Costs, Settings) {
    (Costs::default().cpu(1.0 / 16.0).gpu(0.0, 1.0 / 8.0), Settings::new(1024).batch_size(16).workers(4))
}

#[test]
fn the_experiment_takes_what_it_takes_in_each_of_its_four_ways() {
    let (costs, settings) = experiment();
    let seconds = |settings: &Settings| predict(&costs, settings).expect("these settings work").seconds;
    assert_eq!(seconds(&settings.way(Way::Sequential)), 144.0);
    assert_eq!(seconds(&settings.way(Way::PerBatch)), 129.0);
    assert_eq!(seconds(&settings), 128.25);
    assert_eq!(seconds(&settings.ramp(true)), 128.0625);
}

#[test]
fn a_prediction_says_where_the_time_goes() {
    let (costs, settings) = experiment();
    let prediction = predict(&costs, &settings.item_bytes(1000)).expect("these settings work");
    assert_eq!((prediction.bound_s, prediction.bottleneck), (128.0625, Bottleneck::Gpu));
    assert_eq!((prediction.first_result_s, prediction.tokens, prediction.batches), (2.25, 64, 64));
    assert_eq!([prediction.fill_s, prediction.stalls_s, prediction.drain_s], [0.25, 0.0, 0.0]);
    assert_eq!((prediction.cpu_busy, prediction.gpu_busy), (16.0 / 128.25, 128.0 / 128.25));
    assert_eq!(prediction.memory_bytes, Some(64_000));
}

#[test]
fn nothing_takes_no_time() {
    let (costs, settings) = experiment();
    for way in [Way::PerDocument, Way::PerBatch, Way::Sequential] {
        let settings = Settings { documents: 0, ..settings.way(way) };
        let prediction = predict(&costs, &settings).expect("these settings work");
        assert_eq!((prediction.seconds, prediction.batches, prediction.cpu_busy), (0.0, 0, 0.0));
        let free = predict(&Costs::default(), &settings.depth(2)).expect("these settings work");
        assert_eq!((free.seconds, free.bound_s), (0.0, 0.0));
    }
}

#[test]
fn a_setting_that_cannot_work_is_named() {
    let (costs, settings) = experiment();
    let named = |costs: &Costs, settings: Settings| match predict(costs, &settings) {
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(named(&costs, settings.batch_size(0)), "batch_size");
    assert_eq!(named(&costs, settings.batch_size(1 << 24)), "batch_size");
    assert_eq!(named(&costs, settings.ahead(0)), "ahead");
    assert_eq!(named(&costs, settings.workers(0)), "workers");
    assert_eq!(named(&costs, settings.devices(0)), "devices");
    assert_eq!(named(&costs, settings.pipelines(0)), "pipelines");
    assert_eq!(named(&costs, settings.depth(1 << 21)), "depth");
    assert_eq!(named(&costs, settings.with_tokens(15)), "tokens");
    assert_eq!(named(&costs, settings.way(Way::PerBatch).ramp(true)), "ramp");
    assert_eq!(named(&costs.cpu(-1.0), settings), "cpu");
    assert_eq!(named(&costs.gpu(0.0, f64::NAN), settings), "gpu_item");
}

#[test]
fn pipelines_share_the_documents_and_the_slowest_counts() {
    let (costs, settings) = experiment();
    let one = |documents| predict(&costs, &Settings { documents, ..settings }).expect("it works");
    let all = predict(&costs, &settings.pipelines(3)).expect("it works");
    assert_eq!(all.seconds, one(342).seconds.max(one(341).seconds));
    assert_eq!(all.batches, 22 + 22 + 22);
    let few = predict(&costs, &Settings { documents: 2, ..settings }.pipelines(5)).expect("it works");
    assert_eq!((few.seconds, few.batches), (one(1).seconds, 2));
}

#[test]
fn the_closed_form_is_the_schedule_on_ten_thousand_settings() {
    let mut random = Random(1);
    let (mut held, mut asked) = (0, 0);
    while held < 10_000 {
        asked += 1;
        let costs = Costs::default()
            .cpu(random.seconds(0, 1_000))
            .gpu(random.seconds(0, 3_000) * random.below(2) as f64, random.seconds(0, 400));
        let settings = Settings::new(1 + random.below(300))
            .batch_size(1 + random.below(12) as usize)
            .workers(1 + random.below(9) as usize)
            .ahead(1 + random.below(3) as usize)
            .ramp(random.below(2) == 1)
            .with_tokens(if random.below(3) == 0 { 12 + random.below(40) as usize } else { 0 });
        let rules = Rules::new(&costs, &settings, settings.documents);
        let Some(closed) = closed_form(&rules) else { continue };
        assert_eq!(closed, schedule(&rules).0, "{costs:?} {settings:?}");
        held += 1;
    }
    assert!(asked < 20_000, "the closed form held for {held} of {asked} only");
}

#[test]
fn a_schedule_that_repeats_itself_takes_as_many_steps_for_a_billion_documents() {
    let (_, settings) = experiment();
    let million = settings.documents * 1_000_000;
    let cases = [
        (Costs::default().cpu(0.004_000_1).gpu(0.001, 0.000_7), settings.depth(2)),
        (Costs::default().cpu(0.001).gpu(0.01, 0.002).then(0.000_3), settings.ramp(true)),
        (Costs::default().cpu(0.003).gpu(0.004, 0.001).caller(0.001).source(0.000_1), settings.devices(3)),
        (Costs::default().cpu(0.000_5).gpu(0.1, 0.0).caller(0.2), settings.devices(2).depth(3)),
    ];
    for (costs, settings) in cases {
        let steps = |documents| schedule(&Rules::new(&costs, &settings, documents)).1;
        assert!(steps(million) < 20_000, "{} steps: {costs:?} {settings:?}", steps(million));
    }
}

#[test]
fn periods_that_are_skipped_change_nothing() {
    let mut random = Random(2);
    let mut fewer = 0;
    for _ in 0..300 {
        let mut costs = Costs::default()
            .cpu(random.seconds(1, 400) * 100.0)
            .gpu(random.seconds(0, 40) * 1e5, random.seconds(1, 40) * 1e3)
            .source(random.seconds(0, 2) * 1e3)
            .caller(random.seconds(0, 3) * 1e4);
        if random.below(3) == 0 {
            costs = costs.then(random.seconds(0, 300) * 100.0);
        }
        let settings = Settings::new(2_000 + random.below(1_000))
            .batch_size(1 + random.below(6) as usize)
            .workers(1 + random.below(4) as usize)
            .ahead(1 + random.below(2) as usize)
            .ramp(random.below(2) == 1)
            .depth(1 + random.below(3) as usize)
            .devices(1 + random.below(3) as usize);
        let rules = Rules::new(&costs, &settings, settings.documents);
        let (skipped, all) = (schedule(&rules), without_skips(&rules));
        assert_eq!(skipped.0, all.0, "{costs:?} {settings:?}");
        fewer += usize::from(10 * skipped.1 < all.1);
    }
    assert!(fewer > 30, "periods saved nine steps of ten in {fewer} cases only");
}

#[test]
fn nearly_every_schedule_repeats_itself_long_before_a_billion_documents() {
    let (mut random, mut long) = (Random(7), 0);
    for _ in 0..100 {
        let mut costs = Costs::default()
            .cpu(random.seconds(1_000_000, 20_000_000))
            .gpu(random.seconds(0, 20_000_000), random.seconds(100_000, 5_000_000))
            .caller(random.seconds(0, 5_000_000) * random.below(2) as f64)
            .source(random.seconds(0, 1_000_000) * random.below(2) as f64);
        if random.below(2) == 0 {
            costs = costs.then(random.seconds(100_000, 5_000_000));
        }
        let settings = Settings::new(1_000_000_000)
            .workers(1 + random.below(8) as usize)
            .ahead(1 + random.below(3) as usize)
            .ramp(random.below(2) == 1)
            .depth(1 + random.below(3) as usize)
            .devices(1 + random.below(3) as usize);
        let rules = Rules::new(&costs, &settings, settings.documents);
        long += u32::from(schedule_within(&rules, 100_000).is_none());
    }
    assert!(long <= 3, "{long} of 100 took more than 100,000 steps");
}

#[test]
fn a_budget_of_steps_ends_a_schedule_that_is_too_long() {
    let (costs, settings) = experiment();
    let settings = settings.depth(2);
    let all = predict(&costs, &settings).expect("these settings work");
    assert_eq!(predict_within(&costs, &settings, 100_000), Some(all));
    assert_eq!(predict_within(&costs, &settings, 10), None);
}
