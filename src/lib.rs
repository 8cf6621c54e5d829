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
//! let gpu = Gpu::cpu(); // no device, but the CPU; `Gpu::best()` takes a GPU where there is one
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
//! Every kernel is a shader and its *twin*, the same operation written for the CPU. Twins are what a program runs on
//! where there is no GPU, and what the tests compare shaders with; so everything here works on any machine, and each
//! report says which device it was.
//!
//! # Running
//! | | |
//! |---|---|
//! | [`Pipeline::run`] | over an iterator, as above; [`try_run`](Pipeline::try_run) over one of `Result`s, `run_from_stream` over an async stream (the feature `stream`), [`IteratorExt::gapless`] as a method of the iterator |
//! | [`Run`] | the results: an iterator of [`Batch`]es, or `into_stream` an async stream; [`Handle`] is the run as other threads see it, to stop it or to ask how far it is |
//! | [`Pipeline::then`], [`then_gpu`](Pipeline::then_gpu) | CPU work behind the device, and further halves |
//! | [`Pipeline::on_devices`] | several devices for the same batches |
//! | [`Pipeline::serve`] | requests from any thread, batched with others, each answered |
//! | [`scope()`] | stages and documents that borrow |
//! | [`parallel()`], [`mod@parallel`] | without a GPU half: `map`, `apply`, `Vectorizer`, functions in processes of their own |
//! | [`predict()`], [`mod@predict`] | what a run will take, before it is started |
//!
//! # Stages
//! Closures are stages where their arguments carry their types, and return a value or any `Result` ([`IntoResult`]).
//! [`with_state`] gives each worker a state, [`with_context`] lets a call ask which document this is and whether its run
//! goes on ([`Context`]), [`async_stage`] waits for futures without holding a worker. What a GPU stage returns is an
//! [`Output`], mostly of [`Rows`], one a document ([`IntoRows`], [`Whole`]); it fails by a [`StageError`] and says of its
//! device what a [`DeviceInfo`] and [`DeviceTimes`] hold. [`testing`] checks a stage of one's own.
//!
//! # Results and reports
//! A [`Batch`] holds documents, rows and [`Failure`]s, each with its [`Position`]. [`Accounts`] say where every document
//! went, [`Progress`] how far a run is, and [`Report`] what it spent, what bounds it ([`Bottleneck`]) and what a change
//! would bring ([`Change`]). [`Pipeline::trace`] records who did what when ([`Timeline`]).
//! While it runs, [`Pipeline::progress`] and `Pipeline::progress_bar` show how far it is, and
//! [`Pipeline::watchdog`] says who waits for whom where nothing moves ([`Stalled`]).
//! With the feature `tracing` a run is a span
//! at DEBUG, as is each of its batches; each document in its CPU stage and in `then` is one at TRACE, and
//! failures, lost devices and stalls are events at WARN, all with the target `gapless`.
//!
//! # Errors
//! They are sorted by who acts next: a [`Failure`] is one document's, and its [`Cause`] why; an [`Error`] ends the run.
//! `?` makes a [`Cause`] of any error, and [`Cause::into_error`] an error of a cause.
//!
//! # Settings
//! All are methods of [`Pipeline`] that say what is the default and what 0 means. Some take [`Auto`], and gapless chooses
//! ([`BatchSize`], [`Ahead`], [`Ramp`], [`WorkerCount`]; [`Decision`] says what and why). [`OnFailure`], [`Order`],
//! [`LastBatch`], [`Memory`] and [`Watchdog`] are what their names say.
//!
//! # Networks and images
//! [`Gpu`] is a device or the twins, [`Program`] a network on it: `Program::onnx` reads one ([`onnx`]), and
//! [`kernel`] has what one can be made of, and [`kernel::Wgsl`] for a shader of your own. [`image`] has the loader of
//! photos, and functions on images that are tensors already.
//!
//! # Documents
//! The engine runs on any type. [`doc`] has a record for those who want one, and arrays of it: [`doc::Doc`],
//! [`doc::DocArray`], from files, ndarrays and DocArray's streams.
//!
//! # Features
//! On by default: `gpu` (wgpu; without it everything runs on the CPU), `image`, `onnx`, `doc`, `wire` (DocArray's
//! streams), `progress` (the bar on a terminal), `serde` (reports for programs), `anyhow` (its errors and causes become
//! each other). Off: `http` (documents at addresses), `stream` (async streams as sources and as runs), `tracing`.
//! [`ndarray`], [`rayon`] and [`wgpu`], whose types stand in signatures here, are re-exported.
//!
//! # When not to use it
//! Where the GPU half is all there is (tensors that are ready in memory) there is nothing to overlap. Where
//! the CPU half alone is, [`parallel()`] runs it, and for trivial items in memory a `par_iter` does. For training, and for networks that need CUDA,
//! other tools are right.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]
#![deny(unsafe_code)]

#[cfg(feature = "doc")]
pub mod doc;
mod engine;
mod error;
pub mod file;
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
#[doc(inline)]
pub use gpu::{Gpu, Program, Tensors};
#[doc(no_inline)]
pub use ndarray;
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
#[doc(inline)]
pub use parallel::{IteratorExt, parallel};
#[doc(inline)]
pub use pipeline::{Batch, Handle, Pipeline, Run, scope};
pub use place::{BatchIndex, Position};
#[doc(no_inline)]
pub use rayon;
pub use stage::{
    AsyncStage, ClosureTicket, Context, CpuStage, DeviceInfo, DeviceKind, DeviceTimes, GpuStage, IntoResult,
    IntoRows, Output, Rows, StageError, Whole, WithContext, WithState, async_stage, with_context, with_state,
};
#[cfg(feature = "gpu")]
#[doc(no_inline)]
pub use wgpu;

// The programs of the README compile as they stand.
#[cfg(all(doctest, feature = "doc", feature = "image", feature = "onnx", feature = "wire"))]
#[doc = include_str!("../README.md")]
struct Readme;
