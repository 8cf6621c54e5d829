// lrn: x / (bias + alpha / size * sum of squares of neighbouring channels) ^ beta, one invocation per value.
//
// CPU twin   src/kernel/lrn.rs (`Lrn::twin`)
// Params     src/kernel/lrn.rs (`LrnParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, ..] / f32, same shape
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    channels: u32,
    plane: u32,
    // Channels before and after that count.
    before: u32,
    after: u32,
    // alpha / size.
    factor: f32,
    beta: f32,
    bias: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 256u + local;
    let len = params.channels * params.plane;
    if index >= len {
        return;
    }
    let channel = index / params.plane;
    let first = channel - min(channel, params.before);
    let last = min(channel + params.after, params.channels - 1u);
    let start = group.z * len + index % params.plane;
    var sum = 0.0;
    for (var near = first; near <= last; near++) {
        let value = x(start + near * params.plane);
        sum += value * value;
    }
    let base = params.bias + params.factor * sum;
    let value = x(group.z * len + index) / power(base, params.beta, local);
    // A power of 0 is 1 whatever the sum is.
    put(group.z * len + index, select(value, quiet_nan(local), is_nan(sum)));
}
