// gather_nd: slices by their coordinates, one invocation per value; coordinates that name no place give none.
//
// CPU twin   src/kernel/gather_nd.rs (`GatherNd::twin`)
// Params     src/kernel/gather_nd.rs (`GatherNdParams`), layout checked by tests/shaders.rs
// In / Out   f32 or i32 [batch.., axes.., ..] and f32 or i32 [batch.., .., coordinates] / as the first [batch.., .., ..]
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    // The lengths of the axes that coordinates are of.
    axes: array<vec4<u32>, 2>,
    depth: u32,
    // Values of a slice, coordinates for each place of the batch axes, and values there.
    inner: u32,
    each: u32,
    span: u32,
    data_step: u32,
    indices_step: u32,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let which = index / params.inner;
    let first = item * params.indices_step + which * params.depth;
    var row = 0u;
    var inside = true;
    for (var place = 0u; place < params.depth; place++) {
        let axis = params.axes[place / 4u][place % 4u];
        let given = indices_whole(first + place);
        let at = select(given, given + i32(axis), given < 0);
        inside = inside && at >= 0 && at < i32(axis);
        row = row * axis + u32(select(0, at, inside));
    }
    var value = no_value(local);
    if inside {
        let start = item * params.data_step + which / params.each * params.span;
        value = data(start + row * params.inner + index % params.inner);
    }
    return value;
}
