//! The graph: what every pass reads and writes. A tensor is a formula with named axes.
//!
//! A node has a closed kind ([`Op`]), arguments, and a shape. The kinds, in one screen:
//!
//! | kind | entry of the result |
//! | --- | --- |
//! | `Var(v)` | the declared tensor |
//! | `Const(c)`, `Named(n)`, `Size(d)` | a scalar: a number; pi or e or inf; a symbolic size as a number |
//! | `Delta(d)` | `[d, d]`: 1 where both positions agree, else 0 |
//! | `Range(d)` | `[d]`: 0, 1, 2, … |
//! | `Einsum(e)` | product of the arguments, each read at its own indices, summed over the indices that are not in `out` |
//! | `Add(c)` | Σ c_i · argument i; all of the result's shape |
//! | `Pow(r)` | the argument's entry to the constant power r |
//! | `Call(op, attrs)` | a function of the rule book |
//! | `View(v)` | the argument at affine positions; 0 outside of its range |
//! | `Reshape` | the argument's entries, row-major, under the node's shape |
//! | `Gather` | arguments `x`, `idx`: `x[idx[b…], rest…]` |
//! | `Scatter(d)` | arguments `g`, `idx`: `out[r, rest…] = Σ_{b: idx[b] = r} g[b…, rest…]`, r < d |
//! | `Scan(b)` | arguments `init`, sequences, captures: `out[t] = body(out[t-1], xs[t]…, captures…)`, `out[-1] = init` |
//! | `Deriv` | arguments `f`, `x`: `∂f/∂x`, axes of `f` then of `x`, not carried out yet; only inside derivations |
//!
//! Broadcasting, transposition, diagonals, traces, sums and products of all kinds are `Einsum`: an index in `out` that no
//! argument has repeats the value along a new axis. Arguments of `Add`, and of elementwise calls, have exactly the result's shape.

pub mod graph;
pub mod hash;
pub mod num;
pub mod stack;
mod steps;
pub mod ty;
pub mod walk;

pub use graph::{Body, BodyId, DimInfo, Graph, NodeId, Var, VarId, VarKind};
pub use hash::Map;
pub use num::Num;
pub use ty::{Dim, DimId, Shape};

use crate::ops::OpId;

/// An index of one `Einsum`, numbered from 0.
pub type Ix = u8;

/// The kind of a node; the set is closed, functions live in the rule book.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A declared tensor.
    Var(VarId),
    /// A number.
    Const(Num),
    /// A number with a name.
    Named(NamedConst),
    /// A symbolic size as a number.
    Size(Dim),
    /// Kronecker's delta: the identity.
    Delta(Dim),
    /// 0, 1, 2, …
    Range(Dim),
    /// Product of the arguments, summed over the bound indices.
    Einsum(Einsum),
    /// Linear combination with these coefficients.
    Add(Vec<Num>),
    /// Constant power, elementwise.
    Pow(Num),
    /// A function of the rule book.
    Call(OpId, Attrs),
    /// Affine positions of the argument.
    View(View),
    /// The same entries, row-major, under another shape.
    Reshape,
    /// Rows of the first argument picked by the second.
    Gather,
    /// Rows of the first argument added up where the second says, into this many rows.
    Scatter(Dim),
    /// A state carried along the first axis of sequences; an index into [`Graph::bodies`].
    Scan(BodyId),
    /// A derivative not carried out yet.
    Deriv,
}

/// Numbers that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedConst {
    /// 3.14159…
    Pi,
    /// 2.71828…
    E,
    /// +∞
    Inf,
    /// A `const` of the program; an index into [`Graph::consts`].
    User(u32),
}

/// How an `Einsum` reads its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Einsum {
    /// For each argument, the index that each of its axes is read at. An index may repeat (a diagonal).
    pub ins: Vec<Vec<Ix>>,
    /// The indices of the result's axes, all different. Indices that are only in `ins` are summed over.
    pub out: Vec<Ix>,
    /// The size of every index.
    pub sizes: Vec<Dim>,
}

impl Einsum {
    /// The indices that are summed over, ascending.
    pub fn bound(&self) -> Vec<Ix> {
        (0..self.sizes.len() as u8).filter(|ix| !self.out.contains(ix)).collect()
    }
}

/// What a call of the rule book is told besides its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attrs {
    /// The axes that a reduction removes (ascending) or that a function runs along.
    pub axes: Vec<usize>,
    /// Further whole numbers, whose meaning is the entry's (an offset, a shift).
    pub ints: Vec<i64>,
}

/// Affine positions: `out[i…] = x[map[0](i…), map[1](i…), …]`, and 0 where a position is outside or not whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// For each axis of the argument, its position as a function of the result's indices.
    pub map: Vec<Affine>,
    /// The result's shape.
    pub shape: Shape,
}

impl View {
    /// Whether all positions are known to be inside of an argument of this shape.
    pub fn reads_inside(&self, source: &[Dim]) -> bool {
        let below = |at: &Affine, size: &Dim| {
            let (mut low, mut high) = (at.offset.clone(), at.offset.clone());
            for (axis, c) in &at.terms {
                let last = self.shape[*axis].plus(&Dim::fixed(1), Num::int(-1));
                let end = if *c < 0 { &mut low } else { &mut high };
                *end = end.plus(&last, Num::int(i128::from(*c)));
            }
            let room = size.plus(&high, Num::int(-1));
            // Every size is at least 1.
            at.divisor == 1 && low.is_at_least(0) && room.is_at_least(1)
        };
        self.map.iter().zip(source).all(|(at, size)| below(at, size))
    }
}

/// `(Σ coefficient · index + offset) / divisor`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Affine {
    /// Axis of the result and coefficient; ascending, no zeros.
    pub terms: Vec<(usize, i64)>,
    /// What is added; may be symbolic (`N - 1`).
    pub offset: Dim,
    /// What the whole is divided by, at least 1; positions that are not whole count as outside.
    pub divisor: i64,
}

/// A node of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its kind.
    pub op: Op,
    /// Its arguments, in the order they are shown.
    pub args: Vec<NodeId>,
    /// Its shape.
    pub shape: Shape,
}
