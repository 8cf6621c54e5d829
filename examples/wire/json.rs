//! A document as JSON, with DocArray's names, and back, without loss.
//!
//! A blob is base64. A tensor is an object of `dtype`, `shape` and its numbers in `data`; numbers that JSON
//! does not have are the texts `NaN`, `Infinity` and `-Infinity`.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gapless::doc::{Content, Doc, DocArray, Number, Score, Tags, Tensor, Value};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Map, Value as Json, json};

type Failed = Box<dyn Error>;

/// One document as an object; fields that say nothing are left out.
pub(crate) fn of_doc(doc: &Doc) -> Json {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Json| {
        let empty = match &value {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Array(values) => values.is_empty(),
            Json::Object(fields) => fields.is_empty(),
            Json::Number(number) => number.as_f64() == Some(0.0),
            Json::Bool(_) => false,
        };
        if !empty {
            fields.insert(name.into(), value);
        }
    };
    put("id", json!(doc.id));
    match &doc.content {
        Content::Empty => {}
        Content::Text(text) => put("text", json!(text)),
        Content::Blob(bytes) => put("blob", json!(STANDARD.encode(bytes))),
        Content::Tensor(tensor) => put("tensor", of_tensor(tensor)),
    }
    put("granularity", json!(doc.granularity));
    put("adjacency", json!(doc.adjacency));
    put("parent_id", json!(doc.parent_id));
    put("weight", of_number(doc.weight.into()));
    put("uri", json!(doc.uri));
    put("modality", json!(doc.modality));
    put("mime_type", json!(doc.mime_type));
    put("offset", of_number(doc.offset.into()));
    put("location", doc.location.iter().map(|number| of_number((*number).into())).collect());
    put("chunks", doc.chunks.iter().map(of_doc).collect());
    put("matches", doc.matches.iter().map(of_doc).collect());
    put("embedding", doc.embedding.as_ref().map_or(Json::Null, of_tensor));
    put("tags", of_tags(&doc.tags));
    put("scores", doc.scores.iter().map(|(name, score)| (name.clone(), of_score(score))).collect());
    put("evaluations", doc.evaluations.iter().map(|(name, score)| (name.clone(), of_score(score))).collect());
    put("_metadata", of_tags(&doc.metadata));
    Json::Object(fields)
}

fn of_number(number: f64) -> Json {
    match number {
        number if number.is_finite() => json!(number),
        number if number.is_nan() => json!("NaN"),
        number if number > 0.0 => json!("Infinity"),
        _ => json!("-Infinity"),
    }
}

fn of_tensor(tensor: &Tensor) -> Json {
    fn whole<T: Number + Into<i128>>(array: &ArrayD<T>) -> Vec<Json> {
        let number = |number: i128| {
            u64::try_from(number).map_or_else(|_| json!(number as i64), |number| json!(number))
        };
        array.iter().map(|value| number((*value).into())).collect()
    }
    let data: Vec<Json> = match tensor {
        Tensor::U8(array) => whole(array),
        Tensor::I8(array) => whole(array),
        Tensor::U16(array) => whole(array),
        Tensor::I16(array) => whole(array),
        Tensor::U32(array) => whole(array),
        Tensor::I32(array) => whole(array),
        Tensor::U64(array) => whole(array),
        Tensor::I64(array) => whole(array),
        Tensor::F32(array) => array.iter().map(|number| of_number((*number).into())).collect(),
        Tensor::F64(array) => array.iter().map(|number| of_number(*number)).collect(),
    };
    json!({ "dtype": tensor.kind(), "shape": tensor.shape(), "data": data })
}

fn of_score(score: &Score) -> Json {
    let Score { value, op_name, description, ref_id } = score;
    json!({ "value": of_number((*value).into()), "op_name": op_name, "description": description, "ref_id": ref_id })
}

fn of_tags(tags: &Tags) -> Json {
    tags.iter().map(|(name, value)| (name.clone(), of_value(value))).collect()
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Number(number) => of_number(*number),
        Value::Text(text) => json!(text),
        Value::List(values) => values.iter().map(of_value).collect(),
        Value::Map(tags) => of_tags(tags),
    }
}

/// The document of one line.
pub(crate) fn to_doc(line: &str) -> Result<Doc, Failed> {
    doc(&serde_json::from_str(line)?)
}

fn doc(json: &Json) -> Result<Doc, Failed> {
    let mut doc = Doc::new();
    for (name, value) in json.as_object().ok_or("a document is an object")? {
        set(&mut doc, name, value).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(doc)
}

fn set(doc: &mut Doc, name: &str, value: &Json) -> Result<(), Failed> {
    match name {
        "id" => doc.id = text(value)?,
        "text" => doc.content = Content::Text(text(value)?),
        "blob" => doc.content = Content::Blob(STANDARD.decode(text(value)?)?),
        "tensor" => doc.content = Content::Tensor(tensor(value)?),
        "granularity" => doc.granularity = serde_json::from_value(value.clone())?,
        "adjacency" => doc.adjacency = serde_json::from_value(value.clone())?,
        "parent_id" => doc.parent_id = text(value)?,
        "weight" => doc.weight = number(value)? as f32,
        "uri" => doc.uri = text(value)?,
        "modality" => doc.modality = text(value)?,
        "mime_type" => doc.mime_type = text(value)?,
        "offset" => doc.offset = number(value)? as f32,
        "location" => {
            doc.location =
                list(value)?.iter().map(|at| Ok(number(at)? as f32)).collect::<Result<_, Failed>>()?;
        }
        "chunks" => doc.chunks = docs(value)?,
        "matches" => doc.matches = docs(value)?,
        "embedding" => doc.embedding = Some(tensor(value)?),
        "tags" => doc.tags = tags(value)?,
        "scores" => doc.scores = scores(value)?,
        "evaluations" => doc.evaluations = scores(value)?,
        "_metadata" => doc.metadata = tags(value)?,
        _ => return Err("there is no such field".into()),
    }
    Ok(())
}

fn text(json: &Json) -> Result<String, Failed> {
    Ok(json.as_str().ok_or("a text is needed")?.into())
}

fn number(json: &Json) -> Result<f64, Failed> {
    match json.as_str() {
        Some("NaN") => Ok(f64::NAN),
        Some("Infinity") => Ok(f64::INFINITY),
        Some("-Infinity") => Ok(f64::NEG_INFINITY),
        _ => Ok(json.as_f64().ok_or("a number is needed")?),
    }
}

fn list(json: &Json) -> Result<&Vec<Json>, Failed> {
    Ok(json.as_array().ok_or("a list is needed")?)
}

fn docs(json: &Json) -> Result<DocArray, Failed> {
    list(json)?.iter().map(doc).collect()
}

fn scores(json: &Json) -> Result<std::collections::BTreeMap<String, Score>, Failed> {
    let score = |json: &Json| {
        let get = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let value = number(json.get("value").unwrap_or(&json!(0)))? as f32;
        let (op_name, description, ref_id) = (get("op_name"), get("description"), get("ref_id"));
        Ok::<_, Failed>(Score { value, op_name, description, ref_id })
    };
    let fields = json.as_object().ok_or("an object is needed")?;
    fields.iter().map(|(name, json)| Ok((name.clone(), score(json)?))).collect()
}

fn tags(json: &Json) -> Result<Tags, Failed> {
    let fields = json.as_object().ok_or("an object is needed")?;
    fields.iter().map(|(name, json)| Ok((name.clone(), value(json)?))).collect()
}

fn value(json: &Json) -> Result<Value, Failed> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.as_f64().ok_or("a number that is too long")?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(value).collect::<Result<_, Failed>>()?),
        Json::Object(_) => Value::Map(tags(json)?),
    })
}

fn tensor(json: &Json) -> Result<Tensor, Failed> {
    let field = |name: &str| json.get(name).ok_or_else(|| format!("a tensor has a field {name}"));
    let shape: Vec<usize> = serde_json::from_value(field("shape")?.clone())?;
    let (shape, data) = (IxDyn(&shape), list(field("data")?)?);
    let floats = || data.iter().map(number).collect::<Result<Vec<f64>, Failed>>();
    Ok(match text(field("dtype")?)?.as_str() {
        "u8" => whole::<u8>(shape, data)?,
        "i8" => whole::<i8>(shape, data)?,
        "u16" => whole::<u16>(shape, data)?,
        "i16" => whole::<i16>(shape, data)?,
        "u32" => whole::<u32>(shape, data)?,
        "i32" => whole::<i32>(shape, data)?,
        "u64" => whole::<u64>(shape, data)?,
        "i64" => whole::<i64>(shape, data)?,
        "f32" => ArrayD::from_shape_vec(shape, floats()?.into_iter().map(|n| n as f32).collect())?.into(),
        "f64" => ArrayD::from_shape_vec(shape, floats()?)?.into(),
        other => return Err(format!("numbers of the kind {other}").into()),
    })
}

fn whole<T>(shape: IxDyn, data: &[Json]) -> Result<Tensor, Failed>
where
    T: Number + serde::de::DeserializeOwned,
{
    let data: Vec<T> = serde_json::from_value(Json::Array(data.to_vec()))?;
    Ok(ArrayD::from_shape_vec(shape, data)?.into())
}
