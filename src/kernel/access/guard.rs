//! Places that are looked at before they are used, in builds that check themselves: everywhere else a driver is told
//! that they are right (`hardware/trusted.rs`), and this is what shows it.

use std::fmt::Write as _;

/// Whether they are.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Guard(pub(in crate::kernel) bool);

impl Guard {
    /// What an invocation remembers.
    pub(in crate::kernel) fn seen(self) -> &'static str {
        if self.0 { "\nvar<private> outside: bool = false;\n" } else { "" }
    }

    /// The binding of what is read under this name, and an expression for what lies there at a place.
    pub(in crate::kernel) fn binding(
        self,
        binding: usize,
        name: &str,
        word: &str,
        place: &str,
        out: &mut String,
    ) -> String {
        let _ =
            write!(out, "\n@group(0) @binding({binding}) var<storage, read> {name}_values: array<{word}>;\n");
        if !self.0 {
            return format!("{name}_values[{place}]");
        }
        let nothing = nothing(word);
        let _ = write!(
            out,
            "\nfn {name}_word(at: u32) -> {word} {{\n    if at < arrayLength(&{name}_values) {{\n        \
             return {name}_values[at];\n    }}\n    outside = true;\n    return {nothing};\n}}\n"
        );
        format!("{name}_word({place})")
    }

    /// The function that writes a word, where places are looked at.
    pub(in crate::kernel) fn output(self, word: &str) -> String {
        if !self.0 {
            return String::new();
        }
        let nothing = nothing(word);
        format!(
            "\nfn put_word(at: u32, value: {word}) {{\n    let last = arrayLength(&put_values) - 1u;\n    \
             if outside || at > last {{\n        put_values[min(at, last)] = {nothing};\n    }} else {{\n        \
             put_values[at] = value;\n    }}\n}}\n"
        )
    }

    /// The statement that writes a value at a place.
    pub(in crate::kernel) fn put(self, place: &str, value: &str) -> String {
        if self.0 {
            format!("put_word({place}, {value});")
        } else {
            format!("put_values[{place}] = {value};")
        }
    }
}

/// No number, which the compiler must not see.
fn nothing(word: &str) -> &'static str {
    match word {
        "f32" => "bitcast<f32>(0x7fc00000u | (at & 0xffffu))",
        "vec4<f32>" => "vec4(bitcast<f32>(0x7fc00000u | (at & 0xffffu)))",
        "f16" => "f16(bitcast<f32>(0x7fc00000u | (at & 0xffffu)))",
        "vec4<f16>" => "vec4(f16(bitcast<f32>(0x7fc00000u | (at & 0xffffu))))",
        "i32" => "i32(-2147483648)",
        "vec4<i32>" => "vec4(i32(-2147483648))",
        "vec2<u32>" => "vec2(0xffffffffu)",
        _ => "0xffffffffu",
    }
}
