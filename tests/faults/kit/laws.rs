//! The laws that hold at every end of every run of every face.
//!
//! 1. Every document that the source gave is, exactly once, in what came out (delivered or failed), in what
//!    was taken back, or in the hands of user code that moved it out of what it was lent.
//! 2. The accounts balance, and say so in documents that the source gave: taking documents out of a batch,
//!    or putting some in, changes nothing.
//! 3. Results stand in the places of their documents, and come in order where that was asked for.
//! 4. Nothing of the run stays alive: no value, no thread, no descriptor.

use std::collections::{BTreeMap, BTreeSet};

use gapless::{Accounts, Order};

use super::face::{Got, Setup};
use super::process::{descriptors, threads_of_runs, until};
use super::world::{Doc, Id, World};

pub(crate) type Law = Result<(), String>;

/// Fails with this message where the condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
pub(crate) use ensure;

/// A run that has ended and is still there.
pub(crate) struct Ended<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) world: &'a World,
    pub(crate) got: &'a Got,
    /// `None` where the face has none.
    pub(crate) accounts: Option<Accounts>,
    /// Whether user code never returned: then documents may be stuck in it.
    pub(crate) stuck: bool,
}

impl Ended<'_> {
    pub(crate) fn check(&self) -> Law {
        if let Some(wrong) = self.world.first_wrong() {
            return Err(wrong);
        }
        self.each_document_once()?;
        self.accounts_balance()?;
        self.places_are_complete()?;
        self.order_holds()
    }

    fn in_hand(&self) -> impl Iterator<Item = &Doc> {
        let left = self.got.left.iter().flatten().map(|(_, document)| document);
        self.got.documents.iter().chain(left)
    }

    /// Law 1.
    fn each_document_once(&self) -> Law {
        let mut hands: BTreeMap<Id, u32> = BTreeMap::new();
        for document in self.in_hand() {
            *hands.entry(document.id).or_default() += 1;
        }
        let mut nowhere = 0;
        let ids = (0..self.world.given()).map(Id::Source).chain((0..self.world.extras()).map(Id::Extra));
        for id in ids {
            let (page, hands) = (self.world.page(id), hands.get(&id).copied().unwrap_or_default());
            ensure!(page.dropped <= 1, "document {id:?} was dropped twice");
            ensure!(hands + u32::from(page.taken) <= 1, "document {id:?} came out {hands} times");
            if hands > 0 || page.taken || self.got.results_only {
                continue;
            }
            ensure!(page.dropped == 0, "law 1: the engine dropped a document ({})", self.about());
            nowhere += u64::from(matches!(id, Id::Source(_)));
        }
        let hidden = match self.accounts {
            _ if self.got.results_only => return Ok(()),
            Some(accounts) if self.got.left.is_none() => (accounts.cancelled + accounts.stuck) * self.unit(),
            Some(accounts) => accounts.stuck * self.unit(),
            None => 0,
        };
        ensure!(nowhere <= hidden, "law 1: a document is nowhere ({}) {:?}", self.about(), self.accounts);
        Ok(())
    }

    /// Documents that the accounts count as one: of a collection of the user's own only one.
    fn unit(&self) -> u64 {
        if self.setup.kind.in_bags() { self.setup.item() } else { 1 }
    }

    /// Law 2.
    fn accounts_balance(&self) -> Law {
        let Some(accounts) = self.accounts else { return Ok(()) };
        ensure!(accounts.balance(), "law 2: the accounts do not balance ({}) {accounts:?}", self.about());
        if !self.stuck {
            ensure!(accounts.stuck == 0, "law 2: documents are called stuck ({})", self.about());
        }
        if self.setup.kind.is_in_place() {
            // What was not begun is not in the accounts.
            ensure!(accounts.pulled <= self.world.given(), "law 2: too many were pulled ({})", self.about());
            return Ok(());
        }
        let given = self.world.given().div_ceil(self.unit());
        // A batch whose own type broke while it was made is none.
        let broken = self.setup.kind.in_bags() && accounts.pulled < given;
        ensure!(
            accounts.pulled == given || broken,
            "law 2: the accounts pulled other documents than the source gave ({})",
            self.about()
        );
        if self.got.results_only {
            return Ok(());
        }
        let delivered = self.units(self.got.delivered.iter().copied());
        ensure!(
            accounts.delivered == delivered,
            "law 2: the accounts delivered other documents than came out ({})",
            self.about()
        );
        let taken = self.got.taken.iter().copied();
        let failed = self.units(self.got.failed.iter().map(|failed| failed.place).chain(taken));
        ensure!(
            accounts.failed == failed,
            "law 2: the accounts failed other documents than came out ({})",
            self.about()
        );
        Ok(())
    }

    fn units(&self, places: impl Iterator<Item = u64>) -> u64 {
        places.map(|place| place / self.unit()).collect::<BTreeSet<u64>>().len() as u64
    }

    /// Law 3: every place is one of something that came out, or of a document that was taken back; where a
    /// batch did not come out, as many are missing as its stage had taken.
    fn places_are_complete(&self) -> Law {
        if self.setup.kind.is_one_call() || self.got.left.is_none() || self.stuck {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        let out = self.got.delivered.iter().copied().chain(self.got.failed.iter().map(|failed| failed.place));
        let taken = self.got.taken.iter().copied();
        // Only what came from the source has a place.
        let left = self.got.left.iter().flatten().filter(|(_, document)| self.has_place(document));
        for place in out.chain(taken).chain(left.map(|(place, _)| *place)) {
            let first = seen.insert(place) || self.world.extras() > 0;
            ensure!(first, "law 3: the place {place} came out twice ({})", self.about());
        }
        for first in (0..self.world.given()).step_by(self.setup.item() as usize) {
            let item = first..(first + self.setup.item()).min(self.world.given());
            let missing = item.clone().filter(|place| !seen.contains(place)).count();
            let taken = item.clone().filter(|place| self.world.page(Id::Source(*place)).taken).count();
            ensure!(missing <= taken, "law 3: a place is missing ({})", self.about());
            let delivered = item.clone().filter(|place| self.got.delivered.contains(place)).count();
            let whole = delivered == 0 || delivered == item.clone().count();
            ensure!(whole, "law 3: a batch was delivered without all of its places ({})", self.about());
        }
        Ok(())
    }

    fn has_place(&self, document: &Doc) -> bool {
        matches!(document.id, Id::Source(_)) || self.setup.item() == 1
    }

    /// Law 3: the order.
    fn order_holds(&self) -> Law {
        if let Some(left) = &self.got.left {
            let sorted = left.iter().map(|(place, _)| place).is_sorted();
            ensure!(sorted, "law 3: what is taken back is not in order ({})", self.about());
        }
        if self.setup.order == Order::Source {
            let sorted = self.got.delivered.is_sorted();
            ensure!(sorted, "law 3: results are not in order ({})", self.about());
        }
        if self.setup.kind.is_in_place() {
            let from_source =
                self.got.documents.iter().filter(|document| matches!(document.id, Id::Source(_)));
            let sorted = from_source.map(|document| document.id).is_sorted();
            ensure!(sorted, "law 3: documents are not back in their places ({})", self.about());
        }
        Ok(())
    }

    /// The face, so that failures of one kind can be told from those of another.
    fn about(&self) -> String {
        let Setup { kind, polled, sequential, .. } = self.setup;
        let how = match (*polled, *sequential) {
            (true, true) => ", polled, sequential",
            (true, false) => ", polled",
            (false, true) => ", sequential",
            (false, false) => "",
        };
        format!("{kind:?}{how}")
    }
}

/// Threads and descriptors before a run.
pub(crate) struct Base {
    /// What another run has left behind is not held against this one.
    threads: usize,
    descriptors: Option<usize>,
}

impl Base {
    pub(crate) fn now() -> Self {
        Self { threads: threads_of_runs().len(), descriptors: descriptors() }
    }

    /// Law 4, after the test has dropped everything that it held.
    pub(crate) fn is_back(&self, worlds: &[&World]) -> Law {
        for world in worlds {
            let dead = until(|| world.alive() == 0);
            ensure!(dead, "law 4: {} values of the run are still alive", world.alive());
            if let Some(wrong) = world.first_wrong() {
                return Err(wrong);
            }
        }
        let none = until(|| threads_of_runs().len() <= self.threads);
        ensure!(none, "law 4: threads of the run are still there: {:?}", threads_of_runs());
        let closed = until(|| descriptors() <= self.descriptors);
        ensure!(closed, "law 4: descriptors of the run are still open");
        Ok(())
    }
}
