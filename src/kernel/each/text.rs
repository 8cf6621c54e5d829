//! What follows a kernel as a shader does it: functions behind its source.

use std::fmt::Write as _;

use super::{Along, Arg, Epilogue, Function, Link};
use crate::kernel::params::wgsl;

impl Epilogue {
    /// The functions of WGSL that it takes, and the statements that make of `value0` what is written, the last value.
    /// `source` is what stands before; `binding` the first that is free.
    pub(in crate::kernel) fn write(
        &self,
        source: &str,
        binding: usize,
        four: bool,
        out: &mut String,
    ) -> String {
        let mut body = String::new();
        let mut free = binding;
        let mut files = Vec::new();
        for (number, link) in self.0.iter().enumerate() {
            let name = format!("then{number}");
            files.extend(link.function.declare(&name, out));
            if let [Arg::Value(_), Arg::Value(_)] = link.args {
                files.push(wgsl!("shared/again"));
            }
            if let Some(along) = link.other() {
                along.declare(&name, free, four, out);
                free += 1;
                let _ = writeln!(body, "    let other{number} = {name}_other(place);");
            }
            let made = link.call(number, four);
            let _ = writeln!(body, "    let value{} = {made};", number + 1);
        }
        add_files(source, &files, out);
        body
    }
}

impl Link {
    /// The call of its function, which has this number.
    fn call(&self, number: usize, four: bool) -> String {
        let one = |part: &str| {
            let arg = |arg: &Arg| match arg {
                Arg::Value(value) => format!("value{value}{part}"),
                Arg::Other(_) | Arg::None => format!("other{number}{part}"),
            };
            let first = arg(&self.args[0]);
            match &self.args {
                [_, Arg::None] => format!("then{number}({first}, place)"),
                [Arg::Value(_), second @ Arg::Value(_)] => {
                    format!("then{number}({first}, again({}, place), place)", arg(second))
                }
                [_, second] => format!("then{number}({first}, {}, place)", arg(second)),
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
