// concat: one to four tensors one after the other on an axis, one invocation per value.
//
// CPU twin   src/kernel/concat.rs (`Concat::twin`)
// Params     src/kernel/concat.rs (`ConcatParams`), layout checked by tests/shaders.rs
// In / Out   one to four of f32, any shape / f32, the same but for the axis
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    rows: vec4<u32>,
    steps: vec4<u32>,
    row: u32,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Value `at` of one of the inputs.
fn value_of(part: u32, at: u32) -> Value {
    switch part {
        case 0u: { return a(at); }
        case 1u: { return b(at); }
        case 2u: { return c(at); }
        default: { return d(at); }
    }
}

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let row = index / params.row;
    var part = 0u;
    var at = index % params.row;
    while part < 3u && at >= params.rows[part] {
        at -= params.rows[part];
        part++;
    }
    at += item * params.steps[part] + row * params.rows[part];
    return value_of(part, at);
}
