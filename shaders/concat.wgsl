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
    let row = index / params.row;
    var part = 0u;
    var at = index % params.row;
    while part < 3u && at >= params.rows[part] {
        at -= params.rows[part];
        part++;
    }
    at += group.z * params.steps[part] + row * params.rows[part];
    put(group.z * params.len + index, value_of(part, at));
}
