
// bias_of: what is added to every value of an output channel, where there is a bias.
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn bias_of(output: u32) -> f32 {
    return bias[output];
}
