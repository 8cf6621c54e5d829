//! Every public function that takes a path, an address or a name says it in its errors.
//!
//! The table below has all of them, which is checked against the sources, and each is called with what cannot work.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use gapless::doc::{Compression, Content, Doc, DocArray, FromFiles, Read, Wire};
use gapless::file::{self, NewFile};
use gapless::image::{Format, Loader};
use gapless::kernel::{Spec, Unary};
use gapless::onnx::{BatchLayout, Model};
use gapless::parallel::process::Isolated;
use gapless::{Cause, CpuStage as _, Gpu, Pipeline, Program, parallel};

use crate::sources;

type Said = Result<(), String>;

/// How a function is called.
enum Call {
    /// With paths of what cannot be read.
    Reads(fn(&str) -> Said),
    /// With paths of what cannot be written, which end so.
    Writes(&'static str, fn(&Path) -> Said),
    /// With this name, of which there is nothing.
    Names(fn(&str) -> Said),
    /// Not at all, and why.
    Not(&'static str),
}

use Call::{Names, Not, Reads, Writes};

fn said<T, E: Display>(result: Result<T, E>) -> Said {
    result.map(drop).map_err(|error| error.to_string())
}

fn of_uri<T>(uri: &str, read: impl FnOnce(&mut Doc) -> Result<T, Cause>) -> Said {
    said(read(&mut Doc::from_uri(uri)))
}

fn image() -> Doc {
    Doc::from_tensor(ndarray::Array3::<u8>::zeros((2, 2, 3)))
}

fn model() -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/efficientnet-lite0.onnx");
    Model::read(path).expect("the model of the repository")
}

fn layout() -> BatchLayout {
    model().program_with_layout(&Gpu::cpu()).expect("the model of the repository").1
}

/// A program that has an input, a constant and an output of this name.
fn program(name: &str) -> (Program, gapless::gpu::TensorId) {
    let mut program = Program::new(&Gpu::cpu());
    let input = program.input(name, Spec::floats(&[4])).expect("an input");
    let output = program.add(Unary::relu(), &[input]).expect("a kernel");
    program.output(name, output).expect("an output");
    (program, output)
}

fn trace_of_run(path: &Path) -> Said {
    let gpu = |batch: &[u8]| batch.to_vec();
    let mut run = Pipeline::new(|byte: &mut u8| Ok::<_, Cause>(*byte), gpu).trace(true).run(0..4);
    assert!(run.by_ref().all(|batch| batch.is_ok()));
    said(run.trace(path))
}

fn trace_of_parallel(path: &Path) -> Said {
    let mut run = parallel(|byte: &mut u8| Ok::<_, Cause>(*byte), 0..4).trace(true).run();
    assert_eq!(run.by_ref().count(), 4);
    said(run.trace(path))
}

const LOOKS_UP: &str = "it looks a name up, and gives nothing where there is none";
const TAKES: &str = "it takes the name, and whoever uses it has the error";

/// File, function, and how it is called.
const FACE: &[(&str, &str, Call)] = &[
    ("doc/array", "from_files", Names(|name| said(DocArray::from_files(format!("{name}/*"))))),
    ("doc/array", "by_id", Not(LOOKS_UP)),
    ("doc/array", "split_by_tag", Not(LOOKS_UP)),
    ("doc/blobs", "load_blob", Reads(|path| of_uri(path, |doc| doc.load_blob().map(drop)))),
    (
        "doc/blobs",
        "load_blob_within",
        Reads(|path| of_uri(path, |doc| doc.load_blob_within(SECOND).map(drop))),
    ),
    ("doc/blobs", "load_text", Reads(|path| of_uri(path, |doc| doc.load_text().map(drop)))),
    ("doc/blobs", "uri_to_data_uri", Reads(|path| of_uri(path, |doc| doc.uri_to_data_uri().map(drop)))),
    ("doc/blobs", "save_blob", Writes("", |path| said(Doc::new().set_blob(*b"x").save_blob(path)))),
    ("doc/document", "from_uri", Not(TAKES)),
    ("doc/document", "from_text", Not("a text is no name")),
    ("doc/document", "set_text", Not("a text is no name")),
    ("doc/document", "tag", Not(LOOKS_UP)),
    ("doc/embed", "output", Not("tests/docs.rs: a program without such an output fails and says so")),
    ("doc/files", "new", Reads(|path| said(FromFiles::new(path).read(Read::Bytes).max_file(1).docs()))),
    ("doc/files", "exclude", Names(|name| said(FromFiles::new("*").exclude(format!("({name}")).docs()))),
    ("doc/images", "load_image", Reads(|path| of_uri(path, |doc| doc.load_image().map(drop)))),
    (
        "doc/images",
        "load_image_with",
        Reads(|path| of_uri(path, |doc| doc.load_image_with(&loader()).map(drop))),
    ),
    ("doc/images", "save_image", Writes(".png", |path| said(image().save_image(path, -1)))),
    ("doc/wire/compress", "of_path", Names(|name| said(Compression::of_path(format!("{name}.pickle"))))),
    ("doc/wire/io", "of_path", Names(|name| said(Wire::of_path(format!("{name}.pickle"))))),
    ("doc/wire/io", "save", Writes(".protobuf", |path| said(DocArray::empty(9).save(path)))),
    ("doc/wire/io", "load", Reads(|path| said(DocArray::load(path)))),
    ("file/read", "open", Reads(|path| said(file::open(path)))),
    ("file/read", "read", Reads(|path| said(file::read(path, 1)))),
    ("file/write", "write", Writes("", |path| said(file::write(path, "x")))),
    (
        "file/write",
        "create",
        Writes("", |path| {
            let mut file = NewFile::create(path).map_err(|cause| cause.to_string())?;
            said(file.write_all(b"x").and_then(|()| file.flush()))
        }),
    ),
    ("gpu", "named", Names(|name| said(Gpu::named(name)))),
    ("gpu/program", "tensor", Not(LOOKS_UP)),
    ("gpu/program/build", "input", Names(|name| said(program(name).0.input(name, Spec::floats(&[4]))))),
    (
        "gpu/program/build",
        "constant",
        Names(|name| said(program(name).0.constant(name, ndarray::arr0(1.0).into_dyn()))),
    ),
    (
        "gpu/program/build",
        "constant_f16",
        Names(|name| said(program(name).0.constant_f16(name, ndarray::arr0(1).into_dyn()))),
    ),
    (
        "gpu/program/build",
        "constant_i8",
        Names(|name| said(program(name).0.constant_i8(name, ndarray::arr0(1).into_dyn()))),
    ),
    (
        "gpu/program/build",
        "constant_ints",
        Names(|name| said(program(name).0.constant_ints(name, ndarray::arr0(1).into_dyn()))),
    ),
    (
        "gpu/program/build",
        "output",
        Names(|name| {
            let (mut program, output) = program(name);
            said(program.output(name, output))
        }),
    ),
    ("gpu/program/variants", "force_variants", Not("tests/kernels: on a device the plan says the word")),
    ("gpu/program/variants", "forbid_variants", Not("tests/kernels: on a device the plan says the word")),
    ("gpu/tensors", "get", Not(LOOKS_UP)),
    ("gpu/tensors", "ints", Not(LOOKS_UP)),
    ("gpu/tensors", "view", Not("it panics as an index does, and says so")),
    ("image/encode", "of_path", Names(|name| said(Format::of_path(format!("{name}.bmp"))))),
    ("image/loader", "load", Reads(|path| said(loader().load(path)))),
    ("image/loader", "frames", Reads(|path| said(loader().frames(path)))),
    ("image/loader", "prepare", Reads(|path| said(loader().prepare(&mut path.to_owned())))),
    ("kernel/wgsl", "new", Not("the device that compiles it says its name")),
    ("kernel/wgsl", "constant", Not("the device that compiles it says its name")),
    ("onnx/model", "read", Reads(|path| said(Model::read(path)))),
    ("onnx/model", "onnx", Reads(|path| said(Program::onnx(&Gpu::cpu(), path)))),
    ("onnx/layout", "batch_axis", Not(LOOKS_UP)),
    (
        "onnx/layout",
        "split",
        Names(|name| said(layout().split(name, &ndarray::ArrayD::<f32>::zeros(vec![1])))),
    ),
    ("onnx/layout", "join", Names(|name| said(layout().join::<f32>(name, &[])))),
    ("onnx/model", "batch", Names(|name| said(model().batch(name).program(&Gpu::cpu())))),
    ("onnx/model", "batch_axis", Names(|name| said(model().batch_axis(name, 0).program(&Gpu::cpu())))),
    ("onnx/model", "input_like", Names(|name| said(model().input_like(name, &[1])))),
    ("onnx/model", "open_batch_axis", Not(LOOKS_UP)),
    ("onnx/model", "dim", Names(|name| said(model().dim(name, 3).program(&Gpu::cpu())))),
    ("onnx/model", "input_shape", Names(|name| said(model().input_shape(name, &[1]).program(&Gpu::cpu())))),
    (
        "onnx/model",
        "bind",
        Names(|name| said(model().bind(name, ndarray::arr0(1.0_f32)).program(&Gpu::cpu()))),
    ),
    ("onnx/part", "get", Not(LOOKS_UP)),
    (
        "onnx/part",
        "add_onnx",
        Names(|name| {
            let (mut program, output) = program("x");
            said(program.add_onnx(&model(), &[(name, output)]))
        }),
    ),
    ("parallel/process/isolated", "new", Not("tests/parallel/process.rs: a name that is not there says so")),
    (
        "parallel/process/isolated",
        "program",
        Names(|name| said(Isolated::<String, ()>::new("f").program(name).prepare(&mut String::new()))),
    ),
    ("parallel/process/isolated", "arguments", Not("they are the child's")),
    ("parallel/process/serve", "add", Not(TAKES)),
    ("parallel/run", "trace", Writes("", trace_of_parallel)),
    ("pipeline/run", "trace", Writes("", trace_of_run)),
    ("stage", "new", Not("what a stage of one's own calls its device")),
];

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn loader() -> Loader {
    Loader::own_size()
}

/// Public functions whose arguments name something, or that read what their document names.
fn functions() -> BTreeSet<(String, String)> {
    let takes = ["<Path>", "&Path", "PathBuf", "Patterns>", "&str", "Into<String>", "impl Photo", "OsString"];
    let reads = ["load_", "uri_to_"];
    let mut found = BTreeSet::new();
    for source in sources("src", "rs").iter().filter(|source| !source.name.contains("tests")) {
        for function in source.text.split("\n    pub fn ").flat_map(|part| part.split("\npub fn ")).skip(1) {
            let signature = function.split(['{', ';']).next().unwrap_or_default();
            let arguments = signature.split("->").next().unwrap_or_default();
            let name = function.split(['(', '<']).next().unwrap_or_default();
            let named = reads.iter().any(|word| name.starts_with(word)) && source.name.starts_with("src/doc");
            if named || takes.iter().any(|word| arguments.contains(word)) {
                let file = source.name.trim_start_matches("src/").trim_end_matches(".rs");
                found.insert((file.to_owned(), name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn the_table_has_every_public_function_that_takes_a_name() {
    let known: BTreeSet<_> =
        FACE.iter().map(|(file, function, _)| ((*file).to_owned(), (*function).to_owned())).collect();
    let missing: Vec<_> = functions().difference(&known).cloned().collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    for (file, function, call) in FACE {
        assert!(!matches!(call, Not(why) if why.is_empty()), "{file}: {function} has no reason");
    }
    // `prepare` is a trait's.
    let gone: Vec<_> =
        known.difference(&functions()).filter(|(_, name)| name != "prepare").cloned().collect();
    assert!(gone.is_empty(), "no such function: {gone:?}");
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn folder(name: &str) -> Folder {
    let path = std::env::temp_dir().join(format!("gapless-named-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    Folder(path)
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[track_caller]
fn names(function: &str, path: &Path, said: Said) {
    let error = said.expect_err(function);
    assert!(error.contains(&*path.to_string_lossy()), "{function} of {}: {error}", path.display());
    assert_eq!(error.matches(&*path.to_string_lossy()).count(), 1, "{function} says it once: {error}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = folder("reads");
    let at = |name: &str| folder.0.join(name);
    fs::create_dir(at("folder")).expect("a folder");
    fifo(&at("fifo"));
    fs::write(at("empty"), "").expect("a file");
    let photo = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("photos/coffee.jpg")).expect("a photo");
    fs::write(at("cut"), &photo[..1000]).expect("a file");
    fs::write(at("pickle"), b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00").expect("a file");
    let mut cut_docs = Vec::new();
    Wire::new(Compression::None).write(&mut DocArray::empty(3), &mut cut_docs).expect("bytes");
    fs::write(at("cut-docs"), &cut_docs[..cut_docs.len() - 5]).expect("a file");
    for (file, function, call) in FACE {
        let Reads(read) = call else { continue };
        let function = format!("{file}: {function}");
        for name in ["missing", "folder", "fifo", "empty", "cut", "pickle", "cut-docs"] {
            let path = at(name);
            let said = read(path.to_str().expect("UTF-8"));
            // A blob may be anything, and what no pattern finds is nothing.
            let files = !["missing", "folder", "fifo"].contains(&name);
            let finds = file == &"doc/files" && name != "fifo";
            if said.is_err() || !(files || finds) {
                names(&function, &path, said);
            }
        }
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = folder("writes");
    for (file, function, call) in FACE {
        let Writes(ending, write) = call else { continue };
        let at = |name: &str| folder.0.join(format!("{name}{ending}"));
        let _there_already = fs::create_dir(at("folder"));
        if !at("fifo").exists() {
            fifo(&at("fifo"));
        }
        let full = at("full");
        let _there_already = std::os::unix::fs::symlink("/dev/full", &full);
        let paths = [at("folder"), at("missing/file"), at("fifo"), full];
        for path in paths {
            names(&format!("{file}: {function}"), &path, write(&path));
        }
    }
    let kinds = |path: &Path| fs::symlink_metadata(path).expect("it stays").file_type();
    assert!(kinds(&folder.0.join("full")).is_symlink() && !kinds(&folder.0.join("fifo")).is_file());
}

#[test]
fn a_name_of_nothing_is_said() {
    let name = "no_such_name";
    for (file, function, call) in FACE {
        let Names(call) = call else { continue };
        let error = call(name).expect_err(function);
        assert!(error.contains(name), "{file}: {function}: {error}");
    }
}

#[test]
fn an_address_is_named_wherever_it_is_read() {
    let mut doc = Doc::from_uri("data:image/png;base64,AAAA");
    let said = |error: Cause| error.to_string();
    let named = "data:image/png;base64,…: ";
    assert!(said(doc.load_image().expect_err("no image")).starts_with(named));
    assert!(said(loader().prepare(&mut doc).expect_err("no image")).starts_with(named));
    assert_eq!(doc.content, Content::Empty);
    let mut text = "file://elsewhere/x.jpg".to_owned();
    assert!(said(loader().prepare(&mut text).expect_err("no host")).starts_with("file://elsewhere/x.jpg: "));
    assert!(said(Doc::from_uri(&*text).load_blob().expect_err("no host")).starts_with(&*text));
}
