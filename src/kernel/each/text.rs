//! What follows a kernel as a shader does it: functions behind its source.

use std::fmt::Write as _;

use super::{Along, Arg, Epilogue, Function, Link};
use crate::kernel::params::wgsl;
use crate::kernel::rearrange::View;

impl Epilogue {
    /// The statements that make of `value0` what is written, and write it, with the functions that they take put behind
    /// the others. `source` is what stands before; `binding` the first that is free.
    pub(in crate::kernel) fn write(
        &self,
        source: &str,
        binding: usize,
        four: bool,
        out: &mut String,
    ) -> String {
        let mut writing = Writing { files: Vec::new(), binding, number: 0, out };
        let mut body = writing.links(&self.before, four);
        match &self.turned {
            None => {
                let at = if four { "place / 4u" } else { "place" };
                let _ = writeln!(body, "    put_values[{at}] = value{};", self.before.len());
            }
            Some(view) => {
                turned(view, writing.out);
                let last = format!("value{}", self.before.len());
                let parts: &[&str] = if four { &[".x", ".y", ".z", ".w"] } else { &[""] };
                for (next, part) in parts.iter().enumerate() {
                    let _ = writeln!(body, "    put_turned(turned(place + {next}u), {last}{part});");
                }
                let behind = writing.links(&self.behind, false);
                let _ = write!(
                    writing.out,
                    "\nfn put_turned(place: u32, value0: Value) {{\n{behind}    put_values[place] = value{};\n}}\n",
                    self.behind.len()
                );
            }
        }
        let files = writing.files;
        add_files(source, &files, out);
        body
    }
}

/// The functions of an epilogue while they are written.
struct Writing<'a> {
    files: Vec<&'static str>,
    /// The next that is free.
    binding: usize,
    /// How many functions there are.
    number: usize,
    out: &'a mut String,
}

impl Writing<'_> {
    /// The statements of functions that follow each other, the first of `value0`.
    fn links(&mut self, links: &[Link], four: bool) -> String {
        let mut body = String::new();
        for (value, link) in links.iter().enumerate() {
            let name = format!("then{}", self.number);
            self.files.extend(link.function.declare(&name, self.out));
            if let [Arg::Value(_), Arg::Value(_)] = link.args {
                self.files.push(wgsl!("shared/again"));
            }
            if let Some(along) = link.other() {
                along.declare(&name, self.binding, four, self.out);
                self.binding += 1;
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
pub(in crate::kernel) const FILES: [&str; 2] = [wgsl!("shared/nan"), wgsl!("shared/nan_made")];
