//! Structure of Jacobians and Hessians, kept as a mathematician writes it: diagonal matrices, matrices between them, Kronecker
//! products. In: what contraction left of a product. Out: the formula, or `None` where there is no such structure.

use super::Scope;
use super::build::{Operand, Term, chained};
use super::contract::Tensor;
use super::index::size_expr;
use super::matrix::{combine, contracted, terms, together};
use super::product::{Factor, Product, flatten};
use crate::few::Each;
use crate::ir::{Dim, NodeId, Num, Op};
use chainrule_grammar::ast::{Expr, ExprKind};

/// `diag(v)`, `diag(v) @ A`, `A @ diag(v)`: a product over two axes of vectors with a Kronecker delta or with one matrix. `term`
/// has the scalars in front.
pub(super) fn diagonal(term: &Term, tensors: &[Tensor], out: &[u32]) -> Option<Term> {
    let &[row, column] = out else { return None };
    let (wide, rest): (Vec<&Tensor>, Vec<&Tensor>) =
        tensors.iter().partition(|tensor| tensor.labels.len() > 1);
    let [matrix] = wide.as_slice() else { return None };
    let left = vector(&rest, row);
    let right = vector(&rest, column);
    let turn = matrix.labels == [column, row];
    let plain = |tensor: &&Tensor| tensor.labels.is_empty() || tensor.kept.is_none();
    if (!turn && matrix.labels != [row, column]) || !rest.iter().all(plain) {
        return None;
    }
    let mut term = term.clone();
    for scalar in rest.iter().filter(|tensor| tensor.labels.is_empty()) {
        term.over.extend(scalar.over.iter().cloned());
        term.under.extend(scalar.under.iter().cloned());
    }
    let diag = |vector: Expr| Expr::call("diag", vec![vector]);
    if matrix.identity {
        // Where the delta is 1 a vector along the columns is one along the rows.
        let factors: Vec<&Tensor> =
            rest.iter().copied().filter(|tensor| !tensor.labels.is_empty()).collect();
        match product(&factors) {
            Some(vector) => term.over.push(diag(vector)),
            None => term.over.push(matrix.expr()),
        }
        return Some(term);
    }
    // A row that is repeated is broadcast in most programs; beside products and data it is a diagonal matrix.
    let data = matrix.data || !matrix.chain.is_empty();
    if (left.is_none() && !(data && right.is_some()))
        || [&left, &right].into_iter().flatten().any(is_quotient)
    {
        return None;
    }
    let diag = |vector: Expr| Operand { expr: diag(vector), symmetric: true };
    let chain = left.map(diag).into_iter().chain(matrix.operands(turn)).chain(right.map(diag));
    term.chain = chain.collect();
    Some(term)
}

/// `diag(p) - outer(p, p)`: vectors times a sum with a Kronecker delta in it, multiplied out into the terms of the sum.
pub(super) fn multiplied_out(scope: &Scope<'_>, product: &Product) -> Option<Term> {
    let graph = scope.graph();
    let &[row, column] = product.out.as_slice() else { return None };
    let (wide, rest): (Vec<&Factor>, Vec<&Factor>) =
        product.factors.iter().partition(|factor| factor.labels.len() > 1);
    let [sum] = wide.as_slice() else { return None };
    let open = matches!(graph.op(sum.node), Op::Add(_)) && scope.name(sum.node).is_none();
    let vectors = rest.iter().any(|factor| !factor.labels.is_empty());
    if !open || !vectors || sum.labels != [row, column] || !sum.power.is_one() {
        return None;
    }
    let mut parts = Vec::new();
    let mut identity = false;
    for (c, arg) in terms(scope, sum.node) {
        // The labels of the term's axes are 0 and 1, as those of the product; its bound ones must be new.
        let mut part = flatten(scope, arg);
        let fresh = 1 + product.sizes.keys().max()?;
        let moved = |label: u32| if label < 2 { label } else { label + fresh };
        let delta = |factor: &Factor| matches!(graph.op(factor.node), Op::Delta(_));
        identity |= part.factors.iter().any(delta);
        part.coefficient = part.coefficient * c * product.coefficient;
        part = part.relabelled(moved);
        part.factors.extend(rest.iter().map(|factor| (*factor).clone()));
        part.bound.extend(&product.bound);
        part.sizes.extend(product.sizes.clone());
        parts.push(part);
    }
    identity.then_some(())?;
    let mut sum = Vec::new();
    for part in &parts {
        let (scale, tensors) = contracted(scope, part)?;
        let loose = combine(part, scale, tensors)?;
        loose.cover.iter().all(|&has| has).then_some(())?;
        sum.push(loose.term);
    }
    Some(together(sum))
}

/// `X.T @ (outer(r, v) * (1 - h^2))`: a sum of products times a vector along the rows or the columns, which goes into the sum where a
/// formula over entries in it is weighed by a vector along its other axis too.
pub(super) fn weighed(scope: &Scope<'_>, product: &Product) -> Option<Product> {
    let &[row, column] = product.out.as_slice() else { return None };
    let (wide, rest): (Vec<&Factor>, Vec<&Factor>) =
        product.factors.iter().partition(|factor| factor.labels.len() > 1);
    let [sum] = wide.as_slice() else { return None };
    let plain = scope.name(sum.node).is_none() && sum.power.is_one() && product.bound.is_empty();
    if !plain || sum.labels != [row, column] || rest.iter().all(|one| one.labels.is_empty()) {
        return None;
    }
    let fresh = 2 + product.sizes.keys().max()?;
    let mut opened = flatten(scope, sum.node).relabelled(|label| match label {
        0 => row,
        1 => column,
        label => label + fresh,
    });
    let reads = |factors: &[Factor], label: u32| factors.iter().any(|one| one.labels == [label]);
    let formula = |factor: &&Factor| {
        let graph = scope.graph();
        scope.name(factor.node).is_none() && !graph.args(factor.node).is_empty()
    };
    let fits = |factor: &Factor| {
        let &[a, b] = factor.labels.as_slice() else { return false };
        let (summed, free) = if opened.bound.contains(&a) { (a, b) } else { (b, a) };
        let outside: Vec<Factor> = rest.each(|one| (*one).clone());
        opened.bound.contains(&summed)
            && !opened.bound.contains(&free)
            && reads(&opened.factors, summed)
            && reads(&outside, free)
    };
    opened.factors.iter().filter(formula).find(|factor| fits(factor))?;
    opened.coefficient = opened.coefficient * product.coefficient;
    opened.factors.extend(rest.into_iter().cloned());
    opened.out.clone_from(&product.out);
    opened.sizes.extend(product.sizes.clone());
    Some(opened)
}

/// `X.T @ D @ w.T`: a sum that ends at an axis of one entry, times a matrix with such an axis, is one product of matrices.
pub(super) fn joined(scope: &Scope<'_>, product: &Product) -> Option<Product> {
    let mut wide = product.factors.iter().filter(|factor| !factor.labels.is_empty());
    let (Some(a), Some(b), None) = (wide.next(), wide.next(), wide.next()) else { return None };
    let (sum, matrix) = if a.labels.len() == 1 { (a, b) } else { (b, a) };
    let (&[free], &[c, d]) = (sum.labels.as_slice(), matrix.labels.as_slice()) else { return None };
    let link = if product.bound.contains(&d) { d } else { c };
    let plain = scope.name(sum.node).is_none() && sum.power.is_one() && matrix.power.is_one();
    if !plain || product.bound != [link] || !product.size(link).is_one() || c == d {
        return None;
    }
    let fresh = 1 + product.sizes.keys().max()?;
    let opened = flatten(scope, sum.node);
    let matrices = |label: &u32| {
        opened.size(*label).is_one()
            && opened.readers(*label).next().is_some()
            && opened.readers(*label).all(|factor| factor.labels.len() == 2)
    };
    let end = *opened.bound.iter().find(|label| matrices(label))?;
    let mut opened = opened.relabelled(|label| match label {
        0 => free,
        label if label == end => link,
        label => label + fresh,
    });
    opened.coefficient = opened.coefficient * product.coefficient;
    let others = product.factors.iter().filter(|factor| factor.labels != sum.labels);
    opened.factors.extend(others.cloned());
    opened.out.clone_from(&product.out);
    opened.sizes.extend(product.sizes.clone());
    Some(opened)
}

/// The product of the vectors along a label.
fn vector(tensors: &[&Tensor], label: u32) -> Option<Expr> {
    let own: Vec<&Tensor> =
        tensors.iter().copied().filter(|tensor| tensor.labels == [label]).collect();
    product(&own)
}

fn product(tensors: &[&Tensor]) -> Option<Expr> {
    if tensors.is_empty() {
        return None;
    }
    let over = tensors.iter().flat_map(|tensor| tensor.over.iter().cloned()).collect();
    let under = tensors.iter().flat_map(|tensor| tensor.under.iter().cloned()).collect();
    Some(Term { over, under, ..Term::one() }.expr())
}

/// Whether a vector only divides: `A / v` is shorter than `A @ diag(1 / v)`.
fn is_quotient(vector: &Expr) -> bool {
    let ExprKind::Product(first, _) = &vector.kind else { return false };
    first.kind == ExprKind::Num("1".to_string())
}

/// A tensor of four axes a, b, c, d as a matrix from (c, d) to (a, b), in rows: a sum of `kron(A, B)` with A over a, c and B over b, d,
/// and of `diag(v)` with v over a, b. In the language it is that matrix, reshaped.
pub(super) fn kronecker(scope: &Scope<'_>, node: NodeId) -> Option<Expr> {
    let matrix = vectorised(scope, node)?;
    let graph = scope.graph();
    let sizes = graph.shape(node).each(|dim| size_expr(graph, dim));
    Some(Expr::call("reshape", vec![matrix, Expr::synthetic(ExprKind::List(sizes))]))
}

/// As [`kronecker`], the matrix itself.
pub(super) fn vectorised(scope: &Scope<'_>, node: NodeId) -> Option<Expr> {
    let shape = scope.graph().shape(node);
    if shape.len() != 4 || scope.name(node).is_some() || shape.iter().any(Dim::is_one) {
        return None;
    }
    let mut parts = Vec::new();
    for (c, arg) in terms(scope, node) {
        let mut part = blocks(scope, arg)?;
        part.coefficient = part.coefficient * c;
        parts.push(part);
    }
    Some(together(parts).expr())
}

/// One term of [`vectorised`].
fn blocks(scope: &Scope<'_>, node: NodeId) -> Option<Term> {
    if scope.name(node).is_some() {
        return None;
    }
    let product = flatten(scope, node);
    // Matrices only; in particular what is no product is a factor itself.
    if product.factors.iter().any(|factor| factor.labels.len() > 2) {
        return None;
    }
    let &[a, b, c, d] = product.out.as_slice() else { return None };
    let (mut term, tensors) = contracted(scope, &product)?;
    let (scalars, tensors): (Vec<Tensor>, Vec<Tensor>) =
        tensors.into_iter().partition(|tensor| tensor.labels.is_empty());
    for scalar in scalars {
        term.over.extend(scalar.over);
        term.under.extend(scalar.under);
    }
    let within =
        |tensor: &Tensor, pair: [u32; 2]| tensor.labels.iter().all(|label| pair.contains(label));
    let (left, rest): (Vec<Tensor>, Vec<Tensor>) =
        tensors.iter().cloned().partition(|tensor| within(tensor, [a, c]));
    let identities = |tensors: &[Tensor]| matches!(tensors, [only] if only.identity);
    if rest.iter().all(|tensor| within(tensor, [b, d])) {
        if identities(&left) && identities(&rest) {
            term.over.push(Expr::call("eye", vec![flat(scope, &product, [a, b])]));
            return Some(term);
        }
        let (left, right) = (over(&product, left, [a, c])?, over(&product, rest, [b, d])?);
        term.over.push(Expr::call("kron", vec![left, right]));
        return Some(term);
    }
    // A delta on each pair, and the rest over the rows.
    let on = |pair: [u32; 2]| move |tensor: &&Tensor| tensor.identity && within(tensor, pair);
    (tensors.iter().any(|tensor| on([a, c])(&tensor))
        && tensors.iter().any(|tensor| on([b, d])(&tensor)))
    .then_some(())?;
    let rest: Vec<Tensor> = tensors
        .iter()
        .filter(|tensor| !on([a, c])(tensor) && !on([b, d])(tensor))
        .cloned()
        .collect();
    let entries = over(&product, rest, [a, b])?;
    let size = Expr::synthetic(ExprKind::List(vec![flat(scope, &product, [a, b])]));
    term.over.push(Expr::call("diag", vec![Expr::call("reshape", vec![entries, size])]));
    Some(term)
}

/// The product of tensors as a matrix over two of the axes, both of which it must have.
fn over(product: &Product, tensors: Vec<Tensor>, pair: [u32; 2]) -> Option<Expr> {
    if tensors.is_empty() {
        return None;
    }
    let part = Product {
        coefficient: Num::ONE,
        factors: Vec::new(),
        out: pair.to_vec(),
        bound: Vec::new(),
        sizes: product.sizes.clone(),
    };
    // A matrix alone is not a product, and is transposed as such.
    if let [only] = tensors.as_slice()
        && only.labels == [pair[1], pair[0]]
    {
        return Some(chained(only.operands(true)));
    }
    let loose = combine(&part, Term::one(), tensors)?;
    loose.cover.iter().all(|&has| has).then(|| loose.term.expr())
}

/// How many entries two axes have together.
fn flat(scope: &Scope<'_>, product: &Product, pair: [u32; 2]) -> Expr {
    let [rows, columns] = pair.map(|label| product.size(label));
    size_expr(scope.graph(), &rows.times(&columns))
}
