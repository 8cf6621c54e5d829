//! Which kernels are gapless's own and use no place that follows from a value.

use std::any::Any;

use super::{
    ArgReduce, Attention, AveragePool, Binary, Cast, Concat, Conv2d, ConvTranspose, CumSum, FullyConnected,
    Gather, GatherNd, GlobalAveragePool, GroupNorm, Kernel, LayerNorm, LogSoftmax, Lrn, MatMul, MaxPool,
    Normalize, Pad, Rearrange, Reduce, Select, Softmax, Unary,
};

/// Whether the places that a kernel reads and writes follow from shapes that its own rule accepted. A type cannot be
/// made up outside of this crate, so a dispatch that such a kernel gives for the shapes that it is run for can be
/// trusted.
///
/// Not [`GridSample`](super::GridSample) and [`Resize`](super::Resize), which read at places that values or a table name, nor [`TopK`](super::TopK), which writes
/// where comparisons say. [`Gather`] and [`GatherNd`] compare an index with its axis before it is a place.
pub(crate) fn keeps_to_its_shapes(kernel: &dyn Kernel) -> bool {
    let kernel: &dyn Any = kernel;
    macro_rules! is_any {
        ($($own:ty),* $(,)?) => { $(kernel.is::<$own>())||* };
    }
    is_any![
        ArgReduce,
        Attention,
        AveragePool<1>,
        AveragePool<2>,
        AveragePool<3>,
        Binary,
        Cast,
        Concat,
        Conv2d,
        ConvTranspose<1>,
        ConvTranspose<2>,
        ConvTranspose<3>,
        CumSum,
        FullyConnected,
        Gather,
        GatherNd,
        GlobalAveragePool,
        GroupNorm,
        LayerNorm,
        LogSoftmax,
        Lrn,
        MatMul,
        MaxPool<1>,
        MaxPool<2>,
        MaxPool<3>,
        Normalize,
        Pad,
        Rearrange,
        Reduce,
        Select,
        Softmax,
        Unary,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::examples;

    #[test]
    fn all_kernels_but_those_that_look_up_places_keep_to_their_shapes() {
        let others = examples::all().into_iter().filter(|example| !keeps_to_its_shapes(&*example.kernel));
        let mut others: Vec<String> = others.map(|example| example.kernel.name().to_owned()).collect();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others, ["grid_sample", "resize", "top_k"]);
    }
}
