// mat_mul_tiled: the product of two matrices, one workgroup per tile of 64 rows, of all items where one b multiplies them, by 64 columns.
//
// CPU twin   src/kernel/mat_mul.rs (`MatMul::twin`)
// Params     src/kernel/mat_mul.rs (`MatMulParams`), layout checked by tests/shaders.rs
// In / Out   f32 or f16 [.., m, k], f32 or f16 [.., k, n], f32 [n] where there is a bias / f32 [.., m, n]
// Dispatch   work workgroups folded over x, y; work = matrices * tiles_down * tiles_across

// Params follow in shared/matrices.wgsl;
// main in shared/matrix_tiles.wgsl, the place of rows in shared/rows_of_items.wgsl.

// One term of four rows; those past the end are the last one again.
fn a_at(row: u32, term: u32) -> vec4<f32> {
    if term >= params.k {
        return vec4(0.0);
    }
    let rows = min(row + vec4(0u, 1u, 2u, 3u), vec4(row_end - 1u));
    let at = start.x + rows * params.a_row + term * params.a_term;
    return vec4(a(at.x), a(at.y), a(at.z), a(at.w));
}

// One term of four columns; those past the end are the last one again.
fn b_at(term: u32, column: u32) -> vec4<f32> {
    if term >= params.k {
        return vec4(0.0);
    }
    let columns = min(column + vec4(0u, 1u, 2u, 3u), vec4(params.n - 1u));
    let at = start.y + columns * params.b_column + term * params.b_term;
    return vec4(b(at.x), b(at.y), b(at.z), b(at.w));
}

fn finish_at(row: u32, column: u32, sum: f32) {
    put(y_start + row * params.n + column, column, sum);
}
