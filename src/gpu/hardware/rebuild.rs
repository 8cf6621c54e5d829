//! The device of a [`Gpu`](super::Gpu) and of all its clones, and how it is made again when it is lost.
//!
//! There is one device at a time. Whoever finds it lost makes the next one while the others wait for it,
//! so that several programs on one device get one new device and not one each. A program goes on with
//! the device that it was opened on, and changes to the new one when it is opened again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adapters::{self, Identity};
use super::device::Device;
use crate::error::Cause;

pub(super) struct Rebuilt {
    present: Mutex<Arc<Device>>,
    /// Locked while a device is made.
    origin: Mutex<Origin>,
}

/// Makes a device of the user's own.
pub(super) type Factory = Box<dyn FnMut() -> Result<(wgpu::Device, wgpu::Queue), Cause> + Send>;

/// Where the device comes from.
pub(super) enum Origin {
    Adapter(Box<Identity>),
    Factory(Factory),
    /// It was given, and nothing is known of how it was made.
    Given,
}

impl Origin {
    fn make(&mut self) -> Result<Device, Cause> {
        match self {
            Self::Adapter(identity) => Device::open(&adapters::again(identity)?),
            Self::Factory(make) => make().map(|(device, queue)| Device::new(device, queue)),
            Self::Given => Err(Cause::msg(
                "a device given to Gpu::from_wgpu cannot be made again; Gpu::from_wgpu_with takes a function that can",
            )),
        }
    }
}

impl Rebuilt {
    pub(super) fn new(device: Device, origin: Origin) -> Self {
        Self { present: Mutex::new(Arc::new(device)), origin: Mutex::new(origin) }
    }

    /// The device as it is, lost or not.
    pub(super) fn present(&self) -> Arc<Device> {
        lock(&self.present).clone()
    }

    /// The device, made again if it is lost. `same` says whether a new one can take the place of the old one.
    pub(super) fn live(&self, same: impl Fn(&Device) -> Result<(), Cause>) -> Result<Arc<Device>, Cause> {
        let mut origin = lock(&self.origin);
        let present = self.present();
        if present.is_there() {
            return Ok(present);
        }
        let device = origin.make()?;
        same(&device)?;
        let device = Arc::new(device);
        let lost = std::mem::replace(&mut *lock(&self.present), device.clone());
        drop(origin);
        // Whoever is the last to hold the lost device drops it, which may take its time: not under the lock.
        drop((lost, present));
        Ok(device)
    }
}

/// A function of the user's that panicked while it made a device left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rebuilt").field(&self.present()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use ndarray::{Array1, ArrayD};

    use super::*;
    use crate::error::Error;
    use crate::gpu::hardware::Hardware;
    use crate::gpu::{Gpu, Program, ProgramTicket, Tensors};
    use crate::kernel::{Softmax, Spec, Unary, Wgsl};
    use crate::stage::{GpuStage, StageError};

    /// The device that `GAPLESS_DEVICE` names, as in the tests of the GPU half.
    fn gpu() -> Option<Gpu> {
        if std::env::var("GAPLESS_TESTS").is_ok_and(|tests| tests == "no-gpu") {
            eprintln!("left out: GAPLESS_TESTS=no-gpu");
            return None;
        }
        let name = std::env::var("GAPLESS_DEVICE").unwrap_or_else(|_| "software".into());
        Some(Gpu::named(&name).expect("the device is there")).filter(|gpu| gpu.hardware().is_some())
    }

    fn net(gpu: &Gpu) -> Program {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&[3])).unwrap();
        let y = net.add(Unary::relu(), &[x]).unwrap();
        net.output("y", y).unwrap();
        GpuStage::<Array1<f32>>::open(&mut net, 1).unwrap();
        net
    }

    fn run(net: &mut Program) -> Result<ArrayD<f32>, StageError> {
        let mut ticket = net.submit(&[Array1::from_vec(vec![-1.0, 0.0, 7.0])])?;
        let minute = Duration::from_secs(60);
        let tensors = GpuStage::<Array1<f32>>::try_collect(net, &mut ticket, minute)?;
        let tensors: Tensors = tensors.expect("it is done within a minute");
        Ok(tensors["y"].to_owned())
    }

    fn hardware(gpu: &Gpu) -> &Hardware {
        let driver: &dyn std::any::Any = gpu.hardware().expect("it is no twin");
        driver.downcast_ref().expect("there is no other kind")
    }

    fn present(gpu: &Gpu) -> Arc<Device> {
        hardware(gpu).device.present()
    }

    #[test]
    fn a_device_with_a_name_is_made_again_once_for_all_its_programs() {
        let Some(gpu) = gpu() else { return };
        let (mut one, mut other) = (net(&gpu), net(&gpu.clone()));
        let lost = present(&gpu);
        lost.raw.destroy();
        for net in [&mut one, &mut other] {
            assert!(matches!(run(net), Err(StageError::Lost(_))));
            GpuStage::<Array1<f32>>::reopen(net).unwrap();
            assert_eq!(run(net).unwrap().as_slice(), Some(&[0.0, 0.0, 7.0][..]));
        }
        let new = present(&gpu);
        assert!(!Arc::ptr_eq(&lost, &new) && new.is_there());
        assert_eq!(Arc::strong_count(&new), 4, "the clones, two programs and this test hold one device");
        assert_eq!(Arc::strong_count(&lost), 1, "nobody holds the lost one");
        run(&mut net(&gpu)).unwrap();
    }

    #[test]
    fn a_program_opened_after_a_loss_gets_a_new_device() {
        let Some(gpu) = gpu() else { return };
        present(&gpu).raw.destroy();
        run(&mut net(&gpu)).unwrap();
    }

    /// A softmax of long rows has several variants. What it gives, and what its plan says, where the device is lost once
    /// while it is opened.
    fn opened_with_a_loss(gpu: &Gpu, after: u64) -> Result<(ArrayD<f32>, String), Error> {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&[500])).unwrap();
        let y = net.add(Softmax::new(), &[x]).unwrap();
        net.output("y", y).unwrap();
        present(gpu).lost_after.store(after, Ordering::Relaxed);
        let given = net.run_once(&Array1::from_elem(500, 1.0_f32))?;
        Ok((given["y"].to_owned(), net.plan(1).unwrap().to_string()))
    }

    #[test]
    fn a_variant_that_loses_the_device_is_left_out_and_the_program_opens_all_the_same() {
        let (mut left_out, mut ended) = (0, false);
        for after in 1..200 {
            // Each has chosen nothing yet.
            let Some(gpu) = gpu() else { return };
            match opened_with_a_loss(&gpu, after) {
                Ok((given, plan)) => {
                    assert!(given.iter().all(|value| (value - 0.002).abs() < 1e-6), "{plan}");
                    left_out += usize::from(plan.contains("is left out: the device was lost while it ran"));
                }
                // The plainest has to run.
                Err(error) => assert!(error.to_string().contains("the device is lost"), "{error}"),
            }
            ended = present(&gpu).lost_after.load(Ordering::Relaxed) > 0;
            if ended {
                break;
            }
        }
        assert!(ended && left_out > 0, "{left_out}");
    }

    /// A batch that keeps the device busy for a while.
    fn busy(gpu: &Gpu) -> (Program, ProgramTicket) {
        let kernel = Wgsl::new(
            "busy",
            "@group(0) @binding(0) var<uniform> len: vec4<u32>;
            @group(0) @binding(1) var<storage, read> x: array<f32>;
            @group(0) @binding(2) var<storage, read_write> y: array<f32>;
            @compute @workgroup_size(1)
            fn main() {
                var value = x[0];
                for (var i = 0u; i < 20000000u; i++) { value = value * 0.5 + f32(len.x); }
                y[0] = value;
            }",
        );
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&[1])).unwrap();
        let y = net.add(kernel, &[x]).unwrap();
        net.output("y", y).unwrap();
        GpuStage::<Array1<f32>>::open(&mut net, 1).unwrap();
        let ticket = net.submit(&[Array1::<f32>::ones(1)]).unwrap();
        (net, ticket)
    }

    #[test]
    fn what_a_device_refuses_after_it_was_destroyed_at_work_is_no_fault_of_a_batch() {
        let Some(gpu) = gpu() else { return };
        let device = present(&gpu);
        let at_work = busy(&gpu);
        let refused = device.caught(|| {
            device.raw.destroy();
            // wgpu makes no buffer and says so later: nothing here can be mapped.
            let buffer = device.buffer("none", 8, wgpu::BufferUsages::MAP_READ, false);
            buffer.map_async(wgpu::MapMode::Read, .., |_| {});
        });
        assert!(matches!(refused, Err(StageError::Lost(_))), "{refused:?}");
        drop(at_work);
    }

    #[test]
    fn a_device_says_what_it_compiles() {
        let Some(gpu) = gpu() else { return };
        let device = present(&gpu);
        assert!(device.compiles("fn nothing() {}") && !device.compiles("fn nothing( {}"));
        assert!(device.is_there(), "what it refuses does it no harm");
    }

    #[test]
    fn a_device_with_a_name_is_the_same_adapter_again() {
        let Some(gpu) = gpu() else { return };
        let adapters = adapters::all();
        for index in 0..adapters.len() {
            let again = adapters::again(&adapters::identify(&adapters, index)).unwrap();
            assert_eq!(again.get_info(), adapters[index].get_info());
        }
        assert!(hardware(&gpu).check_same(&present(&gpu)).is_ok());
    }
}
