//! A program keeps the laws of GPU stages, on the twins and on the device of the tests.

use gapless::gpu::Row;
use gapless::testing::{StageCheck, check_stage};
use gapless::{Cause, Gpu, Program};
use ndarray::Array3;

use crate::common::device;
use crate::toy::{Scale, bytes};

const SHAPE: [usize; 3] = [5, 7, 3];

fn program(gpu: &Gpu) -> Program {
    let mut net = Program::new(gpu);
    let photo = net.input("photo", bytes(&SHAPE)).unwrap();
    let scaled = net.add(Scale(0.5, 3.0), &[photo]).unwrap();
    let twice = net.add(Scale(-2.0, 0.25), &[scaled]).unwrap();
    net.output("scaled", scaled).unwrap();
    net.output("twice", twice).unwrap();
    net
}

fn photos() -> Vec<Array3<u8>> {
    (0..5)
        .map(|seed| Array3::from_shape_fn(SHAPE, |(y, x, c)| (seed * 97 + y * 31 + x * 7 + c * 3) as u8))
        .collect()
}

fn check<'a>(gpu: &'a Gpu, photos: &'a [Array3<u8>]) -> StageCheck<'a, Array3<u8>, Program> {
    check_stage(move || program(gpu), photos)
}

#[test]
fn a_program_keeps_every_law_of_a_stage_and_takes_no_other_shape() {
    let (photos, other) = (photos(), Array3::zeros((5, 7, 1)));
    let same = |one: Row<'_>, other: Row<'_>| {
        one.iter().zip(other.iter()).all(|((_, one), (_, other))| {
            one.iter().zip(&other).all(|(one, other)| (one - other).abs() <= 1e-4)
        })
    };
    check(&Gpu::cpu(), &photos).refuses(&other).run().unwrap();
    if let Some(gpu) = device() {
        check(&gpu, &photos).refuses(&other).same(same).run().unwrap();
    }
}

#[test]
fn a_program_that_is_told_of_another_row_breaks_a_law() {
    let photos = photos();
    let never = |_: Row<'_>, _: Row<'_>| false;
    let broken = check(&Gpu::cpu(), &photos).same(never).run().unwrap_err();
    assert!(Cause::from(broken).to_string().starts_with("sizes: "));
}
