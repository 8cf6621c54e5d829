
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
    let row = place_tile(tile / params.tiles_across, 64u, group.z, groups.z);
    let end = end_of_rows(groups.z);
    if row >= end {
        return;
    }
    compute_tile(row, (tile % params.tiles_across) * 64u, vec2(end, params.n), params.k, local);
}
