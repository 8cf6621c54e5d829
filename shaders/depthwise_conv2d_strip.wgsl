// depthwise_conv2d_strip: convolution with one channel a group, one invocation per strip of eight columns of an output.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = outputs * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl.

// Rows of a strip.
override rows: u32 = 14u;

// The item and the output, for what is written.
var<private> item: u32;
var<private> plane: u32;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = linear(group, groups) * 64u + local;
    if place >= params.work {
        return;
    }
    let down = place / params.tiles_across;
    item = group.z;
    plane = down / params.tiles_down;
    let source = group.z * params.in_len + plane / params.outputs_in_group * params.height * params.width;
    let first = (down % params.tiles_down) * rows;
    let end = min(first + rows, params.out_pixels / params.out_width);
    // Written by src/kernel/conv2d/strip.rs for this size of kernel and this stride, as finish_at is for this width.
    strip(source, (place % params.tiles_across) * 8u, first, end);
}

// A value of the row that begins at `start`; zero in the padding.
fn x_at(start: u32, column: i32) -> f32 {
    let last = i32(params.width) - 1;
    return select(0.0, x(start + u32(clamp(column, 0, last))), column >= 0 && column <= last);
}
