//! A program gives on a device what it gives on the twins, whatever the batch, the depth and the graph.

use std::time::Duration;

use gapless::{Cause, Gpu, GpuStage, Output, Program, Rows, StageError, Tensors};
use ndarray::{Array, Array1, Array3, ArrayD, Dimension, IxDyn};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::device;
use crate::devices::own_device;
use crate::toy::{BROKEN, GREEDY, Refused, Scale, Sum, bytes, floats};

const SHAPE: [usize; 3] = [5, 7, 3];
const MINUTE: Duration = Duration::from_secs(60);

fn photo(seed: usize) -> Array3<u8> {
    Array3::from_shape_fn(SHAPE, |(y, x, c)| (seed * 97 + y * 31 + x * 7 + c * 3) as u8)
}

/// `2p + 1 + 0.5p - 3 + bias`, with the first term as an output of its own.
fn branch(gpu: &Gpu) -> Program {
    let mut net = Program::new(gpu);
    let bias = ArrayD::from_shape_fn(IxDyn(&SHAPE), |index| index[0] as f32);
    let photo = net.input("photo", bytes(&SHAPE)).unwrap();
    let bias = net.constant("bias", bias).unwrap();
    let left = net.add(Scale(2.0, 1.0), &[photo]).unwrap();
    let right = net.add(Scale(0.5, -3.0), &[photo]).unwrap();
    let sum = net.add(Sum, &[left, right]).unwrap();
    let biased = net.add(Sum, &[sum, bias]).unwrap();
    net.output("biased", biased).unwrap();
    net.output("left", left).unwrap();
    net
}

fn open<P, S: GpuStage<P>>(stage: &mut S, max_batch: usize) -> Result<(), Cause> {
    stage.open(max_batch)
}

fn collect<P>(program: &mut Program, ticket: &mut <Program as GpuStage<P>>::Ticket) -> Tensors
where
    Program: GpuStage<P, Output = Tensors>,
{
    program.try_collect(ticket, MINUTE).unwrap().expect("a batch is done within a minute")
}

fn run<T: gapless::gpu::Scalar, D: Dimension + 'static>(
    program: &mut Program,
    batch: &[Array<T, D>],
) -> Tensors {
    let mut ticket = program.submit(batch).unwrap();
    collect::<Array<T, D>>(program, &mut ticket)
}

fn assert_same(one: &Tensors, other: &Tensors) {
    for ((name, one), (_, other)) in one.iter().zip(other.iter()) {
        assert_eq!(one.shape(), other.shape(), "{name}");
        one.iter().zip(other).for_each(|(a, b)| assert!((a - b).abs() <= 1e-4, "{name}: {a} and {b}"));
    }
}

#[test]
fn device_and_twin_agree_for_every_batch_up_to_the_largest() {
    let Some(gpu) = device() else { return };
    let mut net = branch(&gpu);
    let mut twin = net.on(&Gpu::cpu());
    open::<Array3<u8>, _>(&mut net, 6).unwrap();
    open::<Array3<u8>, _>(&mut twin, 6).unwrap();
    for n in 1..=6 {
        let batch: Vec<_> = (0..n).map(|index| photo(n * 10 + index)).collect();
        let tensors = run(&mut net, &batch);
        assert_eq!(tensors.rows(), Some(n));
        assert_same(&tensors, &run(&mut twin, &batch));
    }
}

#[test]
fn several_outputs_have_the_values_of_their_tensors() {
    let Some(gpu) = device() else { return };
    for mut net in [branch(&gpu), branch(&Gpu::cpu())] {
        open::<Array3<u8>, _>(&mut net, 2).unwrap();
        let tensors = run(&mut net, &[photo(1), photo(2)]);
        let pixel = f32::from(photo(2)[[4, 2, 1]]);
        assert_eq!(tensors["left"][[1, 4, 2, 1]], 2.0 * pixel + 1.0);
        assert_eq!(tensors.row(1).view("biased")[[4, 2, 1]], 2.5 * pixel - 2.0 + 4.0);
        assert_eq!(tensors.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["biased", "left"]);
    }
}

#[test]
fn every_depth_gives_the_same_results_in_order() {
    let Some(gpu) = device() else { return };
    for depth in 1..=4 {
        let mut net = branch(&gpu).depth(depth);
        open::<Array3<u8>, _>(&mut net, 3).unwrap();
        let mut flight = std::collections::VecDeque::new();
        for seed in 0..12 {
            if flight.len() == depth {
                check_one(&mut net, flight.pop_front().unwrap());
            }
            let batch: Vec<_> = (0..seed % 3 + 1).map(|index| photo(seed + index)).collect();
            flight.push_back((seed, net.submit(&batch).unwrap()));
        }
        flight.into_iter().for_each(|batch| check_one(&mut net, batch));
    }
}

fn check_one(net: &mut Program, (seed, mut ticket): (usize, gapless::gpu::ProgramTicket)) {
    let tensors = collect::<Array3<u8>>(net, &mut ticket);
    assert_eq!(tensors.rows(), Some(seed % 3 + 1));
    for row in 0..seed % 3 + 1 {
        let pixel = f32::from(photo(seed + row)[[0, 0, 0]]);
        assert_eq!(tensors["left"][[row, 0, 0, 0]], 2.0 * pixel + 1.0);
    }
}

#[test]
fn no_buffer_is_made_after_a_program_is_open() {
    let Some(gpu) = device() else { return };
    let mut net = branch(&gpu);
    open::<Array3<u8>, _>(&mut net, 4).unwrap();
    let made = gpu.buffers_made();
    for seed in 0..20 {
        run(&mut net, &[photo(seed), photo(seed + 1)]);
    }
    assert_eq!(gpu.buffers_made(), made);
}

#[test]
fn floats_of_any_layout_go_up_as_they_are() {
    let Some(gpu) = device() else { return };
    let mut net = Program::new(&gpu);
    let x = net.input("x", floats(&[4, 3])).unwrap();
    let y = net.add(Scale(1.0, 0.0), &[x]).unwrap();
    net.output("y", y).unwrap();
    open::<ndarray::Array2<f32>, _>(&mut net, 2).unwrap();
    let straight = ndarray::Array2::from_shape_fn((4, 3), |(row, column)| (row * 3 + column) as f32);
    let turned = straight.t().as_standard_layout().into_owned().reversed_axes();
    assert!(!turned.is_standard_layout());
    let tensors = run(&mut net, &[straight.clone(), turned]);
    assert_eq!(tensors.row(0).view("y"), straight.view().into_dyn());
    assert_eq!(tensors.row(1).view("y"), straight.view().into_dyn());
}

#[test]
fn an_item_of_another_shape_or_type_is_named() {
    let Some(gpu) = device() else { return };
    for gpu in [gpu, Gpu::cpu()] {
        let mut net = branch(&gpu);
        open::<Array3<u8>, _>(&mut net, 2).unwrap();
        let error = net.submit(&[photo(0), Array3::zeros((5, 7, 4))]).unwrap_err();
        assert_eq!(
            error.cause().to_string(),
            "item 1 of the batch: it is u8[5,7,4], and the program takes photo u8[5,7,3]"
        );
        assert!(net.submit(&[Array3::<f32>::zeros(SHAPE)]).is_err());
        assert!(net.accepts(&Array1::<u8>::zeros(105)).is_err());
        run(&mut net, &[photo(0)]);
    }
}

#[test]
fn a_batch_that_is_too_large_is_refused_with_the_number_that_fits() {
    let Some(gpu) = device() else { return };
    let most = gpu.limits().workgroups as usize;
    let mut net = branch(&gpu);
    let error = open::<Array3<u8>, _>(&mut net, most + 1).unwrap_err().to_string();
    assert!(error.contains(&format!("{most} would")), "{error}");
}

#[test]
fn a_ticket_that_is_dropped_gives_its_place_back() {
    let Some(gpu) = device() else { return };
    let mut net = branch(&gpu).depth(2);
    open::<Array3<u8>, _>(&mut net, 2).unwrap();
    for seed in 0..6 {
        drop(net.submit(&[photo(seed)]).unwrap());
    }
    let tensors = run(&mut net, &[photo(9)]);
    assert_eq!(tensors["left"][[0, 0, 0, 0]], 2.0 * f32::from(photo(9)[[0, 0, 0]]) + 1.0);
}

#[test]
fn more_batches_than_the_depth_are_an_error() {
    let Some((gpu, _device)) = own_device() else { return };
    let mut net = branch(&gpu).depth(1);
    open::<Array3<u8>, _>(&mut net, 2).unwrap();
    let mut first = net.submit(&[photo(0)]).unwrap();
    let error = net.submit(&[photo(1)]).unwrap_err();
    assert!(matches!(error, StageError::Batch(_)), "{error:?}");
    collect::<Array3<u8>>(&mut net, &mut first);
}

#[test]
fn a_batch_larger_than_the_program_was_opened_for_is_too_large() {
    let Some(gpu) = device() else { return };
    for gpu in [gpu, Gpu::cpu()] {
        let mut net = branch(&gpu);
        open::<Array3<u8>, _>(&mut net, 1).unwrap();
        let error = net.submit(&[photo(0), photo(1)]).unwrap_err();
        assert!(matches!(error, StageError::TooLarge(_)), "{error:?}");
        assert!(net.submit(&[] as &[Array3<u8>]).is_err());
        run(&mut net, &[photo(0)]);
    }
}

#[test]
fn sizes_beyond_all_memory_are_errors() {
    let gpu = Gpu::cpu();
    assert!(Program::new(&gpu).input("x", bytes(&[usize::MAX, 2])).is_err());
    assert!(Program::new(&gpu).input("x", floats(&[usize::MAX / 4])).is_err());
    assert!(branch(&gpu).plan(usize::MAX).is_err());
    assert!(gpu.bandwidth(u64::MAX).is_err());
    let Some(gpu) = device() else { return };
    assert!(branch(&gpu).plan(usize::MAX).is_err());
    assert!(gpu.bandwidth(u64::MAX).is_err());
}

#[test]
fn a_depth_beyond_all_use_is_refused() {
    let error = branch(&Gpu::cpu()).depth(65).plan(1).unwrap_err().to_string();
    assert!(error.contains("Program::depth") && error.contains("64"), "{error}");
    assert!(branch(&Gpu::cpu()).depth(64).plan(1).is_ok());
}

#[test]
fn a_program_that_was_not_opened_says_so() {
    let error = branch(&Gpu::cpu()).submit(&[photo(0)]).unwrap_err();
    assert_eq!(error.cause().to_string(), "the program was not opened");
}

#[test]
fn a_profile_has_a_time_for_every_kernel_and_leaves_the_program_usable() {
    let Some(gpu) = device() else { return };
    for gpu in [gpu, Gpu::cpu()] {
        let mut net = branch(&gpu);
        open::<Array3<u8>, _>(&mut net, 2).unwrap();
        let profile = net.profile(2).unwrap();
        let names: Vec<_> = profile.kernels.iter().map(|kernel| &kernel.name[..]).collect();
        assert_eq!(names, ["scale.0", "scale.1", "sum.2", "sum.3"]);
        assert!(profile.kernels.iter().all(|kernel| kernel.seconds > 0.0));
        assert_eq!(profile.kernels[0].bytes, 2 * (112 + 420));
        assert_eq!(profile.kernels[3].bytes, 420 + 2 * (420 + 420));
        assert!(net.profile(3).is_err());
        run(&mut net, &[photo(0)]);
    }
}

#[test]
fn a_device_tells_how_fast_it_moves_bytes() {
    let Some(gpu) = device() else { return };
    let measured = gpu.bandwidth(1 << 20).unwrap();
    assert!(measured.copy > 0.0);
    assert_eq!(measured.upload.is_some(), gpu.info().kind != gapless::DeviceKind::Twin);
    assert!(Gpu::cpu().bandwidth(1 << 20).unwrap().readback.is_none());
}

/// A program of one kernel with this shader; `None` on the twins, which run no shader.
fn refused(shader: &'static str) -> Option<Program> {
    let gpu = device()?;
    if gpu.info().kind == gapless::DeviceKind::Twin {
        eprintln!("left out: the twins run no shader");
        return None;
    }
    let mut net = Program::new(&gpu).depth(2);
    let x = net.input("x", floats(&[4])).unwrap();
    let y = net.add(Refused(shader), &[x]).unwrap();
    net.output("y", y).unwrap();
    Some(net)
}

#[test]
fn a_shader_that_does_not_compile_is_an_error_that_names_the_kernel() {
    let Some(mut net) = refused(BROKEN) else { return };
    let error = open::<Array1<f32>, _>(&mut net, 1).unwrap_err().to_string();
    assert!(error.contains("kernel refused"), "{error}");
    assert!(error.contains("fn main( {"), "the line is shown: {error}");
}

#[test]
fn a_batch_that_the_device_refuses_fails_alone_and_leaves_the_ring_whole() {
    let Some(mut net) = refused(GREEDY) else { return };
    open::<Array1<f32>, _>(&mut net, 1).unwrap();
    for _ in 0..5 {
        let error = net.submit(&[Array1::<f32>::zeros(4)]).unwrap_err();
        assert!(matches!(error, StageError::Batch(_)), "{error:?}");
    }
}

/// A graph of additions and scalings by halves, in which every node reads nodes before it.
fn random_graph(gpu: &Gpu, links: &[(bool, Index, Index)], outputs: &[Index]) -> Program {
    let mut net = Program::new(gpu).depth(2);
    let mut tensors = vec![net.input("x", floats(&[3, 4])).unwrap()];
    for (sum, one, other) in links {
        let (one, other) = (*one.get(&tensors), *other.get(&tensors));
        let tensor = if *sum { net.add(Sum, &[one, other]) } else { net.add(Scale(0.5, 1.0), &[one]) };
        tensors.push(tensor.unwrap());
    }
    for (number, output) in outputs.iter().enumerate() {
        net.output(&number.to_string(), *output.get(&tensors[1..])).unwrap();
    }
    net
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn device_and_twin_agree_on_random_graphs(
        links in proptest::collection::vec(any::<(bool, Index, Index)>(), 1..12),
        outputs in proptest::collection::vec(any::<Index>(), 1..4),
        n in 1usize..4,
    ) {
        let Some(gpu) = device() else { return Ok(()) };
        let mut net = random_graph(&gpu, &links, &outputs);
        let mut twin = net.on(&Gpu::cpu());
        let item = |seed: usize| ndarray::Array2::from_shape_fn((3, 4), |(y, x)| (seed + y * 4 + x) as f32);
        let batch: Vec<_> = (0..n).map(item).collect();
        open::<ndarray::Array2<f32>, _>(&mut net, n).unwrap();
        open::<ndarray::Array2<f32>, _>(&mut twin, n).unwrap();
        let (on_device, on_twin) = (run(&mut net, &batch), run(&mut twin, &batch));
        for ((_, one), (_, other)) in on_device.iter().zip(on_twin.iter()) {
            prop_assert_eq!(one, other, "halves and sums are rounded alike");
        }
    }
}

#[test]
fn the_limits_of_a_device_of_ones_own_are_kept() {
    let Some((gpu, device)) = own_device() else { return };
    let mut net = Program::new(&gpu);
    let x = net.input("x", floats(&[1 << 20])).unwrap();
    let y = net.add(Scale(1.0, 0.0), &[x]).unwrap();
    net.output("y", y).unwrap();
    let most = (device.limits().max_storage_buffer_binding_size >> 22) as usize;
    let error = open::<Array1<f32>, _>(&mut net, most + 1).unwrap_err().to_string();
    assert!(error.contains(&format!("{most} would")), "{error}");
    assert!(net.plan(most).is_ok());
}
