//! Keeps a GPU without gaps: CPU workers prepare documents while one device thread keeps the GPU fed,
//! and results stream back in order.
//!
#![cfg_attr(feature = "image", doc = "```")]
#![cfg_attr(not(feature = "image"), doc = "```ignore")]
//! use gapless::image::{Filter, Loader};
//! use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
//! use gapless::{Gpu, OnFailure, Pipeline, Program};
//! # use std::path::PathBuf;
//!
//! let gpu = Gpu::cpu(); // the twins; `Gpu::best()` takes a GPU where there is one
//! let mut net = Program::new(&gpu);
//! let photo = net.input("photo", Spec::bytes(&[224, 224, 3]))?;
//! let pixels = net.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
//! let mean = net.add(GlobalAveragePool, &[pixels])?;
//! net.output("mean", mean)?;
//!
//! let photos = ["coffee", "rocket"].map(|name| PathBuf::from(format!("photos/{name}.jpg")));
//! let loader = Loader::rgb8(224, 224).center_crop(0.875).filter(Filter::Bicubic);
//! let mut run = Pipeline::new(loader, net).batch_size(16).on_failure(OnFailure::Skip).run(photos);
//! for batch in run.by_ref() {
//!     let batch = batch?; // an `Err` only ends the run; it never stands for one document
//!     for (path, row) in batch.rows() {
//!         println!("{} {:?}", path.display(), &row["mean"][..]);
//!     }
//!     for failure in batch.failures() {
//!         eprintln!("{failure}");
//!     }
//! }
//! println!("{}", run.report()); // where the time went, the bound, what to change
//! # assert_eq!(run.accounts().delivered, 2);
//! # Ok::<(), gapless::Error>(())
//! ```
//!
//! The two halves are a [`CpuStage`], which prepares one document on a worker, and a [`GpuStage`], which
//! runs a batch on the device thread; closures are both. A [`Pipeline`] joins them, [`Run`] gives the
//! results, and [`Report`] says where the time went. [`image::Loader`] is a CPU stage for photos,
//! [`Program`] a GPU stage for networks of [`kernel`]s.
//!
//! While it runs, [`Pipeline::progress`] and `Pipeline::progress_bar` show how far it is, and
//! [`Pipeline::watchdog`] says who waits for whom where nothing moves. With the feature `tracing` a run is a span
//! at DEBUG, as is each of its batches; each document in its CPU stage and in `then` is one at TRACE, and
//! failures, lost devices and stalls are events at WARN, all with the target `gapless`.
//!
//! # When not to use it
//! Where the GPU half is all there is (tensors that are ready in memory) there is nothing to overlap. Where
//! the CPU half alone is, [`parallel()`] runs it, and for trivial items in memory a `par_iter` does. For training, and for networks that need CUDA,
//! other tools are right.

#![warn(missing_docs)]
#![deny(unsafe_code)]

#[cfg(feature = "doc")]
pub mod doc;
mod engine;
mod error;
pub mod gpu;
#[cfg(feature = "image")]
pub mod image;
pub mod kernel;
mod moment;
mod observe;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod parallel;
pub mod pipeline;
mod place;
mod schedule;
mod stage;
pub mod testing;

pub use engine::settings::{
    Ahead, AtMost, Auto, BatchSize, LastBatch, Memory, OnFailure, Order, Ramp, UpTo, Watchdog, WorkerCount,
};
pub use error::stalled::{At, Inside, Stalled, Wait};
pub use error::{Cause, CauseError, Error, Failure, Stage};
pub use gpu::{Gpu, Program, Tensors};
pub use observe::accounts::Accounts;
pub use observe::bound::Bottleneck;
pub use observe::changes::{Change, What};
pub use observe::decision::Decision;
pub use observe::histogram::Distribution;
pub use observe::predict::{self, predict};
pub use observe::progress::Progress;
pub use observe::record::Recording;
pub use observe::report::{CpuReport, DeviceReport, KernelReport, Latency, Report, Times, Waits};
pub use observe::stalls::{Stall, Stalls};
pub use observe::timeline::Timeline;
pub use parallel::{IteratorExt, parallel};
pub use pipeline::{Batch, Handle, Pipeline, Run, scope};
pub use place::{BatchIndex, Position};
pub use stage::{
    AsyncStage, ClosureTicket, Context, CpuStage, DeviceInfo, DeviceKind, DeviceTimes, GpuStage, IntoResult,
    IntoRows, Output, Rows, StageError, Whole, WithContext, WithState, async_stage, with_context, with_state,
};
