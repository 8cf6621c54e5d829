
// function: of a float.
fn function(value: f32, local: u32) -> f32 {
    let none = outside(value) || (is_nan(value) && !takes_nan());
    return select(value_of(value), quiet_nan(local), none);
}

// Where the function has no value; WGSL leaves open what a device makes of it.
fn outside(value: f32) -> bool {
    switch op {
        case 10u, 22u: { return value < 0.0; }
        case 26u, 27u: { return is_infinite(value); }
        case 36u: { return abs(value) >= 16777216.0; }
        default: { return false; }
    }
}

// Where the function has a value for NaN.
fn takes_nan() -> bool {
    return op == 25u || (op >= 29u && op <= 31u);
}

fn value_of(value: f32) -> f32 {
    let size = abs(value);
    switch op {
        case 0u: { return size; }
        case 1u: { return ceil(value); }
        case 2u: { return select(params.alpha * exp_minus_one(value), value, value >= 0.0); }
        case 3u: { return erf(value); }
        case 4u: { return exp(value); }
        case 5u: { return floor(value); }
        case 6u: { return value * normal_share(value); }
        case 7u: { return 0.5 * value * (1.0 + tangent(0.7978845608 * (value + 0.044715 * value * value * value))); }
        case 8u: { return clamp(params.alpha * value + params.beta, 0.0, 1.0); }
        case 9u: { return value * clamp(value / 6.0 + 0.5, 0.0, 1.0); }
        case 10u: { return log(size); }
        case 11u: { return mish(value); }
        case 12u: { return -value; }
        case 13u: { return 1.0 / value; }
        case 14u: { return params.beta * select(params.alpha * exp_minus_one(value), value, value >= 0.0); }
        case 15u: { return sigmoid(value); }
        case 16u: { return max(value, 0.0) + log_one_plus(exp(-size)); }
        case 17u: { return value / (1.0 + size); }
        case 18u: { return select(params.alpha * value, value, value >= 0.0); }
        case 19u: { return value * sigmoid(params.alpha * value); }
        case 20u: { return tangent(value); }
        case 21u: { return round(value); }
        case 22u: { return sqrt(size); }
        case 23u: { return sign(value); }
        case 24u: { return max(value, 0.0) + min(params.alpha * exp_minus_one(value / params.alpha), 0.0); }
        case 25u: { return select(0.0, value, value > params.alpha && !is_nan(value)); }
        case 26u: { return sine(value, 0u); }
        case 27u: { return sine(value, 1u); }
        case 28u: { return select(0.0, 1.0, value == 0.0); }
        case 29u: { return select(1.0, 0.0, value == 0.0 && !is_nan(value)); }
        case 30u: { return select(0.0, 1.0, is_nan(value)); }
        case 31u: { return select(0.0, 1.0, is_infinite(value)); }
        case 33u: { return rounded_to_f16(value); }
        case 34u: { return rounded_to_bf16(value); }
        default: { return trunc(value); }
    }
}

// By its bits; see `rounded_to_f16` of src/kernel/half.rs.
fn rounded_to_f16(value: f32) -> f32 {
    let bits = bitcast<u32>(value);
    let size = bits & 0x7fffffffu;
    var rounded = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;
    if size < 0x38800000u {
        rounded = bitcast<u32>(round(bitcast<f32>(size) * 16777216.0) / 16777216.0);
    }
    if size >= 0x477ff000u {
        rounded = 0x7f800000u;
    }
    return bitcast<f32>((bits & 0x80000000u) | rounded);
}

fn rounded_to_bf16(value: f32) -> f32 {
    let bits = bitcast<u32>(value);
    return bitcast<f32>((bits + 0x7fffu + ((bits >> 16u) & 1u)) & 0xffff0000u);
}
