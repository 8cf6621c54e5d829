
// finish: four sums and the biases of their outputs become a vector; `place` is that of the first value.
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

fn finish(place: u32, outputs: vec4<u32>, sums: vec4<f32>) {
    let biases = vec4(bias[outputs.x], bias[outputs.y], bias[outputs.z], bias[outputs.w]);
    y[place / 4u] = activate4(sums + biases);
}
