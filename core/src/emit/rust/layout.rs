//! In: a plan and a job. Out: where everything stands in the generated structs, and under which names.

use super::names::{Scope, ident, prefixed};
use super::{index, steps};
use crate::emit::Job;
use crate::few::{self, Each};
use crate::ir::{Dim, Graph, NodeId, Num, VarId, VarKind};
use crate::plan::lin::volume;
use crate::plan::{Plan, Slot, Step};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeMap;

/// Up to this many numbers of fixed sizes are an array.
const LARGEST_ARRAY: i128 = 16384;

/// How a run of numbers is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Store {
    /// `[F; N]`
    Array(Dim),
    /// `Buf<F>` of this length.
    Heap(Dim),
}

impl Store {
    /// By its length.
    pub fn of(len: Dim) -> Store {
        match len.as_fixed() {
            Some(size) if size <= LARGEST_ARRAY => Store::Array(len),
            _ => Store::Heap(len),
        }
    }

    /// Its type.
    pub fn ty(&self, graph: &Graph) -> TokenStream {
        match self {
            Store::Array(len) => {
                let len = index::dim(graph, len);
                quote!([F; #len])
            }
            Store::Heap(_) => quote!(::chainrule::rt::Buf<F>),
        }
    }

    /// One of zeros.
    pub fn zeros(&self, graph: &Graph) -> TokenStream {
        match self {
            Store::Array(len) => {
                let len = index::dim(graph, len);
                quote!([F::ZERO; #len])
            }
            Store::Heap(len) => {
                let len = index::dim(graph, len);
                quote!(::chainrule::rt::Buf::zeros(#len))
            }
        }
    }
}

/// A struct of one flat store with named parts: parameters, gradients.
pub struct Flat {
    /// The struct's name.
    pub name: Ident,
    /// Its parts in order, with the names of their methods.
    pub parts: Vec<(VarId, String)>,
    /// Where each part starts.
    pub offsets: Vec<Dim>,
    /// The whole.
    pub store: Store,
    /// Run-time sizes that it depends on.
    pub dims: Vec<usize>,
}

/// Everything that functions and structs agree on.
pub struct Layout<'a> {
    /// What is generated.
    pub job: &'a Job<'a>,
    /// What it does.
    pub plan: &'a Plan,
    /// Run-time sizes that occur in declarations, by position in the graph.
    pub dims: Vec<usize>,
    /// The parameters.
    pub params: Flat,
    /// The gradients of each loss, where they are not of the parameters' type.
    pub grads: Option<Flat>,
    /// The fields of `Inputs`.
    pub inputs: Vec<(VarId, Ident)>,
    /// The workspace's fields.
    pub fields: Vec<(NodeId, Ident, Store)>,
    /// Where in `fields` a node's field is.
    field_of: BTreeMap<NodeId, usize>,
    /// The workspace's field for the use of single steps.
    pub scratch: Option<(Ident, Store)>,
}

/// Which run-time sizes occur in some sizes, ascending.
pub fn dims_of<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> Vec<usize> {
    let mut all: Vec<usize> = dims
        .into_iter()
        .flat_map(|dim| dim.names().map(|id| id.0 as usize).collect::<Vec<_>>())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl<'a> Layout<'a> {
    /// Lays out.
    pub fn new(job: &'a Job<'a>, plan: &'a Plan) -> Layout<'a> {
        let graph = job.graph;
        let directions = job.requests.iter().flat_map(|request| &request.directions);
        let declared = job.params.iter().chain(&job.inputs).chain(directions);
        let dims = dims_of(declared.flat_map(|var| &graph.var(*var).shape));
        let params = flat(graph, "Params", &job.params);
        let grads = grads(job);
        let mut scope = Scope::with(&["marker", "dims"]);
        let inputs = job.inputs.each(|var| (*var, ident(&scope.claim(&graph.var(*var).name))));
        let (fields, scratch) = workspace(plan, job.threads);
        let field_of = few::map(fields.iter().enumerate().map(|(at, (id, _, _))| (*id, at)));
        Layout { job, plan, dims, params, grads, inputs, fields, field_of, scratch }
    }

    /// The declarations' graph.
    pub fn graph(&self) -> &Graph {
        self.job.graph
    }

    /// The type of gradients.
    pub fn grad(&self) -> &Flat {
        self.grads.as_ref().unwrap_or(&self.params)
    }

    /// Whether `Dims` exists.
    pub fn has_dims(&self) -> bool {
        !self.dims.is_empty()
    }

    /// Run-time sizes that do not stand alone on an axis of an input, so that none tells them.
    pub fn untold(&self) -> Vec<usize> {
        let graph = self.graph();
        let axes = self.inputs.iter().flat_map(|(var, _)| &graph.var(*var).shape);
        let told: Vec<usize> =
            axes.filter_map(|dim| dim.as_named()).map(|id| id.0 as usize).collect();
        let all = self.dims.iter().copied();
        all.filter(|at| !told.contains(at)).collect()
    }

    /// `let Dims { B: dim_B, .. } = <from>;`
    pub fn bind_dims(&self, from: &TokenStream) -> TokenStream {
        if !self.has_dims() {
            return TokenStream::new();
        }
        let graph = self.graph();
        let fields = self.dims.iter().map(|at| {
            let (field, local) = (ident(&graph.dims[*at].name), index::dim_ident(graph, *at));
            quote!(#field: #local)
        });
        quote!(let Dims { #(#fields),* } = #from;)
    }

    /// Whether a variable is none of the program's, but stands for something in the step of a scan.
    fn is_stand_in(&self, var: VarId) -> bool {
        let mut directions = self.job.requests.iter().flat_map(|request| &request.directions);
        self.plan.graph.var(var).kind == VarKind::Direction && !directions.any(|id| *id == var)
    }

    /// The local variable that holds a slot's entries in a function.
    pub fn local(&self, slot: Slot) -> Ident {
        match slot {
            Slot::Var(var) => {
                let declared = self.plan.graph.var(var);
                if self.is_stand_in(var) {
                    return super::names::numbered("given", var.0 as usize);
                }
                let prefix = match declared.kind {
                    VarKind::Param => "p",
                    VarKind::Direction => "d",
                    VarKind::Input | VarKind::Target => "x",
                };
                prefixed(prefix, &declared.name)
            }
            Slot::Work(node) => {
                let field = self.field_of.get(&node).and_then(|at| self.fields.get(*at));
                field.map_or_else(|| ident("missing"), |(_, name, _)| name.clone())
            }
            Slot::Result(at) => super::names::numbered("r", at),
            Slot::Scratch => ident("w_scratch"),
        }
    }
}

impl super::nest::Places for Layout<'_> {
    fn local(&self, slot: Slot) -> Ident {
        Layout::local(self, slot)
    }

    fn is_int(&self, slot: Slot) -> bool {
        matches!(slot, Slot::Var(var) if self.plan.graph.var(var).int)
    }

    fn dims(&self, graph: &Graph) -> Vec<Ident> {
        self.dims.each(|at| index::dim_ident(graph, *at))
    }

    fn len(&self, slot: Slot) -> Option<Dim> {
        let graph = &self.plan.graph;
        let len = match slot {
            Slot::Var(var) => volume(&graph.var(var).shape),
            Slot::Work(node) => volume(graph.shape(node)),
            Slot::Result(_) | Slot::Scratch => return None,
        };
        len.as_fixed().map(|_| len)
    }
}

fn flat(graph: &Graph, name: &str, vars: &[VarId]) -> Flat {
    let mut scope = Scope::with(&["as_slice", "as_mut_slice", "zeros", "init", "dims", "clone"]);
    let mut parts = Vec::new();
    for var in vars {
        let mut name = scope.claim(&graph.var(*var).name);
        while scope.claim(&format!("{name}_mut")) != format!("{name}_mut") {
            name = scope.claim(&format!("{name}_"));
        }
        parts.push((*var, name));
    }
    let shapes = || vars.iter().flat_map(|var| &graph.var(*var).shape);
    let mut len = Dim::fixed(0);
    let mut offsets = Vec::with_capacity(vars.len());
    for var in vars {
        let next = len.plus(&volume(&graph.var(*var).shape), Num::ONE);
        offsets.push(std::mem::replace(&mut len, next));
    }
    Flat { name: ident(name), parts, offsets, store: Store::of(len), dims: dims_of(shapes()) }
}

/// Gradients have a type of their own where they are not exactly those of the parameters.
fn grads(job: &Job) -> Option<Flat> {
    let mut vars: Vec<VarId> = job.params.clone();
    for grad in job.losses.iter().flat_map(|loss| &loss.grads) {
        if !vars.contains(&grad.var) {
            vars.push(grad.var);
        }
    }
    (vars.len() > job.params.len()).then(|| flat(job.graph, "Grads", &vars))
}

/// The larger of two sizes, or their sum where that cannot be told.
pub fn larger(a: Dim, b: Dim) -> Dim {
    match (a.as_fixed(), b.as_fixed()) {
        (Some(p), Some(q)) => Dim::fixed(p.max(q)),
        _ if a == b => a,
        _ => a.plus(&b, Num::ONE),
    }
}

type Field = (NodeId, Ident, Store);

fn workspace(plan: &Plan, threads: bool) -> (Vec<Field>, Option<(Ident, Store)>) {
    let graph = &plan.graph;
    let phases = [&plan.forward].into_iter();
    let both = plan.both.iter().flatten();
    let all = phases.chain(&plan.backward).chain(both).chain(&plan.requests);
    let steps: Vec<&Step> = all.flat_map(|phase| &phase.steps).collect();
    let scratch = steps.iter().filter_map(|step| steps::scratch(step, threads)).reduce(larger);
    let lens: Vec<Dim> = plan.work.each(|id| volume(graph.shape(*id)));
    let total = lens.iter().chain(&scratch).fold(Dim::fixed(0), |sum, len| sum.plus(len, Num::ONE));
    let store = |len: &Dim| match Store::of(total.clone()) {
        Store::Array(_) => Store::Array(len.clone()),
        Store::Heap(_) if len.as_fixed().is_some_and(|len| len <= 16) => Store::Array(len.clone()),
        Store::Heap(_) => Store::Heap(len.clone()),
    };
    let mut scope = Scope::with(&["w_scratch"]);
    let mut fields = Vec::new();
    for (at, id) in plan.work.iter().enumerate() {
        let name = match graph.names.get(id) {
            Some(name) => format!("w_{name}"),
            None => format!("w{at}"),
        };
        fields.push((*id, ident(&scope.claim(&name)), store(&lens[at])));
    }
    let scratch = scratch.map(|len| (ident("w_scratch"), store(&len)));
    (fields, scratch)
}
