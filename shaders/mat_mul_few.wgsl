// mat_mul_few: the product of a few rows with a matrix, one workgroup per tile of four rows by `columns` columns.
//
// CPU twin   src/kernel/mat_mul.rs (`MatMul::twin`)
// Params     src/kernel/mat_mul.rs (`MatMulParams`), layout checked by tests/shaders.rs
// In / Out   f32 or f16 [.., m, k], f32 or f16 [.., k, n], f32 [n] where there is a bias / f32 [.., m, n]
// Dispatch   work workgroups folded over x, y; work = matrices * tiles_down * tiles_across

// Params follow in shared/matrices.wgsl.

// Columns of a tile, a power of two up to 64: 64 / columns invocations share the terms of each.
override columns: u32;

// Where the matrix starts that is written.
var<private> matrix_at: u32;

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
    let matrix = down / params.tiles_down;
    let start = starts(matrix) + group.z * vec2(params.a_item, params.b_item);
    let row = (down % params.tiles_down) * 4u;
    let column = (tile % params.tiles_across) * columns + local % columns;

    // Places past an end compute the last one again, and are not written.
    var at = start.x + min(row + vec4(0u, 1u, 2u, 3u), vec4(params.m - 1u)) * params.a_row;
    var bt = start.y + min(column, params.n - 1u) * params.b_column;
    let step = 64u / columns;
    at += local / columns * params.a_term;
    bt += local / columns * params.b_term;
    var part = vec4(0.0);
    for (var term = local / columns; term < params.k; term += step) {
        part += a_at(at) * b(bt);
        at += step * params.a_term;
        bt += step * params.b_term;
    }

    let sums = sum_of_column(local, part);
    if local >= columns || column >= params.n {
        return;
    }
    matrix_at = group.z * params.out_len + matrix * params.m * params.n;
    finish4(column, row, vec2(column + 1u, params.m), sums);
}

// Of one column, the sums of several rows.
fn finish_at(column: u32, row: u32, sum: f32) {
    put(matrix_at + row * params.n + column, column, sum);
}

fn a_at(at: vec4<u32>) -> vec4<f32> {
    if params.m == 1u {
        return vec4(a(at.x));
    }
    return vec4(a(at.x), a(at.y), a(at.z), a(at.w));
}
