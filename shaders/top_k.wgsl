// top_k: the k largest or smallest values of each row, or where they stand, in order, one invocation per value.
//
// CPU twin   src/kernel/top_k.rs (`TopK::twin`)
// Params     src/kernel/top_k.rs (`TopKParams`), layout checked by tests/shaders.rs
// In / Out   f32 [.., len, ..] / f32 [.., k, ..]
// Dispatch   ceil(values / 64) workgroups folded over x, y
struct Params {
    values: u32,
    len: u32,
    inner: u32,
    k: u32,
    smallest: u32,
    indices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 64u + local;
    if index >= params.values {
        return;
    }
    let outer = index / params.inner / params.len;
    let own = index / params.inner % params.len;
    let start = group.z * params.values + outer * params.len * params.inner + index % params.inner;
    let value = x(start + own * params.inner);
    // How many values come before this one is its place; every place belongs to one value alone.
    var place = 0u;
    var nan = false;
    for (var other = 0u; other < params.len; other++) {
        let rival = x(start + other * params.inner);
        nan = nan || is_nan(rival);
        let wins = select(rival > value, rival < value, params.smallest == 1u);
        place += select(0u, 1u, wins || (rival == value && other < own));
    }
    // A row with NaN has no order, and is NaN as a whole.
    place = select(place, own, nan);
    if place < params.k {
        let result = select(value, f32(own), params.indices == 1u);
        let rows = params.values / params.len;
        let goal = (group.z * rows + outer * params.inner) * params.k + index % params.inner;
        put(goal + place * params.inner, select(result, quiet_nan(local), nan));
    }
}
