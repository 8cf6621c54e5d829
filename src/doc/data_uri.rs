//! Data URIs (RFC 2397): content that stands in the name itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Cause;

/// A data URI of these bytes, in base64.
pub(crate) fn encode(mime_type: &str, bytes: &[u8]) -> String {
    let mime_type = if mime_type.is_empty() { "application/octet-stream" } else { mime_type };
    format!("data:{mime_type};base64,{}", STANDARD.encode(bytes))
}

pub(crate) fn is(uri: &str) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The media type and the bytes of a data URI, in base64 or percent-encoded.
pub(crate) fn decode(uri: &str) -> Result<(&str, Vec<u8>), Cause> {
    let rest = uri.get(5..).filter(|_| is(uri)).ok_or_else(|| Cause::msg("no data URI"))?;
    let (head, data) =
        rest.split_once(',').ok_or_else(|| Cause::msg("a data URI without a comma before its data"))?;
    let mime_type = head.split(';').next().unwrap_or_default();
    let base64 = head.rsplit(';').next().is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    let bytes = percent_decode(data)?;
    if !base64 {
        return Ok((mime_type, bytes));
    }
    let decoded =
        STANDARD.decode(bytes).map_err(|error| Cause::from(error).context("the data URI's base64"))?;
    Ok((mime_type, decoded))
}

fn percent_decode(data: &str) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::with_capacity(data.len());
    let mut rest = data.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((16 * high + low) as u8),
            _ => return Err(Cause::msg("a data URI with % and no two hexadecimal digits after it")),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for length in 0..9 {
            let bytes: Vec<u8> = (250..=255).cycle().take(length).collect();
            let uri = encode("image/png", &bytes);
            assert_eq!(decode(&uri).expect("our own"), ("image/png", bytes));
        }
    }

    #[test]
    fn percent_encoded_text_is_read() {
        let (mime_type, bytes) = decode("data:text/plain;charset=utf-8,a%20b%C3%A9,c").expect("a data URI");
        assert_eq!((mime_type, bytes.as_slice()), ("text/plain", "a b\u{e9},c".as_bytes()));
        assert_eq!(decode("DATA:,").expect("the shortest"), ("", Vec::new()));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for uri in
            ["", "data", "data:", "data:text/plain", "data:,%4", "data:,%zz", "data:;base64,a", "http://a,b"]
        {
            assert!(decode(uri).is_err(), "{uri}");
        }
    }
}
