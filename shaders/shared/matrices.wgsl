
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
