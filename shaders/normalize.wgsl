// normalize: (pixel - mean[channel]) / std[channel], one invocation per four pixels of all channels.
//
// CPU twin   src/kernel/normalize.rs (`Normalize::twin`)
// Params     src/kernel/normalize.rs (`NormalizeParams`), layout checked by tests/shaders.rs
// In / Out   u8 [height, width, channels] / f32 [channels, height, width]
// Dispatch   ceil(pixels / 4 / 64) workgroups folded over x, y
struct Params {
    mean: vec4<f32>,
    deviation: vec4<f32>,
    pixels: u32,
    channels: u32,
    item_bytes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first = (linear(group, groups) * 64u + local) * 4u;
    if first >= params.pixels {
        return;
    }
    let end = min(first + 4u, params.pixels);
    let start = group.z * params.channels * params.pixels;
    for (var channel = 0u; channel < params.channels; channel++) {
        let mean = params.mean[channel];
        let deviation = params.deviation[channel];
        for (var pixel = first; pixel < end; pixel++) {
            let value = x(group.z * params.item_bytes + pixel * params.channels + channel);
            put(start + channel * params.pixels + pixel, (value - mean) / deviation);
        }
    }
}
