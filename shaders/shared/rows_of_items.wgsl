
// Whether tiles reach over the rows of all items, one item behind the other, so that they are full where an item
// has few rows. Workgroups are counted item by item, so there are at least as many as such tiles; those
// behind the last one return.
override over_items: bool = false;

// Where this matrix of the output begins, and where the matrices of a and b begin that give it.
var<private> y_start: u32;
var<private> start: vec2<u32>;
// The first row behind the matrix, or behind all of them where tiles reach over items.
var<private> row_end: u32;

// The last of the above. A barrier stands behind a branch on the result of this only: of a variable it is not known that
// all invocations have the same in it.
fn end_of_rows(items: u32) -> u32 {
    return select(params.m, params.m * items, over_items);
}

// Sets all of the above for a tile of `size` rows, and gives its first row; `tile` counts those of an item downwards.
fn place_tile(tile: u32, size: u32, item: u32, items: u32) -> u32 {
    let row = (tile % params.tiles_down) * size;
    row_end = end_of_rows(items);
    if over_items {
        return row + item * params.tiles_down * size;
    }
    let matrix = tile / params.tiles_down;
    start = starts(matrix) + item * vec2(params.a_item, params.b_item);
    y_start = item * params.out_len + matrix * params.m * params.n;
    return row;
}
