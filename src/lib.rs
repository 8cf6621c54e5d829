//! Keeps a GPU without gaps: CPU workers prepare documents while one device thread keeps the GPU
//! fed, and results stream back in order.

#![warn(missing_docs)]
#![deny(unsafe_code)]

mod error;
#[cfg(feature = "image")]
pub mod image;
pub mod kernel;
mod place;
mod stage;

pub use error::{Cause, Error, Failure, Stage};
pub use place::{BatchIndex, Position};
pub use stage::{
    ClosureTicket, CpuStage, DeviceInfo, DeviceKind, GpuStage, Output, Rows, StageError, Whole, WithState,
    with_state,
};
