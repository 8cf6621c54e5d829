
struct Params {
    channels_in_group: u32,
    outputs_in_group: u32,
    height: u32,
    width: u32,
    out_width: u32,
    out_pixels: u32,
    in_len: u32,
    out_len: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: i32,
    stride_x: i32,
    pad_top: i32,
    pad_left: i32,
    dilation_y: i32,
    dilation_x: i32,
    tiles_down: u32,
    tiles_across: u32,
    work: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
