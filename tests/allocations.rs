//! What a document and a batch cost in allocations, where nothing of them owns memory.
//!
//! One test, because the allocator that counts is the whole process's. The caller does all the work: with threads
//! the pool allocates when it wakes a worker, and how often that is depends on time.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait; every call goes to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use gapless::{Cause, Pipeline, Watchdog};

struct Counting;

static TAKEN: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of a run over so many documents, in batches of 64 that give one number each.
fn allocations(documents: u64, watched: bool) -> u64 {
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let before = TAKEN.load(Relaxed);
    let mut pipeline = Pipeline::new(cpu, gpu).workers(0).batch_size(64);
    if watched {
        pipeline = pipeline.watchdog(Duration::from_secs(3600), Watchdog::End);
    }
    let run = pipeline.run(0..documents);
    let sum: u64 = run.map(|batch| *batch.expect("nothing fails").output().expect("an output")).sum();
    assert_eq!(sum, documents * (documents - 1) / 2);
    TAKEN.load(Relaxed) - before
}

#[test]
fn a_document_costs_no_allocation_and_a_batch_two() {
    for watched in [false, true] {
        allocations(640, watched);
        let (few, many) = (allocations(6_400, watched), allocations(64_000, watched));
        // Places and documents go to the caller with each batch; all else is used again. Who is watched takes
        // memory at the start alone.
        assert_eq!((many - few) / 900, 2, "{few} and {many}, watched: {watched}");
    }
}
