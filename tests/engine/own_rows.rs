//! Results to keep: documents, rows and places by value, and the engine as a method of an iterator.

use gapless::{Cause, IteratorExt as _, OnFailure, Pipeline, Position};

use crate::support::{double, expected, plus_one, watch};

#[test]
fn rows_by_value_are_those_that_are_lent_with_their_places() {
    let _watch = watch();
    let odd = |number: &mut u64| if *number % 3 == 1 { Err(Cause::msg("planted")) } else { double(number) };
    let mut run = Pipeline::new(odd, plus_one).batch_size(4).on_failure(OnFailure::Skip).run(0..30);
    let mut seen = Vec::new();
    for batch in run.by_ref() {
        let batch = batch.unwrap();
        let lent: Vec<_> = batch.rows().map(|(document, row)| (*document, *row)).collect();
        let places: Vec<_> = batch.positions().to_vec();
        let own: Vec<(Position, u64, u64)> = batch.into_rows().collect();
        assert_eq!(own.iter().map(|(_, document, row)| (*document, *row)).collect::<Vec<_>>(), lent);
        assert_eq!(own.iter().map(|(place, _, _)| *place).collect::<Vec<_>>(), places);
        seen.extend(own);
    }
    let good = (0..30).filter(|number| number % 3 != 1);
    let seen = seen.into_iter().map(|(place, document, row)| (place.get(), document, row));
    assert!(seen.eq(good.map(|number| (number, number, expected(number)))));
}

#[test]
fn a_batch_is_an_iterator_that_knows_its_length() {
    let _watch = watch();
    let mut run = (0..10).gapless(double, plus_one);
    let mut batch = run.next().unwrap().unwrap().into_iter();
    assert_eq!(batch.size_hint(), (10, Some(10)));
    assert_eq!(batch.next(), Some((0, 1)));
    assert_eq!(batch.size_hint(), (9, Some(9)));
    assert_eq!(batch.last(), Some((9, expected(9))));
}

#[test]
fn documents_that_were_taken_out_of_their_batch_are_in_no_row() {
    let _watch = watch();
    let take_one = |batch: &mut Vec<u64>| {
        let numbers = batch.clone();
        batch.pop();
        Ok::<_, Cause>(numbers)
    };
    let gpu = |batch: &[Vec<u64>]| Ok::<_, Cause>(batch[0].clone());
    let mut run = Pipeline::per_batch(take_one, gpu).batch_size(3).run(0..3);
    let batch = run.next().unwrap().unwrap();
    assert_eq!(batch.into_iter().collect::<Vec<_>>(), [(0, 0), (1, 1)]);
}

#[test]
fn any_iterator_can_be_worked_on_by_all_cores() {
    let _watch = watch();
    let doubled = (0..100_u64).filter(|number| number % 2 == 0).parallel_map(double).workers(2).collect();
    assert_eq!(doubled.unwrap(), (0..100).step_by(2).map(|number| 2 * number).collect::<Vec<_>>());
}
