//! A small network gives on a device what it gives on the twins.

mod common;
#[path = "../examples/common/network.rs"]
mod network;

use std::time::Duration;

use gapless::{Cause, Gpu, GpuStage, Pipeline, Program, Tensors};
use ndarray::Array3;
use network::small_network;

const SIDE: usize = 40;
const BATCH: usize = 5;

type Photo = Array3<u8>;

fn photo(seed: usize) -> Photo {
    Photo::from_shape_fn((SIDE, SIDE, 3), |(y, x, c)| ((seed * 131 + y * 17) ^ (x * 29 + c * 71)) as u8)
}

fn open(gpu: &Gpu) -> Program {
    let mut net = small_network(gpu, SIDE).unwrap();
    GpuStage::<Photo>::open(&mut net, BATCH).unwrap();
    net
}

fn run(net: &mut Program, photos: &[Photo]) -> Tensors {
    let mut ticket = net.submit(photos).unwrap();
    let minute = Duration::from_secs(60);
    GpuStage::<Photo>::try_collect(net, &mut ticket, minute).unwrap().expect("done within a minute")
}

/// A NaN on one side fails it too.
fn assert_near(one: &Tensors, other: &Tensors) {
    for ((name, one), (_, other)) in one.iter().zip(other.iter()) {
        assert_eq!(one.shape(), other.shape(), "{name}");
        one.iter().zip(other).for_each(|(a, b)| assert!((a - b).abs() <= 1e-5, "{name}: {a} and {b}"));
    }
}

#[test]
fn device_and_twin_agree_for_every_batch_size() {
    let Some(gpu) = common::device() else { return };
    let (mut net, mut twin) = (open(&gpu), open(&Gpu::cpu()));
    for n in 1..=BATCH {
        let photos: Vec<Photo> = (0..n).map(|index| photo(n + index)).collect();
        assert_near(&run(&mut net, &photos), &run(&mut twin, &photos));
    }
}

#[test]
fn a_photo_gets_the_same_row_in_every_batch() {
    let Some(gpu) = common::device() else { return };
    let mut net = open(&gpu);
    let photos: Vec<Photo> = (0..BATCH).map(photo).collect();
    let together = run(&mut net, &photos);
    for (index, photo) in photos.iter().enumerate() {
        let alone = run(&mut net, std::slice::from_ref(photo));
        for (name, tensor) in alone.iter() {
            let row = together[name].index_axis(ndarray::Axis(0), index);
            assert_eq!(tensor.index_axis(ndarray::Axis(0), 0), row, "{name} of photo {index}");
        }
    }
}

#[test]
fn shares_sum_to_one_and_differ_between_photos() {
    let Some(gpu) = common::device() else { return };
    let mut net = open(&gpu);
    let tensors = run(&mut net, &[photo(1), photo(2)]);
    for row in tensors["prob"].outer_iter() {
        assert!((row.sum() - 1.0).abs() < 1e-5);
    }
    assert_ne!(
        tensors["prob"].index_axis(ndarray::Axis(0), 0),
        tensors["prob"].index_axis(ndarray::Axis(0), 1)
    );
}

#[test]
fn a_pipeline_gives_every_photo_its_row_in_order() {
    let Some(gpu) = common::device() else { return };
    let prepare = |seed: &mut usize| Ok::<Photo, Cause>(photo(*seed));
    let mut twin = open(&Gpu::cpu());
    let pipeline = Pipeline::new(prepare, small_network(&gpu, SIDE).unwrap()).batch_size(BATCH).workers(2);
    let mut next = 0;
    for batch in pipeline.run(0..23) {
        let batch = batch.unwrap();
        let photos: Vec<Photo> = batch.documents().iter().map(|seed| photo(*seed)).collect();
        assert_eq!(batch.documents()[0], next);
        next += batch.len();
        assert_near(batch.output().unwrap(), &run(&mut twin, &photos));
    }
    assert_eq!(next, 23);
}

#[test]
fn no_buffer_is_made_while_batches_run() {
    let Some(gpu) = common::device() else { return };
    let mut net = open(&gpu);
    let made = gpu.buffers_made();
    for seed in 0..10 {
        run(&mut net, &[photo(seed)]);
    }
    assert_eq!(gpu.buffers_made(), made);
}
