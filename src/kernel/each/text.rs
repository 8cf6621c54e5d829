//! What follows a kernel as a shader does it: functions behind its source.

use std::fmt::Write as _;

use super::{Along, Arg, Epilogue, Function, Link};
use crate::kernel::access::{Guard, Lying, kept_as_halves};
use crate::kernel::params::wgsl;
use crate::kernel::rearrange::View;

/// What an epilogue reads and writes.
pub(in crate::kernel) struct Tensors<'a> {
    /// The first binding that is free.
    pub(in crate::kernel) first: usize,
    /// Those that it reads, floats where nothing is said of them.
    pub(in crate::kernel) others: &'a [Lying<'a>],
    /// Whether what is written is kept as halves.
    pub(in crate::kernel) halves: bool,
    pub(in crate::kernel) guard: Guard,
}

impl Tensors<'_> {
    /// The statement that writes this value at this place.
    fn put(&self, place: &str, value: usize, four: bool) -> String {
        let value = format!("value{value}");
        let value = match (self.halves, four) {
            (false, _) => value,
            (true, false) => format!("f16({value})"),
            (true, true) => format!("vec4<f16>({value})"),
        };
        self.guard.put(place, &value)
    }
}

impl Epilogue {
    /// The statements that make of `value0` what is written, and write it, with the functions that they take put behind
    /// the others. `source` is what stands before.
    pub(in crate::kernel) fn write(
        &self,
        source: &str,
        tensors: Tensors<'_>,
        four: bool,
        out: &mut String,
    ) -> String {
        let mut writing = Writing::new(&tensors, "then", out);
        let mut body = writing.links(&self.before, four);
        match &self.turned {
            None => {
                let at = if four { "place / 4u" } else { "place" };
                let _ = writeln!(body, "    {}", tensors.put(at, self.before.len(), four));
            }
            Some(view) => {
                turned(view, writing.out);
                let last = format!("value{}", self.before.len());
                let parts: &[&str] = if four { &[".x", ".y", ".z", ".w"] } else { &[""] };
                for (next, part) in parts.iter().enumerate() {
                    let _ = writeln!(body, "    put_turned(turned(place + {next}u), {last}{part});");
                }
                let behind = writing.links(&self.behind, false);
                let put = tensors.put("place", self.behind.len(), false);
                let _ = write!(
                    writing.out,
                    "\nfn put_turned(place: u32, value0: Value) {{\n{behind}    {put}\n}}\n"
                );
            }
        }
        let files = writing.files;
        add_files(source, &files, out);
        body
    }

    /// The function `NAME(place)`, or `NAME4(place)` of four: what is made of the value that another function computes.
    pub(in crate::kernel) fn compute(
        &self,
        source: &str,
        tensors: Tensors<'_>,
        (name, value, four): (&str, &str, bool),
        out: &mut String,
    ) {
        let mut writing = Writing::new(&tensors, "before", out);
        let body = writing.links(&self.before, four);
        let files = writing.files;
        add_files(source, &files, out);
        let (four, gives) = if four { ("4", "vec4<f32>") } else { ("", "f32") };
        let _ = write!(
            out,
            "\nfn {name}{four}(place: u32) -> {gives} {{\n    let value0 = {value}{four}(place);\n{body}    \
             return value{};\n}}\n",
            self.before.len()
        );
    }
}

/// The functions of an epilogue while they are written.
struct Writing<'a> {
    files: Vec<&'static str>,
    tensors: &'a Tensors<'a>,
    /// What their names begin with.
    prefix: &'static str,
    /// How many tensors are read.
    read: usize,
    /// How many functions there are.
    number: usize,
    out: &'a mut String,
}

impl<'a> Writing<'a> {
    fn new(tensors: &'a Tensors<'a>, prefix: &'static str, out: &'a mut String) -> Self {
        Self { files: Vec::new(), tensors, prefix, read: 0, number: 0, out }
    }

    /// The statements of functions that follow each other, the first of `value0`.
    fn links(&mut self, links: &[Link], four: bool) -> String {
        let mut body = String::new();
        for (value, link) in links.iter().enumerate() {
            let name = format!("{}{}", self.prefix, self.number);
            self.files.extend(link.function.declare(&name, self.out));
            if let [Arg::Value(_), Arg::Value(_)] = link.args {
                self.files.push(wgsl!("shared/again"));
            }
            if let Some(along) = link.other() {
                along.declare(&name, (self.tensors, self.read), four, self.out);
                self.read += 1;
                let _ = writeln!(body, "    let other{value} = {name}_other(place);");
            }
            let _ = writeln!(body, "    let value{} = {};", value + 1, link.call(&name, value, four));
            self.number += 1;
        }
        body
    }
}

/// `turned(place)`: where the value lies that is given at this place.
fn turned(view: &View, out: &mut String) {
    let len = view.shape.iter().product::<usize>();
    let view = view.collapsed();
    let mut inner = len;
    let steps = view.shape.iter().zip(&view.strides).map(|(axis, stride)| {
        inner /= axis;
        let outer = if inner == 1 { "rest".to_owned() } else { format!("rest / {inner}u") };
        let at = if inner * axis == len { outer } else { format!("{outer} % {axis}u") };
        format!(" + {at} * {stride}u")
    });
    let steps: String = steps.collect();
    let _ = write!(
        out,
        "\nfn turned(place: u32) -> u32 {{\n    let rest = place % {len}u;\n    return place - rest{steps};\n}}\n"
    );
}

impl Link {
    /// The call of its function of this name, which makes the value behind this one.
    fn call(&self, name: &str, value: usize, four: bool) -> String {
        let one = |part: &str| {
            let arg = |arg: &Arg| match arg {
                Arg::Value(value) => format!("value{value}{part}"),
                Arg::Other(_) | Arg::None => format!("other{value}{part}"),
            };
            let first = arg(&self.args[0]);
            match &self.args {
                [_, Arg::None] => format!("{name}({first}, place)"),
                [Arg::Value(_), second @ Arg::Value(_)] => {
                    format!("{name}({first}, again({}, place), place)", arg(second))
                }
                [_, second] => format!("{name}({first}, {}, place)", arg(second)),
            }
        };
        if !four {
            return one("");
        }
        format!("vec4({})", [".x", ".y", ".z", ".w"].map(one).join(", "))
    }
}

impl Along {
    /// The place in a shader, of an output's `place`.
    pub(super) fn text(self) -> String {
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

/// Files of `shaders/shared/` that are not there yet.
pub(in crate::kernel) fn add_files(source: &str, files: &[&'static str], out: &mut String) {
    for file in files {
        if !source.contains(file) && !out.contains(file) {
            out.push_str(file);
        }
    }
}

impl Along {
    /// `NAME_other(place)`: one value, or four from there on.
    fn declare(self, name: &str, (tensors, number): (&Tensors<'_>, usize), four: bool, out: &mut String) {
        let lying = tensors.others.get(number);
        let at = lying.map_or_else(|| self.text(), |lying| lying.place(&self.text()));
        let (same, vector) = self.of_four();
        let value = if four { "vec4<f32>" } else { "f32" };
        let vectors = four && vector && !same;
        let place = if vectors { format!("({at}) / 4u") } else { at };
        let halves = lying.is_some_and(|lying| kept_as_halves(lying.spec));
        let word = match (halves, vectors) {
            (false, false) => "f32",
            (false, true) => "vec4<f32>",
            (true, false) => "f16",
            (true, true) => "vec4<f16>",
        };
        let read = tensors.guard.binding(tensors.first + number, name, word, &place, out);
        let read = match (halves, vectors) {
            (false, _) => read,
            (true, false) => format!("f32({read})"),
            (true, true) => format!("vec4<f32>({read})"),
        };
        let read = match four {
            true if same => format!("vec4({read})"),
            true if !vector => {
                let _ = write!(out, "\nfn {name}_at(place: u32) -> f32 {{\n    return {read};\n}}\n");
                let one = |next: u32| format!("{name}_at(place + {next}u)");
                format!("vec4({})", [0, 1, 2, 3].map(one).join(", "))
            }
            _ => read,
        };
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
pub(in crate::kernel) const FILES: [&str; 2] = [wgsl!("shared/nan"), wgsl!("shared/nan_made")];
