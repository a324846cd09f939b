//! The rule book: the one table of functions. Adding a function is adding an entry to one of the families below.

#[cfg(feature = "tools")]
pub mod probe;
pub mod spec;

pub mod axis;
pub mod elementwise;
pub mod foreign;
pub mod linalg;
pub mod losses;
pub mod reduce;
pub mod shape;
pub mod stable;

#[cfg(feature = "tools")]
pub use probe::probe_points;
pub use spec::{Eval, Kind, Mirror, OpSpec, Operator, Probe, Range, Rank, Rule};

use crate::ir::{Attrs, Graph, NodeId};

/// An entry of the rule book: its position in [`all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpId(pub u16);

/// The families, in the order in which they are listed.
const FAMILIES: &[(&str, &[OpSpec])] = &[
    ("Elementwise", elementwise::ROWS),
    ("Stable spellings", stable::ROWS),
    ("Reductions", reduce::ROWS),
    ("Along an axis", axis::ROWS),
    ("Linear algebra", linalg::ROWS),
    ("Shape", shape::ROWS),
    ("Losses", losses::ROWS),
];

/// All entries with their ids and the title of their family.
pub fn all() -> impl Iterator<Item = (OpId, &'static str, &'static OpSpec)> {
    FAMILIES
        .iter()
        .flat_map(|(title, rows)| rows.iter().map(move |row| (*title, row)))
        .enumerate()
        .map(|(at, (title, row))| (OpId(at as u16), title, row))
}

/// The entry of an id.
pub fn spec(id: OpId) -> &'static OpSpec {
    let mut at = id.0 as usize;
    for (_, rows) in FAMILIES {
        match rows.get(at) {
            Some(row) => return row,
            None => at -= rows.len(),
        }
    }
    unreachable!("op ids come from `all` and `lookup` only")
}

/// What stands before the name of a function of the language where the program has its own of that name: `std.cos(x)`.
const LANGUAGE: &str = "std.";

/// The name by which the language's function is called in any program.
pub fn qualified(name: &str) -> String {
    format!("{LANGUAGE}{name}")
}

/// The function's name in the rule book.
pub fn bare(name: &str) -> &str {
    name.strip_prefix(LANGUAGE).unwrap_or(name)
}

/// The entry of this name that takes this many arguments (`max` of two is elementwise, of one a reduction); else any of the name.
pub fn lookup(name: &str, args: usize) -> Option<(OpId, &'static OpSpec)> {
    let name = bare(name);
    let named = || all().filter(|(_, _, row)| row.name == name || row.aliases.contains(&name));
    let fits =
        |row: &OpSpec| args <= row.params.len() && args + row.defaults.len() >= row.params.len();
    let found = named().find(|(_, _, row)| fits(row)).or_else(|| named().next())?;
    Some((found.0, found.2))
}

/// The name of the function that users of the other dialect call so; else the name itself.
pub fn from_elsewhere(name: &str) -> &str {
    all().find(|(.., row)| row.elsewhere.contains(&name)).map_or(name, |(.., row)| row.name)
}

/// The entry that an operator calls.
pub fn of_operator(operator: Operator) -> OpId {
    match all().find(|(.., row)| row.operator == Some(operator)) {
        Some((id, ..)) => id,
        None => unreachable!("the rule book has {operator:?}"),
    }
}

/// The entry that is one of two values, as a condition says.
pub fn choice() -> OpId {
    match all().find(|(.., row)| row.chooses) {
        Some((id, ..)) => id,
        None => unreachable!("the rule book has a choice"),
    }
}

/// The entry that is a·f(b), and 0 where a is 0 and f(b) infinite, if there is one for this f.
pub fn times(f: OpId) -> Option<OpId> {
    all().find(|(.., row)| row.times == Some(spec(f).name)).map(|(id, ..)| id)
}

/// The product a·f(b) that formulas write for a call, where they do.
pub fn as_product(graph: &mut Graph, op: OpId, args: &[NodeId]) -> Option<NodeId> {
    let f = known(spec(op).times?, 1);
    let &[a, b] = args else { return None };
    let shape = graph.shape(b).clone();
    let call = graph.call(f, vec![b], Attrs::default(), shape);
    Some(graph.multiply(&[a, call]))
}

/// The entry of this name, which must exist: for the few functions that the calculus itself speaks of.
pub fn known(name: &str, args: usize) -> OpId {
    match lookup(name, args) {
        Some((id, _)) => id,
        None => unreachable!("the rule book has {name}"),
    }
}
