
// main: one invocation per value of the output. `value_at` gives it, from its index in the item and the item.
@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 256u + local;
    if index >= params.len {
        return;
    }
    put(group.z * params.len + index, value_at(index, group.z, local));
}
