//! The one generator of random numbers, of the library and of what is tried at random.

/// The next number of a stream that its state decides.
///
/// SplitMix64 (G. Steele, D. Lea, C. Flood 2014): small, and the same on every platform.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
