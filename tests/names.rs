//! Names are anybody's: whatever stands in one, a message that holds it is one line, and says its text once.
#![cfg(all(feature = "doc", feature = "image", feature = "onnx", feature = "wire"))]

use std::path::Path;
use std::time::Duration;

use gapless::doc::{Doc, DocArray};
use gapless::image::Loader;
use gapless::kernel::{GlobalAveragePool, Spec};
use gapless::onnx::Model;
use gapless::onnx::proto::{
    DimensionProto, GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};
use gapless::{DeviceInfo, DeviceKind, Gpu, GpuStage, Pipeline, Program, StageError};
use prost::Message;

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

/// A stage on a device of this name, which ends a run where it is told to.
struct OnDevice(String);

impl GpuStage<u32> for OnDevice {
    type Output = Vec<u32>;
    type Ticket = Vec<u32>;

    fn open(&mut self, _: usize) -> Result<(), gapless::Cause> {
        Ok(())
    }

    fn device(&self) -> DeviceInfo {
        DeviceInfo::new(&self.0, DeviceKind::Other)
    }

    fn submit(&mut self, batch: &[u32]) -> Result<Vec<u32>, StageError> {
        Ok(batch.to_vec())
    }

    fn try_collect(&mut self, ticket: &mut Vec<u32>, _: Duration) -> Result<Option<Vec<u32>>, StageError> {
        Ok(Some(std::mem::take(ticket)))
    }
}

/// What is shown of a run on a device of this name, of a program with tensors of this name, and of a model's input.
fn shown(name: &str) -> [String; 3] {
    let mut run = Pipeline::new(|n: &mut u32| *n, OnDevice(name.into())).workers(1).run(0..64);
    run.by_ref().for_each(|batch| drop(batch.unwrap()));
    let mut net = Program::new(&Gpu::cpu());
    let photo = net.input(name, Spec::floats(&[3, 2, 2])).unwrap();
    let means = net.add(GlobalAveragePool::new(), &[photo]).unwrap();
    net.output(&format!("mean {name}"), means).unwrap();
    [run.report().to_string(), net.plan(4).unwrap().to_string(), model_input(name)]
}

/// What a model says of its input, whose axis has this name too.
fn model_input(name: &str) -> String {
    let axis = DimensionProto { dim_value: None, dim_param: Some(name.into()) };
    let shape = TensorShapeProto { dim: vec![axis] };
    let tensor = TensorTypeProto { elem_type: Some(1), shape: Some(shape) };
    let input =
        ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) };
    let graph = GraphProto { input: vec![input.clone()], output: vec![input], ..GraphProto::default() };
    let opset = OperatorSetIdProto { domain: None, version: Some(17) };
    let file = ModelProto { graph: Some(graph), opset_import: vec![opset], ..ModelProto::default() };
    let model = Model::from_bytes(&file.encode_to_vec()).unwrap();
    model.inputs().map(ToString::to_string).collect()
}

/// A name as it is shown: in one line.
fn escaped(name: &str) -> String {
    let breaks = |letter: char| letter.is_control() || "\u{2028}\u{2029}\u{202E}".contains(letter);
    name.chars()
        .map(|letter| if breaks(letter) { letter.escape_default().to_string() } else { letter.into() })
        .collect()
}

#[test]
fn no_name_begins_a_line_in_a_report_or_a_plan() {
    for name in names() {
        for shown in shown(&name) {
            assert!(shown.contains(&escaped(&name)), "{name:?}: {shown}");
            assert!(!shown.contains(&name), "{name:?}: {shown}");
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
