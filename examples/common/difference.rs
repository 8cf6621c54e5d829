//! How far the outputs of one device are from those of another.

use std::collections::BTreeMap;

/// Every output for each document, by its place.
pub(crate) type Rows = BTreeMap<u64, Vec<f32>>;

/// The largest difference between two values of the same place.
///
/// # Errors
/// Not the same documents, not as many values, or a difference that is no finite number: no figure may
/// hide one of these.
pub(crate) fn largest_difference(rows: &Rows, others: &Rows) -> Result<f32, String> {
    if let Some(place) = rows.keys().chain(others.keys()).find(|place| !(both(rows, others, **place))) {
        return Err(format!("the outputs of document {place} are there on one of two devices only"));
    }
    let mut largest: f32 = 0.0;
    for ((place, row), other) in rows.iter().zip(others.values()) {
        if row.len() != other.len() {
            return Err(format!("document {place} has {} outputs and {}", row.len(), other.len()));
        }
        for (value, other) in row.iter().zip(other) {
            let difference = (value - other).abs();
            if !difference.is_finite() {
                return Err(format!("an output of document {place} is {value} and {other} on the twins"));
            }
            largest = largest.max(difference);
        }
    }
    Ok(largest)
}

fn both(rows: &Rows, others: &Rows, place: u64) -> bool {
    rows.contains_key(&place) && others.contains_key(&place)
}
