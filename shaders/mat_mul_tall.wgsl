// mat_mul_tall: the product of two matrices, one invocation per tile of 16 rows, of all items where one b multiplies them, by eight columns.
//
// CPU twin   src/kernel/mat_mul.rs (`MatMul::twin`)
// Params     src/kernel/mat_mul.rs (`MatMulParams`), layout checked by tests/shaders.rs
// In / Out   f32 or f16 [.., m, k], f32 or f16 [.., k, n], f32 [n] where there is a bias / f32 [.., m, n]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = matrices * tiles_down * tiles_across

// Params follow in shared/matrices.wgsl, the place of rows in shared/rows_of_items.wgsl.

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
    let row = place_tile(place / params.tiles_across, 16u, group.z, groups.z);
    if row >= row_end {
        return;
    }
    let column = (place % params.tiles_across) * 8u;
    let four = vec4(0u, 1u, 2u, 3u);

    // Places past an end compute the last one again, and are not written.
    let last = vec4(row_end - 1u);
    let rows = array(
        start.x + min(row + four, last) * params.a_row,
        start.x + min(row + 4u + four, last) * params.a_row,
        start.x + min(row + 8u + four, last) * params.a_row,
        start.x + min(row + 12u + four, last) * params.a_row,
    );
    let left = start.y + min(column + four, vec4(params.n - 1u)) * params.b_column;
    let right = start.y + min(column + 4u + four, vec4(params.n - 1u)) * params.b_column;
    var sums = Tall();
    add_products(
        &sums,
        params.k,
        rows,
        params.a_term,
        Four(left, vec4(true)),
        Four(right, vec4(true)),
        params.b_term,
    );
    finish_tall(&sums, row, column, vec2(row_end, params.n));
}

fn a_at(at: vec4<u32>) -> vec4<f32> {
    return vec4(a(at.x), a(at.y), a(at.z), a(at.w));
}

fn b_at(at: vec4<u32>) -> vec4<f32> {
    return vec4(b(at.x), b(at.y), b(at.z), b(at.w));
}

fn finish_at(row: u32, column: u32, sum: f32) {
    put(y_start + row * params.n + column, column, sum);
}
