// global_average_pool: the mean of each channel, one workgroup per channel.
//
// CPU twin   src/kernel/global_average_pool.rs (`GlobalAveragePool::twin`)
// Params     src/kernel/global_average_pool.rs (`GlobalAveragePoolParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, height, width] / f32 [channels]
// Dispatch   channels workgroups folded over x, y
struct Params {
    channels: u32,
    pixels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let channel = linear(group, groups);
    if channel >= params.channels {
        return;
    }
    let row = group.z * params.channels + channel;
    var part = 0.0;
    for (var pixel = local; pixel < params.pixels; pixel += 64u) {
        part += x[row * params.pixels + pixel];
    }
    let sum = sum_of_workgroup(local, part);
    if local == 0u {
        y[row] = sum / f32(params.pixels);
    }
}
