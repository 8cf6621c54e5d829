// max_pool: the largest value of each window, or the number of its place; NaN is the largest, one invocation per value.
//
// CPU twin   src/kernel/max_pool.rs (`MaxPool::twin`)
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

// The number of a place, in the order that the mode asks for.
fn number_of(channel: i32, place: vec3<i32>) -> f32 {
    let plane = params.input.yzw;
    let by_rows = (place.x * plane.y + place.y) * plane.z + place.z;
    let by_columns = (place.z * plane.y + place.y) * plane.x + place.x;
    let number = select(by_rows, by_columns, params.mode == 2u);
    return f32(channel * plane.x * plane.y * plane.z + number);
}

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
    var largest = float_of(0xff800000u);
    var number = -1.0;
    for (var tap_z = window.begin.y; tap_z < window.end.y; tap_z++) {
        for (var tap_y = window.begin.z; tap_y < window.end.z; tap_y++) {
            for (var tap_x = window.begin.w; tap_x < window.end.w; tap_x++) {
                let place = place_of(window, vec3(tap_z, tap_y, tap_x));
                let value = x(source + offset_of(window, place));
                let is_larger = !is_nan(largest) && (is_nan(value) || value > largest);
                if is_larger || number < 0.0 {
                    largest = value;
                    number = number_of(window.channel, place);
                }
            }
        }
    }
    put(group.z * params.len + index, select(number, largest, params.mode == 0u));
}
