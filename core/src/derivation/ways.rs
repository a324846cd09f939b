//! The ways that chains from one result have gone, each from quantities with their cotangents to the next ones. In: a chain's
//! steps as it takes them. Out: the step of a later chain that goes the same way, which then is there at once, so that the later
//! chain begins where it leaves the ways of the others.

use crate::ir::{Map, NodeId};
use std::collections::{BTreeMap, HashSet};

/// The steps that chains from one result have taken.
#[derive(Default)]
pub struct Ways {
    known: Map<Vec<(NodeId, NodeId)>, Way>,
    /// What is in normal form on them.
    pub settled: HashSet<NodeId>,
}

struct Way {
    to: BTreeMap<NodeId, NodeId>,
    /// Which arguments on the way reach the variable, and which do not.
    asked: Map<NodeId, bool>,
    /// By what the chain differentiated.
    by: NodeId,
}

impl Ways {
    /// Where a chain by `x` goes from here, if another has gone there: by what that one differentiated, and what is open next.
    pub fn from(
        &self,
        here: &[(NodeId, NodeId)],
        x: NodeId,
        wanted: impl Fn(NodeId) -> bool,
    ) -> Option<(NodeId, &BTreeMap<NodeId, NodeId>)> {
        let way = self.known.get(here)?;
        let same = way.by != x && way.asked.iter().all(|(arg, reaches)| wanted(*arg) == *reaches);
        same.then_some((way.by, &way.to))
    }

    /// Remembers a step of a chain by `x`; not one that has reached it.
    pub fn remember(
        &mut self,
        here: Vec<(NodeId, NodeId)>,
        x: NodeId,
        to: &BTreeMap<NodeId, NodeId>,
        asked: Map<NodeId, bool>,
    ) {
        if !to.contains_key(&x) {
            self.known.entry(here).or_insert_with(|| Way { to: to.clone(), asked, by: x });
        }
    }
}
