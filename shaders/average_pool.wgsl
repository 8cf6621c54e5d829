// average_pool: the mean of each window; of none NaN, one invocation per value.
//
// CPU twin   src/kernel/average_pool.rs (`AveragePool::twin`)
// Params     src/kernel/pool.rs (`PoolParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, depth, height, width], where fewer axes are 1 long / f32, the same with fewer places
// Dispatch   ceil(len / 64) workgroups folded over x, y
struct Params {
    input: vec4<i32>,
    output: vec4<u32>,
    kernel: vec4<i32>,
    stride: vec4<i32>,
    before: vec4<i32>,
    after: vec4<i32>,
    dilation: vec4<i32>,
    in_len: u32,
    len: u32,
    mode: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 64u + local;
    if index >= params.len {
        return;
    }
    let window = window_at(index);
    let source = group.z * params.in_len;
    var sum = 0.0;
    for (var tap_z = window.begin.y; tap_z < window.end.y; tap_z++) {
        for (var tap_y = window.begin.z; tap_y < window.end.z; tap_y++) {
            for (var tap_x = window.begin.w; tap_x < window.end.w; tap_x++) {
                let place = place_of(window, vec3(tap_z, tap_y, tap_x));
                sum += x(source + offset_of(window, place));
            }
        }
    }
    let taps = vec4<f32>(select(window.end - window.begin, window.padded, params.mode == 1u));
    let count = taps.y * taps.z * taps.w;
    var mean = float_of(0x7fc00000u);
    if count > 0.0 {
        mean = sum / count;
    }
    put(group.z * params.len + index, mean);
}
