//! What becomes of a model: folded, fused, mapped, or refused with a reason.

#[path = "onnx/errors.rs"]
mod errors;
#[path = "onnx/folded.rs"]
mod folded;
#[path = "onnx/fused.rs"]
mod fused;
#[path = "onnx/hostile.rs"]
mod hostile;
#[path = "onnx/items.rs"]
mod items;
#[path = "onnx/make.rs"]
mod make;
#[path = "onnx/operators.rs"]
mod operators;
