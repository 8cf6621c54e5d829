
// Whether the rows of all items are those of one matrix, one item behind the other, so that tiles are full where
// an item has few rows. There are workgroups for every item alone, and more than all tiles need.
override joined: bool = false;

// Where this matrix of the output begins, and where the matrices of a and b begin that give it.
var<private> y_start: u32;
var<private> start: vec2<u32>;
// The first row behind it.
var<private> row_end: u32;

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
    let column = (tile % params.tiles_across) * 64u;
    var row = (down % params.tiles_down) * 64u;
    row_end = params.m;
    if joined {
        row += group.z * params.tiles_down * 64u;
        row_end *= groups.z;
        if row >= row_end {
            return;
        }
    } else {
        let matrix = down / params.tiles_down;
        start = starts(matrix) + group.z * vec2(params.a_item, params.b_item);
        y_start = group.z * params.out_len + matrix * params.m * params.n;
    }
    compute_tile(row, column, vec2(row_end, params.n), params.k, local);
}
