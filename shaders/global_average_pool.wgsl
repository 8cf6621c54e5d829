// global_average_pool: the mean of each channel, `lanes` invocations per channel.
//
// CPU twin   src/kernel/global_average_pool.rs (`GlobalAveragePool::twin`)
// Params     src/kernel/global_average_pool.rs (`GlobalAveragePoolParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, height, width] / f32 [channels]
// Dispatch   ceil(channels * lanes / 64) workgroups folded over x, y
struct Params {
    channels: u32,
    pixels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(linear(group, groups), local, params.channels);
    let channel = group.z * params.channels + row.index;
    var share = 0.0;
    for (var pixel = row.lane; pixel < params.pixels; pixel += 4u * lanes) {
        let four = four_of(channel * params.pixels, pixel, params.pixels);
        share += (four.x + four.y) + (four.z + four.w);
    }
    let sum = of_lanes(local, share, SUM);
    if row.writes && row.lane == 0u {
        put(channel, sum / f32(params.pixels));
    }
}
