
// Where four pixels of the output meet one value of the kernel in a plane of the input.
fn seen(pixels: vec4<u32>, tap: u32) -> Four {
    let row = vec4<i32>(pixels / params.out_width) * params.stride_y - params.pad_top
        + i32(tap / params.kernel_width) * params.dilation_y;
    let column = vec4<i32>(pixels % params.out_width) * params.stride_x - params.pad_left
        + i32(tap % params.kernel_width) * params.dilation_x;
    let inside = (row >= vec4(0)) & (row < vec4(i32(params.height)))
        & (column >= vec4(0)) & (column < vec4(i32(params.width)));
    let at = select(vec4(0), row * i32(params.width) + column, inside);
    return Four(vec4<u32>(at), inside);
}
