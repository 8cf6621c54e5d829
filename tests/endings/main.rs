//! Every way in which a run can end, on every face, at every index of a small run, with a source that is
//! fast, slow, or blocks for ever: the accounts balance by the counting of the documents themselves, and
//! threads and descriptors are back.
//!
//! One test a row of that table. A failure names its cell: face, index, source.

mod cell;
mod expected;
mod found;
#[allow(dead_code, reason = "each test uses its part of what they share")]
#[path = "../faults/kit/mod.rs"]
mod kit;
mod script;
mod table;

use crate::cell::Ending;
use crate::table::row;

#[test]
fn every_run_that_finishes_has_delivered_all() {
    row(Ending::Finished);
}

#[test]
fn a_document_that_fails_ends_the_run_after_what_stands_before_it() {
    row(Ending::FailsInCpu);
}

#[test]
fn a_batch_that_fails_on_the_device_ends_the_run_in_its_place() {
    row(Ending::FailsOnDevice);
}

#[test]
fn a_document_that_fails_in_then_ends_the_run_in_its_place() {
    row(Ending::FailsInThen);
}

#[test]
fn more_failures_than_the_budget_has_end_the_run() {
    row(Ending::BudgetIsSpent);
}

#[test]
fn a_run_can_be_stopped_after_any_result() {
    row(Ending::Stopped);
}

#[test]
fn a_run_can_be_dropped_after_any_result() {
    row(Ending::Dropped);
}

#[test]
fn a_run_that_is_late_ends_with_its_deadline() {
    row(Ending::Deadline);
}

#[test]
fn a_run_in_which_a_document_is_never_prepared_is_ended_by_its_watchdog() {
    row(Ending::StalledInCpu);
}

#[test]
fn a_run_whose_device_never_answers_is_ended_by_its_watchdog() {
    row(Ending::StalledOnDevice);
}

#[test]
fn a_source_that_panics_ends_the_run_after_everything_before_it() {
    row(Ending::SourcePanics);
}

#[test]
fn a_device_that_is_given_up_ends_the_run_where_it_was_the_last() {
    row(Ending::DeviceIsGivenUp);
}

#[test]
fn values_that_panic_when_they_are_dropped_end_no_run() {
    row(Ending::DropsPanic);
}
