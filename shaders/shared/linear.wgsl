
// linear: the place of a workgroup in the row that was folded over x and y (src/kernel/grid.rs).
fn linear(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
