//! What a run will take, before it is started.
//!
//! `predict()` computes the schedule of the engine from the costs of a document and the settings of a
//! run: tokens, workers, line, ramp, devices with their depth, `then`, caller. It runs nothing and reads no
//! clock, and it is exact where the costs are: every moment is a whole number of nanoseconds, and under a
//! manual clock the engine takes the time that is predicted, to the nanosecond.
//!
//! ```ignore
//! use gapless::Bottleneck;
//! use gapless::predict::{Costs, Settings, predict};
//!
//! // The experiment of the README: 1/16 s a document on one of four workers, 1/8 s on the device.
//! let costs = Costs::default().cpu(1.0 / 16.0).gpu(0.0, 1.0 / 8.0);
//! let settings = Settings::new(1024).batch_size(16).workers(4);
//! let prediction = predict(&costs, &settings)?;
//! assert_eq!((prediction.seconds, prediction.bound_s), (128.25, 128.0625));
//! assert_eq!(prediction.bottleneck, Bottleneck::Gpu);
//! assert_eq!(predict(&costs, &settings.ramp(true))?.seconds, 128.0625);
//! # Ok::<(), gapless::Error>(())
//! ```
//!
//! # What it takes for granted
//! Every document costs the same and none fails. Workers take documents one by one, which they do from
//! about 50 microseconds a document on; trivial documents go in groups, and their cost is the engine's own.
//! The halves have a processor and a device of their own each.

mod costs;
mod prediction;
mod settings;

pub use self::costs::Costs;
pub use self::prediction::Prediction;
pub use self::settings::{Settings, Way};
