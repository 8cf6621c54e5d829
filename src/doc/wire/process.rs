//! Documents between a process and its child, as the messages that stand on the wire.

use super::convert;
use super::proto::DocumentProto;
use crate::doc::Doc;
use crate::error::Cause;
use crate::parallel::process::Transfer;

/// A document that no message can hold comes out as that error, on the other side.
///
/// ```
/// use gapless::doc::Doc;
/// use gapless::parallel::process::Transfer;
/// let mut bytes = Vec::new();
/// Doc::from_text("a cat").encode(&mut bytes);
/// assert_eq!(Doc::decode(&mut &bytes[..])?.text(), Some("a cat"));
/// # Ok::<(), gapless::Cause>(())
/// ```
impl Transfer for Doc {
    fn encode(&self, out: &mut Vec<u8>) {
        let message = convert::to_proto(self);
        message.is_ok().encode(out);
        match message {
            Ok(message) => prost::Message::encode_to_vec(&message).encode(out),
            Err(cause) => cause.to_string().encode(out),
        }
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        if !bool::decode(bytes)? {
            return Err(Cause::msg(String::decode(bytes)?));
        }
        let message = Vec::<u8>::decode(bytes)?;
        convert::of_proto(<DocumentProto as prost::Message>::decode(&message[..])?)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn a_document_is_the_same_in_the_other_process() {
        let mut chunk = Doc::from_text("a chunk");
        chunk.location = vec![1.0, 2.0];
        let mut doc = Doc::from_tensor(Array3::from_elem((2, 3, 4), 7_u8));
        doc.uri = "cat.jpg".into();
        doc.tags.insert("kind".into(), "cat".into());
        doc.chunks.push(chunk);
        let mut bytes = Vec::new();
        doc.encode(&mut bytes);
        7_u8.encode(&mut bytes);
        let mut rest = &bytes[..];
        assert_eq!(Doc::decode(&mut rest).unwrap(), doc);
        assert_eq!(rest, [7]);
        assert!(Doc::decode(&mut &bytes[..bytes.len() / 2]).is_err());
    }
}
