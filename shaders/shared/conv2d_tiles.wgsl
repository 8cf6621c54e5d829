
// Columns of the product are the pixels of all items, one item behind the other, so that tiles are full where an
// item has few pixels. Workgroups are counted item by item, so there are at least as many as such tiles; those
// behind the last one return.

// Where the group begins in an item of the input; the first output and the first column behind its tiles.
var<private> source: u32;
var<private> ends: vec2<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = linear(group, groups);
    if tile >= params.work {
        return;
    }
    let down = tile / params.tiles_across;
    let conv_group = down / params.tiles_down;
    let output = conv_group * params.outputs_in_group + (down % params.tiles_down) * 64u;
    let column = (group.z * params.tiles_across + tile % params.tiles_across) * 64u;
    source = conv_group * params.channels_in_group * params.height * params.width;
    // Barriers follow, and of what is in `ends` it is not known that it is the same for all invocations.
    let end = groups.z * params.out_pixels;
    ends = vec2((conv_group + 1u) * params.outputs_in_group, end);
    if column >= end {
        return;
    }
    prepare(column, local);
    compute_tile(output, column, ends, terms(), local);
}

fn terms() -> u32 {
    return params.channels_in_group * params.kernel_height * params.kernel_width;
}
