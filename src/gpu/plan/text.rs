//! A plan as text: a line a kernel, then why kernels are not done with others, then what all of it takes.

use std::fmt;

use super::{Plan, PlannedInput, Step};
use crate::error::OneLine;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = |input: &PlannedInput| format!("{} {}", OneLine(&input.name), input.spec);
        let inputs: Vec<String> = self.inputs.iter().map(input).collect();
        writeln!(f, "batches of up to {}; {}", self.max_batch, inputs.join(", "))?;
        let (bytes, adds) = ("bytes", "multiply-adds");
        writeln!(
            f,
            "{:<24} {:<24} {:<30} {bytes:>12} {adds:>14} {:>6}  constants",
            "tensor", "shape", "variant", "buffer"
        )?;
        for step in &self.steps {
            let Step { name, shape, bytes, multiply_adds, output, constants, follows, computes, .. } = step;
            let said = |word: &str, what: &str| {
                if what.is_empty() { String::new() } else { format!("  {word} {}", OneLine(what)) }
            };
            let then = said("of", computes) + &said("then", follows);
            let [name, variant] = [name, &step.variant().name].map(|name| OneLine(name).to_string());
            let line = format!(
                "{name:<24} {shape:<24} {variant:<30} {bytes:>12} {multiply_adds:>14} {output:>6}  {constants}{then}"
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        for reason in self.apart.iter().chain(self.steps.iter().flat_map(|step| &step.left_out)) {
            writeln!(f, "{}", OneLine(reason))?;
        }
        let shared = self.shared_bytes();
        write!(
            f,
            "{} kernels, {} multiply-adds an item; bytes: {} constants, {shared} in {} shared buffers, {} up, {} down; \
             at most {} at once with {} batches in flight",
            self.steps.len(),
            self.multiply_adds(),
            self.constant_bytes,
            self.shared.len(),
            self.upload_bytes(),
            self.readback_bytes(),
            self.memory(),
            self.depth,
        )
    }
}
