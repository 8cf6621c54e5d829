//! Numbers on a command line.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::terminal::Problem;

/// The value of an option, which must be a number in this range.
pub(crate) fn number<T: FromStr + PartialOrd + Display>(
    option: &str,
    arguments: &mut lexopt::Parser,
    range: RangeInclusive<T>,
) -> Result<T, Problem> {
    let text =
        arguments.value()?.into_string().map_err(|text| format!("{option} {text:?}: it is no text"))?;
    let value = text.parse().ok().filter(|value| range.contains(value));
    let (least, most) = (range.start(), range.end());
    value.ok_or_else(|| format!("{option} {text}: it is a number from {least} to {most}").into())
}
