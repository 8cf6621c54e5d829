
// Where four columns of a product begin; what is not inside counts as zero.
struct Four {
    at: vec4<u32>,
    inside: vec4<bool>,
}
