
// power: base to the exponent as `pow` of C defines it; the pow of WGSL knows no negative base.
fn power(base: f32, exponent: f32, any: u32) -> f32 {
    if exponent == 0.0 || base == 1.0 {
        return 1.0;
    }
    let whole = exponent == floor(exponent);
    let outside = base < 0.0 && !whole && !is_infinite(base);
    if is_nan(base) || is_nan(exponent) || outside {
        return quiet_nan(any);
    }
    let size = power_of_size(abs(base), exponent, whole);
    let odd = whole && abs(exponent) < 16777216.0 && (u32(abs(exponent)) & 1u) == 1u;
    let negative = (bitcast<u32>(base) & 0x80000000u) != 0u;
    return select(size, -size, odd && negative);
}

// Small whole powers are products, so that they are as right as a product is.
fn power_of_size(size: f32, exponent: f32, whole: bool) -> f32 {
    if size == 1.0 {
        return 1.0;
    }
    if !whole || abs(exponent) > 64.0 {
        return exp2(exponent * log2(size));
    }
    var product = 1.0;
    var factor = size;
    for (var rest = u32(abs(exponent)); rest > 0u; rest >>= 1u) {
        product = select(product, product * factor, (rest & 1u) == 1u);
        factor *= factor;
    }
    return select(product, 1.0 / product, exponent < 0.0);
}
