//! What follows a kernel on the CPU: loops over the piece that was just computed.

use super::{Along, Arg, Epilogue, Function, Link, MOST};
use crate::kernel::binary::BinaryOp;
use crate::kernel::rearrange::View;

/// The same on the CPU, with the other values of an item.
#[derive(Clone, Debug, Default)]
pub struct ItemEpilogue<'a>(Vec<(Link, &'a [f32])>);

impl Epilogue {
    /// What is done before the order changes, and what is done behind that, with the tensors that are read, an item of
    /// each.
    pub(crate) fn here<'a>(&self, read: impl IntoIterator<Item = &'a [f32]>) -> [ItemEpilogue<'a>; 2] {
        let mut read = read.into_iter();
        let mut with = |link: &Link| match link.other() {
            Some(_) => (*link, read.next().expect("one for each that reads")),
            None => (*link, &[][..]),
        };
        [&self.before, &self.behind].map(|links| ItemEpilogue(links.iter().map(&mut with).collect()))
    }

    /// Puts values where they lie, if it is not in the order in which they were given.
    pub(crate) fn turn<T: Copy>(&self, from: &[T], to: &mut [T]) {
        let Some(view) = self.order().map(View::collapsed) else { return };
        let (len, stride) = (view.shape.last().map_or(1, |&len| len), view.strides.last().map_or(0, |&s| s));
        let mut from = from.iter();
        view.rows(|start| {
            let places = (0..len).map(|place| start + place * stride as usize);
            places.zip(from.by_ref()).for_each(|(place, value)| to[place] = *value);
        });
    }
}

impl<'a> ItemEpilogue<'a> {
    /// Nothing that follows.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Does all of it to values of an item, of which the first stands at this place.
    pub(crate) fn apply(&self, place: usize, values: &mut [f32]) {
        if self.is_a_line() {
            return self.0.iter().for_each(|(link, others)| link.apply(others, place, values, None));
        }
        let mut at = place;
        for piece in values.chunks_mut(PIECE) {
            self.apply_to_piece(at, piece);
            at += piece.len();
        }
    }

    /// Whether each function is of the value before it, and of no other that was given.
    fn is_a_line(&self) -> bool {
        let mut links = self.0.iter().enumerate();
        links.all(|(place, (link, _))| {
            let mut values = link.args.iter().filter(|arg| matches!(arg, Arg::Value(_)));
            values.next() == Some(&Arg::Value(place)) && values.next().is_none()
        })
    }

    fn apply_to_piece(&self, place: usize, piece: &mut [f32]) {
        let mut kept = [[0.0; PIECE]; MOST + 1];
        let len = piece.len();
        kept[0][..len].copy_from_slice(piece);
        for (number, (link, others)) in self.0.iter().enumerate() {
            let (before, behind) = kept.split_at_mut(number + 1);
            let made = &mut behind[0][..len];
            match link.args {
                [Arg::Value(one), Arg::Value(other)] => {
                    made.copy_from_slice(&before[one][..len]);
                    link.apply(others, place, made, Some(&before[other][..len]));
                }
                [Arg::Value(value), _] | [_, Arg::Value(value)] => {
                    made.copy_from_slice(&before[value][..len]);
                    link.apply(others, place, made, None);
                }
                _ => unreachable!("a function is of a value that was given"),
            }
        }
        piece.copy_from_slice(&kept[self.0.len()][..len]);
    }
}

/// Values that are done at once where several of them are kept.
const PIECE: usize = 256;

impl Link {
    /// Does it to values, of which the first stands at this place, each with one of `second` or of the other tensor.
    fn apply(&self, others: &[f32], place: usize, values: &mut [f32], second: Option<&[f32]>) {
        match (self.function, self.args, second) {
            (Function::One(op), ..) => op.apply_all(values),
            (Function::Two(op), _, Some(second)) => op.apply_to_all(values, second.iter().copied(), false),
            (Function::Two(op), [Arg::Other(along), _], None) => {
                along.apply((op, true), others, place, values)
            }
            (Function::Two(op), [_, Arg::Other(along)], None) => {
                along.apply((op, false), others, place, values)
            }
            (Function::Two(_), ..) => unreachable!("a pair has another value"),
        }
    }
}

impl Along {
    /// Does it to values with others, which are the first of the pairs or not.
    fn apply(self, (op, first): (BinaryOp, bool), others: &[f32], place: usize, values: &mut [f32]) {
        let Self { inner, count, .. } = self;
        let mut at = 0;
        while at < values.len() {
            let (start, in_block) = ((place + at) / inner % count, (place + at) % inner);
            let left = &mut values[at..];
            let run = left.len().min(if inner == 1 { count - start } else { inner - in_block });
            if inner == 1 {
                op.apply_to_all(&mut left[..run], others[start..].iter().copied(), first);
            } else {
                op.apply_to_all(&mut left[..run], std::iter::repeat(others[start]), first);
            }
            at += run;
        }
    }
}
