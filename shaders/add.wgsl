// add: a + b, one invocation per value; an input that is a constant is read again for every item.
//
// CPU twin   src/kernel/add.rs (`Add::twin`)
// Params     src/kernel/add.rs (`AddParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape, and f32, same shape / f32, same shape
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    len: u32,
    a_step: u32,
    b_step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
    let sum = a[group.z * params.a_step + index] + b[group.z * params.b_step + index];
    y[group.z * params.len + index] = sum;
}
