//! Documents from files and ndarrays, and in which order: whatever the platform.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gapless::doc::{Content, Doc, DocArray, FromFiles, Read, Tensor, Value};
use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
use gapless::{Auto, Error, Gpu, OnFailure, Program, Watchdog};
use ndarray::{Array3, Axis};

#[path = "common/waits.rs"]
mod waits;

/// A folder of this test's own with these files in it, each holding its own name.
fn folder(name: &str, files: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs").join(name);
    let _ = fs::remove_dir_all(&folder);
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, file).expect("a file");
    }
    folder
}

/// The uris behind the folder's name.
fn uris(folder: &Path, docs: &DocArray) -> Vec<String> {
    let root = format!("{}/", folder.display());
    docs.iter().map(|doc| doc.uri.strip_prefix(&root).expect("below the folder").to_owned()).collect()
}

fn pattern(folder: &Path, pattern: &str) -> String {
    format!("{}/{pattern}", folder.display())
}

const TREE: [&str; 7] =
    ["b.txt", "a.txt", "a.md", "sub/c.txt", "sub/deep/d.txt", ".hidden.txt", ".git/e.txt"];

#[test]
fn patterns_find_what_a_shell_finds_in_sorted_order() {
    let folder = folder("patterns", &TREE);
    let check = |patterns: &[&str], expected: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(|one| pattern(&folder, one)).collect();
        let docs = DocArray::from_files(patterns.clone()).expect("files");
        assert_eq!(uris(&folder, &docs), expected, "{patterns:?}");
    };
    check(&["*.txt"], &["a.txt", "b.txt"]);
    check(&["?.txt", "*.md"], &["a.md", "a.txt", "b.txt"]);
    check(&["**/*.txt"], &["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt"]);
    check(&["*/*"], &["sub/c.txt"]);
    check(&[".*.txt"], &[".hidden.txt"]);
    check(&["[b-z].txt"], &["b.txt"]);
    check(&["a.txt"], &["a.txt"]);
    check(&["nothing*"], &[]);
    check(&["*.txt", "a.*"], &["a.md", "a.txt", "b.txt"]);
}

#[test]
fn two_stars_are_one_where_folders_are_not_searched() {
    let folder = folder("flat", &TREE);
    let docs = FromFiles::new(pattern(&folder, "**/*.txt")).recursive(false).docs().expect("files");
    assert_eq!(uris(&folder, &docs), ["sub/c.txt"]);
}

#[test]
fn a_missing_folder_and_settings_without_sense_are_errors() {
    let folder = folder("missing", &TREE);
    let refused = |files: FromFiles| match files.docs() {
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(FromFiles::new(pattern(&folder, "mistyped/*.txt"))), "from_files");
    assert_eq!(refused(FromFiles::new(pattern(&folder, "a[.txt"))), "from_files");
    let all = || FromFiles::new(pattern(&folder, "*.txt"));
    assert_eq!(refused(all().exclude("(")), "exclude");
    assert_eq!(refused(all().sample_rate(1.5, 0)), "sample_rate");
    assert_eq!(refused(all().sample_rate(f64::NAN, 0)), "sample_rate");
}

#[test]
fn files_are_left_out_by_an_expression_a_share_and_a_limit() {
    let names: Vec<String> = (0..1_000).map(|number| format!("{number:04}.txt")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = folder("many", &names);
    let all = || FromFiles::new(pattern(&folder, "*.txt"));
    assert_eq!(all().limit(0).docs().expect("files").len(), 0);
    assert_eq!(uris(&folder, &all().limit(3).docs().expect("files")), ["0000.txt", "0001.txt", "0002.txt"]);
    let excluded = all().exclude(pattern(&folder, "0[0-8]")).docs().expect("files");
    assert_eq!(excluded.len(), 100, "it is anchored at the start of the path");
    assert_eq!(all().exclude("000").docs().expect("files").len(), 1_000, "and not looked for inside it");
    let share = |seed| uris(&folder, &all().sample_rate(0.25, seed).docs().expect("files"));
    assert_eq!(share(1), share(1));
    assert_ne!(share(1), share(2));
    assert!((200..300).contains(&share(1).len()));
    assert_eq!(all().sample_rate(0.0, 1).docs().expect("files").len(), 0);
    assert_eq!(all().sample_rate(1.0, 1).docs().expect("files").len(), 1_000);
}

#[test]
fn files_are_read_as_they_are_asked_for() {
    let folder = folder("read", &["a.txt"]);
    fs::write(folder.join("b.txt"), [0xFF, 0xFE]).expect("a file");
    let read = |read| FromFiles::new(pattern(&folder, "*.txt")).read(read).docs();
    let docs = read(Read::UriOnly).expect("files");
    assert_eq!((&docs[0].content, docs[0].mime_type.as_str()), (&Content::Empty, "text/plain"));
    assert_eq!(read(Read::Bytes).expect("files")[1].blob(), Some(&[0xFF, 0xFE][..]));
    let error = read(Read::Text).expect_err("no UTF-8").to_string();
    assert!(error.contains("b.txt"), "{error}");
    let mut docs =
        FromFiles::new(pattern(&folder, "a.txt")).read(Read::Text).data_uri(true).docs().expect("files");
    assert_eq!((docs[0].text(), docs[0].uri.as_str()), (Some("a.txt"), "data:text/plain;base64,YS50eHQ="));
    assert_eq!(docs[0].load_blob().expect("a data URI").blob(), Some(&b"a.txt"[..]));
}

#[test]
fn a_link_in_a_circle_is_no_endless_search() {
    let folder = folder("circle", &["sub/a.txt"]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", folder.join("sub/up")).expect("a link");
    let docs = DocArray::from_files(pattern(&folder, "**/*.txt")).expect("files");
    assert!(uris(&folder, &docs).contains(&"sub/a.txt".to_owned()));
}

#[test]
fn an_array_is_cut_along_the_axis_that_is_given() {
    let array = Array3::from_shape_fn((2, 3, 4), |(x, y, z)| (100 * x + 10 * y + z) as u8);
    for axis in 0..3 {
        let docs = DocArray::from_ndarray(array.clone(), axis).expect("an axis");
        assert_eq!(docs.len(), array.shape()[axis]);
        for (place, doc) in docs.iter().enumerate() {
            let slice = array.index_axis(Axis(axis), place).to_owned();
            assert_eq!(doc.tensor(), Some(&slice.into()));
        }
    }
    assert!(matches!(DocArray::from_ndarray(array, 3), Err(Error::Setting { name: "axis", .. })));
}

#[test]
fn an_order_by_seed_is_the_same_on_every_platform() {
    let mut docs: DocArray = (0..10).map(|number| Doc::from_text(number.to_string())).collect();
    docs.shuffle(42);
    let texts: Vec<&str> = docs.iter().filter_map(Doc::text).collect();
    // Written down once; a change of it is a change of what seeds mean.
    assert_eq!(texts.concat(), ORDER_OF_SEED_42);
}

const ORDER_OF_SEED_42: &str = "7245196380";

#[test]
fn groups_are_in_the_order_of_their_first_documents() {
    let tagged = |value: Value| {
        let mut doc = Doc::new();
        doc.tags.insert("a".into(), Value::List(vec![Value::Null, value]));
        doc
    };
    let values = [2.into(), "x".into(), 2.into(), Value::Bool(true), 0.0.into(), (-0.0).into(), "2".into()];
    let mut docs: DocArray = values.into_iter().map(tagged).collect();
    docs.push(Doc::new());
    let groups = docs.split_by_tag("a__1");
    let sizes: Vec<(Value, usize)> = groups.iter().map(|(value, docs)| (value.clone(), docs.len())).collect();
    let expected = [(2.into(), 2), ("x".into(), 1), (Value::Bool(true), 1), (0.0.into(), 2), ("2".into(), 1)];
    assert_eq!(sizes, expected);
    assert!(DocArray::empty(3).split_by_tag("a__b__c").is_empty());
}

/// The mean of each channel of an image of 4×4 pixels.
fn means() -> Program {
    let mut net = Program::new(&Gpu::cpu());
    let photo = net.input("photo", Spec::bytes(&[4, 4, 3])).expect("an input");
    let pixels = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[photo]).expect("three channels");
    let mean = net.add(GlobalAveragePool::new(), &[pixels]).expect("planes");
    net.output("planes", pixels).expect("an output");
    net.output("mean", mean).expect("an output");
    net
}

fn even(count: usize) -> DocArray {
    (0..count).map(|value| Doc::from_tensor(Array3::from_elem((4, 4, 3), value as u8))).collect()
}

#[test]
fn embeddings_are_written_into_their_documents() {
    for workers in [0, 2] {
        let mut docs = even(100);
        docs.embed(means()).output("mean").batch_size(7).workers(workers).run().expect("no failure");
        for (value, doc) in docs.iter().enumerate() {
            assert_eq!(doc.embedding, Some(ndarray::Array1::from_elem(3, value as f32).into()));
            assert!(doc.tensor().is_some(), "the tensor stays");
        }
    }
}

#[test]
fn every_document_is_back_whichever_cannot_be_embedded() {
    for fault in [0, 5, 39] {
        for odd in [Doc::from_text("no tensor"), Doc::from_tensor(Array3::<u8>::zeros((5, 5, 3)))] {
            let mut docs = even(40);
            docs[fault] = odd;
            let ids: Vec<String> = docs.iter().map(|doc| doc.id.clone()).collect();
            let error =
                docs.embed(means()).output("mean").batch_size(4).workers(2).run().expect_err("one is odd");
            assert_eq!(error.failures.last().map(|failure| failure.position.get()), Some(fault as u64));
            assert_eq!(docs.iter().map(|doc| doc.id.clone()).collect::<Vec<_>>(), ids);
            let embed = docs.embed(means()).output("mean").batch_size(4).on_failure(OnFailure::Skip);
            assert_eq!(embed.run().expect("it is skipped").failures.len(), 1);
            assert_eq!(docs.iter().filter(|doc| doc.embedding.is_none()).count(), 1);
        }
    }
}

#[test]
fn a_program_without_such_an_output_fails_and_says_so() {
    let mut docs = even(3);
    let error = docs.embed(means()).output("logits").run().expect_err("there is none");
    assert!(error.to_string().contains("no output logits"), "{error}");
    assert_eq!(docs.len(), 3);
}

#[test]
fn documents_are_back_when_a_function_that_is_told_of_embeddings_panics() {
    for place in [0, 7, 39] {
        let mut docs = even(40);
        let before = docs.clone();
        let embed = docs.embed(means()).output("mean").batch_size(4).workers(2);
        let told = move |progress: &gapless::Progress| {
            if progress.delivered > place {
                resume_unwind(Box::new("planned"));
            }
        };
        assert!(catch_unwind(AssertUnwindSafe(|| embed.progress(told).run().is_ok())).is_err());
        let ids = |docs: &DocArray| docs.iter().map(|doc| doc.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&docs), ids(&before));
        assert!(docs[place as usize].embedding.is_some(), "what was done stays done");
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn embeddings_are_made_with_every_setting_that_a_run_has() {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool"));
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let mut docs = even(10);
    let embed = docs.embed(means()).output("mean").batch_size(Auto.up_to(4)).ahead(1).pool(&pool);
    let embed = embed.on_failure(OnFailure::Skip).grace(MINUTE).pause(Duration::ZERO).deadline(MINUTE);
    let embed = embed.item_timeout(MINUTE).on_late(|late| panic!("{late:?}")).trace(true).total(10);
    let embed = embed.watchdog(MINUTE, Watchdog::End).on_stall(|stalled| panic!("{stalled}"));
    let applied = embed
        .progress(move |progress| {
            assert_eq!(progress.total, Some(10));
            count.fetch_add(1, Ordering::SeqCst);
        })
        .run()
        .expect("no failure");
    assert_eq!((told.load(Ordering::SeqCst), applied.run.accounts().delivered), (10, 10));
    assert!(applied.run.timeline().is_ok());
    let late = docs.embed(means()).deadline(Duration::ZERO).run().expect_err("no time");
    assert!(matches!(late.error, Error::Deadline { .. }), "{late}");
    assert_eq!(docs.len(), 10);
}

#[test]
fn a_document_that_waits_is_interrupted_where_another_cannot_be_embedded() {
    let mut docs: DocArray = ["", "a", "b"].map(Doc::from_uri).into_iter().collect();
    waits::interrupted::<Doc, Tensor>(
        |doc| doc.uri.is_empty(),
        |stage| {
            let error =
                docs.embed(means()).prepare(stage).batch_size(1).workers(2).run().expect_err("it fails");
            assert!(matches!(error.error, Error::Stopped { .. }), "{error}");
        },
    );
    assert_eq!(docs.iter().map(|doc| doc.uri.as_str()).collect::<Vec<_>>(), ["", "a", "b"]);
}
