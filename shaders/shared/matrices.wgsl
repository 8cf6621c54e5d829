
struct Params {
    // The leading axes of the output, and how far a step on each of them goes in a and b: 0 where it is broadcast.
    leading: array<vec4<u32>, 2>,
    a_leading: array<vec4<u32>, 2>,
    b_leading: array<vec4<u32>, 2>,
    m: u32,
    n: u32,
    k: u32,
    // How far a step of one item, row, column or term goes; the item's is 0 for a constant.
    a_item: u32,
    b_item: u32,
    a_row: u32,
    a_term: u32,
    b_term: u32,
    b_column: u32,
    out_len: u32,
    tiles_down: u32,
    tiles_across: u32,
    work: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Where the matrices of a and b begin that give this matrix of the output.
fn starts(matrix: u32) -> vec2<u32> {
    var left = matrix;
    var start = vec2(0u);
    for (var axis = 8u; axis > 0u; axis--) {
        let i = axis - 1u;
        let length = params.leading[i / 4u][i % 4u];
        start += (left % length) * vec2(params.a_leading[i / 4u][i % 4u], params.b_leading[i / 4u][i % 4u]);
        left /= length;
    }
    return start;
}
