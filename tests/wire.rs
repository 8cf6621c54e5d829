//! Documents on the wire: what is written is read, and no stream of bytes does harm.

use std::io::{self, Cursor, Read};

use gapless::Error;
use gapless::doc::{Compression, Doc, DocArray, Score, Tags, Tensor, Value, Wire};
use ndarray::{Array, array};

const COMPRESSIONS: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Zlib, Compression::Lz4];

/// A document with something in every field.
fn full() -> Doc {
    let mut doc = Doc::from_tensor(array![[1.5_f32, -0.0], [f32::MAX, 1e-45]]);
    doc.uri = "somewhere/ü.png".into();
    doc.mime_type = "image/png".into();
    doc.embedding = Some(array![1.0_f64, 2.0].into());
    let inner: Tags = [("f".to_owned(), Value::Null), (String::new(), Value::Bool(true))].into();
    doc.tags.insert("list".into(), Value::List(vec![1.5.into(), "x".into(), Value::Map(inner)]));
    doc.location = vec![1.0, 2.0, 3.0, 4.0];
    (doc.offset, doc.weight, doc.granularity, doc.adjacency) = (0.5, 0.25, 3, 4);
    (doc.modality, doc.parent_id) = ("image".into(), "parent".into());
    let score = Score { value: 0.5, op_name: "cos".into(), description: "near".into(), ref_id: "r".into() };
    doc.scores.insert("cosine".into(), score.clone());
    doc.evaluations.insert("recall".into(), score);
    doc.metadata.insert("by".into(), "us".into());
    let mut chunk = Doc::from_text("a chunk");
    chunk.set_blob(vec![0, 255, 7]);
    doc.push_chunk(chunk);
    doc.matches.push(Doc::from_text("a match"));
    doc
}

fn docs() -> DocArray {
    let tensors: [Tensor; 10] = [
        array![1_u8, 255].into(),
        array![-1_i8].into(),
        array![[65535_u16]].into(),
        array![-300_i16].into(),
        array![u32::MAX].into(),
        array![i32::MIN].into(),
        array![u64::MAX].into(),
        array![i64::MIN].into(),
        Array::<f32, _>::zeros((0, 3)).into(),
        ndarray::arr0(2.5_f64).into(),
    ];
    let mut docs: DocArray = tensors.into_iter().map(Doc::from_tensor).collect();
    docs.extend([full(), Doc::new(), Doc::from_text("text ".repeat(50_000))]);
    docs
}

fn bytes(wire: &Wire, docs: &mut DocArray) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire.write(docs, &mut bytes).expect("they can be written");
    bytes
}

#[test]
fn what_is_written_is_read_with_every_compression_and_number_of_workers() {
    for compression in COMPRESSIONS {
        let mut written = docs();
        let mut first = None;
        for workers in [0, 1, 3] {
            let wire = Wire::new(compression).workers(workers);
            let bytes = bytes(&wire, &mut written);
            assert_eq!(&bytes, first.get_or_insert_with(|| bytes.clone()), "workers change nothing");
            let read: Result<DocArray, Error> = wire.read(Cursor::new(bytes)).collect();
            assert_eq!(read.expect("they can be read"), docs_like(&written));
        }
    }
}

/// The same documents; only here to say that writing left them alone.
fn docs_like(docs: &DocArray) -> DocArray {
    assert_eq!(docs.len(), 13);
    docs.clone()
}

#[test]
fn the_stream_is_what_is_written_and_can_be_read_in_any_pieces() {
    let wire = Wire::new(Compression::Gzip);
    let mut docs = docs();
    let expected = bytes(&wire, &mut docs);
    let mut body = wire.stream(docs);
    let (mut streamed, mut piece) = (Vec::new(), [0; 7]);
    loop {
        let count = body.read(&mut piece).expect("no failure");
        if count == 0 {
            break;
        }
        streamed.extend_from_slice(&piece[..count]);
    }
    assert_eq!(streamed, expected);
}

#[test]
fn nothing_behind_the_last_document_is_read() {
    let wire = Wire::new(Compression::None).workers(0);
    let mut stream = bytes(&wire, &mut DocArray::empty(2));
    let length = stream.len() as u64;
    stream.extend_from_slice(b"something else");
    let mut cursor = Cursor::new(stream);
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let reader = Reporting { inner: std::mem::take(&mut cursor), sender };
    assert_eq!(wire.read(reader).filter(Result::is_ok).count(), 2);
    assert_eq!(receiver.recv().expect("it was dropped"), length);
}

/// Tells how far it was read when it is dropped.
struct Reporting {
    inner: Cursor<Vec<u8>>,
    sender: crossbeam_channel::Sender<u64>,
}

impl Read for Reporting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        let _nobody_may_listen = self.sender.send(self.inner.position());
    }
}

#[test]
fn a_stream_that_is_cut_anywhere_is_an_error_and_never_a_shorter_array() {
    for compression in [Compression::None, Compression::Lz4] {
        let wire = Wire::new(compression).workers(0);
        let mut some: DocArray = [full(), Doc::from_text("last")].into_iter().collect();
        let whole = bytes(&wire, &mut some);
        for length in 0..whole.len() {
            let read: Result<DocArray, Error> = wire.read(Cursor::new(whole[..length].to_vec())).collect();
            assert!(read.is_err(), "{length} of {} bytes", whole.len());
        }
    }
}

#[test]
fn no_byte_that_is_changed_makes_a_panic() {
    for compression in COMPRESSIONS {
        let wire = Wire::new(compression).workers(0).max_document(1 << 20);
        let whole = bytes(&wire, &mut [full()].into_iter().collect());
        for place in 0..whole.len() {
            for change in [1, 0x80, 0xFF] {
                let mut changed = whole.clone();
                changed[place] ^= change;
                for doc in wire.read(Cursor::new(changed)) {
                    let said = doc.map_or_else(|error| error.to_string(), |_| String::new());
                    assert!(!said.contains("panic"), "byte {place} ^ {change}: {said}");
                }
            }
        }
    }
}

/// A stream of one document with these bytes.
fn stream(document: &[u8]) -> Vec<u8> {
    let length = u32::try_from(document.len()).expect("short").to_be_bytes();
    [&[1][..], &1_u64.to_be_bytes(), &length, document].concat()
}

fn refusal(wire: Wire, stream: Vec<u8>) -> String {
    let read: Result<DocArray, Error> = wire.workers(0).read(Cursor::new(stream)).collect();
    read.expect_err("it must be refused").to_string()
}

#[test]
fn promises_are_not_believed() {
    let wire = Wire::new(Compression::None);
    let endless = [&[1][..], &u64::MAX.to_be_bytes()].concat();
    assert!(refusal(wire, endless).contains("the stream ends before it"));
    let long = [&[1][..], &1_u64.to_be_bytes(), &u32::MAX.to_be_bytes(), b"short"].concat();
    assert!(refusal(wire, long.clone()).contains("max_document"));
    assert!(refusal(wire.max_document(usize::MAX), long).contains("the stream ends within it"));
    assert!(refusal(wire, vec![2; 9]).contains("version 2"));
    assert!(refusal(wire, Vec::new()).contains("header"));
}

#[test]
fn a_small_message_does_not_become_a_large_document() {
    let wire = Wire::new(Compression::None).max_document(1 << 20);
    // Empty chunks: two bytes of message each, and a whole document in memory.
    assert!(refusal(wire, stream(&[14 << 3 | 2, 0].repeat(100_000))).contains("max_document"));
    // Tags with empty lists in a list.
    let list = [0x0A, 2, 0x32, 0].repeat(20_000);
    let mut value = vec![0x32];
    varint(list.len(), &mut value);
    let value = [value, list].concat();
    let mut entry = vec![0x0A, 0, 0x12];
    varint(value.len(), &mut entry);
    let entry = [entry, value].concat();
    let mut tags = vec![0x0A];
    varint(entry.len(), &mut tags);
    let tags = [tags, entry].concat();
    let mut document = vec![0x8A, 1];
    varint(tags.len(), &mut document);
    assert!(refusal(wire, stream(&[document, tags].concat())).contains("max_document"));
}

fn varint(mut number: usize, into: &mut Vec<u8>) {
    while number >= 128 {
        into.push(number as u8 | 128);
        number >>= 7;
    }
    into.push(number as u8);
}

#[test]
fn chunks_of_chunks_without_end_are_refused() {
    let mut document = Vec::new();
    for _ in 0..10_000 {
        let mut outer = vec![14 << 3 | 2];
        varint(document.len(), &mut outer);
        outer.append(&mut document);
        document = outer;
    }
    assert!(refusal(Wire::new(Compression::None), stream(&document)).contains("nested too deeply"));
}

#[test]
fn a_compressed_bomb_stops_at_the_limit() {
    let mut doc: DocArray = [Doc::from_text("a".repeat(50 << 20))].into_iter().collect();
    for compression in [Compression::Gzip, Compression::Zlib, Compression::Lz4] {
        let wire = Wire::new(compression);
        let bomb = bytes(&wire, &mut doc);
        assert!(bomb.len() < 1 << 20);
        assert!(refusal(wire.max_document(1 << 20), bomb).contains("max_document"));
    }
}

#[test]
fn a_broken_document_is_an_error_in_its_place_and_the_others_follow() {
    let wire = Wire::new(Compression::None);
    let mut stream = bytes(&wire, &mut DocArray::empty(3));
    // The id of the second: no UTF-8.
    let at = 9 + 4 + 34 + 4 + 2;
    stream[at] = 0xFF;
    let read: Vec<bool> = wire.read(Cursor::new(stream)).map(|doc| doc.is_ok()).collect();
    assert_eq!(read, [true, false, true]);
}

#[test]
fn a_writer_that_fails_gives_its_error_and_the_documents_back() {
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("the disk is full"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let before = DocArray::empty(200);
    for room in [0, 9, 100, 2_000] {
        let mut docs = before.clone();
        let error =
            Wire::new(Compression::None).workers(2).write(&mut docs, Full(room)).expect_err("no room");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(docs, before);
    }
}

#[test]
fn files_are_there_as_a_whole_or_not_at_all() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("wire");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut docs = docs();
    for ending in ["protobuf", "protobuf.gzip", "protobuf.zlib", "protobuf.lz4", "lz4"] {
        let path = folder.join(format!("docs.{ending}"));
        docs.save(&path).expect("a file");
        assert_eq!(DocArray::load(&path).expect("the same file"), docs);
    }
    for ending in ["pickle", "protobuf.bz2", "protobuf.lzma", "protobuf-array"] {
        assert!(docs.save(folder.join(format!("docs.{ending}"))).is_err(), "{ending}");
    }
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 5);
    assert!(docs.save(folder.join("none/docs.protobuf")).is_err());
    assert!(DocArray::load(folder.join("none.protobuf")).is_err());
}
