//! Which variants of kernels a command line wants.

use gapless::Program;
use gapless::kernel::Precision;

use crate::terminal::Problem;

pub(crate) const HELP: &str = "\
--precision   full (default), mixed or half: whether kernels whose weights are halves may round what they read to
              halves, and whether they may multiply and add as halves too
--variant     runs no other variants than those that this word means, such as softmax+subgroups, conv2d_tall or
              subgroups, wherever there are such
--without     leaves the variants out that this word means";

#[derive(Clone, Debug, Default)]
pub(crate) struct Variants {
    pub(crate) precision: Precision,
    pub(crate) forced: Vec<String>,
    pub(crate) forbidden: Vec<String>,
}

impl Variants {
    pub(crate) fn apply(&self, net: Program) -> Program {
        let net = net.precision(self.precision);
        let net = self.forced.iter().fold(net, Program::force_variants);
        self.forbidden.iter().fold(net, Program::forbid_variants)
    }
}

pub(crate) fn precision(word: &str) -> Result<Precision, Problem> {
    match word {
        "full" => Ok(Precision::Full),
        "mixed" => Ok(Precision::Mixed),
        "half" => Ok(Precision::Half),
        other => Err(format!("--precision {other}: full, mixed or half would fit").into()),
    }
}
