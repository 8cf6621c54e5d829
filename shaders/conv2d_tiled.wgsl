// conv2d_tiled: convolution as a product of matrices, one workgroup per tile of 64 outputs of one group by 64 pixels of all items.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   work workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl;
// main in shared/conv2d_tiles.wgsl.

// Where each of the tile's columns meets each value of the kernel in the first plane that it sees, four columns beside
// each other in a vector; worked out once a tile, since it is the same for all channels.
var<workgroup> places: array<vec4<u32>, PLACES>;
const NOWHERE = 0xffffffffu;

// The first column of the tile.
var<private> first_column: u32;

// One term of four outputs; those past the end are the last one again.
fn a_at(output: u32, term: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let at = min(output + vec4(0u, 1u, 2u, 3u), vec4(ends.x - 1u)) * terms() + term;
    return vec4(weight(at.x), weight(at.y), weight(at.z), weight(at.w));
}

// Columns past the end are the last one again.
fn prepare(column: u32, local: u32) {
    for (var place = local; place < PLACES; place += 64u) {
        let columns = min(column + place % 16u * 4u + vec4(0u, 1u, 2u, 3u), vec4(ends.y - 1u));
        let items = columns / params.out_pixels;
        let four = seen(columns - items * params.out_pixels, place / 16u);
        places[place] = select(vec4(NOWHERE), source + items * params.in_len + four.at, four.inside);
    }
    first_column = column;
    workgroupBarrier();
}

// What four columns give to one term.
fn b_at(term: u32, column: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let taps = params.kernel_height * params.kernel_width;
    let four = places[term % taps * 16u + (column - first_column) / 4u];
    let inside = four != vec4(NOWHERE);
    let at = select(vec4(0u), four + term / taps * params.height * params.width, inside);
    return select(vec4(0.0), vec4(x(at.x), x(at.y), x(at.z), x(at.w)), inside);
}

fn finish_at(output: u32, column: u32, sum: f32) {
    let item = column / params.out_pixels;
    let pixel = column - item * params.out_pixels;
    put(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
