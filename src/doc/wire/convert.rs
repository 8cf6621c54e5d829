//! From a document to its message, and back.

use std::collections::BTreeMap;

use super::array;
use super::proto::{ContentProto, DocumentProto, KindProto, ListProto, ScoreProto, StructProto, ValueProto};
use crate::doc::{Content, Doc, DocArray, Score, Tags, Value};
use crate::error::Cause;

pub(super) fn to_proto(doc: &Doc) -> Result<DocumentProto, Cause> {
    Ok(DocumentProto {
        id: doc.id.clone(),
        content: content_to_proto(&doc.content)?,
        granularity: doc.granularity,
        adjacency: doc.adjacency,
        parent_id: doc.parent_id.clone(),
        weight: doc.weight,
        uri: doc.uri.clone(),
        modality: doc.modality.clone(),
        mime_type: doc.mime_type.clone(),
        offset: doc.offset,
        location: doc.location.clone(),
        chunks: doc.chunks.iter().map(to_proto).collect::<Result<_, _>>()?,
        matches: doc.matches.iter().map(to_proto).collect::<Result<_, _>>()?,
        embedding: doc.embedding.as_ref().map(array::to_proto).transpose()?,
        tags: tags_to_proto(&doc.tags),
        scores: scores_to_proto(&doc.scores),
        evaluations: scores_to_proto(&doc.evaluations),
        metadata: tags_to_proto(&doc.metadata),
    })
}

fn content_to_proto(content: &Content) -> Result<Option<ContentProto>, Cause> {
    Ok(match content {
        Content::Empty => None,
        Content::Text(text) => Some(ContentProto::Text(text.clone())),
        Content::Blob(bytes) => Some(ContentProto::Blob(bytes.clone())),
        Content::Tensor(tensor) => Some(ContentProto::Tensor(array::to_proto(tensor)?)),
    })
}

fn scores_to_proto(scores: &BTreeMap<String, Score>) -> BTreeMap<String, ScoreProto> {
    let proto = |score: &Score| {
        let Score { value, op_name, description, ref_id } = score.clone();
        ScoreProto { value, op_name, description, ref_id }
    };
    scores.iter().map(|(name, score)| (name.clone(), proto(score))).collect()
}

fn tags_to_proto(tags: &Tags) -> Option<StructProto> {
    (!tags.is_empty()).then(|| map_to_proto(tags))
}

fn map_to_proto(tags: &Tags) -> StructProto {
    StructProto { fields: tags.iter().map(|(name, value)| (name.clone(), value_to_proto(value))).collect() }
}

fn value_to_proto(value: &Value) -> ValueProto {
    let kind = match value {
        Value::Null => KindProto::Null(0),
        Value::Bool(value) => KindProto::Bool(*value),
        Value::Number(number) => KindProto::Number(*number),
        Value::Text(text) => KindProto::Text(text.clone()),
        Value::List(values) => {
            KindProto::List(ListProto { values: values.iter().map(value_to_proto).collect() })
        }
        Value::Map(tags) => KindProto::Map(map_to_proto(tags)),
    };
    ValueProto { kind: Some(kind) }
}

/// A message without an id becomes a document with a fresh one, as in DocArray.
pub(super) fn of_proto(proto: DocumentProto) -> Result<Doc, Cause> {
    let blank = if proto.id.is_empty() { Doc::new() } else { Doc::with_id(proto.id) };
    let embedding = proto.embedding.map(array::of_proto).transpose()?.flatten();
    Ok(Doc {
        id: blank.id,
        content: content_of_proto(proto.content)?,
        granularity: proto.granularity,
        adjacency: proto.adjacency,
        parent_id: proto.parent_id,
        weight: proto.weight,
        uri: proto.uri,
        modality: proto.modality,
        mime_type: proto.mime_type,
        offset: proto.offset,
        location: proto.location,
        chunks: docs_of_proto(proto.chunks)?,
        matches: docs_of_proto(proto.matches)?,
        embedding,
        tags: proto.tags.map(map_of_proto).unwrap_or_default(),
        scores: scores_of_proto(proto.scores),
        evaluations: scores_of_proto(proto.evaluations),
        metadata: proto.metadata.map(map_of_proto).unwrap_or_default(),
    })
}

fn docs_of_proto(protos: Vec<DocumentProto>) -> Result<DocArray, Cause> {
    protos.into_iter().map(of_proto).collect()
}

fn content_of_proto(content: Option<ContentProto>) -> Result<Content, Cause> {
    Ok(match content {
        None => Content::Empty,
        Some(ContentProto::Text(text)) => Content::Text(text),
        Some(ContentProto::Blob(bytes)) => Content::Blob(bytes),
        Some(ContentProto::Tensor(proto)) => array::of_proto(proto)?.map_or(Content::Empty, Content::Tensor),
    })
}

fn scores_of_proto(protos: BTreeMap<String, ScoreProto>) -> BTreeMap<String, Score> {
    let score =
        |ScoreProto { value, op_name, description, ref_id }| Score { value, op_name, description, ref_id };
    protos.into_iter().map(|(name, proto)| (name, score(proto))).collect()
}

fn map_of_proto(proto: StructProto) -> Tags {
    proto.fields.into_iter().map(|(name, value)| (name, value_of_proto(value))).collect()
}

fn value_of_proto(proto: ValueProto) -> Value {
    match proto.kind {
        None | Some(KindProto::Null(_)) => Value::Null,
        Some(KindProto::Bool(value)) => Value::Bool(value),
        Some(KindProto::Number(number)) => Value::Number(number),
        Some(KindProto::Text(text)) => Value::Text(text),
        Some(KindProto::List(list)) => Value::List(list.values.into_iter().map(value_of_proto).collect()),
        Some(KindProto::Map(map)) => Value::Map(map_of_proto(map)),
    }
}
