// arg_reduce: where the largest or the smallest value of each row stands, `lanes` invocations per row.
//
// CPU twin   src/kernel/arg_reduce.rs (`ArgReduce::twin`)
// Params     src/kernel/arg_reduce.rs (`ArgReduceParams`), layout checked by tests/shaders.rs
// In / Out   f32 [.., len, ..] / f32 [.., 1, ..], whole numbers
// Dispatch   ceil(rows * lanes / 64) workgroups folded over x, y
struct Params {
    rows: u32,
    len: u32,
    inner: u32,
    smallest: u32,
    last: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(linear(group, groups), local, params.rows);
    let start = start_of(row.index) + group.z * params.rows * params.len;
    let join = select(LARGEST, SMALLEST, params.smallest == 1u);
    var part = x(start);
    for (var index = row.lane; index < params.len; index += lanes) {
        part = joined(part, x(start + index * params.inner), join);
    }
    let wanted = of_lanes(local, part, join);
    // Places are floats, exact below 2^24; a lane that has not seen the value brings one past the end.
    var place = select(f32(params.len), -1.0, params.last == 1u);
    let order = select(SMALLEST, LARGEST, params.last == 1u);
    for (var index = row.lane; index < params.len; index += lanes) {
        if x(start + index * params.inner) == wanted {
            place = joined(place, f32(index), order);
        }
    }
    place = of_lanes(local, place, order);
    if row.writes && row.lane == 0u {
        put(group.z * params.rows + row.index, select(place, quiet_nan(local), is_nan(wanted)));
    }
}
