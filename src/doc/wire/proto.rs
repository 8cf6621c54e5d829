//! The messages, as DocArray 0.21 and protobuf's `struct.proto` define them.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(super) struct DocumentProto {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(oneof = "ContentProto", tags = "2, 3, 4")]
    pub(super) content: Option<ContentProto>,
    #[prost(uint32, tag = "5")]
    pub(super) granularity: u32,
    #[prost(uint32, tag = "6")]
    pub(super) adjacency: u32,
    #[prost(string, tag = "7")]
    pub(super) parent_id: String,
    #[prost(float, tag = "8")]
    pub(super) weight: f32,
    #[prost(string, tag = "9")]
    pub(super) uri: String,
    #[prost(string, tag = "10")]
    pub(super) modality: String,
    #[prost(string, tag = "11")]
    pub(super) mime_type: String,
    #[prost(float, tag = "12")]
    pub(super) offset: f32,
    #[prost(float, repeated, tag = "13")]
    pub(super) location: Vec<f32>,
    #[prost(message, repeated, tag = "14")]
    pub(super) chunks: Vec<DocumentProto>,
    #[prost(message, repeated, tag = "15")]
    pub(super) matches: Vec<DocumentProto>,
    #[prost(message, optional, tag = "16")]
    pub(super) embedding: Option<NdArrayProto>,
    #[prost(message, optional, tag = "17")]
    pub(super) tags: Option<StructProto>,
    #[prost(btree_map = "string, message", tag = "18")]
    pub(super) scores: BTreeMap<String, ScoreProto>,
    #[prost(btree_map = "string, message", tag = "19")]
    pub(super) evaluations: BTreeMap<String, ScoreProto>,
    #[prost(message, optional, tag = "20")]
    pub(super) metadata: Option<StructProto>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum ContentProto {
    #[prost(bytes = "vec", tag = "2")]
    Blob(Vec<u8>),
    #[prost(message, tag = "3")]
    Tensor(NdArrayProto),
    #[prost(string, tag = "4")]
    Text(String),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NdArrayProto {
    #[prost(oneof = "LayoutProto", tags = "1, 2")]
    pub(super) layout: Option<LayoutProto>,
    #[prost(string, tag = "3")]
    pub(super) cls_name: String,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum LayoutProto {
    #[prost(message, tag = "1")]
    Dense(DenseProto),
    /// It is not taken apart, only noticed.
    #[prost(bytes = "vec", tag = "2")]
    Sparse(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DenseProto {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) buffer: Vec<u8>,
    #[prost(uint32, repeated, tag = "2")]
    pub(super) shape: Vec<u32>,
    #[prost(string, tag = "3")]
    pub(super) dtype: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ScoreProto {
    #[prost(float, tag = "1")]
    pub(super) value: f32,
    #[prost(string, tag = "2")]
    pub(super) op_name: String,
    #[prost(string, tag = "3")]
    pub(super) description: String,
    #[prost(string, tag = "4")]
    pub(super) ref_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StructProto {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) fields: BTreeMap<String, ValueProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueProto {
    #[prost(oneof = "KindProto", tags = "1, 2, 3, 4, 5, 6")]
    pub(super) kind: Option<KindProto>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum KindProto {
    #[prost(int32, tag = "1")]
    Null(i32),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(message, tag = "5")]
    Map(StructProto),
    #[prost(message, tag = "6")]
    List(ListProto),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ListProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<ValueProto>,
}
