//! Follows the items of a batch through a model, so that none can see another.
//!
//! A program computes every item on its own. That is what a file means only where its nodes never let items meet:
//! where the axis of the batch is reduced, cut, joined, contracted or moved into another, or its length is read as a
//! number, the model is refused. What a file allows for a batch of 1 alone is right for each item as it stands.

mod alike;
mod counts;
mod lookups;
mod places;
mod products;
mod rules;
mod seen;
mod steps;
mod views;
mod within;

use std::collections::HashMap;
use std::sync::Arc;

pub(super) use self::seen::Stands;
use self::seen::{Seen, Stop, Trace, meet};
use super::fold::Budget;
use super::items::Items;
use super::node::Node;
use super::value::Value;
use crate::error::Cause;

/// Follows the items of one model.
pub(super) struct Follower {
    traces: HashMap<String, Trace>,
    /// Names of the batch, for messages.
    called: Vec<String>,
    /// Whether nothing is followed: a batch has one item, as the file says.
    alone: bool,
}

impl Follower {
    pub(super) fn new<'a>(items: &Items, names: impl Iterator<Item = &'a str>) -> Self {
        let mut traces = HashMap::new();
        for (name, input) in names.zip(&items.inputs) {
            if let Some(axis) = input.batch.filter(|_| input.open) {
                let stands = Some(Stands { axis, outer: 1 });
                traces.insert(name.to_owned(), Trace { stands, ..Trace::default() });
            }
        }
        let mut called: Vec<String> =
            items.inputs.iter().filter(|input| input.open).filter_map(|input| input.symbol.clone()).collect();
        called.sort_unstable();
        called.dedup();
        Self { alone: traces.is_empty(), traces, called }
    }

    /// Whether a batch is only ever one item, as far as the file says.
    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }

    /// Where the items stand in a value.
    pub(super) fn stands(&self, name: &str) -> Option<Stands> {
        self.traces.get(name).and_then(|trace| trace.stands)
    }

    /// The same value is known by another name from now on.
    pub(super) fn rename(&mut self, name: &str, other: &str) {
        if let Some(trace) = self.traces.get(name).cloned() {
            self.traces.insert(other.to_owned(), trace);
        }
    }

    /// Follows the items through a node that gave these values.
    pub(super) fn follow(
        &mut self,
        node: &Node,
        inputs: &[Option<Value>],
        given: &[Value],
        budget: &mut Budget,
    ) -> Result<(), Cause> {
        if self.alone || !node.reads().any(|name| self.traces.contains_key(name)) {
            return Ok(());
        }
        let seen = Seen { node, inputs, given, traces: &self.traces };
        match seen.traces(budget) {
            Ok(traces) => {
                let named = node.outputs.iter().cloned().zip(traces);
                self.traces.extend(named.filter(|(_, trace)| !trace.is_none()));
                Ok(())
            }
            Err(Stop::Alone) => {
                self.alone = true;
                Ok(())
            }
            Err(Stop::Meet(what)) => Err(self.refused(&what)),
            Err(Stop::Failed(cause)) => Err(cause),
        }
    }

    /// Whether an output is for each item its own.
    pub(super) fn check_output(&self, name: &str) -> Result<(), Cause> {
        let counts = self.traces.get(name).is_some_and(|trace| {
            trace.counts.is_some()
                || trace.places.is_some_and(|places| places.step > 0)
                || trace.steps.is_some()
        });
        match self.traces.get(name) {
            _ if self.alone => Ok(()),
            Some(trace) if trace.is_cut() => Err(self.refused("it has some of the items for all")),
            _ if counts => Err(self.refused("it tells how many items there are")),
            _ => Ok(()),
        }
    }

    fn refused(&self, what: &str) -> Cause {
        let names: Vec<String> = self.called.iter().map(|name| format!("{name:?}")).collect();
        let axis = match &names[..] {
            [] => "the first axis, which the file leaves open,".to_owned(),
            names => format!("the axis {}", names.join(", ")),
        };
        let length = match &self.called[..] {
            [] => "input_shape with batch_axis(…, None)".to_owned(),
            [first, ..] => format!("dim({first:?}, …)"),
        };
        Cause::msg(format!(
            "{what}, so {axis} is not a batch of items on their own: give its length with {length}, which may be 1 where \
             each is right by itself, or say where the batch stands with batch(…) or batch_axis(…)"
        ))
    }
}

fn has_values(value: &Value) -> bool {
    !value.shape().contains(&0)
}

impl Seen<'_> {
    /// What each output has of the batch.
    fn traces(&self, budget: &mut Budget) -> Result<Vec<Trace>, Stop> {
        let constant = self.given.iter().all(|value| matches!(value, Value::Constant(_)));
        if !constant {
            self.check_numbers()?;
        }
        let mut traces = if constant { counts::follow(self, budget)? } else { Vec::new() };
        traces.resize(self.given.len(), Trace::default());
        let stand = || {
            let stands = rules::follow(self)?;
            let alike = alike::follow(self, stands.first().copied().flatten())?;
            Ok((stands, alike))
        };
        let (stands, alike) = match stand() {
            // A constant in which items would meet is refused where it is read; one without values would not be known again.
            Err(Stop::Meet(_)) if constant && self.given.iter().all(has_values) => return Ok(self.mixed()),
            other => other?,
        };
        let places = if constant { None } else { steps::places(self) };
        let placed = |(trace, stands)| Trace { stands, places, alike: alike.clone(), ..trace };
        Ok(traces.into_iter().zip(stands).map(placed).collect())
    }

    /// Numbers that grow with the batch are lengths and ends, and nothing that is computed with.
    fn check_numbers(&self) -> Result<(), Stop> {
        for index in 0..self.node.inputs.len() {
            let is_length = matches!(
                (self.node.operator.as_str(), index),
                ("Reshape" | "Expand" | "Tile", 1) | ("Slice", 1 | 2) | ("Resize", 1..=3)
            );
            let Some(trace) = self.trace(index) else { continue };
            let is_place = self.node.operator == "Gather" && index == 1;
            let steps = trace.steps.is_some() || trace.places.is_some_and(|places| places.step > 0);
            let goes_on = is_place || steps::places(self).is_some();
            if (!is_length && trace.counts.is_some()) || (steps && !goes_on) {
                return meet("it computes with the number of items");
            }
        }
        Ok(())
    }

    fn mixed(&self) -> Vec<Trace> {
        let counts = |value: &Value| Some(Arc::new(counts::all(value.shape(), counts::MIXED)));
        self.given.iter().map(|value| Trace { counts: counts(value), ..Trace::default() }).collect()
    }
}
