//! One tree after the other, until something differs.

use std::collections::HashSet;

use anyhow::Result;

use super::{
    Difference, Outcome, Real, Tree, chance::Chance, compare, generate, intended, mutate, ours,
    shrink,
};

/// A search for differences.
#[derive(Debug)]
pub struct Hunt {
    real: Real,
    seeds: Vec<Tree>,
    known: HashSet<String>,
    /// What was seen so far.
    pub tally: Tally,
    /// Why the real one refused the last tree that both refused.
    pub refusal: Option<String>,
}

/// What was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Trees that both built the same.
    pub equal: u64,
    /// Trees that both refused.
    pub refused: u64,
    /// Trees on which the real one crashed or hung.
    pub crashed: u64,
    /// Trees that differ as they are meant to.
    pub intended: u64,
    /// Trees that differ in a way that was found before.
    pub again: u64,
    /// Differences found.
    pub found: u64,
}

/// A difference, made small.
#[derive(Debug)]
pub struct Finding {
    /// The smallest tree that was found to differ.
    pub tree: Tree,
    /// What differs.
    pub difference: Difference,
    /// What the real kustomize makes of it.
    pub real: Outcome,
    /// What we make of it.
    pub ours: Outcome,
}

impl Hunt {
    /// Begins a search; `seeds` are changed at random beside the trees that are made from nothing.
    pub fn new(real: Real, seeds: Vec<Tree>) -> Self {
        Self {
            real,
            seeds,
            known: HashSet::new(),
            tally: Tally::default(),
            refusal: None,
        }
    }

    /// Tries the tree of a seed.
    pub fn try_seed(&mut self, seed: u64) -> Result<Option<Finding>> {
        let tree = self.tree(seed);
        self.refusal = None;
        let Some((difference, ..)) = self.differs(&tree)? else {
            return Ok(None);
        };
        if !self.known.insert(difference.signature()) {
            self.tally.again += 1;
            return Ok(None);
        }
        let (tally, sort, first) = (self.tally, difference.sort, difference.signature());
        let least = shrink::shrink(
            tree,
            |less| matches!(self.differs(less), Ok(Some((found, ..))) if found.sort == sort),
        );
        let found = self.differs(&least)?;
        self.tally = tally;
        let Some((difference, real, ours)) = found else {
            return Ok(None);
        };
        // Different at first sight, but of one cause.
        if difference.signature() != first && !self.known.insert(difference.signature()) {
            self.tally.again += 1;
            return Ok(None);
        }
        self.tally.found += 1;
        Ok(Some(Finding {
            tree: least,
            difference,
            real,
            ours,
        }))
    }

    /// Makes the tree of a seed.
    pub fn tree(&self, seed: u64) -> Tree {
        let mut chance = Chance::new(seed ^ 0x5eed);
        match chance.choose(&self.seeds) {
            Some(tree) if chance.one_in(2) => mutate::mutate(seed, tree, &self.seeds),
            _ => generate::tree(seed),
        }
    }

    fn differs(&mut self, tree: &Tree) -> Result<Option<(Difference, Outcome, Outcome)>> {
        let real = self.real.build(tree)?;
        let ours = ours(tree);
        let Some(difference) = compare(&real, &ours) else {
            match real {
                Outcome::Objects(_) => self.tally.equal += 1,
                Outcome::Error(message) => {
                    self.tally.refused += 1;
                    self.refusal = Some(message);
                }
                Outcome::Crash(message) => {
                    self.tally.crashed += 1;
                    self.refusal = Some(message);
                }
                Outcome::Hangs => self.tally.crashed += 1,
            }
            return Ok(None);
        };
        if intended(tree, &difference).is_some() {
            self.tally.intended += 1;
            return Ok(None);
        }
        Ok(Some((difference, real, ours)))
    }
}
