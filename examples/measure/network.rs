//! How fast a network from an ONNX file runs, by default at batches of 1, 16, 64 and 256.
//!
//! Photos go up as bytes and are normalised on the device, as in a pipeline; whatever else a network takes, as floats.

use std::fmt;
use std::path::Path;

use gapless::gpu::{Item, Profile};
use gapless::kernel::{Element, Spec};
use gapless::onnx::Model;
use gapless::{Cause, DeviceKind, Gpu, Program};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::options::Options;
use crate::speed::{self, Speed, opened};
use crate::terminal::Problem;
use crate::yardstick::{Yardstick, row};
use crate::{Effort, Section, kernels};

/// Seconds of a batch from which on it is left out: a slow device has told enough by then.
const TOO_SLOW: f64 = 6.0;
/// The batch whose kernels are listed, or the largest below it that was measured.
const LISTED: usize = 16;

pub(crate) fn section(
    gpu: &Gpu,
    path: &Path,
    options: &Options,
    measure: (&Yardstick, &Effort),
) -> Result<Section, Problem> {
    let net = options.variants.apply(Model::read(path)?.program(gpu)?);
    let net = match channels_of_photos(&net) {
        Some(channels) => net.normalize(vec![127.0; channels], vec![128.0; channels]),
        None => net,
    };
    let spec = net.inputs().next().map(|(_, spec)| spec.clone()).ok_or("a network without an input")?;
    let network = Network { net, batches: &options.batches, measure };
    let (speeds, profile) = match spec.element {
        Element::U8 => network.measured(&made(&spec, |value| value))?,
        _ => network.measured(&made(&spec, |value| f32::from(value) / 128.0 - 1.0))?,
    };
    let precision = format!("{:?}", options.variants.precision).to_lowercase();
    let title = format!("{}, input {spec}, precision {precision}", crate::terminal::name(path));
    let lines = speeds.iter().map(ToString::to_string);
    let table = profile.iter().map(|profile| format!("\n{}", kernels::table(profile, measure.0)));
    let text: Vec<String> = [title, speed::heading()].into_iter().chain(lines).chain(table).collect();
    let mut json = json(&speeds, profile.as_ref(), measure.0);
    json["model"] = json!(path.to_string_lossy());
    json["input"] = json!(spec.shape);
    json["goes_up_as"] = json!(if spec.element == Element::U8 { "bytes" } else { "floats" });
    json["precision"] = json!(precision);
    json["device"] = json!(gpu.info().name);
    Ok(Section { name: "network", text: text.join("\n"), json })
}

/// Channels of the photos that a network takes as planes of floats, if it takes photos.
fn channels_of_photos(net: &Program) -> Option<usize> {
    let inputs: Vec<&Spec> = net.inputs().map(|(_, spec)| spec).collect();
    match inputs[..] {
        [spec] if spec.element == Element::F32 => match spec.shape[..] {
            [channels @ 1..=4, _, _] => Some(channels),
            _ => None,
        },
        _ => None,
    }
}

/// An item whose values differ.
fn made<T>(spec: &Spec, value: impl Fn(u8) -> T) -> ArrayD<T> {
    let mut pixel = 0_u32;
    ArrayD::from_shape_simple_fn(IxDyn(&spec.shape), || {
        pixel = (pixel * 31 + 7) % 255;
        value(pixel as u8)
    })
}

fn json(speeds: &[Measured], profile: Option<&Profile>, yardstick: &Yardstick) -> Value {
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for measured in speeds {
        match measured {
            Measured::Speed(speed) => rows.push(speed.to_json()),
            Measured::LeftOut { batch, reason } => left_out.push(json!({ "batch": batch, "reason": reason })),
        }
    }
    let kernels = profile.iter().flat_map(|profile| &profile.kernels);
    let kernels: Vec<Value> = kernels.map(|kernel| row(kernel, yardstick)).collect();
    json!({
        "batches": rows, "left_out": left_out,
        "kernels_batch": profile.map(|profile| profile.rows), "kernels": kernels,
    })
}

/// A network, and what of it is measured.
struct Network<'a> {
    net: Program,
    batches: &'a [usize],
    measure: (&'a Yardstick, &'a Effort),
}

impl Network<'_> {
    /// Every batch size, and the kernels of one of them.
    fn measured<I: Item + Clone>(&self, item: &I) -> Result<(Vec<Measured>, Option<Profile>), Problem> {
        let speeds = self.speeds(item);
        let listed = speeds.iter().filter_map(Measured::batch).filter(|batch| *batch <= LISTED).max();
        let profile = listed.map(|batch| {
            opened::<I>(self.net.on(self.net.gpu()), batch).and_then(|mut net| net.profile(batch))
        });
        Ok((speeds, profile.transpose().map_err(|cause| cause.to_string())?))
    }

    /// Every batch size, measured or with the reason why it is not.
    fn speeds<I: Item + Clone>(&self, item: &I) -> Vec<Measured> {
        let mut item_seconds = 0.0;
        let measured = |&batch: &usize| {
            let expected = item_seconds * batch as f64;
            if expected > TOO_SLOW {
                let reason = format!("a batch would take about {expected:.0} s");
                return Measured::LeftOut { batch, reason };
            }
            let speed = fresh(self.net.gpu())
                .and_then(|gpu| speed::measure(self.net.on(&gpu), item, batch, self.measure));
            match speed {
                Ok(speed) => {
                    item_seconds = speed.seconds / batch as f64;
                    Measured::Speed(speed)
                }
                // A batch that the device has no room for is no reason to keep the others back.
                Err(cause) => Measured::LeftOut { batch, reason: cause.to_string() },
            }
        };
        self.batches.iter().map(measured).collect()
    }
}

/// What is known of one batch size.
enum Measured {
    Speed(Speed),
    LeftOut { batch: usize, reason: String },
}

impl Measured {
    /// The size, where it was measured.
    fn batch(&self) -> Option<usize> {
        match self {
            Self::Speed(speed) => Some(speed.batch),
            Self::LeftOut { .. } => None,
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speed(speed) => speed.fmt(f),
            Self::LeftOut { batch, reason } => write!(f, "{batch:>6} left out: {reason}"),
        }
    }
}

/// The same device, on which nothing was tried yet in this process: variants are chosen for the first batch size that
/// is opened. With `GAPLESS_CACHE=` nothing is known from other processes either.
fn fresh(gpu: &Gpu) -> Result<Gpu, Cause> {
    Ok(Gpu::named(if gpu.info().kind == DeviceKind::Twin { "cpu" } else { &gpu.info().name })?)
}
