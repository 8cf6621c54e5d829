//! How a shader reaches its tensors: by functions that are written for what each of them is.
//!
//! A source that names its tensors calls `x(place)` for one value of the input `x` and `x4(place)` for the four from
//! there on, `x_whole(place)` for one as a whole number, and `put(place, value)` or `put4(place, values)` to write; a
//! `Value` is what it writes, and `no_value(any)` the one that is no number, of any number known at run time only.
//! What stands behind these functions is written here, from the elements of the tensors and from what is done to a
//! value before it is written, so no shader knows how a tensor lies in memory.

mod guard;

use std::borrow::Cow;
use std::fmt::Write as _;

pub(super) use self::guard::Guard;
use super::each::Tensors;
use super::{Dispatch, Element, Epilogue, Spec};

/// How the source of a [`Dispatch`] reaches its tensors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// By bindings that the source declares.
    #[default]
    Own,
    /// By functions that are written for it.
    Named(Named),
    /// By functions that were written for a source of gapless's own, which reads nothing in the memory of a workgroup
    /// that it did not write before: a driver need not clear that.
    Ours,
}

/// What a source calls its inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Named {
    inputs: Vec<&'static str>,
    absent: Vec<&'static str>,
    /// Whether a value stands along a bias, as `put(place, along, value)` says, which may be one of the inputs.
    along: bool,
    /// Whether the source is one of gapless's own.
    ours: bool,
    /// Whether places are looked at before they are used.
    guarded: bool,
}

impl Access {
    /// The inputs, in their order, by the names by which the source calls them.
    ///
    /// An input of f32 is an `f32`, a constant of f16 or i8 is widened to one, a byte is an `f32` from 0 to 255, a whole
    /// number an `i32`. Places count from the first value of the first item: a batched tensor has its items one behind the other,
    /// [`Spec::item_bytes`] apart for bytes.
    pub fn named(inputs: &[&'static str]) -> Self {
        Self::Named(Named { inputs: inputs.to_vec(), ..Named::default() })
    }

    /// The same for sources of gapless's own.
    pub(super) fn ours(inputs: &[&'static str]) -> Self {
        Self::Named(Named { inputs: inputs.to_vec(), ours: true, ..Named::default() })
    }

    /// Whether the source is one of gapless's own.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Ours | Self::Named(Named { ours: true, .. }))
    }

    /// Inputs that are left out: a value of them is 0.
    pub(super) fn without(self, absent: &[&'static str]) -> Self {
        match self {
            Self::Named(named) => Self::Named(Named { absent: absent.to_vec(), ..named }),
            other => other,
        }
    }

    /// The first of these names for inputs, as many as there are; the others are left out.
    pub(super) fn first(names: &[&'static str], given: usize) -> Self {
        let (inputs, absent) = names.split_at(given);
        Self::ours(inputs).without(absent)
    }

    /// Two factors of sums, and where there is one the bias that is added to them.
    pub(super) fn sums(factors: [&'static str; 2], bias: bool) -> Self {
        let inputs = factors.into_iter().chain(bias.then_some("bias")).collect();
        Self::Named(Named { inputs, along: true, ours: true, ..Named::default() })
    }
}

impl Dispatch {
    /// The same with a source that declares its bindings: with the functions by which it reaches these tensors behind
    /// it, and by which it does what follows to each value before it is written. Behind the kernel's own inputs stand
    /// those that are read for that. An activation of halves, read or written, is an `array<f16>`.
    ///
    /// ```
    /// use gapless::kernel::{Access, Epilogue, Kernel, Spec, Unary};
    /// let (x, exp) = (Spec::floats(&[7]), Unary::new(gapless::kernel::UnaryOp::Exp));
    /// let relu = Unary::relu().each().expect("a function of each value");
    /// let epilogue = Epilogue::default().with(relu, &[&x], &[Some(0)], &x)?;
    /// let written = exp.dispatch(&[&x], &x).written(&[&x], &x, &epilogue);
    /// assert!(written.source.contains("var<storage, read_write> put_values: array<f32>"));
    /// assert_eq!(written.access, Access::Ours);
    /// # Ok::<(), &'static str>(())
    /// ```
    #[must_use]
    pub fn written(self, inputs: &[&Spec], output: &Spec, epilogue: &Epilogue) -> Self {
        let inputs: Vec<_> = inputs.iter().map(|spec| Lying::whole(spec)).collect();
        self.written_for(&inputs, output, epilogue)
    }

    /// The same for tensors of which some are parts of others, or are computed where they are read. What is read for
    /// that is bound in the place of the tensor.
    pub(crate) fn written_for(self, inputs: &[Lying<'_>], output: &Spec, epilogue: &Epilogue) -> Self {
        let Access::Named(named) = &self.access else { return self };
        let text = Text { source: &self.source, guard: Guard(named.guarded), out: String::new() };
        let halves = inputs.iter().any(Lying::reads_halves) || kept_as_halves(output);
        let enable = if halves && !self.source.starts_with(ENABLE) { ENABLE } else { "" };
        let source =
            Cow::Owned(format!("{enable}{}{}", self.source, text.write(named, inputs, output, epilogue)));
        let access = if named.ours { Access::Ours } else { Access::Own };
        Self { source, access, ..self }
    }

    /// The same with a source that looks at places before it uses them: an invocation that reads a place which is not
    /// there writes no number, so that whoever compares results sees it.
    #[must_use]
    pub(crate) fn guarded(self) -> Self {
        match self.access {
            Access::Named(named) => Self { access: Access::Named(Named { guarded: true, ..named }), ..self },
            Access::Own | Access::Ours => self,
        }
    }

    /// Whether more can be done to each value before it is written: not where the source reads what it wrote.
    #[must_use]
    pub fn takes_more(&self) -> bool {
        matches!(self.access, Access::Named(_)) && !calls(&self.source, "got")
    }
}

/// An input, and how it lies where it is a part of another tensor, or what computes it where it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lying<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) part: Option<Part>,
    pub(crate) before: Option<Before<'a>>,
}

/// What computes the values of an input where they are read, and what is done to each of them then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before<'a> {
    pub(crate) computed: &'a Computed,
    /// Tensors that it reads, then those that are read for what follows.
    pub(crate) inputs: &'a [Lying<'a>],
    pub(crate) then: &'a Epilogue,
}

/// How a kernel computes a value where another reads it.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    /// What its source calls its inputs.
    pub(crate) inputs: &'static [&'static str],
    /// Its function of a place; the one that gives four values, from a multiple of four on, has a 4 behind its name.
    pub(crate) value: &'static str,
    /// The source with the former, and with the latter.
    pub(crate) sources: [String; 2],
    /// Rounds of its loop; 0 where it has none.
    pub(crate) rounds: usize,
}

/// Where a part begins in each item of a tensor, which has so many values. Both are multiples of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) start: usize,
    pub(crate) total: usize,
}

/// The function of four values in a source that has one of one value.
pub(super) fn four_by_one(value: &str) -> String {
    let each = ["", " + 1u", " + 2u", " + 3u"].map(|next| format!("{value}(place{next})"));
    format!("\nfn {value}4(place: u32) -> vec4<f32> {{\n    return vec4({});\n}}\n", each.join(", "))
}

impl<'a> Lying<'a> {
    /// A tensor by itself.
    pub(crate) fn whole(spec: &'a Spec) -> Self {
        Self { spec, part: None, before: None }
    }

    fn reads_halves(&self) -> bool {
        match self.before {
            Some(before) => before.inputs.iter().any(Lying::reads_halves),
            None => kept_as_halves(self.spec),
        }
    }

    /// The place in memory of an own place.
    pub(super) fn place(&self, own: &str) -> String {
        let len = self.spec.len();
        match self.part {
            None => own.into(),
            Some(Part { start, total }) => {
                format!("({own}) / {len}u * {total}u + ({own}) % {len}u + {start}u")
            }
        }
    }
}

const ENABLE: &str = "enable f16;\n";

/// Whether it is an activation of 16-bit floats, and no constant of two in a word.
pub(super) fn kept_as_halves(spec: &Spec) -> bool {
    spec.batched && spec.element == Element::F16
}

/// Whether a source calls a function of this name.
fn calls(source: &str, name: &str) -> bool {
    let starts_here = |&(at, _): &(usize, &str)| {
        let before = source[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && before != '_')
    };
    source.match_indices(&format!("{name}(")).any(|found| starts_here(&found))
}

/// The functions of one source.
struct Text<'a> {
    source: &'a str,
    guard: Guard,
    out: String,
}

impl Text<'_> {
    fn write(mut self, named: &Named, inputs: &[Lying<'_>], output: &Spec, epilogue: &Epilogue) -> String {
        self.out.push_str(self.guard.seen());
        let mut first = 1;
        for (name, lying) in named.inputs.iter().zip(inputs) {
            first = match &lying.before {
                Some(before) => self.before(first, name, before),
                None => self.input(first, name, lying),
            };
            if self.calls(&format!("{name}_whole")) {
                self.whole(name, lying.spec.element);
            }
        }
        for name in &named.absent {
            let _ = write!(self.out, "\nfn {name}(place: u32) -> Value {{\n    return Value();\n}}\n");
        }
        self.output(named, first, (inputs, output), epilogue);
        self.out
    }

    /// How a value of an input, or four of them, is computed where it is read. The next binding is given.
    fn before(&mut self, first: usize, name: &str, before: &Before<'_>) -> usize {
        let Before { computed, inputs, then } = before;
        let four = self.calls(&format!("{name}4"));
        let source = &computed.sources[usize::from(four)];
        let mut text = Text { source, guard: self.guard, out: std::mem::take(&mut self.out) };
        text.out.push_str(source);
        let own = computed.inputs.iter().zip(*inputs);
        let behind = own.fold(first, |binding, (name, lying)| text.input(binding, name, lying));
        self.out = text.out;
        let others = &inputs[computed.inputs.len()..];
        let tensors = Tensors { first: behind, others, halves: false, guard: self.guard };
        then.compute(self.source, tensors, (name, computed.value, four), &mut self.out);
        behind + then.reads()
    }

    fn calls(&self, name: &str) -> bool {
        calls(self.source, name)
    }

    /// The binding of an input, and how a value of it is read, or four of them. The next binding is given.
    fn input(&mut self, binding: usize, name: &str, lying: &Lying<'_>) -> usize {
        let four = self.calls(&format!("{name}4"));
        let (spec, element) = (lying.spec, lying.spec.element);
        let (word, values) = match (element, four) {
            (Element::F32, false) => ("f32", 1),
            (Element::F32, true) => ("vec4<f32>", 4),
            (Element::I32, false) => ("i32", 1),
            (Element::I32, true) => ("vec4<i32>", 4),
            (Element::F16, false) if spec.batched => ("f16", 1),
            (Element::F16, true) if spec.batched => ("vec4<f16>", 4),
            (Element::F16, false) => ("u32", 2),
            (Element::F16, true) => ("vec2<u32>", 4),
            (Element::U8 | Element::I8, _) => ("u32", 4),
        };
        let place = match (values, lying.place("place")) {
            (1, place) => place,
            (values, place) if lying.part.is_none() => format!("{place} / {values}u"),
            (values, place) => format!("({place}) / {values}u"),
        };
        let read = self.guard.binding(binding, name, word, &place, &mut self.out);
        let read = match (element, four) {
            (Element::F32 | Element::I32, _) => read,
            (Element::F16, false) if spec.batched => format!("f32({read})"),
            (Element::F16, true) if spec.batched => format!("vec4<f32>({read})"),
            (Element::F16, false) => format!("unpack2x16float({read} >> (place % 2u * 16u)).x"),
            (Element::F16, true) => {
                format!("vec4(unpack2x16float({read}.x), unpack2x16float({read}.y))")
            }
            (Element::U8, false) => format!("f32(({read} >> (place % 4u * 8u)) & 255u)"),
            (Element::U8, true) => format!("vec4<f32>(unpack4xU8({read}))"),
            (Element::I8, false) => format!("f32(extractBits(bitcast<i32>({read}), place % 4u * 8u, 8u))"),
            (Element::I8, true) => format!("vec4<f32>(unpack4xI8({read}))"),
        };
        let value = value_of(element);
        let (function, value) =
            if four { (format!("{name}4"), format!("vec4<{value}>")) } else { (name.into(), value.into()) };
        let _ = write!(self.out, "\nfn {function}(place: u32) -> {value} {{\n    return {read};\n}}\n");
        binding + 1
    }

    /// How a value is read as a whole number: the least of all where it is none below 2^24, up to which every one is
    /// a float. Compared by its bits first, since NaN and infinity are beyond that too.
    fn whole(&mut self, name: &str, element: Element) {
        let body = match element {
            Element::I32 => format!("    return {name}(place);\n"),
            _ => format!(
                "    let value = {name}(place);\n    \
                 let large = (bitcast<u32>(value) & 0x7fffffffu) > 0x4b800000u;\n    \
                 let none = large || floor(value) != value;\n    \
                 return select(i32(select(value, 0.0, none)), i32(-2147483648), none);\n"
            ),
        };
        let _ = write!(self.out, "\nfn {name}_whole(place: u32) -> i32 {{\n{body}}}\n");
    }

    /// The binding of the output, how a value is written or four of them, and how one that was written is read.
    fn output(
        &mut self,
        named: &Named,
        first: usize,
        (inputs, output): (&[Lying<'_>], &Spec),
        epilogue: &Epilogue,
    ) {
        let element = output.element;
        let others = inputs.get(named.inputs.len()..).unwrap_or_default();
        let four = self.calls("put4");
        let one = value_of(element);
        let value = if four { format!("vec4<{one}>") } else { one.into() };
        let halves = kept_as_halves(output);
        let tensors = Tensors { first, others, halves, guard: self.guard };
        let follows = epilogue.write(self.source, tensors, four, &mut self.out);
        let binding = first + epilogue.reads();
        let _ = write!(self.out, "\nalias Value = {one};\n");
        let function = if four { "put4" } else { "put" };
        let word = match (four && epilogue.order().is_none(), halves) {
            (true, false) => &*value,
            (false, false) => one,
            (true, true) => "vec4<f16>",
            (false, true) => "f16",
        };
        let (along, bias) = match (named.along, four) {
            (false, _) => ("", ""),
            (true, false) => ("along: u32, ", " + bias(along)"),
            (true, true) => {
                ("along: vec4<u32>, ", " + vec4(bias(along.x), bias(along.y), bias(along.z), bias(along.w))")
            }
        };
        let bias = if named.inputs.contains(&"bias") { bias } else { "" };
        let _ = write!(
            self.out,
            "\n@group(0) @binding({binding}) var<storage, read_write> put_values: array<{word}>;\n{}\n\
             fn {function}(place: u32, {along}given: {value}) {{\n    let value0 = given{bias};\n{follows}}}\n",
            self.guard.output(word)
        );
        if self.calls("got") {
            self.out.push_str("\nfn got(place: u32) -> Value {\n    return Value(put_values[place]);\n}\n");
        }
        if self.calls("no_value") {
            // The compiler must not see that a float is NaN.
            let none = match element {
                Element::I32 => "i32(-2147483648)",
                _ => "bitcast<f32>(0x7fc00000u | (any & 0xffffu))",
            };
            let _ = write!(self.out, "\nfn no_value(any: u32) -> Value {{\n    return {none};\n}}\n");
        }
    }
}

/// What a value of it is in a shader.
fn value_of(element: Element) -> &'static str {
    if element == Element::I32 { "i32" } else { "f32" }
}
