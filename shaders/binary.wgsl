// binary: one function of every pair of values, chosen by a pipeline constant, one invocation per value.
//
// CPU twin   src/kernel/binary.rs (`Binary::twin`), functions in src/kernel/binary/op.rs
// Params     src/kernel/binary.rs (`BinaryParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape, and f32, a shape that fits it / f32, the shape of both, repeated
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    // Length, stride in a and stride in b of every loop, the outermost first.
    axes: array<vec4<u32>, 8>,
    len: u32,
    a_step: u32,
    b_step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// Places in the list of `BinaryOp` (src/kernel/binary/op.rs).
override op: u32;
override rank: u32;
// 1 where both are whole numbers.
override whole: u32;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 256u + local;
    if index >= params.len {
        return;
    }
    let places = places_of(index);
    let first = a[group.z * params.a_step + places.x];
    let second = b[group.z * params.b_step + places.y];
    let value = function(first, second, local);
    y[group.z * params.len + index] = select(value, as_whole(value, first, second, local), whole == 1u);
}

// From 2^24 on neighbouring whole numbers are one float: what may be either is NaN.
fn as_whole(value: f32, first: f32, second: f32, local: u32) -> f32 {
    let large = abs(vec3(first, second, value)) >= vec3(16777216.0);
    var none = large.x && large.y;
    if op <= 4u {
        none = large.z;
    }
    if op == 8u || op == 9u || op == 18u {
        none = large.x;
    }
    none = none || is_nan(first) || is_nan(second) || is_nan(value);
    return select(trunc(value), quiet_nan(local), none);
}

// Where the value lies in a and in b.
fn places_of(index: u32) -> vec2<u32> {
    var rest = index;
    var places = vec2(0u);
    for (var place = rank - 1u; place > 0u; place--) {
        let axis = params.axes[place];
        places += rest % axis.x * axis.yz;
        rest /= axis.x;
    }
    return places + rest * params.axes[0].yz;
}

fn function(first: f32, second: f32, local: u32) -> f32 {
    let nan = is_nan(first) || is_nan(second);
    switch op {
        case 0u: { return first + second; }
        case 1u: { return first - second; }
        case 2u: { return first * second; }
        case 3u: { return first / second; }
        case 4u: { return power(first, second, local); }
        case 5u: { return select(min(first, second), quiet_nan(local), nan); }
        case 6u: { return select(max(first, second), quiet_nan(local), nan); }
        case 7u: { return select(select(first, first * second, first < 0.0), quiet_nan(local), nan); }
        case 8u: {
            let rest = rest_of(first, second, local);
            return select(rest, rest + second, rest != 0.0 && (rest < 0.0) != (second < 0.0));
        }
        case 9u: { return rest_of(first, second, local); }
        case 18u: { return round((first - rest_of(first, second, local)) / second); }
        default: { return select(0.0, 1.0, !nan && holds(first, second)); }
    }
}

fn holds(first: f32, second: f32) -> bool {
    switch op {
        case 11u: { return first > second; }
        case 12u: { return first >= second; }
        case 13u: { return first < second; }
        case 14u: { return first <= second; }
        case 15u: { return first != 0.0 && second != 0.0; }
        case 16u: { return first != 0.0 || second != 0.0; }
        case 17u: { return (first != 0.0) != (second != 0.0); }
        default: { return first == second; }
    }
}

// The rest of first / second with the sign of first; the quotient may be one off, since a division may be.
fn rest_of(first: f32, second: f32, local: u32) -> f32 {
    let size = abs(second);
    var rest = abs(first) - size * floor(abs(first) / size);
    rest = select(rest, rest + size, rest < 0.0);
    rest = select(rest, rest - size, rest >= size);
    rest = select(rest, abs(first), is_infinite(second));
    let none = second == 0.0 || is_infinite(first) || is_nan(first) || is_nan(second);
    return select(select(rest, -rest, first < 0.0), quiet_nan(local), none);
}
