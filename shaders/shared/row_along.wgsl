
// start_of: where a row along one axis starts; its values are `params.inner` apart.
fn start_of(row: u32) -> u32 {
    return row / params.inner * params.inner * params.len + row % params.inner;
}
