
// A tile of 64 rows by 64 columns that a workgroup of 64 invocations computes, 8 by 8 each, through
// workgroup memory: 16 terms at a time (shared/fill*.wgsl), 8.25 KiB of the 16 KiB that every device has, or
// half of that where values are kept as halves (shared/kept*.wgsl).
//
// Every value comes from global memory once a tile: 128 reads for 4,096 multiply-adds a term, or 8
// multiply-adds a byte in 32-bit floats where both come from memory. In the inner loop
// (shared/products*.wgsl) an invocation reads four vectors of workgroup memory for 64 multiply-adds. It
// keeps 64 sums and 16 values, about 100 registers, so that some ten workgroups (20 warps of 32) fit on one
// processor of a current GPU; sums of halves take 32 registers more while 16 terms last.
const TERMS = 16u;
const ROW_STRIDE = 17u;

var<workgroup> a_tile: array<Kept, 272>;
var<workgroup> b_tile: array<Kept, 256>;

// The sums of an invocation: those on the right are 32 columns from those on the left.
struct Sums {
    top_left: mat4x4<f32>,
    top_right: mat4x4<f32>,
    low_left: mat4x4<f32>,
    low_right: mat4x4<f32>,
}

// The tile at `row` and `column`, over so many terms. All invocations must call it.
fn compute_tile(row: u32, column: u32, ends: vec2<u32>, terms: u32, local: u32) {
    let down = local / 8u * 2u;
    let across = local % 8u;
    var sums = Sums();
    for (var first = 0u; first < terms; first += TERMS) {
        fill(row, column, first, local);
        workgroupBarrier();
        add_products(&sums, down, across);
        workgroupBarrier();
    }
    let y_row = row + down * 4u;
    let y_column = column + across * 4u;
    finish16(y_row, y_column, ends, sums.top_left);
    finish16(y_row, y_column + 32u, ends, sums.top_right);
    finish16(y_row + 4u, y_column, ends, sums.low_left);
    finish16(y_row + 4u, y_column + 32u, ends, sums.low_right);
}
