//! Data URIs (RFC 2397): content that stands in the address itself.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::Cause;

/// Writes padding, and reads what comes without: browsers and mail do both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A data URI of these bytes, in base64.
#[cfg(feature = "doc")]
pub(crate) fn encode(mime_type: &str, bytes: &[u8]) -> String {
    let mime_type = if mime_type.is_empty() { "application/octet-stream" } else { mime_type };
    format!("data:{mime_type};base64,{}", BASE64.encode(bytes))
}

/// The media type of a data URI; `None` for any other address.
#[cfg(feature = "doc")]
pub(crate) fn data_type(address: &str) -> Option<&str> {
    let rest = super::address::after_scheme(address, "data")?;
    rest.split([';', ',']).next()
}

/// The bytes of what stands behind `data:`, in base64 or percent-encoded.
pub(super) fn decode(rest: &str) -> Result<Vec<u8>, Cause> {
    let (head, data) =
        rest.split_once(',').ok_or_else(|| Cause::msg("a data URI without a comma before its data"))?;
    let base64 = head.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    let bytes = percent_decode(data)?;
    if !base64 {
        return Ok(bytes.into_owned());
    }
    let mut bytes = bytes.into_owned();
    bytes.retain(|byte| !byte.is_ascii_whitespace());
    BASE64.decode(bytes).map_err(|error| Cause::from(error).context("the data URI's base64"))
}

/// The bytes that a text with `%` and two hexadecimal digits stands for.
pub(super) fn percent_decode(text: &str) -> Result<Cow<'_, [u8]>, Cause> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((16 * high + low) as u8),
            _ => return Err(Cause::msg("there is a % without two hexadecimal digits after it")),
        }
    }
    Ok(Cow::Owned(bytes))
}

#[cfg(all(test, feature = "doc"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_however_it_is_wrapped() {
        for length in 0..99 {
            let bytes: Vec<u8> = (200..=255).cycle().take(length).collect();
            let uri = encode("image/png", &bytes);
            let data = uri.strip_prefix("data:").expect("a data URI");
            let (head, text) = data.split_once(',').expect("a comma");
            let wrapped = text.as_bytes().chunks(8).map(|line| String::from_utf8_lossy(line).into_owned());
            let wrapped = wrapped.collect::<Vec<_>>().join("\r\n\t ");
            let percent = text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let encoded = text.replace('+', "%2B").replace('=', "%3d");
            for text in [text, text.trim_end_matches('='), &wrapped, &percent, &encoded] {
                assert_eq!(decode(&format!("{head},{text}")).expect("our own"), bytes, "{text}");
            }
        }
    }

    #[test]
    fn percent_encoded_text_is_read() {
        let bytes = decode("text/plain;charset=utf-8,a%20b%C3%A9,c").expect("a data URI");
        assert_eq!(bytes, "a b\u{e9},c".as_bytes());
        assert_eq!(decode(",").expect("the shortest"), b"");
        assert_eq!(decode("image/png; BASE64 ,aGk").expect("spaces in its head"), b"hi");
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for rest in ["", "text/plain", ",%4", ",%zz", ";base64,a", ";base64,a-_b", ";base64,aGk=aGk="] {
            assert!(decode(rest).is_err(), "{rest}");
        }
    }

    #[test]
    fn the_type_is_what_stands_first() {
        assert_eq!(data_type("DATA:image/png;base64,"), Some("image/png"));
        assert_eq!(data_type("data:,"), Some(""));
        assert_eq!(data_type("image.png"), None);
    }
}
