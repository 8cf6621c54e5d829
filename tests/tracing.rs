//! Spans and events of runs through `tracing`, as a subscriber sees them.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use gapless::{Cause, GpuStage, OnFailure, Pipeline, StageError, parallel};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What a subscriber was told.
#[derive(Clone, Debug)]
struct Seen {
    /// The span, or the message of the event, with the spans around it.
    path: String,
    level: tracing::Level,
    fields: String,
}

/// Keeps everything up to a level.
struct Notes {
    most: AtomicUsize,
    ids: AtomicU64,
    open: Mutex<Vec<(u64, String)>>,
    seen: Mutex<Vec<Seen>>,
}

thread_local! {
    /// Spans that this thread is in.
    static INSIDE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

const LEVELS: [LevelFilter; 3] = [LevelFilter::WARN, LevelFilter::DEBUG, LevelFilter::TRACE];

impl Notes {
    fn level(&self) -> LevelFilter {
        LEVELS[self.most.load(Ordering::SeqCst)]
    }

    /// The path of a span or an event: below the parent that was given, else where the thread is.
    fn path(&self, parent: Option<&Id>, contextual: bool, name: &str) -> String {
        let current = INSIDE.with_borrow(|inside| inside.last().copied());
        let parent = parent.map(Id::into_u64).or(current.filter(|_| contextual));
        let open = self.open.lock().unwrap();
        let above = parent.and_then(|parent| open.iter().find(|(id, _)| *id == parent));
        above.map_or_else(|| name.to_owned(), |(_, path)| format!("{path} > {name}"))
    }

    fn note(&self, path: String, metadata: &Metadata<'_>, fields: Fields) {
        self.seen.lock().unwrap().push(Seen { path, level: *metadata.level(), fields: fields.text });
    }
}

/// The fields of a span or an event, and the message apart.
#[derive(Default)]
struct Fields {
    text: String,
    message: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.text += &format!("{}={value:?} ", field.name());
        }
    }
}

struct Shared(Arc<Notes>);

impl Subscriber for Shared {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.0.level() && !metadata.target().starts_with("wgpu")
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.ids.fetch_add(1, Ordering::SeqCst) + 1;
        let mut fields = Fields::default();
        span.record(&mut fields);
        let path = self.0.path(span.parent(), span.is_contextual(), span.metadata().name());
        self.0.open.lock().unwrap().push((id, path.clone()));
        self.0.note(path, span.metadata(), fields);
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let path = self.0.path(event.parent(), event.is_contextual(), &fields.message);
        self.0.note(path, event.metadata(), fields);
    }

    fn enter(&self, span: &Id) {
        INSIDE.with_borrow_mut(|inside| inside.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        assert_eq!(INSIDE.with_borrow_mut(Vec::pop), Some(span.into_u64()), "spans are left in order");
    }
}

/// What is told while this runs, at most at this level; one run at a time.
fn told(level: LevelFilter, run: impl FnOnce()) -> Vec<Seen> {
    static NOTES: OnceLock<Arc<Notes>> = OnceLock::new();
    static ONE: Mutex<()> = Mutex::new(());
    let _one: MutexGuard<'_, ()> = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let notes = NOTES.get_or_init(|| {
        let notes = Arc::new(Notes {
            most: AtomicUsize::new(0),
            ids: AtomicU64::new(0),
            open: Mutex::default(),
            seen: Mutex::default(),
        });
        tracing::subscriber::set_global_default(Shared(notes.clone())).expect("it is the first");
        notes
    });
    let most = LEVELS.iter().position(|other| *other == level).expect("one of the three");
    notes.most.store(most, Ordering::SeqCst);
    notes.seen.lock().unwrap().clear();
    run();
    std::mem::take(&mut notes.seen.lock().unwrap())
}

fn paths(seen: &[Seen]) -> Vec<&str> {
    let mut paths: Vec<&str> = seen.iter().map(|seen| &seen.path[..]).collect();
    paths.sort_unstable();
    paths
}

fn fields<'a>(seen: &'a [Seen], path: &str) -> Vec<&'a str> {
    seen.iter().filter(|seen| seen.path == path).map(|seen| seen.fields.trim_end()).collect()
}

/// Users' own events in all functions of a run.
fn chatty(level: LevelFilter) -> Vec<Seen> {
    let source = || (0..2_u64).inspect(|_| tracing::info!("in source"));
    let prepare = |n: &mut u64| {
        tracing::info!("in prepare");
        Ok::<_, Cause>(*n)
    };
    let gpu = |batch: &[u64]| {
        tracing::info!("in submit");
        Ok::<_, Cause>(batch.to_vec())
    };
    let then = |_: &mut u64, _: &u64| {
        tracing::info!("in then");
        Ok::<_, Cause>(())
    };
    told(level, || {
        let run = Pipeline::new(prepare, gpu).then(then).batch_size(2).workers(1).run(source());
        assert_eq!(run.count(), 1);
    })
}

#[test]
fn users_events_fall_into_the_spans_of_their_documents_and_batches() {
    let seen = chatty(LevelFilter::TRACE);
    let expected = [
        "run",
        "run > batch",
        "run > batch > in submit",
        "run > ended",
        "run > in source",
        "run > in source",
        "run > prepare",
        "run > prepare",
        "run > prepare > in prepare",
        "run > prepare > in prepare",
        "run > then",
        "run > then",
        "run > then > in then",
        "run > then > in then",
    ];
    assert_eq!(paths(&seen), expected);
    assert_eq!(fields(&seen, "run > prepare"), ["position=0", "position=1"]);
    assert_eq!(fields(&seen, "run > then"), ["position=0", "position=1"]);
    assert_eq!(fields(&seen, "run > batch"), ["batch=0 items=2 device=\"closure\""]);
    let run = fields(&seen, "run")[0];
    assert!(run.starts_with("workers=1 devices=1 batch_size=2 tokens="), "{run}");
    let accounts = "ending=\"finished\" pulled=2 delivered=2 failed=0 cancelled=0 stuck=0";
    assert_eq!(fields(&seen, "run > ended"), [accounts]);
}

#[test]
fn without_spans_for_documents_their_events_fall_into_the_run() {
    let seen = chatty(LevelFilter::DEBUG);
    let expected = [
        "run",
        "run > batch",
        "run > batch > in submit",
        "run > ended",
        "run > in prepare",
        "run > in prepare",
        "run > in source",
        "run > in source",
        "run > in then",
        "run > in then",
    ];
    assert_eq!(paths(&seen), expected);
}

#[test]
fn a_healthy_run_is_silent_where_only_warnings_are_wanted() {
    assert_eq!(paths(&chatty(LevelFilter::WARN)), [""; 0]);
}

#[test]
fn failures_are_warnings_with_place_stage_and_cause() {
    let seen = told(LevelFilter::WARN, || {
        let prepare = |n: &mut u64| if *n == 2 { Err(Cause::msg("no photo")) } else { Ok(*n) };
        let gpu = |batch: &[u64]| {
            let bad = batch.contains(&5);
            if bad { Err(Cause::msg("no memory")) } else { Ok(batch.to_vec()) }
        };
        let then = |_: &mut u64, row: &u64| if *row == 1 { Err(Cause::msg("disk full")) } else { Ok(()) };
        let pipeline = Pipeline::new(prepare, gpu).then(then).batch_size(2).workers(1);
        assert_eq!(pipeline.on_failure(OnFailure::Skip).run(0..6).count(), 3);
    });
    let mut failed = fields(&seen, "failed");
    failed.sort_unstable();
    let expected = [
        "position=1 stage=then cause=disk full",
        "position=2 stage=CPU stage cause=no photo",
        "position=5 stage=GPU stage cause=no memory",
    ];
    assert_eq!(failed, expected);
    assert_eq!(seen.len(), 3, "and nothing else: {seen:?}");
    assert!(seen.iter().all(|seen| seen.level == tracing::Level::WARN));
}

#[test]
fn an_error_that_ends_a_run_is_a_warning_with_the_accounts() {
    let seen = told(LevelFilter::WARN, || {
        let fails = |_: &mut u64| Err::<(), _>(Cause::msg("planned"));
        let mut run = parallel(fails, 0..1).workers(0).run();
        assert!(run.by_ref().all(|item| item.is_err()));
    });
    assert_eq!(fields(&seen, "failed"), ["position=0 stage=CPU stage cause=planned"]);
    let error = "stopped: document 0 failed in the CPU stage: planned";
    let ended = format!("ending=\"failed\" error={error} pulled=1 delivered=0 failed=1 cancelled=0 stuck=0");
    assert_eq!(fields(&seen, "ended"), [ended]);
}

#[test]
fn a_lost_device_and_its_rebuilding_are_warnings() {
    struct LostOnce(bool);
    impl GpuStage<u64> for LostOnce {
        type Output = Vec<u64>;
        type Ticket = Vec<u64>;
        fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
            if std::mem::take(&mut self.0) {
                return Err(StageError::Lost(Cause::msg("unplugged")));
            }
            Ok(batch.to_vec())
        }
        fn try_collect(
            &mut self,
            ticket: &mut Vec<u64>,
            _: Duration,
        ) -> Result<Option<Vec<u64>>, StageError> {
            Ok(Some(std::mem::take(ticket)))
        }
        fn reopen(&mut self) -> Result<(), StageError> {
            Ok(())
        }
    }
    let seen = told(LevelFilter::WARN, || {
        let prepare = |n: &mut u64| Ok::<_, Cause>(*n);
        assert_eq!(Pipeline::new(prepare, LostOnce(true)).workers(0).run(0..4).count(), 1);
    });
    let lost = fields(&seen, "device lost");
    assert!(lost.len() == 1 && lost[0].ends_with("cause=unplugged"), "{lost:?}");
    let rebuilt = fields(&seen, "device rebuilt");
    assert!(rebuilt.len() == 1 && rebuilt[0].contains("seconds="), "{rebuilt:?}");
}

#[test]
fn with_batches_of_one_call_places_are_those_of_documents() {
    let seen = told(LevelFilter::TRACE, || {
        let prepare = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.len());
        let gpu = |batch: &[usize]| Ok::<_, Cause>(batch[0]);
        assert_eq!(Pipeline::per_batch(prepare, gpu).batch_size(4).workers(1).run(0..8).count(), 2);
    });
    assert_eq!(fields(&seen, "run > prepare"), ["position=0", "position=4"]);
    let devices = fields(&seen, "run > batch");
    assert!(devices[1].starts_with("batch=1 items=4 "), "{devices:?}");
}
