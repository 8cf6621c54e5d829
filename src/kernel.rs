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
//! `array<u32>` of two halves each, the first in the lower bits; twins get it widened to f32.
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
mod activation;
mod arg_reduce;
mod average_pool;
mod axes;
mod binary;
mod cast;
mod clip;
mod concat;
mod conv2d;
mod conv_transpose;
#[doc(hidden)]
pub mod examples;
mod fully_connected;
mod gather;
mod global_average_pool;
mod grid;
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
mod pad;
mod params;
mod pool;
mod precision;
mod product;
mod rearrange;
mod reduce;
mod relu;
mod resize;
mod rounds;
mod rule;
mod select;
mod softmax;
mod top_k;
mod unary;
mod wgsl;
mod window;

use std::borrow::Cow;
use std::fmt;

use ndarray::{ArrayViewD, ArrayViewMutD, Axis, IxDyn};

pub use self::access::Access;
pub use self::activation::Activation;
pub use self::arg_reduce::ArgReduce;
pub use self::average_pool::{AveragePool, AveragePool1d, AveragePool2d, AveragePool3d};
pub use self::binary::{Binary, BinaryOp};
pub use self::cast::Cast;
pub use self::clip::Clip;
pub use self::concat::Concat;
pub use self::conv_transpose::{ConvTranspose, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
pub use self::conv2d::Conv2d;
pub use self::fully_connected::FullyConnected;
pub use self::gather::Gather;
pub use self::global_average_pool::GlobalAveragePool;
pub use self::group_norm::{GroupNorm, InstanceNorm};
pub use self::layer_norm::LayerNorm;
pub use self::log_softmax::LogSoftmax;
pub use self::lrn::Lrn;
pub use self::mat_mul::MatMul;
pub use self::max_pool::{MaxPool, MaxPool1d, MaxPool2d, MaxPool3d, PlaceOrder};
pub use self::needs::Needs;
pub use self::normalize::Normalize;
pub use self::pad::{Pad, PadMode};
pub use self::precision::Precision;
pub use self::rearrange::Rearrange;
pub use self::reduce::{Reduce, ReduceOp};
pub use self::relu::Relu;
pub use self::resize::{Coordinates, Interpolation, Nearest, Resize};
pub use self::select::Select;
pub use self::softmax::Softmax;
pub use self::top_k::TopK;
pub use self::unary::{Unary, UnaryOp};
pub use self::wgsl::Wgsl;
use crate::error::Cause;

/// What one element of a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// A byte, such as a channel of a pixel; four of them share a `u32` on the device.
    U8,
    /// A 16-bit float (IEEE 754 binary16) of a constant; two of them share a `u32` on the device, where
    /// [`Conv2d`] and [`MatMul`] widen what they read. No input and no output is made of them.
    F16,
    /// A 32-bit float.
    F32,
    /// A whole number of 32 bits. The least of them, −2³¹, stands for one that they do not hold: what is
    /// computed with it is no number either.
    I32,
}

/// As plans and errors name it.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::U8 => "u8",
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::I32 => "i32",
        })
    }
}

/// Element type and shape of a tensor in a program, printed as plans and errors name it.
///
/// ```
/// use gapless::kernel::Spec;
/// assert_eq!(Spec::floats(&[3, 224, 224]).to_string(), "f32[3,224,224]");
/// assert_eq!(Spec::bytes(&[]).to_string(), "u8[]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Element type.
    pub element: Element,
    /// Shape of one item, without the batch axis.
    pub shape: Vec<usize>,
    /// Whether there is one such item a document (an activation) or one in all (a weight).
    pub batched: bool,
}

impl Spec {
    /// Bytes that every item brings, such as a decoded photo `[height, width, channels]`.
    pub fn bytes(shape: &[usize]) -> Self {
        Self { element: Element::U8, shape: shape.to_vec(), batched: true }
    }

    /// Floats that every item has: an activation.
    pub fn floats(shape: &[usize]) -> Self {
        Self { element: Element::F32, shape: shape.to_vec(), batched: true }
    }

    /// Floats that are the same for all items: a weight.
    pub fn constant(shape: &[usize]) -> Self {
        Self { element: Element::F32, shape: shape.to_vec(), batched: false }
    }

    /// Halves that are the same for all items: a weight of half the bytes.
    ///
    /// ```
    /// use gapless::kernel::Spec;
    /// assert_eq!(Spec::constant_f16(&[3, 5]).item_bytes(), 32);
    /// ```
    pub fn constant_f16(shape: &[usize]) -> Self {
        Self { element: Element::F16, shape: shape.to_vec(), batched: false }
    }

    /// Whole numbers that every item has.
    pub fn ints(shape: &[usize]) -> Self {
        Self { element: Element::I32, shape: shape.to_vec(), batched: true }
    }

    /// Whole numbers that are the same for all items.
    pub fn constant_ints(shape: &[usize]) -> Self {
        Self { element: Element::I32, shape: shape.to_vec(), batched: false }
    }

    /// Number of elements of one item; `usize::MAX` where there are more than can be counted.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |len, &axis| len.saturating_mul(axis))
    }

    /// Whether an item has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes from one item to the next on the device: u8 items are padded to 8, which is what a
    /// mapped range may start at, and halves to the 4 of the `u32` that the last one is in.
    pub fn item_bytes(&self) -> usize {
        match self.element {
            Element::U8 => self.len().checked_next_multiple_of(8).unwrap_or(usize::MAX),
            Element::F16 => self.len().div_ceil(2).saturating_mul(4),
            Element::F32 | Element::I32 => self.len().saturating_mul(4),
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
        f.pad(&format!("{}[{}]", self.element, axes.join(",")))
    }
}

/// What one kernel asks of a device. Plain data: it can be printed and tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    /// The kernel's name: its file, its label, its test and its bench.
    pub kernel: Cow<'static, str>,
    /// WGSL source.
    pub source: Cow<'static, str>,
    /// How the source reaches its tensors.
    pub access: Access,
    /// Pipeline-overridable constants of the source.
    pub constants: Vec<(Cow<'static, str>, f64)>,
    /// Workgroups for one item in x and y; the z is the batch.
    pub workgroups: [u32; 2],
    /// The parameters, laid out as the WGSL struct is.
    pub params: Vec<u8>,
    /// What not every device has.
    pub needs: Needs,
}

/// One item of a tensor on the CPU, without the batch axis.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// Bytes.
    U8(ArrayViewD<'a, u8>),
    /// Floats.
    F32(ArrayViewD<'a, f32>),
    /// Whole numbers.
    I32(ArrayViewD<'a, i32>),
}

/// One item of what a kernel gives on the CPU, without the batch axis.
#[derive(Debug)]
#[non_exhaustive]
pub enum ValuesMut<'a> {
    /// Floats.
    F32(ArrayViewMutD<'a, f32>),
    /// Whole numbers.
    I32(ArrayViewMutD<'a, i32>),
}

impl<'a> ValuesMut<'a> {
    /// Row-major values of this element, seen in this shape. The memory of a tensor is that of floats.
    pub(crate) fn of(element: Element, shape: &[usize], memory: &'a mut [f32]) -> Self {
        const FITS: &str = "the buffer fits its tensor";
        let shape = IxDyn(shape);
        match element {
            Element::I32 => {
                let memory = bytemuck::cast_slice_mut(memory);
                Self::I32(ArrayViewMutD::from_shape(shape, memory).expect(FITS))
            }
            _ => Self::F32(ArrayViewMutD::from_shape(shape, memory).expect(FITS)),
        }
    }

    /// The floats, for twins whose shape rule gives no whole numbers.
    ///
    /// # Panics
    /// If they are whole numbers.
    pub fn floats(self) -> ArrayViewMutD<'a, f32> {
        match self {
            Self::F32(view) => view,
            Self::I32(_) => panic!("the shape rule gives floats, and the output is of i32"),
        }
    }
}

impl<'a> Values<'a> {
    /// Row-major values of this element, seen in this shape. The memory of a tensor is that of floats.
    pub(crate) fn of(element: Element, shape: &[usize], memory: &'a [f32]) -> Self {
        const FITS: &str = "the buffer fits its tensor";
        let shape = IxDyn(shape);
        match element {
            Element::I32 => {
                Self::I32(ArrayViewD::from_shape(shape, bytemuck::cast_slice(memory)).expect(FITS))
            }
            _ => Self::F32(ArrayViewD::from_shape(shape, memory).expect(FITS)),
        }
    }

    pub(crate) fn in_shape(self, shape: &[usize]) -> Self {
        const FITS: &str = "a view has the elements of its tensor, in row-major order";
        match self {
            Self::U8(view) => Self::U8(view.into_shape_with_order(shape).expect(FITS)),
            Self::F32(view) => Self::F32(view.into_shape_with_order(shape).expect(FITS)),
            Self::I32(view) => Self::I32(view.into_shape_with_order(shape).expect(FITS)),
        }
    }
}

impl Values<'_> {
    /// The same values, which are in row-major order, in another shape with as many elements.
    pub(crate) fn shaped(&self, shape: &[usize]) -> Values<'_> {
        match self {
            Self::U8(view) => Values::U8(view.view()).in_shape(shape),
            Self::F32(view) => Values::F32(view.view()).in_shape(shape),
            Self::I32(view) => Values::I32(view.view()).in_shape(shape),
        }
    }

    /// One part along the first axis, or all.
    pub(crate) fn part(&self, index: Option<usize>) -> Values<'_> {
        match (self, index) {
            (Self::U8(view), None) => Values::U8(view.view()),
            (Self::F32(view), None) => Values::F32(view.view()),
            (Self::I32(view), None) => Values::I32(view.view()),
            (Self::U8(view), Some(index)) => Values::U8(view.index_axis(Axis(0), index)),
            (Self::F32(view), Some(index)) => Values::F32(view.index_axis(Axis(0), index)),
            (Self::I32(view), Some(index)) => Values::I32(view.index_axis(Axis(0), index)),
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::U8(view) => view.shape(),
            Self::F32(view) => view.shape(),
            Self::I32(view) => view.shape(),
        }
    }

    /// The floats, for twins whose shape rule takes no bytes.
    fn floats(&self) -> ArrayViewD<'_, f32> {
        match self {
            Self::F32(view) => view.view(),
            Self::U8(_) | Self::I32(_) => unreachable!("the shape rule takes floats"),
        }
    }

    /// The whole numbers, for twins whose shape rule takes nothing else.
    fn ints(&self) -> ArrayViewD<'_, i32> {
        match self {
            Self::I32(view) => view.view(),
            Self::U8(_) | Self::F32(_) => unreachable!("the shape rule takes whole numbers"),
        }
    }
}

/// One operation on tensors, with its shader and its twin.
pub trait Kernel: std::fmt::Debug + Send + Sync + 'static {
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

    /// Whether there is a twin. A program with a kernel that has none does not open on the twins.
    fn has_twin(&self) -> bool {
        true
    }

    /// Multiply-adds of one item, for reports of achieved rates; 0 where none are worth counting.
    fn multiply_adds(&self, _inputs: &[&Spec], _output: &Spec) -> u64 {
        0
    }
}
