//! A device that is lost gives an error, wherever the loss falls, and never a wrong result.
//! What a run makes of that error is in `device_rebuilt.rs`.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Duration;

use gapless::{Cause, Error, Gpu, GpuStage, Pipeline, Program, StageError, Tensors};
use ndarray::Array1;

use crate::devices::own_device;
use crate::toy::{Scale, bytes};

const LEN: usize = 64;
const BATCHES: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);

type Item = Array1<u8>;

fn net(gpu: &Gpu) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", bytes(&[LEN])).unwrap();
    let y = net.add(Scale(2.0, 1.0), &[x]).unwrap();
    net.output("y", y).unwrap();
    net
}

fn item(seed: usize) -> Item {
    Item::from_shape_fn(LEN, |index| (seed * 31 + index) as u8)
}

fn assert_right(tensors: &Tensors, seed: usize) {
    for (y, x) in tensors["y"].iter().zip(&item(seed)) {
        assert_eq!(*y, 2.0 * f32::from(*x) + 1.0, "batch {seed} is wrong");
    }
}

/// Runs batches as the engine does; `event` is called before every submit and every collect.
fn drive(net: &mut Program, mut event: impl FnMut(usize)) -> Result<(), StageError> {
    GpuStage::<Item>::open(net, 1)?;
    let depth = GpuStage::<Item>::depth(net);
    let mut flight = VecDeque::new();
    let mut events = 0..;
    let mut next = || event(events.next().expect("without end"));
    for seed in 0..BATCHES {
        next();
        flight.push_back((seed, net.submit(&[item(seed)])?));
        if flight.len() == depth {
            next();
            collect(net, flight.pop_front().expect("a full ring"))?;
        }
    }
    Ok(())
}

fn collect(
    net: &mut Program,
    (seed, mut ticket): (usize, gapless::gpu::ProgramTicket),
) -> Result<(), StageError> {
    let tensors = GpuStage::<Item>::try_collect(net, &mut ticket, MINUTE)?;
    assert_right(&tensors.expect("a batch is done within a minute"), seed);
    Ok(())
}

fn assert_lost(result: Result<(), StageError>) {
    assert!(matches!(result, Err(StageError::Lost(_))), "{result:?}");
}

#[test]
fn a_loss_at_any_position_is_an_error_and_nothing_wrong_leaves() {
    for depth in 1..=3 {
        for position in 0..12 {
            let Some((gpu, device)) = own_device() else { return };
            let mut net = net(&gpu).depth(depth);
            assert_lost(drive(&mut net, |event| {
                if event == position {
                    device.destroy();
                }
            }));
            let later = net.submit(&[item(0)]).map(drop);
            assert_lost(later);
        }
    }
}

#[test]
fn a_loss_from_another_thread_is_an_error_and_nothing_wrong_leaves() {
    for round in 0..20 {
        let Some((gpu, device)) = own_device() else { return };
        let (go, gone) = mpsc::channel();
        let destroyer = std::thread::spawn(move || {
            gone.recv().expect("the run gets this far");
            device.destroy();
        });
        let mut net = net(&gpu);
        let mut result = drive(&mut net, |event| {
            if event == round {
                go.send(()).expect("the destroyer waits");
            }
        });
        destroyer.join().expect("it only destroys");
        // The run may have ended before the loss; the next one cannot.
        if result.is_ok() {
            result = net.submit(&[item(0)]).and_then(|ticket| collect(&mut net, (0, ticket)));
        }
        assert_lost(result);
    }
}

#[test]
fn a_lost_device_cannot_be_opened_and_a_new_one_can() {
    let Some((gpu, device)) = own_device() else { return };
    device.destroy();
    let mut lost = net(&gpu);
    assert!(GpuStage::<Item>::open(&mut lost, 1).is_err());
    let Some((gpu, _device)) = own_device() else { return };
    drive(&mut lost.on(&gpu), |_| {}).unwrap();
}

#[test]
fn a_loss_that_no_callback_tells_lets_nothing_wrong_out() {
    for position in 0..12 {
        let Some((gpu, device)) = own_device() else { return };
        device.set_device_lost_callback(|_, _| {});
        let mut net = net(&gpu);
        let result = drive(&mut net, |event| {
            if event == position {
                device.destroy();
            }
        });
        assert_lost(result);
    }
}

#[test]
fn after_the_deadline_the_answer_is_never_not_yet() {
    let Some((gpu, _device)) = own_device() else { return };
    let mut net = net(&gpu).deadline(Duration::ZERO);
    GpuStage::<Item>::open(&mut net, 1).unwrap();
    let mut ticket = net.submit(&[item(7)]).unwrap();
    match GpuStage::<Item>::try_collect(&mut net, &mut ticket, Duration::ZERO) {
        Ok(tensors) => assert_right(&tensors.expect("a result or a loss"), 7),
        Err(error) => {
            assert!(matches!(&error, StageError::Lost(_)), "{error:?}");
            assert_lost(net.submit(&[item(8)]).map(drop));
        }
    }
}

#[test]
fn a_run_whose_device_is_lost_ends_with_an_error_and_delivers_nothing_wrong() {
    for delivered_before in [0, 1, 5] {
        let Some((gpu, device)) = own_device() else { return };
        let prepare = |seed: &mut usize| Ok::<_, Cause>(item(*seed));
        let mut run = Pipeline::new(prepare, net(&gpu)).batch_size(2).workers(2).run(0..);
        let mut delivered = 0;
        let error = loop {
            if delivered == delivered_before {
                device.destroy();
            }
            match run.next().expect("the source never ends") {
                Ok(batch) => {
                    for (seed, row) in batch.rows() {
                        assert_eq!(row["y"][3], 2.0 * f32::from(item(*seed)[3]) + 1.0);
                    }
                }
                Err(error) => break error,
            }
            delivered += 1;
        };
        assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
        assert!(error.to_string().contains("Gpu::from_wgpu_with"), "it says what would help: {error}");
        assert!(run.next().is_none());
    }
}
