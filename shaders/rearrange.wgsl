// rearrange: values in another order, one invocation per value; strides of 0 repeat, strides below 0 go backwards.
//
// CPU twin   src/kernel/rearrange.rs (`Rearrange::twin`)
// Params     src/kernel/rearrange.rs (`RearrangeParams`), layout checked by tests/shaders.rs
// In / Out   f32, up to eight axes / f32, up to eight axes
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    shape: array<vec4<u32>, 2>,
    strides: array<vec4<i32>, 2>,
    offset: i32,
    axes: u32,
    in_len: u32,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    var rest = index;
    var at = params.offset;
    for (var axis = params.axes; axis > 0u; axis--) {
        let last = axis - 1u;
        let len = params.shape[last / 4u][last % 4u];
        at += i32(rest % len) * params.strides[last / 4u][last % 4u];
        rest /= len;
    }
    return x(item * params.in_len + u32(at));
}
