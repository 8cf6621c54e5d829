//! Names are anybody's: whatever stands in one, a message that holds it is one line, and says its text once.
#![cfg(all(feature = "doc", feature = "image", feature = "onnx", feature = "wire"))]

use std::path::Path;

use gapless::doc::{Doc, DocArray};
use gapless::image::Loader;
use gapless::{Gpu, Program};

/// Names with every control character and line break, as parts of paths and addresses.
fn names() -> impl Iterator<Item = String> {
    let odd = (1..0xA0).filter_map(char::from_u32).chain(['\u{2028}', '\u{2029}', '\u{202E}']);
    odd.filter(|odd| odd.is_control() || !odd.is_ascii())
        .flat_map(|odd| [format!("none/a{odd}b.jpg"), format!("none{odd}/{odd}{odd}\u{1b}[2J.gif")])
}

/// What every way to read a name says of one that is not there.
fn said(name: &str) -> Vec<String> {
    let path = Path::new(name);
    let doc = || Doc::from_uri(name);
    let mut said = vec![
        Loader::rgb8(8, 8).load(path).unwrap_err().to_string(),
        Loader::rgb8(8, 8).frames(path).unwrap_err().to_string(),
        doc().load_image().unwrap_err().to_string(),
        doc().load_blob().unwrap_err().to_string(),
        doc().load_text().unwrap_err().to_string(),
        DocArray::from_files(name).unwrap_err().to_string(),
        DocArray::load(path).unwrap_err().to_string(),
        Program::onnx(&Gpu::named("cpu").unwrap(), path).map(drop).unwrap_err().to_string(),
    ];
    for scheme in ["file://", "http://127.0.0.1:1/", "https://127.0.0.1:1/", "data:", "odd:"] {
        let doc = Doc::from_uri(format!("{scheme}{name}")).load_image().err().map(|cause| cause.to_string());
        said.extend(doc);
    }
    said
}

#[test]
fn no_name_begins_a_line_in_a_message() {
    for name in names() {
        for said in said(&name) {
            assert!(!said.contains(char::is_control), "{said:?}");
            assert!(!said.contains(['\u{2028}', '\u{2029}', '\u{202E}']), "{said:?}");
        }
    }
}

#[test]
fn no_message_says_a_part_twice() {
    for said in said("none/photo.jpg") {
        let parts: Vec<&str> = said.split(": ").collect();
        for (at, part) in parts.iter().enumerate() {
            assert!(!parts[..at].contains(part), "{said}");
        }
    }
}
