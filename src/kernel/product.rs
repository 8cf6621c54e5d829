//! What the shaders of convolutions and matrix products have in common: how they are put together, and
//! the sizes of their tiles.

use std::borrow::Cow;

use super::inputs::Inputs;
use super::lanes::Join;
use super::params::wgsl;
use super::{Access, Needs, Precision, Spec, grid, rounds};

/// Fewer terms of one sum are not worth sharing among invocations.
pub(super) const TERMS_TO_SHARE: usize = 64;

/// So many terms of one sum are shared however many sums there are: some devices end so long a loop.
pub(super) const TERMS_THAT_MUST_BE_SHARED: usize = 1 << 15;

/// `sum_of_column` of WGSL: what invocations bring that share the terms of a sum.
pub(super) fn sum_of_column(join: Join) -> &'static str {
    match join {
        Join::Memory => wgsl!("shared/few"),
        Join::Subgroups => wgsl!("shared/few_subgroups"),
    }
}

/// What a shader with `sum_of_column` needs: a vector of four for each of 64 invocations, and loops over its own
/// share of the terms.
pub(super) fn needs_of_column(join: Join, terms: usize) -> Needs {
    let needs = join.needs();
    let loops = [rounds::nested(&[terms]), needs.rounds, MATRICES];
    Needs { workgroup_bytes: 64 * 16, rounds: rounds::all(&loops), ..needs }
}

/// Rounds that find where the matrices of a product lie, of eight axes.
const MATRICES: u32 = 9;

/// A way of cutting the output into pieces: each invocation or each workgroup computes a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tiling {
    /// Four rows by four columns an invocation.
    Plain,
    /// 16 rows by eight columns an invocation.
    Tall,
    /// 64 rows by 64 columns a workgroup.
    Tiled(Precision),
    /// The same, read and written in vectors of four.
    TiledVec4(Precision),
}

/// What the factors of a product allow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors {
    /// Whether one of them is of halves.
    pub(super) halves: bool,
    /// Whether vectors of four lie in both, and in the output, as the tiles need them.
    pub(super) vectors: bool,
    /// Whether tiles reach over the rows of all items.
    pub(super) rows_over_items: bool,
    /// Whether tiles in workgroup memory reach over the columns of all items.
    pub(super) columns_over_items: bool,
}

impl Tiling {
    /// Those that make sense for an output of so many rows and columns of so many terms, the plainest first.
    ///
    /// A tile that is mostly empty is not worth a try. How many items a batch has is not known here, so one that
    /// reaches over them counts as full.
    pub(super) fn for_sizes(
        [rows, columns, terms]: [usize; 3],
        factors: Factors,
    ) -> impl Iterator<Item = Self> {
        let precisions = [Precision::Full, Precision::Mixed, Precision::Half];
        let tiled = precisions.into_iter().filter(move |precision| factors.halves || !precision.needs_f16());
        let Factors { rows_over_items, columns_over_items, .. } = factors;
        let fills = (rows_over_items || rows >= 16) && (columns_over_items || columns >= 16) && terms >= 8;
        let suits = move |tiling: &Self| match tiling {
            Self::Plain => true,
            Self::Tall => (rows_over_items || rows > 4) && columns > 4,
            Self::Tiled(_) => fills,
            Self::TiledVec4(_) => fills && factors.vectors,
        };
        let tiled = tiled.flat_map(|precision| [Self::Tiled(precision), Self::TiledVec4(precision)]);
        [Self::Plain, Self::Tall].into_iter().chain(tiled).filter(suits)
    }

    /// Rows and columns of a tile.
    pub(super) fn size(self) -> [usize; 2] {
        match self {
            Self::Plain => [4, 4],
            Self::Tall => [16, 8],
            Self::Tiled(_) | Self::TiledVec4(_) => [64, 64],
        }
    }

    /// Workgroups of 64 invocations in x and y for so many tiles.
    pub(super) fn workgroups(self, tiles: u32) -> [u32; 2] {
        match self {
            Self::Plain | Self::Tall => grid::cover(tiles as usize, 64),
            Self::Tiled(_) | Self::TiledVec4(_) => grid::fold(tiles),
        }
    }

    /// What it needs for sums of so many terms: of `channels` for each of `taps`.
    pub(super) fn needs(self, [taps, channels]: [usize; 2]) -> Needs {
        let terms = rounds::nested(&[taps, channels]);
        match self {
            Self::Plain | Self::Tall => Needs::rounds(rounds::all(&[terms, MATRICES])),
            Self::Tiled(precision) | Self::TiledVec4(precision) => {
                let bytes_of_four = if precision.needs_f16() { 8 } else { 16 };
                // For 16 terms at once: four steps that fill each of the two tiles, and 16 products.
                let inner = rounds::all(&[rounds::nested(&[4]), rounds::nested(&[4]), rounds::nested(&[16])]);
                let steps = (taps * channels).div_ceil(16);
                let terms = rounds::nested(&[steps, inner as usize]);
                let rounds = rounds::all(&[terms, MATRICES]);
                // 17 and 16 vectors for each of 16 terms.
                Needs { precision, rounds, ..Needs::workgroup_bytes((17 + 16) * 16 * bytes_of_four) }
            }
        }
    }

    fn precision(self) -> Precision {
        match self {
            Self::Plain | Self::Tall => Precision::Full,
            Self::Tiled(precision) | Self::TiledVec4(precision) => precision,
        }
    }

    /// Whether it reads and writes vectors of four.
    pub(super) fn vectors(self) -> bool {
        matches!(self, Self::TiledVec4(_))
    }

    /// What stands before its shader.
    pub(super) fn before(self) -> &'static str {
        if self.precision().needs_f16() { "enable f16;\n" } else { "" }
    }

    /// What its shader needs beside its own file.
    pub(super) fn shared(self) -> [&'static str; 2] {
        match self {
            Self::Plain => [wgsl!("shared/finish_tile", "shared/finish4"), ""],
            Self::Tall => [wgsl!("shared/tall", "shared/finish_tile", "shared/finish4", "shared/outer"), ""],
            Self::Tiled(precision) => {
                let parts = wgsl!("shared/tiled", "shared/fill", "shared/finish_tile", "shared/finish4");
                [parts, arithmetic(precision)]
            }
            Self::TiledVec4(precision) => {
                let parts = wgsl!(
                    "shared/tiled",
                    "shared/fill_vectors",
                    "shared/finish_tile",
                    "shared/finish4_vectors"
                );
                [parts, arithmetic(precision)]
            }
        }
    }
}

/// How the values of a tile are kept, multiplied and added.
fn arithmetic(precision: Precision) -> &'static str {
    match precision {
        Precision::Full => wgsl!("shared/products", "shared/kept", "shared/outer"),
        Precision::Mixed => wgsl!("shared/products", "shared/kept_f16", "shared/outer"),
        Precision::Half => wgsl!("shared/products_f16", "shared/kept_f16"),
    }
}

/// The source of a shader of sums: its parts, then what all of them have.
pub(super) fn source(parts: &[&str]) -> Cow<'static, str> {
    Cow::Owned([parts, &[wgsl!("shared/linear")]].concat().concat())
}

/// How it reaches its inputs, of which the first two are factors of these names.
pub(super) fn access(factors: [&'static str; 2], inputs: &[&Spec]) -> Access {
    Access::sums(factors, Inputs::accepted(inputs).bias.is_some())
}
