//! Thousands of runs of every face with random settings, and user code that misbehaves in every way that its
//! types allow: every document that the source gave ends exactly once, in order, with the right value and
//! exact accounts; nothing of a run is left in memory, and no thread or descriptor of it.
//!
//! `embed` has runs of its own, since its documents are [`gapless::doc::Doc`]s and cannot be counted as they drop.

mod cpu;
mod device;
mod embed;
mod ends;
#[allow(dead_code, reason = "each test uses its part of what they share")]
mod kit;
mod plan;
mod random;
mod run;
mod seeds;

use crate::plan::Plan;
use crate::run::run_one;
use crate::seeds::Seeds;

#[test]
fn twenty_thousand_faulted_runs_lose_no_document_and_leave_no_thread() {
    Seeds {
        test: "twenty_thousand_faulted_runs_lose_no_document_and_leave_no_thread",
        one_in: 1,
        show: |seed| format!("{:#?}", Plan::new(seed)),
        run: |seed| run_one(Plan::new(seed)),
    }
    .run();
}

#[test]
fn a_thousand_faulted_embeds_put_every_document_back_into_its_place() {
    Seeds {
        test: "a_thousand_faulted_embeds_put_every_document_back_into_its_place",
        one_in: 20,
        show: |seed| format!("{:#?}", embed::Plan::new(seed)),
        run: |seed| embed::run_one(embed::Plan::new(seed)),
    }
    .run();
}
