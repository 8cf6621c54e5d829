//! What is done to one value after another, where it is written: on a device by functions behind the source of the
//! kernel that gives the values, on the CPU by loops over the piece that was just computed.

use std::fmt::Write as _;

use super::binary::BinaryOp;
use super::params::wgsl;
use super::unary::UnaryOp;
use super::{Element, Spec};

/// What a kernel does to each value, where it does nothing else: such a kernel needs no pass of its own behind
/// another ([`Kernel::each`](super::Kernel::each)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Each(Function);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    One(UnaryOp),
    Two(BinaryOp),
}

/// Where the other value of a pair lies for a place of the output: `place / inner % count`, in the values of the same
/// item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Along {
    inner: usize,
    count: usize,
    /// Values of an item of the output.
    len: usize,
    batched: bool,
}

/// One function that follows a kernel, and how it reaches its other value.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Link {
    function: Function,
    other: Option<Other>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Other {
    along: Along,
    /// Whether it is the first of the pair.
    first: bool,
}

/// Functions that follow a kernel, the first one first, as a shader does them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue(Vec<Link>);

/// The same on the CPU, with the other values of an item.
#[derive(Clone, Debug, Default)]
pub struct ItemEpilogue<'a>(Vec<(Link, &'a [f32])>);

impl Each {
    pub(super) fn one(op: UnaryOp) -> Self {
        Self(Function::One(op))
    }

    pub(super) fn two(op: BinaryOp) -> Self {
        Self(Function::Two(op))
    }

    /// The function behind the kernel that gives the input at place `from`, or why there is none.
    fn link(self, inputs: &[&Spec], from: usize, output: &Spec) -> Result<Link, &'static str> {
        let floats = |spec: &Spec| spec.element == Element::F32;
        if !floats(output) || !inputs.iter().all(|spec| floats(spec)) {
            return Err("it is not of floats alone");
        }
        if inputs[from].len() != output.len() || !inputs[from].batched {
            return Err("its values are repeated");
        }
        let other = match self.0 {
            Function::One(_) => None,
            Function::Two(_) => {
                let along =
                    Along::new(inputs[1 - from], output).ok_or("the other values lie in several blocks")?;
                Some(Other { along, first: from == 1 })
            }
        };
        Ok(Link { function: self.0, other })
    }
}

impl Along {
    /// Where the values of an input lie that is repeated to an output: one block of its axes may be longer than 1.
    fn new(input: &Spec, output: &Spec) -> Option<Self> {
        let before = output.shape.len().checked_sub(input.shape.len())?;
        let axes = output.shape.iter().zip(std::iter::repeat_n(&1, before).chain(&input.shape));
        let axes: Vec<(usize, bool)> =
            axes.filter(|(wide, _)| **wide > 1).map(|(wide, own)| (*wide, own == wide)).collect();
        let start = axes.iter().position(|axis| axis.1).unwrap_or(axes.len());
        let end = axes.iter().rposition(|axis| axis.1).map_or(start, |last| last + 1);
        let product = |axes: &[(usize, bool)]| axes.iter().map(|axis| axis.0).product::<usize>();
        let (count, inner) = (product(&axes[start..end]), product(&axes[end..]));
        (count == input.len()).then_some(Self { inner, count, len: output.len(), batched: input.batched })
    }

    /// The place in a shader, of an output's `place`.
    fn text(self) -> String {
        let Self { inner, count, len, batched } = self;
        let item = if batched { format!("place / {len}u * {count}u") } else { String::new() };
        let outer = if inner == 1 { "place".to_owned() } else { format!("place / {inner}u") };
        match (batched, count) {
            (true, _) if inner * count == len => outer,
            (false, 1) => "0u".into(),
            (true, 1) => format!("place / {len}u"),
            (false, _) => format!("{outer} % {count}u"),
            (true, _) => format!("{outer} % {count}u + {item}"),
        }
    }

    /// Whether four places of the output one after the other, from a multiple of four on, have one value, and whether
    /// they have four values that lie so too.
    fn of_four(self) -> (bool, bool) {
        let one = self.inner.is_multiple_of(4)
            || (self.count == 1 && (!self.batched || self.len.is_multiple_of(4)));
        (one, self.inner == 1 && self.count.is_multiple_of(4))
    }
}

impl Epilogue {
    /// The same, and then what a kernel of these inputs does to the one at place `from`, which is what was given until
    /// now; the other one, if there is another, is bound behind those that are read already.
    ///
    /// # Errors
    /// Why it cannot follow in the same pass.
    pub fn with(
        mut self,
        each: Each,
        inputs: &[&Spec],
        from: usize,
        output: &Spec,
    ) -> Result<Self, &'static str> {
        self.0.push(each.link(inputs, from, output)?);
        Ok(self)
    }

    /// How many tensors they read beside the values.
    pub(crate) fn reads(&self) -> usize {
        self.0.iter().filter(|link| link.other.is_some()).count()
    }

    /// What plans call them.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|link| {
            let name = match link.function {
                Function::One(op) => format!("{op:?}"),
                Function::Two(op) => format!("{op:?}"),
            };
            name.split([' ', '{']).next().unwrap_or_default().to_lowercase()
        })
    }

    /// The same with the tensors that they read, an item of each.
    pub(crate) fn here<'a>(&self, read: impl IntoIterator<Item = &'a [f32]>) -> ItemEpilogue<'a> {
        let mut read = read.into_iter();
        let with = |link: &Link| match link.other {
            Some(_) => (*link, read.next().expect("one for each that reads")),
            None => (*link, &[][..]),
        };
        ItemEpilogue(self.0.iter().map(with).collect())
    }

    /// The functions of WGSL that it takes, and the statements that make `value` what is written. `source` is what
    /// stands before; `binding` the first that is free.
    pub(super) fn write(&self, source: &str, binding: usize, four: bool, out: &mut String) -> String {
        let mut body = String::new();
        let mut free = binding..;
        let mut files = Vec::new();
        for (number, link) in self.0.iter().enumerate() {
            let name = format!("then{number}");
            files.extend(link.function.declare(&name, out));
            let other = link.other.map(|other| {
                other.along.declare(&name, free.next().unwrap_or(binding), four, out);
                other.first
            });
            body.push_str(&call(&name, other, four));
        }
        add_files(source, &files, out);
        body
    }
}

/// The statement that makes of `value` what the function of this name makes of it; of a pair it may be the `first`.
fn call(name: &str, first: Option<bool>, four: bool) -> String {
    let one = |part: &str| match first {
        None => format!("{name}(value{part}, place)"),
        Some(true) => format!("{name}(other{part}, value{part}, place)"),
        Some(false) => format!("{name}(value{part}, other{part}, place)"),
    };
    let other = first.map_or_else(String::new, |_| format!("let other = {name}_other(place);\n        "));
    let parts = [".x", ".y", ".z", ".w"].map(one).join(", ");
    let made = if four { format!("vec4({parts})") } else { one("") };
    format!("    {{\n        {other}value = {made};\n    }}\n")
}

/// Files of `shaders/shared/` that are not there yet.
pub(super) fn add_files(source: &str, files: &[&'static str], out: &mut String) {
    for file in files {
        if !source.contains(file) && !out.contains(file) {
            out.push_str(file);
        }
    }
}

impl Along {
    /// `NAME_other(place)`: one value, or four from there on.
    fn declare(self, name: &str, binding: usize, four: bool, out: &mut String) {
        let at = self.text();
        let (same, vector) = self.of_four();
        let (word, value, read) = match four {
            false => ("f32", "f32", format!("{name}_values[{at}]")),
            true if same => ("f32", "vec4<f32>", format!("vec4({name}_values[{at}])")),
            true if vector => ("vec4<f32>", "vec4<f32>", format!("{name}_values[({at}) / 4u]")),
            true => {
                let one = |next: u32| format!("{name}_at(place + {next}u)");
                ("f32", "vec4<f32>", format!("vec4({})", [0, 1, 2, 3].map(one).join(", ")))
            }
        };
        let _ =
            write!(out, "\n@group(0) @binding({binding}) var<storage, read> {name}_values: array<{word}>;\n");
        if four && !same && !vector {
            let _ =
                write!(out, "\nfn {name}_at(place: u32) -> f32 {{\n    return {name}_values[{at}];\n}}\n");
        }
        let _ = write!(out, "\nfn {name}_other(place: u32) -> {value} {{\n    return {read};\n}}\n");
    }
}

impl Function {
    /// The function under this name; `any` is a number that is known at run time only. What it takes is returned.
    fn declare(self, name: &str, out: &mut String) -> Vec<&'static str> {
        match self {
            Self::One(op) => op.declare(name, out),
            Self::Two(op) => op.declare(name, out),
        }
    }
}

/// Files that nearly every function needs.
pub(super) const FILES: [&str; 2] = [wgsl!("shared/nan"), wgsl!("shared/nan_made")];

impl<'a> ItemEpilogue<'a> {
    /// Nothing that follows.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Does all of it to values of an item, of which the first stands at this place.
    pub(crate) fn apply(&self, place: usize, values: &mut [f32]) {
        for (link, others) in &self.0 {
            match (link.function, link.other) {
                (Function::One(op), _) => op.apply_all(values),
                (Function::Two(op), Some(other)) => other.apply(op, others, place, values),
                (Function::Two(_), None) => unreachable!("a pair has another value"),
            }
        }
    }
}

impl Other {
    fn apply(self, op: BinaryOp, others: &[f32], place: usize, values: &mut [f32]) {
        let Along { inner, count, .. } = self.along;
        let mut at = 0;
        while at < values.len() {
            let (start, in_block) = ((place + at) / inner % count, (place + at) % inner);
            let left = &mut values[at..];
            if inner == 1 {
                let run = left.len().min(count - start);
                op.apply_to_all(&mut left[..run], others[start..].iter().copied(), self.first);
                at += run;
            } else {
                let run = left.len().min(inner - in_block);
                op.apply_to_all(&mut left[..run], std::iter::repeat(others[start]), self.first);
                at += run;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(input: &Spec, output: &[usize]) -> Option<Along> {
        Along::new(input, &Spec::floats(output))
    }

    #[test]
    fn a_place_of_one_block_of_axes_is_found_and_of_two_is_not() {
        let found =
            |input: &Spec, output: &[usize]| along(input, output).map(|along| (along.inner, along.count));
        assert_eq!(found(&Spec::floats(&[3, 4, 5]), &[3, 4, 5]), Some((1, 60)));
        assert_eq!(found(&Spec::constant(&[3, 1, 1]), &[3, 4, 5]), Some((20, 3)));
        assert_eq!(found(&Spec::constant(&[4, 1]), &[3, 4, 5]), Some((5, 4)));
        assert_eq!(found(&Spec::constant(&[5]), &[3, 4, 5]), Some((1, 5)));
        assert_eq!(found(&Spec::constant(&[]), &[3, 4, 5]), Some((1, 1)));
        assert_eq!(found(&Spec::floats(&[3, 1, 5]), &[3, 4, 5]), None);
        assert_eq!(found(&Spec::floats(&[3, 1, 5]), &[3, 1, 5]), Some((1, 15)));
    }

    #[test]
    fn places_are_written_as_short_as_they_can_be() {
        let text = |input: Spec, output: &[usize]| along(&input, output).expect("one block").text();
        assert_eq!(text(Spec::floats(&[3, 4]), &[3, 4]), "place");
        assert_eq!(text(Spec::floats(&[3, 1]), &[3, 4]), "place / 4u");
        assert_eq!(text(Spec::constant(&[3, 1]), &[3, 4]), "place / 4u % 3u");
        assert_eq!(text(Spec::floats(&[4]), &[3, 4]), "place % 4u + place / 12u * 4u");
        assert_eq!(text(Spec::floats(&[1]), &[3, 4]), "place / 12u");
        assert_eq!(text(Spec::constant(&[]), &[3, 4]), "0u");
    }

    #[test]
    fn pieces_of_an_item_are_treated_as_the_whole() {
        let others: Vec<f32> = (1..=4).map(|value| value as f32).collect();
        for shape in [&[4, 1][..], &[1, 4, 1], &[4]] {
            let output = Spec::floats(&[3, 4, 4]);
            let inputs = [&output, &Spec::constant(shape)];
            let then =
                Epilogue::default().with(Each::two(BinaryOp::Sub), &inputs, 0, &output).expect("one block");
            let then = then.here([&others[..]]);
            let mut whole = vec![10.0; 48];
            then.apply(0, &mut whole);
            let mut pieces = vec![10.0; 48];
            for (number, piece) in pieces.chunks_mut(7).enumerate() {
                then.apply(7 * number, piece);
            }
            assert_eq!(whole, pieces, "{shape:?}");
        }
    }
}
