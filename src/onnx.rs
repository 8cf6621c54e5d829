//! Networks from ONNX files: a model becomes a `Program` when it is read.
//!
//! [`Program::onnx`] is the short form, [`Model`] fixes inputs and axes first, and [`Program::add_onnx`] puts a network
//! between kernels, or several into one program. The file is decoded and checked, what depends on constants only is
//! computed, nodes that one kernel can do are joined, and each of the others becomes a kernel.
//!
//! A file is not trusted: sizes are compared before memory is taken, and whatever does not fit is an
//! error that names the node, its operator and the tensor.
//!
#![doc = include_str!("onnx/edges.md")]
//!
//! [`Program::onnx`]: crate::Program::onnx
//! [`Program::add_onnx`]: crate::Program::add_onnx

// The road of a model: `proto` and `read` decode the file, `functions` puts its own functions in their place, `contrib`
// writes ONNX Runtime's operators as those of ONNX, `graph` checks it, `constants` computes what depends on constants
// only (`fold`, or the twins), `fuse` joins nodes that one kernel can do, `items` finds what an item is, `build` maps node
// by node through `ops`, and `batch` follows the items so that none sees another.
//
// Uses: `error`, `stage`, `kernel`, `gpu`. Used by: nobody.

mod attributes;
mod batch;
mod build;
mod builder;
mod call;
mod constants;
mod contrib;
mod external;
mod fold;
mod functions;
mod fuse;
mod graph;
mod half;
mod items;
mod layout;
mod model;
mod node;
mod ops;
mod part;
#[doc(hidden)]
pub mod proto;
mod read;
mod shapes;
mod tensor;
mod twins;
mod value;

pub use self::graph::{Dim, Input};
pub use self::layout::BatchLayout;
pub use self::model::{Constant, Model};
pub use self::part::Outputs;
