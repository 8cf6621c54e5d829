//! Which variants of kernels a command line wants.

use gapless::Program;
use gapless::gpu::Precision;

pub(crate) const HELP: &str = "\
--half        lets kernels whose weights are halves round what they read to halves
--variant     runs no other variants than those that this word means, such as softmax+subgroups, conv2d_tall or
              subgroups, wherever there are such
--without     leaves the variants out that this word means";

#[derive(Clone, Debug, Default)]
pub(crate) struct Variants {
    pub(crate) half: bool,
    pub(crate) forced: Vec<String>,
    pub(crate) forbidden: Vec<String>,
}

impl Variants {
    pub(crate) fn apply(&self, net: Program) -> Program {
        let net = net.precision(if self.half { Precision::Half } else { Precision::Full });
        let net = self.forced.iter().fold(net, Program::force_variants);
        self.forbidden.iter().fold(net, Program::forbid_variants)
    }
}
