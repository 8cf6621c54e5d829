//! What a tensor of a program is: its elements and its shape.

use std::fmt;

/// What one element of a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// A byte, such as a channel of a pixel; four of them share a `u32` on the device.
    U8,
    /// A whole number from −128 to 127 of a constant; four of them share a `u32` on the device, where
    /// [`Conv2d`](super::Conv2d) and [`MatMul`](super::MatMul) read them as floats: weights that were quantised, by whose
    /// scale what the kernel gives is multiplied behind it. No input and no output is made of them.
    I8,
    /// A 16-bit float (IEEE 754 binary16) of a constant; two of them share a `u32` on the device, where
    /// [`Conv2d`](super::Conv2d) and [`MatMul`](super::MatMul) widen what they read. No input and no output is made of them.
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
            Self::I8 => "i8",
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

    /// Whole numbers from −128 to 127 that are the same for all items: a weight of a quarter of the bytes.
    ///
    /// ```
    /// use gapless::kernel::Spec;
    /// assert_eq!(Spec::constant_i8(&[3, 5]).item_bytes(), 16);
    /// ```
    pub fn constant_i8(shape: &[usize]) -> Self {
        Self { element: Element::I8, shape: shape.to_vec(), batched: false }
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
    /// mapped range may start at, halves and i8 to the 4 of the `u32` that the last one is in.
    pub fn item_bytes(&self) -> usize {
        match self.element {
            Element::U8 => self.len().checked_next_multiple_of(8).unwrap_or(usize::MAX),
            Element::I8 => self.len().checked_next_multiple_of(4).unwrap_or(usize::MAX),
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
