//! In: a stored node and which other nodes are stored. Out: a loop nest with one straight body.
//! Everything that is not stored is computed in the body, each value once, in the outermost loop that it can stand in.

use super::lin::{Lin, LoopIx, strides};
use super::{Slot, Slots};
use crate::few::Each;
use crate::ir::{Affine, Dim, Einsum, Graph, Map, NamedConst, NodeId, Num, Op, View};
use crate::ops::{self, OpId};
use std::collections::BTreeSet;

/// A value of a body: its position in [`Kernel::values`].
pub type ValueId = usize;

/// A read of one entry of a buffer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Of which buffer.
    pub slot: Slot,
    /// The distance from the buffer's start.
    pub at: Lin,
    /// Further distances: stride, dividend and divisor.
    pub quotients: Vec<(Dim, Lin, i64)>,
    /// Where one of these does not hold, the value is 0.
    pub guards: Vec<Guard>,
}

/// `0 <= lin < size · divisor`, and `lin` is divisible.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    /// The dividend.
    pub lin: Lin,
    /// The size of the axis.
    pub size: Dim,
    /// The divisor.
    pub divisor: i64,
}

/// One scalar of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An entry of a buffer.
    Load(Access),
    /// A number.
    Const(Num),
    /// pi, e, inf.
    Named(NamedConst),
    /// A size.
    Size(Dim),
    /// A position as a number.
    Position(Lin),
    /// 1 where both are equal, else 0.
    Equal(Lin, Lin),
    /// Product of the first over the product of the second.
    Product(Vec<ValueId>, Vec<ValueId>),
    /// Linear combination.
    Sum(Vec<(Num, ValueId)>),
    /// Constant power.
    Pow(ValueId, Num),
    /// A function of the rule book.
    Call(OpId, Vec<ValueId>),
}

impl Value {
    /// The values that it uses.
    pub fn operands(&self) -> Vec<ValueId> {
        match self {
            Value::Product(over, under) => [over.as_slice(), under].concat(),
            Value::Sum(terms) => terms.each(|(_, id)| *id),
            Value::Pow(base, _) => vec![*base],
            Value::Call(_, args) => args.clone(),
            _ => Vec::new(),
        }
    }
}

/// One loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// Its index.
    pub ix: LoopIx,
    /// How often it runs.
    pub size: Dim,
    /// Whether the values of its turns are added up.
    pub summed: bool,
}

/// A loop nest that fills one buffer.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// From the outermost to the innermost.
    pub loops: Vec<Loop>,
    /// The body; values come after those that they use.
    pub values: Vec<Value>,
    /// How many of the loops stand around each value.
    pub depth: Vec<usize>,
    /// What is stored or added up.
    pub result: ValueId,
    /// Where to.
    pub out: Slot,
    /// At which distance.
    pub at: Lin,
    /// Whether sums are added to what stands there.
    pub adds: bool,
    /// Values that are 0 most of the time.
    pub sparse: Vec<ValueId>,
    /// Turns that need not run.
    pub gate: Option<Gate>,
}

/// Turns of a loop that add nothing, since all that they add is multiplied by 0.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// What is 0 most of the time: neighbouring entries, or made of such; their loop is the innermost around it.
    pub entries: ValueId,
    /// What else is multiplied by outside of that loop: if it is not finite, no turn is passed over.
    pub others: ValueId,
}

impl Kernel {
    /// How many loops before the first summed one: where the sum starts.
    pub fn first_summed(&self) -> Option<usize> {
        self.loops.iter().position(|l| l.summed)
    }

    /// The values that a value is made of, and itself; ascending.
    pub fn made_of(&self, id: ValueId) -> BTreeSet<ValueId> {
        let (mut all, mut left) = (BTreeSet::new(), vec![id]);
        while let Some(id) = left.pop() {
            if all.insert(id) {
                left.extend(self.values[id].operands());
            }
        }
        all
    }

    /// Whether the innermost loop runs over entries of the result that are each a sum.
    pub fn sums_into_memory(&self) -> bool {
        self.first_summed().is_some() && self.loops.last().is_some_and(|l| !l.summed)
    }
}

/// The loop nest that computes `node` into `out`, its loops in the order of the formula.
pub fn kernel(graph: &Graph, slots: &Slots, node: NodeId, out: Slot) -> Result<Kernel, NodeId> {
    let shape = graph.shape(node);
    let mut build = Builder {
        graph,
        slots,
        target: node,
        loops: Vec::new(),
        values: Vec::new(),
        sparse: Vec::new(),
        memo: Map::default(),
    };
    for size in shape {
        build.open(size.clone(), false);
    }
    let here: Vec<Lin> = (0..shape.len() as LoopIx).map(Lin::index).collect();
    let at = linear(shape, &here);
    let result = build.entry(node, &here)?;
    let Builder { loops, values, sparse, .. } = build;
    let depth = vec![0; values.len()];
    Ok(Kernel { loops, depth, values, result, out, at, adds: false, sparse, gate: None })
}

/// The loop nest that copies a node's entries, computed already or cheap, into `out`.
pub fn copy(graph: &Graph, slots: &Slots, node: NodeId, out: Slot) -> Result<Kernel, NodeId> {
    let slot = slots.of(node);
    let Some(slot) = slot else {
        return kernel(graph, slots, node, out);
    };
    let shape = graph.shape(node);
    let here: Vec<Lin> = (0..shape.len() as LoopIx).map(Lin::index).collect();
    let at = linear(shape, &here);
    let loops =
        shape.iter().zip(0..).map(|(size, ix)| Loop { ix, size: size.clone(), summed: false });
    let access = Access { slot, at: at.clone(), quotients: Vec::new(), guards: Vec::new() };
    Ok(Kernel {
        loops: loops.collect(),
        values: vec![Value::Load(access)],
        depth: vec![0],
        result: 0,
        out,
        at,
        adds: false,
        sparse: Vec::new(),
        gate: None,
    })
}

/// The distance of an entry from a row-major tensor's start.
fn linear(shape: &[Dim], at: &[Lin]) -> Lin {
    strides(shape).iter().zip(at).fold(Lin::zero(), |sum, (stride, lin)| sum.plus(lin, stride))
}

struct Builder<'a> {
    graph: &'a Graph,
    slots: &'a Slots<'a>,
    target: NodeId,
    loops: Vec<Loop>,
    values: Vec<Value>,
    sparse: Vec<ValueId>,
    memo: Map<(NodeId, Vec<Lin>), ValueId>,
}

impl Builder<'_> {
    fn open(&mut self, size: Dim, summed: bool) -> LoopIx {
        let ix = self.loops.len() as LoopIx;
        self.loops.push(Loop { ix, size, summed });
        ix
    }

    fn put(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        self.values.len() - 1
    }

    fn entry(&mut self, node: NodeId, at: &[Lin]) -> Result<ValueId, NodeId> {
        let key = (node, at.to_vec());
        if let Some(&known) = self.memo.get(&key) {
            return Ok(known);
        }
        let id = self.compute(node, at)?;
        if is_sparse(self.graph, node) {
            self.sparse.push(id);
        }
        self.memo.insert(key, id);
        Ok(id)
    }

    fn compute(&mut self, node: NodeId, at: &[Lin]) -> Result<ValueId, NodeId> {
        if node != self.target
            && !matches!(self.graph.op(node), Op::Const(_) | Op::Named(_) | Op::Size(_))
            && let Some(slot) = self.slots.of(node)
        {
            return Ok(self.load(slot, linear(self.graph.shape(node), at)));
        }
        let graph = self.graph;
        let args = graph.args(node);
        Ok(match graph.op(node) {
            Op::Var(var) => self.load(Slot::Var(*var), linear(graph.shape(node), at)),
            Op::Const(c) => self.put(Value::Const(*c)),
            Op::Named(name) => self.put(self.named(*name)),
            Op::Size(dim) => self.put(Value::Size(dim.clone())),
            Op::Delta(_) => self.put(Value::Equal(at[0].clone(), at[1].clone())),
            Op::Range(_) => self.put(Value::Position(at[0].clone())),
            Op::Einsum(e) => self.product(node, e, at)?,
            Op::Add(coefficients) => {
                let mut terms = Vec::with_capacity(args.len());
                for (c, arg) in coefficients.iter().zip(args) {
                    terms.push((*c, self.entry(*arg, at)?));
                }
                self.put(Value::Sum(terms))
            }
            Op::Pow(r) => {
                let base = self.entry(args[0], at)?;
                self.put(Value::Pow(base, *r))
            }
            Op::Call(op, _) if matches!(ops::spec(*op).kind, ops::Kind::Elementwise) => {
                if ops::spec(*op).rust.is_empty() {
                    return Err(node);
                }
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(self.entry(*arg, at)?);
                }
                self.put(Value::Call(*op, values))
            }
            Op::View(view) => self.view(node, view, at)?,
            Op::Reshape => {
                let Some(slot) = self.slots.of(args[0]) else {
                    return Err(node);
                };
                self.load(slot, linear(graph.shape(node), at))
            }
            _ => return Err(node),
        })
    }

    fn named(&self, name: NamedConst) -> Value {
        match name {
            NamedConst::User(at) => self
                .graph
                .consts
                .get(at as usize)
                .map_or(Value::Const(Num::ZERO), |(_, value)| Value::Const(*value)),
            other => Value::Named(other),
        }
    }

    fn load(&mut self, slot: Slot, at: Lin) -> ValueId {
        self.put(Value::Load(Access { slot, at, quotients: Vec::new(), guards: Vec::new() }))
    }

    fn product(&mut self, node: NodeId, e: &Einsum, at: &[Lin]) -> Result<ValueId, NodeId> {
        let mut position: Vec<Option<Lin>> = vec![None; e.sizes.len()];
        for (ix, lin) in e.out.iter().zip(at) {
            position[*ix as usize] = Some(lin.clone());
        }
        let bound = e.bound();
        if !bound.is_empty() && node != self.target {
            return Err(node);
        }
        for ix in bound {
            let open = self.open(e.sizes[ix as usize].clone(), true);
            position[ix as usize] = Some(Lin::index(open));
        }
        let (mut over, mut under) = (Vec::new(), Vec::new());
        for (arg, ins) in self.graph.args(node).iter().zip(&e.ins) {
            let here: Vec<Lin> =
                ins.iter().filter_map(|ix| position[*ix as usize].clone()).collect();
            match self.denominator(*arg) {
                Some((base, power)) => {
                    let value = self.entry(base, &here)?;
                    under.push(if power.is_one() {
                        value
                    } else {
                        self.put(Value::Pow(value, power))
                    });
                }
                None => over.push(self.entry(*arg, &here)?),
            }
        }
        Ok(self.put(Value::Product(over, under)))
    }

    /// `base^power` for a factor that is `base^-power` and not stored.
    fn denominator(&self, arg: NodeId) -> Option<(NodeId, Num)> {
        match self.graph.op(arg) {
            Op::Pow(r) if r.is_negative() && self.slots.of(arg).is_none() => {
                Some((self.graph.args(arg)[0], -*r))
            }
            _ => None,
        }
    }

    fn view(&mut self, node: NodeId, view: &View, at: &[Lin]) -> Result<ValueId, NodeId> {
        let arg = self.graph.args(node)[0];
        let Some(slot) = self.slots.of(arg) else {
            return Err(node);
        };
        let shape = self.graph.shape(arg).clone();
        let mut access =
            Access { slot, at: Lin::zero(), quotients: Vec::new(), guards: Vec::new() };
        for ((affine, stride), size) in view.map.iter().zip(strides(&shape)).zip(&shape) {
            let lin = position(affine, at);
            let whole = size.times(&Dim::fixed(i128::from(affine.divisor)));
            let inside = affine.divisor == 1
                && lin.stays_within(&whole, &|ix| self.loops[ix as usize].size.clone());
            if !inside {
                access.guards.push(Guard {
                    lin: lin.clone(),
                    size: whole,
                    divisor: affine.divisor,
                });
            }
            if affine.divisor == 1 {
                access.at = access.at.plus(&lin, &stride);
            } else {
                access.quotients.push((stride, lin, affine.divisor));
            }
        }
        Ok(self.put(Value::Load(access)))
    }
}

/// Whether entries are yes or no, which is no for most entries where it matters: which of many is the largest.
fn is_sparse(graph: &Graph, node: NodeId) -> bool {
    match graph.op(node) {
        Op::Call(op, _) => {
            let spec = ops::spec(*op);
            spec.rule.is_flat() && spec.range == ops::Range::Nonnegative
        }
        _ => false,
    }
}

/// On how many axes a view reads beyond its argument, or at computed places: each costs a comparison where it is read.
pub fn guards(view: &View, argument: &[Dim]) -> usize {
    let at: Vec<Lin> = (0..view.shape.len() as LoopIx).map(Lin::index).collect();
    let guarded = |(affine, size): &(&Affine, &Dim)| {
        affine.divisor != 1
            || !position(affine, &at).stays_within(size, &|ix| view.shape[ix as usize].clone())
    };
    view.map.iter().zip(argument).filter(guarded).count()
}

/// The dividend of a view's position.
fn position(affine: &Affine, at: &[Lin]) -> Lin {
    affine.terms.iter().fold(Lin::constant(affine.offset.clone()), |sum, (axis, factor)| {
        sum.plus(&at[*axis], &Dim::fixed(i128::from(*factor)))
    })
}
