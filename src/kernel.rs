//! Kernels: what a device can do to tensors. One file a kernel.
//!
//! A kernel is plain data: a name, a WGSL file in `shaders/`, parameters, a shape rule, a dispatch
//! and a twin, which is the same operation written for the CPU. It describes work and does none on a device: a
//! [`Program`](crate::Program) does.
//!
//! # The binding contract
//! Group 0 holds, in this order: binding 0 the parameters (`var<uniform>`), then every input
//! (`var<storage, read>`), then the output (`var<storage, read_write>`).
//! An f32 tensor is an `array<f32>` in row-major order without padding. A u8 tensor is an
//! `array<u32>` of four bytes each, every item padded to [`Spec::item_bytes`]. An f16 constant is an
//! `array<u32>` of two halves each, the first in the lower bits, one of i8 of four values; twins get them widened to f32.
//! The z of a dispatch is the batch: `workgroup_id.z` is the item, `num_workgroups.z` how many there
//! are, so that parameters do not depend on the batch and one plan serves every batch size.
//!
//! # NaN and infinity
//! A NaN in an input is a NaN in every output value that depends on it, on the device as in the twin:
//! shaders find NaN by its bits, since `max` and comparisons of WGSL may drop it. Comparisons alone give
//! 0 for NaN, which is what models test for it with. A device may still
//! flush subnormals to zero and fuse a multiplication with an addition, so that device and twin agree
//! within a tolerance and not in every bit.

// Uses: `error`. Used by: `gpu`.

mod access;
mod arg_reduce;
mod attention;
mod average_pool;
mod axes;
mod binary;
mod cast;
mod concat;
mod conv2d;
mod conv_transpose;
mod cum_sum;
mod dispatch;
mod each;
#[doc(hidden)]
pub mod examples;
mod fully_connected;
mod gather;
mod gather_nd;
mod global_average_pool;
mod grid;
mod grid_sample;
mod group_norm;
pub(crate) mod half;
mod inputs;
pub(crate) mod ints;
mod lanes;
mod layer_norm;
mod log_softmax;
mod lrn;
mod mat_mul;
mod max_pool;
mod moments;
mod needs;
mod normalize;
mod ours;
mod pad;
mod params;
mod pool;
mod precision;
mod product;
mod rearrange;
mod reduce;
mod resize;
mod rounds;
mod rule;
mod select;
mod softmax;
mod spec;
mod top_k;
mod unary;
mod values;
mod wgsl;
mod window;

use std::any::Any;

pub use self::access::Access;
pub(crate) use self::access::{Before, Computed, Lying, Part};
pub use self::arg_reduce::ArgReduce;
pub use self::attention::Attention;
pub use self::average_pool::{AveragePool, AveragePool1d, AveragePool2d, AveragePool3d};
pub use self::binary::{Binary, BinaryOp};
pub use self::cast::Cast;
pub use self::concat::Concat;
pub use self::conv_transpose::{ConvTranspose, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
pub use self::conv2d::Conv2d;
pub use self::cum_sum::CumSum;
pub use self::dispatch::Dispatch;
pub use self::each::{Each, Epilogue, ItemEpilogue};
pub use self::fully_connected::FullyConnected;
pub use self::gather::Gather;
pub use self::gather_nd::GatherNd;
pub use self::global_average_pool::GlobalAveragePool;
pub use self::grid_sample::{GridPadding, GridSample};
pub use self::group_norm::{GroupNorm, InstanceNorm};
pub use self::layer_norm::LayerNorm;
pub use self::log_softmax::LogSoftmax;
pub use self::lrn::Lrn;
pub use self::mat_mul::MatMul;
pub use self::max_pool::{MaxPool, MaxPool1d, MaxPool2d, MaxPool3d, PlaceOrder};
pub use self::needs::Needs;
pub use self::normalize::Normalize;
pub(crate) use self::ours::keeps_to_its_shapes;
pub use self::pad::{Pad, PadMode};
pub use self::precision::Precision;
pub use self::rearrange::Rearrange;
pub(crate) use self::rearrange::View;
pub use self::reduce::{Reduce, ReduceOp};
pub use self::resize::{Coordinates, Interpolation, Nearest, Resize};
pub use self::select::Select;
pub use self::softmax::Softmax;
pub use self::spec::{Element, Spec};
pub use self::top_k::TopK;
pub use self::unary::{Unary, UnaryOp};
pub use self::values::{Values, ValuesMut};
pub use self::wgsl::Wgsl;
use crate::error::Cause;

/// One operation on tensors, with its shader and its twin.
pub trait Kernel: Any + std::fmt::Debug + Send + Sync {
    /// The kernel's name: `shaders/NAME.wgsl`, `src/kernel/NAME.rs`, the label `gapless.NAME`.
    fn name(&self) -> &str;

    /// The shape rule: what the output is for these inputs.
    ///
    /// # Errors
    /// Names the input that does not fit, its shape, and what would.
    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause>;

    /// What the device is asked to do for one item. Called after `output` accepted the same inputs.
    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch;

    /// Every way in which a device can do it, the plainest first. Called after `output` accepted the same
    /// inputs; by default the one of `dispatch`.
    ///
    /// A device is offered those whose [`Needs`] it meets; a first one should have none that another way
    /// around can spare. Which of them runs is decided once, when a program is opened.
    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        vec![self.dispatch(inputs, output)]
    }

    /// The twin: computes one item on the CPU, written to be read.
    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>);

    /// What it does to each value, where it does nothing else. A plan then has it done by the kernel that gives the
    /// values, if nothing else reads them.
    fn each(&self) -> Option<Each> {
        None
    }

    /// The twin with what follows it: a kernel that computes its output in pieces does it to each of them while it is
    /// in the cache.
    #[doc(hidden)]
    fn twin_with_epilogue(
        &self,
        inputs: &[Values<'_>],
        place: usize,
        mut output: ValuesMut<'_>,
        epilogue: &ItemEpilogue<'_>,
    ) {
        self.twin(inputs, output.again());
        output.finish(place, epilogue);
    }

    /// Whether there is a twin. A program with a kernel that has none does not open on the twins.
    fn has_twin(&self) -> bool {
        true
    }

    /// Multiply-adds of one item, for reports of achieved rates; 0 where none are worth counting.
    fn multiply_adds(&self, _inputs: &[&Spec], _output: &Spec) -> u64 {
        0
    }
}
