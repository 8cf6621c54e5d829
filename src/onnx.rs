//! Networks from ONNX files: a model becomes a `Program` when it is read.
mod attributes;
mod external;
mod fold;
mod fuse;
mod graph;
mod half;
pub(crate) mod proto;
mod read;
mod shapes;
mod tensor;
