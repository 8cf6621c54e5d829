// max_pool2d: the largest value of each window; padding is never the largest, NaN always is, one invocation per value.
//
// CPU twin   src/kernel/max_pool2d.rs (`MaxPool2d::twin`)
// Params     src/kernel/window.rs (`PoolParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, height, width] / f32 [channels, out_height, out_width]
// Dispatch   ceil(len / 64) workgroups folded over x, y
struct Params {
    channels: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    pad_top: u32,
    pad_left: u32,
    include_pad: u32,
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
    let index = linear(group, groups) * 64u + local;
    let out_pixels = params.out_height * params.out_width;
    if index >= params.channels * out_pixels {
        return;
    }
    let channel = index / out_pixels;
    let top = (index % out_pixels / params.out_width) * params.stride_y;
    let left = (index % params.out_width) * params.stride_x;
    // The part of the window that lies in the input; the rule keeps it from being empty.
    let y_start = max(top, params.pad_top) - params.pad_top;
    let x_start = max(left, params.pad_left) - params.pad_left;
    let y_end = min(top + params.kernel_height - params.pad_top, params.height);
    let x_end = min(left + params.kernel_width - params.pad_left, params.width);
    let plane = (group.z * params.channels + channel) * params.height * params.width;
    var largest = x[plane + y_start * params.width + x_start];
    for (var row = y_start; row < y_end; row++) {
        for (var column = x_start; column < x_end; column++) {
            let value = x[plane + row * params.width + column];
            if !is_nan(largest) && (is_nan(value) || value > largest) {
                largest = value;
            }
        }
    }
    y[group.z * params.channels * out_pixels + index] = largest;
}
