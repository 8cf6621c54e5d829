//! Keeps a GPU without gaps: CPU workers prepare documents while one device thread keeps the GPU
//! fed, and results stream back in order.

#![warn(missing_docs)]
#![deny(unsafe_code)]

mod engine;
mod error;
pub mod gpu;

#[cfg(feature = "image")]
pub mod image;
pub mod kernel;
mod observe;
pub mod pipeline;
mod place;
mod stage;

pub use engine::settings::{AtMost, Auto, LastBatch, OnFailure, Order, WorkerCount};
pub use error::{Cause, Error, Failure, Stage};
pub use gpu::{Gpu, Program, Tensors};
pub use observe::accounts::Accounts;
pub use observe::bound::Bottleneck;
pub use observe::progress::Progress;
pub use observe::report::{CpuReport, DeviceReport, Report, Waits};
pub use pipeline::{Batch, Pipeline, Run};
pub use place::{BatchIndex, Position};
pub use stage::{
    ClosureTicket, CpuStage, DeviceInfo, DeviceKind, GpuStage, Output, Rows, StageError, Whole, WithState,
    with_state,
};
