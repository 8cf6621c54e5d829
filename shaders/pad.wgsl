// pad: a tensor with a border of a value, of its edge, of its mirror image or of itself, one invocation per value.
//
// CPU twin   src/kernel/pad.rs (`Pad::twin`)
// Params     src/kernel/pad.rs (`PadParams`), layout checked by tests/shaders.rs
// In / Out   f32 or i32, up to eight axes / the same, as many axes
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    shape: array<vec4<u32>, 2>,
    inside: array<vec4<i32>, 2>,
    before: array<vec4<i32>, 2>,
    strides: array<vec4<u32>, 2>,
    offset: u32,
    axes: u32,
    in_len: u32,
    len: u32,
    mode: u32,
    value: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

// The remainder from 0 on, also below 0.
fn remainder(place: i32, period: i32) -> i32 {
    let rest = place % period;
    return select(rest, rest + period, rest < 0);
}

// The place inside that a place of the border shows.
fn shown(place: i32, inside: i32) -> i32 {
    switch params.mode {
        case 2u: {
            let period = max(2 * (inside - 1), 1);
            let rest = remainder(place, period);
            return min(rest, period - rest);
        }
        case 3u: {
            return remainder(place, inside);
        }
        default: {
            return clamp(place, 0, inside - 1);
        }
    }
}

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    var rest = index;
    var at = params.offset;
    var is_inside = true;
    for (var axis = params.axes; axis > 0u; axis--) {
        let last = axis - 1u;
        let len = params.shape[last / 4u][last % 4u];
        let place = i32(rest % len) - params.before[last / 4u][last % 4u];
        let inside = params.inside[last / 4u][last % 4u];
        is_inside &= place >= 0 && place < inside;
        at += u32(shown(place, inside)) * params.strides[last / 4u][last % 4u];
        rest /= len;
    }
    var value = Value(params.value);
    if is_inside || params.mode != 0u {
        value = x(item * params.in_len + at);
    }
    return value;
}
