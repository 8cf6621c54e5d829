//! The accounts of a run: every document that was pulled ends in one of four places.
//!
//! `pulled = delivered + failed + cancelled + stuck`, at every ending.

use super::batch::Item;
use super::shared::drop_each;
use crate::observe::accounts::Accounts;

/// The accounts while the run goes on, and the documents to be taken back.
pub(crate) struct Ledger<D> {
    accounts: Accounts,
    leftovers: Vec<Item<D>>,
    closed: bool,
}

impl<D> Default for Ledger<D> {
    fn default() -> Self {
        Self { accounts: Accounts::default(), leftovers: Vec::new(), closed: false }
    }
}

impl<D> Ledger<D> {
    pub(crate) fn pull(&mut self, documents: usize) {
        if !self.closed {
            self.accounts.pulled += documents as u64;
        }
    }

    pub(crate) fn deliver(&mut self, delivered: usize, failed: usize) {
        self.accounts.delivered += delivered as u64;
        self.accounts.failed += failed as u64;
    }

    /// Keeps items that will not come out; gives them back where nobody can ask for them any more.
    pub(crate) fn cancel(&mut self, items: Vec<Item<D>>, documents: usize) -> Vec<Item<D>> {
        if self.closed {
            return items;
        }
        self.accounts.cancelled += documents as u64;
        if self.leftovers.is_empty() {
            self.leftovers = items;
        } else {
            self.leftovers.extend(items);
        }
        Vec::new()
    }

    /// Closes the accounts. Where not all user code has returned, what is missing is stuck in it, and
    /// what it leaves later is not counted; where all has, a document that is missing is a bug of ours
    /// and stays visible as one.
    pub(crate) fn close(&mut self, all_returned: bool, in_hand: usize) {
        if self.closed {
            return;
        }
        self.closed = true;
        if !all_returned {
            self.accounts.pulled += in_hand as u64;
            let Accounts { pulled, delivered, failed, cancelled, .. } = self.accounts;
            self.accounts.stuck = pulled - delivered - failed - cancelled;
        }
    }

    pub(crate) fn accounts(&self) -> Accounts {
        self.accounts
    }

    /// Empty until the accounts are closed: only then is it known what does not come out.
    pub(crate) fn take_leftovers(&mut self) -> Vec<Item<D>> {
        if !self.closed {
            return Vec::new();
        }
        self.leftovers.sort_by_key(|item| item.position);
        std::mem::take(&mut self.leftovers)
    }
}

impl<D> Drop for Ledger<D> {
    fn drop(&mut self) {
        drop_each(self.leftovers.drain(..));
    }
}
