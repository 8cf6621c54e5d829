
// A tall tile: 16 rows by 8 columns of sums that one invocation keeps. Every step of its loop reads
// 24 values for 128 multiply-adds, so it is fast where a read is dear and registers are not, as on a
// software Vulkan, which reads lane by lane.
struct Tall {
    // Four rows each: columns 0 to 3 in `left`, 4 to 7 in `right`.
    left: array<mat4x4<f32>, 4>,
    right: array<mat4x4<f32>, 4>,
}

// Adds `count` products: from one to the next, rows go on by `row_step` and columns by `column_step`.
fn add_products(
    tile: ptr<function, Tall>,
    count: u32,
    rows: array<vec4<u32>, 4>,
    row_step: u32,
    left: Four,
    right: Four,
    column_step: u32,
) {
    for (var index = 0u; index < count; index++) {
        let row = index * row_step;
        let column = index * column_step;
        let l = select(vec4(0.0), b_at(left.at + column), left.inside);
        let r = select(vec4(0.0), b_at(right.at + column), right.inside);
        let rows0 = a_at(rows[0] + row);
        tile.left[0] = outer(tile.left[0], rows0, l);
        tile.right[0] = outer(tile.right[0], rows0, r);
        let rows1 = a_at(rows[1] + row);
        tile.left[1] = outer(tile.left[1], rows1, l);
        tile.right[1] = outer(tile.right[1], rows1, r);
        let rows2 = a_at(rows[2] + row);
        tile.left[2] = outer(tile.left[2], rows2, l);
        tile.right[2] = outer(tile.right[2], rows2, r);
        let rows3 = a_at(rows[3] + row);
        tile.left[3] = outer(tile.left[3], rows3, l);
        tile.right[3] = outer(tile.right[3], rows3, r);
    }
}

fn finish_tall(tile: ptr<function, Tall>, row: u32, column: u32, ends: vec2<u32>) {
    finish16(row, column, ends, tile.left[0]);
    finish16(row, column + 4u, ends, tile.right[0]);
    finish16(row + 4u, column, ends, tile.left[1]);
    finish16(row + 4u, column + 4u, ends, tile.right[1]);
    finish16(row + 8u, column, ends, tile.left[2]);
    finish16(row + 8u, column + 4u, ends, tile.right[2]);
    finish16(row + 12u, column, ends, tile.left[3]);
    finish16(row + 12u, column + 4u, ends, tile.right[3]);
}
