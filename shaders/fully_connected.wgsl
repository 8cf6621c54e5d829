// fully_connected: weight * x + bias, one workgroup per value.
//
// CPU twin   src/kernel/fully_connected.rs (`FullyConnected::twin`)
// Params     src/kernel/fully_connected.rs (`FullyConnectedParams`), layout checked by tests/shaders.rs
// In / Out   f32 [k], f32 [m, k], f32 [m] / f32 [m]
// Dispatch   m workgroups folded over x, y
struct Params {
    k: u32,
    m: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = linear(group, groups);
    if row >= params.m {
        return;
    }
    var part = 0.0;
    for (var column = local; column < params.k; column += 64u) {
        part += weight(row * params.k + column) * x(group.z * params.k + column);
    }
    let sum = sum_of_workgroup(local, part);
    if local == 0u {
        put(group.z * params.m + row, sum + bias(row));
    }
}
