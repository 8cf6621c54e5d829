//! What is done to one value after another, where it is written: on a device by functions behind the source of the
//! kernel that gives the values, on the CPU by loops over the piece that was just computed.

mod text;
mod twin;

pub(super) use self::text::{FILES, Tensors, add_files};
pub use self::twin::ItemEpilogue;
use super::binary::BinaryOp;
use super::rearrange::View;
use super::unary::UnaryOp;
use super::{Element, Spec};

/// What a kernel does to each value, where it does nothing else: such a kernel needs no pass of its own behind
/// another ([`Kernel::each`](super::Kernel::each)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Each(Function);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    One(UnaryOp),
    Two(BinaryOp),
}

/// Where the other value of a pair lies for a place of the output: `place / inner % count`, in the values of the same
/// item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Along {
    inner: usize,
    count: usize,
    /// Values of an item of the output.
    len: usize,
    batched: bool,
}

/// Most functions that follow a kernel: with each its source grows.
const MOST: usize = 16;

/// One function that follows a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Link {
    function: Function,
    args: [Arg; 2],
}

/// What a function is of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arg {
    /// What the kernel gives (0), or a function that comes before.
    Value(usize),
    /// A value of another tensor.
    Other(Along),
    /// A function of one value has no second one.
    None,
}

/// What follows a kernel: functions, the first one first, then another order of the values, and functions of what
/// stands in that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue {
    before: Vec<Link>,
    /// Where each value lies, in the order in which they were given.
    turned: Option<View>,
    behind: Vec<Link>,
}

impl Each {
    pub(super) fn one(op: UnaryOp) -> Self {
        Self(Function::One(op))
    }

    pub(super) fn two(op: BinaryOp) -> Self {
        Self(Function::Two(op))
    }

    /// The function of these inputs, of which some are values that were given before; or why there is none.
    fn link(self, inputs: &[&Spec], values: &[Option<usize>], output: &Spec) -> Result<Link, &'static str> {
        let floats = |spec: &Spec| spec.element == Element::F32;
        if !floats(output) || !inputs.iter().all(|spec| floats(spec)) {
            return Err("it is not of floats alone");
        }
        let arg = |(spec, value): (&&Spec, &Option<usize>)| match value {
            Some(value) if spec.len() == output.len() && spec.batched => Ok(Arg::Value(*value)),
            Some(_) => Err("its values are repeated"),
            None => Along::new(spec, output).map(Arg::Other).ok_or("the other values lie in several blocks"),
        };
        let args = inputs.iter().zip(values).map(arg).collect::<Result<Vec<_>, _>>()?;
        match args[..] {
            [one] => Ok(Link { function: self.0, args: [one, Arg::None] }),
            [one, other] => Ok(Link { function: self.0, args: [one, other] }),
            _ => Err("it is of more than two values"),
        }
    }
}

impl Along {
    /// Where the values of an input lie that is repeated to an output: one block of its axes may be longer than 1.
    fn new(input: &Spec, output: &Spec) -> Option<Self> {
        let before = output.shape.len().checked_sub(input.shape.len())?;
        let axes = output.shape.iter().zip(std::iter::repeat_n(&1, before).chain(&input.shape));
        let axes: Vec<(usize, bool)> =
            axes.filter(|(wide, _)| **wide > 1).map(|(wide, own)| (*wide, own == wide)).collect();
        let start = axes.iter().position(|axis| axis.1).unwrap_or(axes.len());
        let end = axes.iter().rposition(|axis| axis.1).map_or(start, |last| last + 1);
        let product = |axes: &[(usize, bool)]| axes.iter().map(|axis| axis.0).product::<usize>();
        let (count, inner) = (product(&axes[start..end]), product(&axes[end..]));
        (count == input.len()).then_some(Self { inner, count, len: output.len(), batched: input.batched })
    }
}

impl Epilogue {
    /// The same, and then what a kernel does to values that were given before: `values` says which of its inputs are
    /// such, by how many functions they have behind them, 0 for what is given at first, or for what stands in another
    /// order. At most one is another tensor, which is bound behind those that are read already.
    ///
    /// # Errors
    /// Why it cannot follow in the same pass.
    pub fn with(
        mut self,
        each: Each,
        inputs: &[&Spec],
        values: &[Option<usize>],
        output: &Spec,
    ) -> Result<Self, &'static str> {
        if self.links().count() == MOST {
            return Err("too much follows already");
        }
        let links = if self.turned.is_some() { &mut self.behind } else { &mut self.before };
        links.push(each.link(inputs, values, output)?);
        Ok(self)
    }

    /// The same, and then the last value where the view says, by the order in which values are given.
    pub(super) fn turned(mut self, view: View) -> Result<Self, &'static str> {
        if self.turned.is_some() {
            return Err("it is in another order already");
        }
        self.turned = Some(view);
        Ok(self)
    }

    /// Where values lie, if it is not in the order in which they are given.
    pub(crate) fn order(&self) -> Option<&View> {
        self.turned.as_ref()
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        self.before.iter().chain(&self.behind)
    }

    /// How many tensors they read beside the values.
    pub(crate) fn reads(&self) -> usize {
        self.links().filter(|link| link.other().is_some()).count()
    }

    /// What plans call them.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        let name = |link: &Link| {
            let name = match link.function {
                Function::One(op) => format!("{op:?}"),
                Function::Two(op) => format!("{op:?}"),
            };
            name.split([' ', '{']).next().unwrap_or_default().to_lowercase()
        };
        let turned = self.turned.iter().map(|_| "rearrange".to_owned());
        self.before.iter().map(name).chain(turned).chain(self.behind.iter().map(name))
    }
}

impl Link {
    /// Where the other tensor lies that it reads.
    fn other(&self) -> Option<Along> {
        self.args.iter().find_map(|arg| match arg {
            Arg::Other(along) => Some(*along),
            Arg::Value(_) | Arg::None => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(input: &Spec, output: &[usize]) -> Option<Along> {
        Along::new(input, &Spec::floats(output))
    }

    #[test]
    fn a_place_of_one_block_of_axes_is_found_and_of_two_is_not() {
        let found =
            |input: &Spec, output: &[usize]| along(input, output).map(|along| (along.inner, along.count));
        assert_eq!(found(&Spec::floats(&[3, 4, 5]), &[3, 4, 5]), Some((1, 60)));
        assert_eq!(found(&Spec::constant(&[3, 1, 1]), &[3, 4, 5]), Some((20, 3)));
        assert_eq!(found(&Spec::constant(&[4, 1]), &[3, 4, 5]), Some((5, 4)));
        assert_eq!(found(&Spec::constant(&[5]), &[3, 4, 5]), Some((1, 5)));
        assert_eq!(found(&Spec::constant(&[]), &[3, 4, 5]), Some((1, 1)));
        assert_eq!(found(&Spec::floats(&[3, 1, 5]), &[3, 4, 5]), None);
        assert_eq!(found(&Spec::floats(&[3, 1, 5]), &[3, 1, 5]), Some((1, 15)));
    }

    #[test]
    fn places_are_written_as_short_as_they_can_be() {
        let text = |input: Spec, output: &[usize]| along(&input, output).expect("one block").text();
        assert_eq!(text(Spec::floats(&[3, 4]), &[3, 4]), "place");
        assert_eq!(text(Spec::floats(&[3, 1]), &[3, 4]), "place / 4u");
        assert_eq!(text(Spec::constant(&[3, 1]), &[3, 4]), "place / 4u % 3u");
        assert_eq!(text(Spec::floats(&[4]), &[3, 4]), "place % 4u + place / 12u * 4u");
        assert_eq!(text(Spec::floats(&[1]), &[3, 4]), "place / 12u");
        assert_eq!(text(Spec::constant(&[]), &[3, 4]), "0u");
    }

    #[test]
    fn pieces_of_an_item_are_treated_as_the_whole() {
        let others: Vec<f32> = (1..=4).map(|value| value as f32).collect();
        for shape in [&[4, 1][..], &[1, 4, 1], &[4]] {
            let output = Spec::floats(&[3, 4, 4]);
            let inputs = [&output, &Spec::constant(shape)];
            let then = Epilogue::default()
                .with(Each::two(BinaryOp::Sub), &inputs, &[Some(0), None], &output)
                .expect("one block");
            let [then, _] = then.here([&others[..]]);
            let mut whole = vec![10.0; 48];
            then.apply(0, &mut whole);
            let mut pieces = vec![10.0; 48];
            for (number, piece) in pieces.chunks_mut(7).enumerate() {
                then.apply(7 * number, piece);
            }
            assert_eq!(whole, pieces, "{shape:?}");
        }
    }
}
