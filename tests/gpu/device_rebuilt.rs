//! A device that is lost in a run is made again, and the run gives what it would have given: byte for
//! byte, except for documents that lose the device themselves, which fail alone.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use gapless::gpu::ProgramTicket;
use gapless::{Cause, Error, Gpu, GpuStage, OnFailure, Pipeline, Program, Run, Stage, StageError, Tensors};
use ndarray::{Array1, ArrayD};

use crate::common::device;
use crate::devices::{Made, make, make_with, own_device, rebuilt_device};
use crate::toy::{Scale, Sum, bytes};

const LEN: usize = 64;
const BATCH: usize = 4;
const DOCUMENTS: usize = 25 * BATCH;
/// Before and after every submission, before every first look for a result, and after every result.
const POSITIONS: usize = 4 * DOCUMENTS / BATCH;

type Item = Array1<u8>;

/// Two kernels, so that there is something between input and output, and a constant that has to go up again.
fn net(gpu: &Gpu) -> Program {
    let mut net = Program::new(gpu).depth(3);
    let x = net.input("x", bytes(&[LEN])).unwrap();
    let y = net.add(Scale(1.7, 0.3), &[x]).unwrap();
    let weights = ArrayD::from_shape_fn(vec![LEN], |index| index[0] as f32 / 3.0);
    let weights = net.constant("weights", weights).unwrap();
    let sum = net.add(Sum, &[y, weights]).unwrap();
    net.output("sum", sum).unwrap();
    net
}

#[expect(clippy::unnecessary_wraps, reason = "it is a stage")]
fn item(seed: &mut usize) -> Result<Item, Cause> {
    Ok(Item::from_shape_fn(LEN, |index| (*seed * 31 + index) as u8))
}

/// What happens at a position, or to a batch that is submitted.
#[derive(Clone)]
enum Event {
    Nothing,
    DestroyAt(usize),
    /// As `DestroyAt`, where no callback tells of the loss.
    DestroySilentlyAt(usize),
    /// Whoever listens destroys the device from another thread.
    TellAt(usize, Sender<()>),
    /// Every batch with this item.
    DestroyWith(Item),
}

/// A program, and what happens between the calls of the engine.
struct Disturbed {
    net: Program,
    device: Made,
    event: Event,
    position: usize,
}

struct Ticket {
    inner: ProgramTicket,
    asked: bool,
}

impl Disturbed {
    fn new(gpu: &Gpu, device: &Made, event: Event) -> Self {
        Self { net: net(gpu), device: device.clone(), event, position: 0 }
    }

    /// The next position: between two calls of the engine, or two steps of one.
    fn pass(&mut self) {
        match &self.event {
            Event::DestroyAt(position) if *position == self.position => self.device.newest().destroy(),
            Event::DestroySilentlyAt(position) if *position == self.position => {
                self.device.newest().set_device_lost_callback(|_, _| {});
                self.device.newest().destroy();
            }
            Event::TellAt(position, tell) if *position == self.position => {
                tell.send(()).expect("the destroyer waits");
            }
            _ => {}
        }
        self.position += 1;
    }
}

impl GpuStage<Item> for Disturbed {
    type Output = Tensors;
    type Ticket = Ticket;

    fn open(&mut self, max_batch: usize) -> Result<(), Cause> {
        GpuStage::<Item>::open(&mut self.net, max_batch)
    }

    fn depth(&self) -> usize {
        GpuStage::<Item>::depth(&self.net)
    }

    fn submit(&mut self, batch: &[Item]) -> Result<Ticket, StageError> {
        self.pass();
        if matches!(&self.event, Event::DestroyWith(item) if batch.contains(item)) {
            self.device.newest().destroy();
        }
        let inner = self.net.submit(batch)?;
        self.pass();
        Ok(Ticket { inner, asked: false })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, wait: Duration) -> Result<Option<Tensors>, StageError> {
        if !std::mem::replace(&mut ticket.asked, true) {
            self.pass();
        }
        let result = GpuStage::<Item>::try_collect(&mut self.net, &mut ticket.inner, wait)?;
        if result.is_some() {
            self.pass();
        }
        Ok(result)
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        GpuStage::<Item>::reopen(&mut self.net)
    }
}

/// Everything that came out, in order.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// Each document and the bits of its row.
    rows: Vec<(usize, Vec<u32>)>,
    failed: Vec<usize>,
}

fn take(run: &mut Run<usize, Tensors>) -> Outcome {
    let mut outcome = Outcome::default();
    for batch in run.by_ref() {
        let batch = batch.expect("nothing ends the run");
        for (document, row) in batch.rows() {
            outcome.rows.push((*document, row["sum"].iter().map(|value| value.to_bits()).collect()));
        }
        for failure in batch.failures() {
            assert_eq!(failure.stage, Stage::Gpu);
            outcome.failed.push(failure.document);
        }
    }
    assert!(run.accounts().balance());
    outcome
}

fn start(stage: Disturbed, workers: usize) -> Run<usize, Tensors> {
    let pipeline = Pipeline::new(item as fn(&mut usize) -> _, stage).batch_size(BATCH).workers(workers);
    pipeline.on_failure(OnFailure::Skip).run(0..DOCUMENTS)
}

fn undisturbed() -> Option<Outcome> {
    let (gpu, made) = rebuilt_device()?;
    let mut run = start(Disturbed::new(&gpu, &made, Event::Nothing), 2);
    let outcome = take(&mut run);
    let documents = outcome.rows.iter().map(|(document, _)| *document);
    assert!(documents.eq(0..DOCUMENTS) && outcome.failed.is_empty());
    assert_eq!((run.report().devices[0].losses, made.count()), (0, 1));
    Some(outcome)
}

#[test]
fn a_device_destroyed_at_any_of_a_hundred_positions_changes_no_byte() {
    let Some(expected) = undisturbed() else { return };
    assert_eq!(POSITIONS, 100);
    for position in 0..POSITIONS {
        let (gpu, made) = rebuilt_device().expect("it was there");
        let workers = position % 3;
        let mut run = start(Disturbed::new(&gpu, &made, Event::DestroyAt(position)), workers);
        assert_eq!(take(&mut run), expected, "destroyed at position {position}");
        let losses = run.report().devices[0].losses;
        // After the last result nobody asks the device for anything.
        assert_eq!(losses, u64::from(position + 1 < POSITIONS), "destroyed at position {position}");
        assert_eq!(made.count() as u64, 1 + losses);
    }
}

#[test]
fn a_loss_that_no_callback_tells_changes_no_byte() {
    let Some(expected) = undisturbed() else { return };
    for position in (0..POSITIONS - 1).step_by(7) {
        let (gpu, made) = rebuilt_device().expect("it was there");
        let mut run = start(Disturbed::new(&gpu, &made, Event::DestroySilentlyAt(position)), 2);
        assert_eq!(take(&mut run), expected, "destroyed at position {position}");
        assert!(made.count() > 1);
    }
}

#[test]
fn a_device_destroyed_by_another_thread_while_it_is_waited_for_changes_no_byte() {
    let Some(expected) = undisturbed() else { return };
    for position in (2..POSITIONS).step_by(5) {
        let (gpu, made) = rebuilt_device().expect("it was there");
        let (tell, told) = channel();
        let device = made.newest();
        let destroyer = std::thread::spawn(move || {
            told.recv().expect("the run comes to the position");
            device.destroy();
        });
        let mut run = start(Disturbed::new(&gpu, &made, Event::TellAt(position, tell)), 2);
        assert_eq!(take(&mut run), expected, "destroyed from position {position} on");
        destroyer.join().expect("it only destroys");
        assert!(run.report().devices[0].losses <= 1);
    }
}

#[test]
fn a_new_device_that_is_lost_before_it_can_be_used_is_made_once_more() {
    let Some(expected) = undisturbed() else { return };
    let name = device().expect("it was there").info().name.clone();
    let (made, mut unlucky) = (Made::default(), [false, true, true, false].into_iter());
    let list = made.clone();
    let gpu = Gpu::from_wgpu_with(move || {
        let (device, queue) = make(&name, wgpu::Limits::default());
        list.add(device.clone());
        if unlucky.next().expect("the fourth device stays") {
            device.destroy();
        }
        (device, queue)
    });
    let mut run = start(Disturbed::new(&gpu.unwrap(), &made, Event::DestroyAt(17)), 2);
    assert_eq!(take(&mut run), expected);
    assert_eq!((run.report().devices[0].losses, made.count()), (3, 4));
}

#[test]
fn a_document_that_destroys_the_device_fails_alone() {
    let Some(expected) = undisturbed() else { return };
    for (workers, guilty) in [(0, 0), (1, 41), (2, 50), (3, DOCUMENTS - 1)] {
        let (gpu, made) = rebuilt_device().expect("it was there");
        let event = Event::DestroyWith(item(&mut guilty.clone()).unwrap());
        let mut run = start(Disturbed::new(&gpu, &made, event), workers);
        let outcome = take(&mut run);
        assert_eq!(outcome.failed, [guilty]);
        let others = expected.rows.iter().filter(|(document, _)| *document != guilty);
        assert!(outcome.rows.iter().eq(others), "the others are as they would have been");
        assert_eq!(made.count() as u64, 1 + run.report().devices[0].losses);
    }
}

#[test]
fn of_several_devices_the_lost_one_is_made_again_and_the_other_goes_on() {
    let Some(expected) = undisturbed() else { return };
    for position in [0, 3, 10] {
        let (stable, never_lost) = rebuilt_device().expect("it was there");
        let (gpu, made) = rebuilt_device().expect("it was there");
        let lost = Disturbed::new(&gpu, &made, Event::DestroyAt(position));
        let other = Disturbed::new(&stable, &never_lost, Event::Nothing);
        let pipeline = Pipeline::on_devices(item as fn(&mut usize) -> _, vec![lost, other]);
        let mut run = pipeline.batch_size(BATCH).workers(2).run(0..DOCUMENTS);
        assert_eq!(take(&mut run), expected);
        assert_eq!(never_lost.count(), 1);
    }
}

#[test]
fn programs_that_share_a_lost_device_share_the_new_one() {
    let Some(expected) = undisturbed() else { return };
    let (gpu, made) = rebuilt_device().expect("it was there");
    let mut first = start(Disturbed::new(&gpu, &made, Event::DestroyAt(50)), 2);
    let mut second = start(Disturbed::new(&gpu.clone(), &made, Event::Nothing), 2);
    assert_eq!(take(&mut first), expected);
    assert_eq!(take(&mut second), expected);
    let mut third = start(Disturbed::new(&gpu, &made, Event::Nothing), 2);
    assert_eq!(take(&mut third), expected);
    assert_eq!(made.count(), 2, "no third device was made");
    assert_eq!(third.report().devices[0].losses, 0);
}

/// Ends a run whose device is lost at the start and of which this is said.
fn ends_with(gpu: &Gpu, device: &wgpu::Device, reason: &str) {
    device.destroy();
    let mut run = Pipeline::new(item as fn(&mut usize) -> _, net(gpu)).run(0..DOCUMENTS);
    let error = run.next().expect("an error").map(drop).expect_err("the device is not made again");
    assert!(matches!(&error, Error::Open { .. }) && error.to_string().contains(reason), "{error}");
}

#[test]
fn a_device_that_was_given_cannot_be_made_again_and_says_how_one_could() {
    let Some((gpu, device)) = own_device() else { return };
    ends_with(&gpu, &device, "Gpu::from_wgpu_with");
}

#[test]
fn a_function_that_makes_no_second_device_ends_the_run_with_what_it_says() {
    let Some(name) = device().map(|gpu| gpu.info().name.clone()) else { return };
    if name == "cpu" {
        return eprintln!("left out: the twins are no wgpu device");
    }
    let mut first = Some(make(&name, wgpu::Limits::default()));
    let device = first.as_ref().expect("it was just made").0.clone();
    let gpu = Gpu::from_wgpu_with(move || first.take().ok_or_else(|| Cause::msg("it is on fire"))).unwrap();
    ends_with(&gpu, &device, "it is on fire");
}

#[test]
fn a_new_device_with_other_limits_is_refused() {
    let Some(name) = device().map(|gpu| gpu.info().name.clone()) else { return };
    if name == "cpu" {
        return eprintln!("left out: the twins are no wgpu device");
    }
    let large = wgpu::Limits::default();
    let small = wgpu::Limits { max_compute_invocations_per_workgroup: 64, ..large.clone() };
    let first = make(&name, large);
    let device = first.0.clone();
    let mut made = [first, make(&name, small)].into_iter();
    let gpu = Gpu::from_wgpu_with(move || made.next().ok_or_else(|| Cause::msg("there are two"))).unwrap();
    ends_with(&gpu, &device, "other limits");
}

#[test]
fn a_new_device_without_the_features_of_the_old_one_is_refused() {
    let Some(gpu) = device().filter(|gpu| gpu.info().name != "cpu" && gpu.limits().subgroups.is_some())
    else {
        return eprintln!("left out: no wgpu device with subgroups");
    };
    let (name, limits) = (gpu.info().name.clone(), wgpu::Limits::default());
    let first = make_with(&name, limits.clone(), wgpu::Features::SUBGROUP);
    let device = first.0.clone();
    let mut made = [first, make(&name, limits)].into_iter();
    let gpu = Gpu::from_wgpu_with(move || made.next().ok_or_else(|| Cause::msg("there are two"))).unwrap();
    assert!(gpu.limits().subgroups.is_some());
    ends_with(&gpu, &device, "other limits");
}
