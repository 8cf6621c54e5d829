// conv2d_tall: convolution, one invocation per tile of 16 outputs of one group by eight pixels.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl.

// The item, for what is written.
var<private> item: u32;

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
    item = group.z;
    let pixel = (place % params.tiles_across) * 8u;
    let tile = place / params.tiles_across;
    let conv_group = tile / params.tiles_down;
    let output = conv_group * params.outputs_in_group + (tile % params.tiles_down) * 16u;
    let ends = vec2((conv_group + 1u) * params.outputs_in_group, params.out_pixels);
    let taps = params.kernel_height * params.kernel_width;
    let terms = params.channels_in_group * taps;
    let plane = params.height * params.width;
    let source = group.z * params.in_len + conv_group * params.channels_in_group * plane;
    let four = vec4(0u, 1u, 2u, 3u);

    // Places past an end compute the last one again, and are not written.
    let last = vec4(ends.x - 1u);
    let left = min(pixel + four, vec4(ends.y - 1u));
    let right = min(pixel + 4u + four, vec4(ends.y - 1u));
    var sums = Tall();
    for (var tap = 0u; tap < taps; tap++) {
        let rows = array(
            min(output + four, last) * terms + tap,
            min(output + 4u + four, last) * terms + tap,
            min(output + 8u + four, last) * terms + tap,
            min(output + 12u + four, last) * terms + tap,
        );
        let l = seen(left, tap);
        let r = seen(right, tap);
        if any(l.inside) || any(r.inside) {
            let count = params.channels_in_group;
            add_products(&sums, count, rows, taps, Four(l.at + source, l.inside), Four(r.at + source, r.inside), plane);
        }
    }
    finish_tall(&sums, output, pixel, ends);
}

fn a_at(at: vec4<u32>) -> vec4<f32> {
    return vec4(weight(at.x), weight(at.y), weight(at.z), weight(at.w));
}

fn b_at(at: vec4<u32>) -> vec4<f32> {
    return vec4(x(at.x), x(at.y), x(at.z), x(at.w));
}

fn finish_at(output: u32, pixel: u32, sum: f32) {
    put(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
