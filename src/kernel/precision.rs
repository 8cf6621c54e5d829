//! How exactly a kernel computes.

/// How exactly a kernel computes. A dispatch says what it does ([`Needs`](super::Needs)), and
/// [`Program::precision`](crate::Program::precision) what it may do; each allows those before it too.
///
/// The bounds are of a sum before the activation function, beside the rounding of f32 sums. Halves reach to
/// ±65,504: from an activation, a product or a sum of 16 products beyond it infinity or NaN may come. Below 2⁻¹⁴ they
/// have fewer digits, and a device may take them for zero: that adds the absolute part of a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// Every product and every sum in f32.
    #[default]
    Full,
    /// Convolutions and products whose weights are halves may round the activations that they read to halves. They
    /// multiply and add in f32, where a product of two halves is exact: a value is off by at most 2⁻¹⁰ of the sum of
    /// its products' sizes, half as much where a device rounds to the nearest half, and 2⁻¹⁴ of the sum of its factors'
    /// sizes.
    Mixed,
    /// They may also multiply and add in 16 bits, 16 products at a time; the sums of 16 are added in f32. So each
    /// product is rounded 17 times at most, once as an activation, once as a product and 15 times in a sum: a value
    /// is off by at most 17 · 2⁻¹⁰ of the sum of its products' sizes and what such small errors multiply to, in all
    /// less than 1/59, and 2⁻¹⁴ of the sum of its factors' sizes and of 2 a product. Where roundings fall either way
    /// it is far less.
    ///
    /// And what convolutions, products, normalisations and pools give, and what is moved or added to it, is kept as
    /// halves where another kernel reads it: such a value is rounded once more, and half as many bytes are moved. Inputs
    /// and outputs stay floats, and so do squares, exponentials, sums along axes and all that may be a place or a count.
    Half,
}

impl Precision {
    /// Whether shaders need 16-bit floats for it.
    pub(crate) fn needs_f16(self) -> bool {
        self > Self::Full
    }
}
