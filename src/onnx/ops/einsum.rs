//! Sums of products that a text says: products of matrices, with axes in their order before and behind them.

use ndarray::Axis;

use super::arithmetic::join;
use super::movement::transposed;
use crate::error::Cause;
use crate::kernel::{BinaryOp, MatMul, Reduce, ReduceOp};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;
use crate::onnx::value::Value;

/// The operands two by two, from the first on.
pub(super) fn einsum(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let values = (0..call.count()).map(|index| call.value(index).cloned()).collect::<Result<Vec<_>, _>>()?;
    if values.iter().any(|value| value.kind().is_int()) {
        return Err(Cause::msg("of whole numbers it is not supported"));
    }
    let ranks: Vec<usize> = values.iter().map(|value| value.shape().len()).collect();
    let equation = Equation::new(call.text("equation", "")?, &ranks)?;
    let mut terms = values.into_iter().zip(equation.terms).map(|(value, labels)| Term { value, labels });
    let mut whole = terms.next().ok_or_else(|| Cause::msg("it has no input"))?;
    let mut rest: Vec<Term> = terms.collect();
    while !rest.is_empty() {
        let other = rest.remove(0);
        let wanted: Vec<char> =
            rest.iter().flat_map(|term| &term.labels).chain(&equation.output).copied().collect();
        whole = contracted(call, whole, other, &wanted)?;
    }
    let whole = whole.summed(call, &equation.output)?;
    Ok(vec![whole.ordered(call, &equation.output)?])
}

/// What an equation says: a label for each axis of each input, and of the output.
#[derive(Debug)]
pub(in crate::onnx) struct Equation {
    pub(in crate::onnx) terms: Vec<Vec<char>>,
    pub(in crate::onnx) output: Vec<char>,
}

/// Axes that `...` stands for have labels from here on, the last of all first.
const ELLIPSIS: u32 = 0xe000;

impl Equation {
    /// For inputs of so many axes.
    pub(in crate::onnx) fn new(text: &str, ranks: &[usize]) -> Result<Self, Cause> {
        let refused = |what: &str| Cause::msg(format!("the equation {text:?} {what}"));
        let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (left, right) = match plain.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (&plain[..], None),
        };
        let parts: Vec<&str> = left.split(',').collect();
        if parts.len() != ranks.len() {
            return Err(refused(&format!("has {} terms for {} inputs", parts.len(), ranks.len())));
        }
        let mut terms = Vec::new();
        let mut longest = 0;
        for (part, &rank) in parts.iter().zip(ranks) {
            let named = part.replace("...", "").chars().count();
            let left_out = if part.contains("...") { rank.saturating_sub(named) } else { 0 };
            longest = longest.max(left_out);
            let labels = labels(part, left_out).ok_or_else(|| refused("is not understood"))?;
            if labels.len() != rank {
                return Err(refused(&format!("names {} axes of {rank}", labels.len())));
            }
            if (1..labels.len()).any(|place| labels[..place].contains(&labels[place])) {
                return Err(refused("takes a diagonal, which is not supported"));
            }
            terms.push(labels);
        }
        let output = match right {
            Some(right) => labels(right, longest).ok_or_else(|| refused("is not understood"))?,
            None => once(&terms, longest),
        };
        let known = |label: &char| terms.iter().any(|term| term.contains(label));
        let twice = (1..output.len()).any(|place| output[..place].contains(&output[place]));
        if twice || !output.iter().all(known) {
            return Err(refused("gives what it does not have"));
        }
        Ok(Self { terms, output })
    }
}

/// The labels of a term in which `...` stands for so many axes.
fn labels(part: &str, left_out: usize) -> Option<Vec<char>> {
    let of = |text: &str| {
        text.chars().map(|letter| letter.is_alphabetic().then_some(letter)).collect::<Option<Vec<_>>>()
    };
    let Some((before, behind)) = part.split_once("...") else { return of(part) };
    let between = (0..left_out).rev().filter_map(|place| char::from_u32(ELLIPSIS + place as u32));
    Some(of(before)?.into_iter().chain(between).chain(of(behind)?).collect())
}

/// Where no output is said: the axes that `...` stands for, then the labels that stand once, in the order of letters.
fn once(terms: &[Vec<char>], left_out: usize) -> Vec<char> {
    let all = || terms.iter().flatten().copied();
    let mut once: Vec<char> = all()
        .filter(|&label| u32::from(label) < ELLIPSIS && all().filter(|&other| other == label).count() == 1)
        .collect();
    once.sort_unstable();
    labels("...", left_out).unwrap_or_default().into_iter().chain(once).collect()
}

/// A value with a label for each of its axes.
struct Term {
    value: Value,
    labels: Vec<char>,
}

impl Term {
    fn len(&self, labels: &[char]) -> usize {
        let own = self.labels.iter().zip(self.value.shape());
        own.filter(|(label, _)| labels.contains(label)).map(|(_, len)| len).product()
    }

    /// The lengths of these axes, 1 where it has none.
    fn lengths(&self, labels: &[char]) -> Vec<usize> {
        labels.iter().map(|label| self.len(&[*label])).collect()
    }

    /// Without the axes that nobody wants, which are summed.
    fn summed(self, call: &mut Call<'_>, wanted: &[char]) -> Result<Self, Cause> {
        let gone = |label: &char| !wanted.contains(label);
        let axes: Vec<usize> = (0..self.labels.len()).filter(|&axis| gone(&self.labels[axis])).collect();
        if axes.is_empty() {
            return Ok(self);
        }
        let sum = match &self.value {
            Value::Constant(tensor) => {
                let sum = axes.iter().rev().fold(tensor.to_f32(), |sum, axis| sum.sum_axis(Axis(*axis)));
                Value::from(Tensor::F32(sum))
            }
            Value::Runtime(_) => {
                let id = call.tensor(&self.value, self.value.shape())?;
                call.add(Reduce::new(ReduceOp::Sum, axes), &[id])?
            }
        };
        let labels: Vec<char> = self.labels.iter().copied().filter(|label| !gone(label)).collect();
        let shape = self.lengths(&labels);
        Ok(Self { value: seen_as(sum, shape)?, labels })
    }

    /// With its axes in this order; those that it has not are of 1.
    fn ordered(&self, call: &mut Call<'_>, wanted: &[char]) -> Result<Value, Cause> {
        let own = wanted.iter().filter_map(|label| self.labels.iter().position(|other| other == label));
        let value = transposed(call, &self.value, &own.collect::<Vec<_>>())?;
        seen_as(value, self.lengths(wanted))
    }
}

/// Two terms as one, of which these labels are wanted further on.
fn contracted(call: &mut Call<'_>, a: Term, b: Term, wanted: &[char]) -> Result<Term, Cause> {
    let of_both = |one: &Term, other: &Term| -> Vec<char> {
        one.labels
            .iter()
            .copied()
            .filter(|label| other.labels.contains(label) || wanted.contains(label))
            .collect()
    };
    let (of_a, of_b) = (of_both(&a, &b), of_both(&b, &a));
    let (a, b) = (a.summed(call, &of_a)?, b.summed(call, &of_b)?);
    let (shared, left): (Vec<char>, Vec<char>) = a.labels.iter().partition(|label| b.labels.contains(label));
    if let Some(label) = shared.iter().find(|label| a.len(&[**label]) != b.len(&[**label])) {
        let (one, other) = (a.len(&[*label]), b.len(&[*label]));
        return Err(Cause::msg(format!("the lengths {one} and {other} of an axis do not fit each other")));
    }
    let (batch, summed): (Vec<char>, Vec<char>) = shared.iter().partition(|label| wanted.contains(label));
    let right: Vec<char> = b.labels.iter().copied().filter(|label| !shared.contains(label)).collect();
    let labels = [&batch[..], &left, &right].concat();
    if summed.is_empty() {
        let (one, other) = (a.ordered(call, &labels)?, b.ordered(call, &labels)?);
        return Ok(Term { value: join(call, BinaryOp::Mul, &one, &other)?, labels });
    }
    let shape: Vec<usize> = [a.lengths(&batch), a.lengths(&left), b.lengths(&right)].concat();
    let count = |lengths: Vec<usize>| shapes::count(&lengths).unwrap_or(usize::MAX);
    let matrices = if batch.is_empty() { vec![] } else { vec![count(a.lengths(&batch))] };
    let sizes = |rows: usize, columns: usize| [&matrices[..], &[rows, columns]].concat();
    let terms = count(a.lengths(&summed));
    let one = a.ordered(call, &[&batch[..], &left, &summed].concat())?;
    let other = b.ordered(call, &[&batch[..], &summed, &right].concat())?;
    let ids = [
        call.weight(&one, &sizes(count(a.lengths(&left)), terms))?,
        call.weight(&other, &sizes(terms, count(b.lengths(&right))))?,
    ];
    Ok(Term { value: seen_as(call.add(MatMul::new(), &ids)?, shape)?, labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, ranks: &[usize]) -> String {
        match Equation::new(text, ranks) {
            Ok(equation) => {
                let text = |labels: &Vec<char>| {
                    labels
                        .iter()
                        .map(|&label| if u32::from(label) < ELLIPSIS { label } else { '*' })
                        .collect::<String>()
                };
                let terms: Vec<String> = equation.terms.iter().map(text).collect();
                format!("{}>{}", terms.join(","), text(&equation.output))
            }
            Err(cause) => cause.to_string(),
        }
    }

    #[test]
    fn an_equation_names_the_axes_of_every_term() {
        assert_eq!(said("bij, bjk -> bik", &[3, 3]), "bij,bjk>bik");
        assert_eq!(said("...ij,...jk", &[4, 3]), "**ij,*jk>**ik");
        assert_eq!(said("ba", &[2]), "ba>ab");
        assert_eq!(said("ij->", &[2]), "ij>");
    }

    #[test]
    fn what_is_no_equation_of_its_inputs_is_refused() {
        assert!(said("ij,jk->ik", &[2]).contains("2 terms for 1 inputs"));
        assert!(said("ij->ij", &[3]).contains("names 2 axes of 3"));
        assert!(said("ii->i", &[2]).contains("diagonal"));
        assert!(said("ij->ik", &[2]).contains("gives what it does not have"));
        assert!(said("i.j->i", &[2]).contains("is not understood"));
    }
}
