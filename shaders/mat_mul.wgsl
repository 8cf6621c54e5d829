// mat_mul: the product of two matrices, one invocation per tile of four rows by four columns.
//
// CPU twin   src/kernel/mat_mul.rs (`MatMul::twin`)
// Params     src/kernel/mat_mul.rs (`MatMulParams`), layout checked by tests/shaders.rs
// In / Out   f32 or f16 [.., m, k], f32 or f16 [.., k, n], f32 [n] where there is a bias / f32 [.., m, n]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = matrices * tiles_down * tiles_across

// Params follow in shared/matrices.wgsl.

// Where the matrix starts that is written.
var<private> matrix_at: u32;

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
    let first_column = (place % params.tiles_across) * 4u;
    let tile = place / params.tiles_across;
    let first_row = (tile % params.tiles_down) * 4u;
    let matrix = tile / params.tiles_down;
    let start = starts(matrix) + group.z * vec2(params.a_item, params.b_item);
    // Places past an end compute the last one again, and are not written.
    let rows = min(first_row + vec4(0u, 1u, 2u, 3u), vec4(params.m - 1u));
    let columns = min(first_column + vec4(0u, 1u, 2u, 3u), vec4(params.n - 1u));
    var at = start.x + rows * params.a_row;
    var bt = start.y + columns * params.b_column;

    // One column a row of the tile.
    var sums = mat4x4<f32>();
    for (var term = 0u; term < params.k; term++) {
        let values = vec4(b(bt.x), b(bt.y), b(bt.z), b(bt.w));
        sums[0] += a(at.x) * values;
        sums[1] += a(at.y) * values;
        sums[2] += a(at.z) * values;
        sums[3] += a(at.w) * values;
        at += params.a_term;
        bt += params.b_term;
    }

    matrix_at = group.z * params.out_len + matrix * params.m * params.n;
    finish16(first_row, first_column, vec2(params.m, params.n), sums);
}

fn finish_at(row: u32, column: u32, sum: f32) {
    put(matrix_at + row * params.n + column, column, sum);
}
