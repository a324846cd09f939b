//! The reference evaluator: naive, f64, obviously right. It is the judge of everything that is printed or generated.
//!
//! In: a graph and a [`Point`] (arrays of the declared tensors, sizes of the dim names). Out: arrays of the roots.
//! Every node that the roots depend on is evaluated once, arguments before users; nothing recurses with the graph's depth.

pub mod array;
pub mod axes;
pub mod differences;
#[cfg(feature = "tools")]
pub mod dims;
pub mod einsum;
pub mod matrix;
pub mod special;

pub use array::Array;
pub use differences::finite_difference;
#[cfg(feature = "tools")]
pub use dims::{infer_dims, solve_dims};

use crate::ir::{Dim, DimId, Graph, NamedConst, NodeId, Num, Op, VarId};
use crate::ops::{self, Eval, OpSpec};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most entries of an array.
pub(crate) const MAX_ENTRIES: usize = 1 << 27;

/// Where a graph is evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// The declared tensors.
    pub vars: BTreeMap<VarId, Array>,
    /// The sizes that the program leaves open.
    pub dims: BTreeMap<DimId, usize>,
}

/// The values of the roots at a point; an error is a sentence that says what is missing, does not fit or is too large.
pub fn eval(graph: &Graph, point: &Point, roots: &[NodeId]) -> Result<Vec<Array>, String> {
    let mut evaluator = Evaluator::new(graph, point);
    evaluator.run(&graph.reachable(roots))?;
    roots.iter().map(|&root| evaluator.value(root).map(|value| value.as_ref().clone())).collect()
}

/// Values by node: where finite differences run a part of a graph many times, finding them takes no time to speak of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<Option<Rc<Array>>>);

impl Values {
    pub(crate) fn get(&self, id: NodeId) -> Option<&Rc<Array>> {
        self.0.get(id.0 as usize)?.as_ref()
    }

    pub(crate) fn insert(&mut self, id: NodeId, value: Rc<Array>) {
        let at = id.0 as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, None);
        }
        self.0[at] = Some(value);
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        if let Some(value) = self.0.get_mut(id.0 as usize) {
            *value = None;
        }
    }
}

/// Values of nodes so far.
#[derive(Clone)]
pub(crate) struct Evaluator<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) point: &'a Point,
    pub(crate) values: Values,
    /// How many derivatives by finite differences enclose what is being evaluated.
    pub(crate) nesting: usize,
    /// By which part of an entry, or of 1 where that is more, differences begin to move it.
    pub(crate) beginning: f64,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(graph: &'a Graph, point: &'a Point) -> Evaluator<'a> {
        Evaluator { graph, point, values: Values::default(), nesting: 0, beginning: 0.03 }
    }

    /// Evaluates these nodes, which are in ascending order, unless they have a value.
    pub(crate) fn run(&mut self, order: &[NodeId]) -> Result<(), String> {
        for &id in order {
            // An identity inside of a product is not spelt out; elsewhere `value` makes it.
            if !matches!(self.graph.op(id), Op::Delta(_)) && self.values.get(id).is_none() {
                let value = self.node(id)?;
                self.values.insert(id, Rc::new(value));
            }
        }
        Ok(())
    }

    /// The value of a node that has been run.
    pub(crate) fn value(&self, id: NodeId) -> Result<Rc<Array>, String> {
        match (self.values.get(id), self.graph.op(id)) {
            (Some(value), _) => Ok(Rc::clone(value)),
            (None, Op::Delta(dim)) => {
                let size = self.size(dim)?;
                check_size(&[size, size])?;
                Ok(Rc::new(Array::from_fn(&[size, size], |ix| f64::from(u8::from(ix[0] == ix[1])))))
            }
            (None, _) => Err("internal: a value was asked for before it was computed".to_string()),
        }
    }

    /// A size as a number.
    pub(crate) fn size(&self, dim: &Dim) -> Result<usize, String> {
        self.known(dim)?;
        dim.value(&|id| self.dim(id)).ok_or_else(|| {
            let shown = self.graph.show_dim(dim);
            format!("the size {shown} is not a whole number of at least 0")
        })
    }

    /// An offset as a number, which may be negative.
    pub(crate) fn offset(&self, dim: &Dim) -> Result<i128, String> {
        self.known(dim)?;
        dim.integer(&|id| self.dim(id)).ok_or_else(|| {
            let shown = self.graph.show_dim(dim);
            format!("the position {shown} is not a whole number")
        })
    }

    /// A shape as numbers.
    pub(crate) fn shape(&self, shape: &[Dim]) -> Result<Vec<usize>, String> {
        let sizes: Vec<usize> = shape.iter().map(|dim| self.size(dim)).collect::<Result<_, _>>()?;
        check_size(&sizes)?;
        Ok(sizes)
    }

    fn dim(&self, id: DimId) -> usize {
        self.point.dims.get(&id).copied().unwrap_or_default()
    }

    fn known(&self, dim: &Dim) -> Result<(), String> {
        match dim.names().find(|id| !self.point.dims.contains_key(id)) {
            None => Ok(()),
            Some(id) => Err(format!(
                "the size {} is not known at this point",
                self.graph.dims[id.0 as usize].name
            )),
        }
    }

    fn node(&self, id: NodeId) -> Result<Array, String> {
        let node = self.graph.node(id);
        let args: Vec<NodeId> = node.args.clone();
        if let Op::Einsum(product) = &node.op {
            return self.einsum(product, &args);
        }
        if let Op::Scan(body) = node.op {
            return self.scan(body, &args, &node.shape);
        }
        if let Op::Deriv = node.op {
            return self.deriv(args[0], args[1]);
        }
        let shape = self.shape(&node.shape)?;
        let args: Vec<Rc<Array>> =
            args.into_iter().map(|arg| self.value(arg)).collect::<Result<_, _>>()?;
        let value = match &node.op {
            Op::Var(var) => self.var(*var, &shape)?,
            Op::Const(value) => Array::scalar(value.to_f64()),
            Op::Named(name) => Array::scalar(named(self.graph, *name)),
            Op::Size(dim) => Array::scalar(self.size(dim)? as f64),
            Op::Delta(_) => self.value(id)?.as_ref().clone(),
            Op::Range(dim) => Array::from_fn(&[self.size(dim)?], |ix| ix[0] as f64),
            Op::Add(coefficients) => add(coefficients, &args, &shape),
            Op::Pow(exponent) => args[0].map(|x| power(x, *exponent)),
            Op::Call(op, attrs) => self.call(ops::spec(*op), attrs, &args, &shape)?,
            Op::View(view) => self.view(view, &args[0], &shape)?,
            Op::Reshape => Array { shape: shape.clone(), data: args[0].data.clone() },
            Op::Gather => axes::gather(&args[0], &args[1], &shape)?,
            Op::Scatter(_) => axes::scatter(&args[0], &args[1], &shape)?,
            Op::Einsum(_) | Op::Scan(_) | Op::Deriv => unreachable!("handled above"),
        };
        if value.shape != shape {
            return Err(format!(
                "internal: a value of shape {:?} stands where {shape:?} belongs",
                value.shape
            ));
        }
        Ok(value)
    }

    /// Runs the step once for each entry of the sequences and stacks the states.
    fn scan(
        &self,
        body: crate::ir::BodyId,
        args: &[NodeId],
        shape: &[Dim],
    ) -> Result<Array, String> {
        let body = &self.graph.bodies[body.0 as usize];
        let shape = self.shape(shape)?;
        let args: Vec<Rc<Array>> =
            args.iter().map(|&arg| self.value(arg)).collect::<Result<_, _>>()?;
        let (sequences, captures) = args[1..].split_at(body.entries.len());
        let order = self.graph.reachable(&[body.result]);
        let mut step = Evaluator::new(self.graph, self.point);
        step.nesting = self.nesting;
        step.beginning = self.beginning;
        let mut state = Rc::clone(&args[0]);
        let mut data = Vec::new();
        for t in 0..shape[0] {
            order.iter().for_each(|&id| step.values.remove(id));
            step.values.insert(body.state, Rc::clone(&state));
            for (&entry, sequence) in body.entries.iter().zip(sequences) {
                let one = sequence.data.len() / sequence.shape[0].max(1);
                let entries = sequence.data[t * one..(t + 1) * one].to_vec();
                step.values.insert(
                    entry,
                    Rc::new(Array { shape: sequence.shape[1..].to_vec(), data: entries }),
                );
            }
            for (&capture, value) in body.captures.iter().zip(captures) {
                step.values.insert(capture, Rc::clone(value));
            }
            step.run(&order)?;
            state = step.value(body.result)?;
            data.extend_from_slice(&state.data);
        }
        Ok(Array { shape, data })
    }

    fn var(&self, id: VarId, shape: &[usize]) -> Result<Array, String> {
        let var = self.graph.var(id);
        let Some(value) = self.point.vars.get(&id) else {
            return Err(format!("`{}` has no value at this point", var.name));
        };
        if value.shape != shape {
            return Err(format!(
                "`{}` has shape {:?}, but its declaration {} is {shape:?} here",
                var.name,
                value.shape,
                self.graph.show_shape(&var.shape)
            ));
        }
        Ok(value.clone())
    }

    fn call(
        &self,
        spec: &OpSpec,
        attrs: &crate::ir::Attrs,
        args: &[Rc<Array>],
        shape: &[usize],
    ) -> Result<Array, String> {
        match spec.eval {
            Eval::Scalar(f) => axes::elementwise(f, args, shape),
            Eval::Fold(f) => Ok(axes::fold(f, &args[0], &attrs.axes)),
            Eval::Lane(f) => Ok(axes::lanes(f, &args[0], &attrs.axes)),
            Eval::Tensor(f) => axes::tensors(spec, f, attrs, args, shape),
            Eval::Defined => {
                Err(format!("internal: `{}` is evaluated through its definition only", spec.name))
            }
        }
    }
}

/// Refuses arrays that would not fit into memory.
pub(crate) fn check_size(shape: &[usize]) -> Result<(), String> {
    let total = shape.iter().try_fold(1usize, |total, &size| total.checked_mul(size));
    match total {
        Some(total) if total <= MAX_ENTRIES => Ok(()),
        _ => Err(format!(
            "an array of shape {shape:?} has more than {MAX_ENTRIES} entries, too many to evaluate"
        )),
    }
}

fn named(graph: &Graph, name: NamedConst) -> f64 {
    match name {
        NamedConst::Pi => std::f64::consts::PI,
        NamedConst::E => std::f64::consts::E,
        NamedConst::Inf => f64::INFINITY,
        NamedConst::User(id) => graph.consts[id as usize].1.to_f64(),
    }
}

fn add(coefficients: &[Num], args: &[Rc<Array>], shape: &[usize]) -> Array {
    let mut sum = Array::zeros(shape);
    for (c, arg) in coefficients.iter().zip(args) {
        let c = c.to_f64();
        for (entry, x) in sum.data.iter_mut().zip(&arg.data) {
            *entry += c * x;
        }
    }
    sum
}

fn power(x: f64, exponent: Num) -> f64 {
    match exponent {
        Num::Rational(1, 2) => x.sqrt(),
        Num::Rational(-1, 2) => 1.0 / x.sqrt(),
        _ => match exponent.as_int().map(i32::try_from) {
            Some(Ok(n)) => x.powi(n),
            _ => x.powf(exponent.to_f64()),
        },
    }
}

#[cfg(test)]
mod tests;
