// mat_mul_tiled_vec4: the product of two matrices in vectors of four, one workgroup per tile of 64 rows, of all items where one b multiplies them, by 64 columns.
//
// CPU twin   src/kernel/mat_mul.rs (`MatMul::twin`)
// Params     src/kernel/mat_mul.rs (`MatMulParams`), layout checked by tests/shaders.rs
// In / Out   f32 or f16 [.., m, k], f32 or f16 [.., k, n], f32 [n] where there is a bias / f32 [.., m, n]; the axes that a and b lie along and n are multiples of four
// Dispatch   work workgroups folded over x, y; work = matrices * tiles_down * tiles_across

// Params follow in shared/matrices.wgsl;
// main in shared/matrix_tiles.wgsl, the place of rows in shared/rows_of_items.wgsl.

// One term of four rows or four terms of one row, as a lies; what is past the end of the rows is their last again.
fn a_four(row: u32, term: u32) -> vec4<f32> {
    if term >= params.k {
        return vec4(0.0);
    }
    return a4(start.x + min(row, row_end - 1u) * params.a_row + term * params.a_term);
}

// One term of four columns or four terms of one column, as b lies; what is past the end of the columns is their last again.
fn b_four(term: u32, column: u32) -> vec4<f32> {
    if term >= params.k {
        return vec4(0.0);
    }
    return b4(start.y + min(column, params.n - 1u) * params.b_column + term * params.b_term);
}

fn finish_at(row: u32, column: u32, sums: vec4<f32>) {
    put4(y_start + row * params.n + column, column + vec4(0u, 1u, 2u, 3u), sums);
}
