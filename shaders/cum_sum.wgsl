// cum_sum: sums along an axis up to each place, one invocation per row.
//
// CPU twin   src/kernel/cum_sum.rs (`CumSum::twin`)
// Params     src/kernel/cum_sum.rs (`CumSumParams`), layout checked by tests/shaders.rs
// In / Out   f32 or i32 [.., axis, ..] / the same
// Dispatch   ceil(rows / 64) workgroups folded over x, y
struct Params {
    rows: u32,
    axis: u32,
    inner: u32,
    exclusive: u32,
    reverse: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// add stands in the source for the element (src/kernel/cum_sum.rs).
@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = linear(group, groups) * 64u + local;
    if row >= params.rows {
        return;
    }
    let before = group.z * params.rows + row / params.inner * params.inner;
    let start = before * params.axis + row % params.inner;
    var sum = Value();
    for (var step = 0u; step < params.axis; step++) {
        let place = select(step, params.axis - 1u - step, params.reverse == 1u);
        let at = start + place * params.inner;
        let next = add(sum, x(at));
        put(at, select(next, sum, params.exclusive == 1u));
        sum = next;
    }
}
