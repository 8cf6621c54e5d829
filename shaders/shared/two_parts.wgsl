
// value_of: value `at` of one of two inputs.
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn value_of(part: u32, at: u32) -> f32 {
    switch part {
        case 0u: { return a[at]; }
        default: { return b[at]; }
    }
}
