
// activate: the function that may follow a sum (src/kernel/activation.rs); NaN stays NaN.
override activation: u32 = 0u;

fn activate(x: f32) -> f32 {
    if activation == 0u || is_nan(x) {
        return x;
    }
    switch activation {
        case 1u: {
            return max(min(x, params.beta), params.alpha);
        }
        case 2u: {
            return max(x, 0.0);
        }
        case 3u: {
            return select(x, params.alpha * x, x < 0.0);
        }
        case 4u: {
            return sigmoid(x);
        }
        case 5u: {
            return clamp(params.alpha * x + params.beta, 0.0, 1.0);
        }
        case 6u: {
            return x * clamp(params.alpha * x + params.beta, 0.0, 1.0);
        }
        case 7u: {
            return x * sigmoid(x);
        }
        default: {
            // Some devices give NaN where exp(2x) is too large for a float.
            return tanh(clamp(x, -16.0, 16.0));
        }
    }
}

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

fn activate4(x: vec4<f32>) -> vec4<f32> {
    return vec4(activate(x.x), activate(x.y), activate(x.z), activate(x.w));
}
