//! In: a module. Out: its self-check: a random point that satisfies what is declared, and the derivatives beside independent ones.

use super::dialect::{Library, defined};
use super::layout::listed;
use super::module::Module;
use super::writer::{dim_text, tuple};
use crate::check::sizes::index_limits;
use crate::emit::RequestJob;
use crate::emit::example::small_sizes;
use crate::emit::helpers::{self, Helper};
use crate::ir::graph::Fact;
use crate::ir::{NodeId, Op, Var, VarId};
use crate::ops::{self, Rule};
use chainrule_grammar::ast::RequestKind;
use std::collections::BTreeSet;

/// The text from `example` to the end of the file.
pub fn text(module: &Module) -> String {
    let example = example(module);
    let facts = helpers::parse(FACTS, defined);
    let used = helpers::needed(&facts, &example);
    let mut parts: Vec<String> = used.iter().map(|helper| helper.text.clone()).collect();
    parts.push(example);
    parts.push(tables(module));
    parts.extend(helpers::parse(body(module.library), defined).into_iter().map(|part| part.text));
    parts.join("\n\n\n")
}

/// The functions that a check may consist of.
pub fn helpers(library: Library) -> Vec<Helper> {
    let mut all = helpers::parse(FACTS, defined);
    all.extend(helpers::parse(body(library), defined));
    all
}

const FACTS: &str = include_str!("facts.py");

fn body(library: Library) -> &'static str {
    match library {
        Library::NumPy => include_str!("check_numpy.py"),
        Library::Jax => include_str!("check_jax.py"),
        Library::Torch => include_str!("check_torch.py"),
    }
}

fn example(module: &Module) -> String {
    let graph = module.job.graph;
    let dims = small_sizes(module.job, &module.vars);
    let mut out = "def example(rng, low=-1.5, high=1.5):\n".to_string();
    out.push_str("    \"\"\"Random arguments that satisfy what is declared of them; `rng` is a generator of NumPy.\"\"\"\n");
    if !dims.is_empty() {
        let names: Vec<&str> = dims.iter().map(|(id, _)| module.names.dims[id].as_str()).collect();
        let sizes: Vec<String> = dims.iter().map(|(_, size)| size.to_string()).collect();
        out.push_str(&format!("    {} = {}\n", names.join(", "), sizes.join(", ")));
    }
    out.push_str("    return {\n");
    for var in &module.vars {
        let name = &module.names.vars[var];
        out.push_str(&format!("        \"{name}\": {},\n", drawn(module, *var, graph.var(*var))));
    }
    for dim in &module.sizes.asked {
        let name = &module.names.dims[dim];
        out.push_str(&format!("        \"{name}\": {name},\n"));
    }
    out.push_str("    }");
    out
}

/// The expression that draws one argument.
fn drawn(module: &Module, id: VarId, var: &Var) -> String {
    let sizes: Vec<String> =
        var.shape.iter().map(|dim| dim_text(&module.names, dim).text).collect();
    let shape = tuple(&sizes);
    if var.int {
        let limits = index_limits(module.job.graph).remove(&id).unwrap_or_default();
        let limits: Vec<String> =
            limits.iter().map(|dim| dim_text(&module.names, dim).text).collect();
        let below = match limits.as_slice() {
            [] => "3".to_string(),
            [one] => one.clone(),
            many => format!("min({})", many.join(", ")),
        };
        return format!("rng.integers(0, {below}, {shape})");
    }
    let has = |fact: Fact| var.facts.contains(&fact);
    let positive = has(Fact::Positive) || has(Fact::Nonnegative) || has(Fact::Simplex);
    let plain = if positive {
        format!("rng.uniform(0.2, 1.7, {shape})")
    } else {
        format!("rng.uniform(low, high, {shape})")
    };
    let square = var.shape.len() == 2 && var.shape[0] == var.shape[1];
    let facts: [(Fact, &str, bool); 8] = [
        (Fact::OneHot, "_random_one_hot(rng, {})", true),
        (Fact::Simplex, "_simplex({})", true),
        (Fact::Unit, "_unit({})", true),
        (Fact::Spd, "_spd({})", square),
        (Fact::Symmetric, "_symmetrised({})", square && !has(Fact::Spd)),
        (Fact::Orthogonal, "_orthogonal({})", square),
        (Fact::Diagonal, "_diagonal({})", square),
        (Fact::Triangular, "np.tril({})", square),
    ];
    facts
        .iter()
        .filter(|(fact, _, fits)| has(*fact) && *fits)
        .fold(plain, |value, (_, make, _)| make.replace("{}", &value))
}

/// What there is to check, as data.
fn tables(module: &Module) -> String {
    let job = module.job;
    let comment =
        "# What `check_gradient` checks: functions of gradients, and of further derivatives.\n";
    let held = held(module);
    let mut out = "_GRADIENTS = {".to_string();
    let losses = job.losses.iter().zip(&module.names.losses);
    let gradients: Vec<String> = losses
        .filter(|(loss, _)| !held.contains(loss.name.as_str()))
        .map(|(loss, name)| format!("\"{}\": {name}", loss.name))
        .collect();
    out = listed(0, &out, &gradients, "}");
    out.push('\n');
    if module.library != Library::NumPy {
        out.push_str(&attached(module));
    }
    out.push_str("_FURTHER = [");
    let mut rows = String::new();
    for (request, name) in job.requests.iter().zip(&module.names.requests) {
        if held.contains(request.of.as_str()) {
            continue;
        }
        if request.results.len() > 1 {
            rows.push_str(&blocks(module, request, name));
            continue;
        }
        let Some(by) = request.by.filter(|var| module.is_argument(*var)) else { continue };
        let direction = match request.directions.first() {
            Some(var) => format!("\"{}\"", module.names.vars[var]),
            None => "None".to_string(),
        };
        let kind = kind(request.kind);
        let by = &module.names.vars[&by];
        rows.push_str(&row(name, kind, &request.of, by, &direction));
    }
    if !rows.is_empty() {
        rows.push('\n');
    }
    out.push_str(&rows);
    let known = job.forward_names();
    let primals = job.requests.iter().any(|request| !known.contains(&request.of));
    out.push_str(if primals {
        "]\n\n\ndef _values(**point):\n    \"\"\"Everything that derivatives are of.\"\"\"\n    return {**forward(**point), **_primals(**point)}"
    } else {
        "]\n_values = forward"
    });
    let names: Vec<&str> = held.into_iter().collect();
    let left_out = match names.is_empty() {
        true => String::new(),
        false => {
            format!("# Differences move what counts as a constant: not {}.\n", names.join(", "))
        }
    };
    format!("{comment}{left_out}{out}")
}

/// What is differentiated and has in it what counts as a constant, where derivatives are compared with differences: those would not know.
fn held<'a>(module: &'a Module) -> BTreeSet<&'a str> {
    let job = module.job;
    let holds = |node: &NodeId| matches!(job.graph.op(*node), Op::Call(op, _) if matches!(ops::spec(*op).rule, Rule::Held));
    let is_held = |(_, node): &(&str, NodeId)| job.graph.reachable(&[*node]).iter().any(holds);
    let losses = job.losses.iter().map(|loss| (loss.name.as_str(), loss.value));
    let requests = job.requests.iter().map(|request| (request.of.as_str(), request.of_value));
    let all = losses.chain(requests).filter(|_| module.library == Library::NumPy);
    all.filter(is_held).map(|(name, _)| name).collect()
}

/// A row of the table of further derivatives.
fn row(function: &str, kind: &str, of: &str, by: &str, direction: &str) -> String {
    let entries = [
        function.to_string(),
        format!("\"{kind}\""),
        format!("\"{of}\""),
        format!("\"{by}\""),
        direction.to_string(),
    ];
    format!("\n{}", listed(1, "(", &entries, "),"))
}

/// The losses with the closed form attached, and the arguments that all of them have a derivative by.
fn attached(module: &Module) -> String {
    let losses = module.job.losses.iter().zip(&module.names.values);
    let rows: Vec<String> =
        losses.map(|(loss, value)| format!("\"{}\": {value}", loss.name)).collect();
    let known = |var: &VarId| {
        module.job.losses.iter().all(|loss| loss.every.iter().any(|(by, _)| by == var))
    };
    let by = module.vars.iter().filter(|var| known(var) && !module.job.losses.is_empty());
    let by: Vec<String> = by.map(|var| format!("\"{}\"", module.names.vars[var])).collect();
    format!("{}\n{}\n", listed(0, "_LOSSES = {", &rows, "}"), listed(0, "_ARGUMENTS = [", &by, "]"))
}

/// The rows of a product by several variables: one for each, where the others keep still.
fn blocks(module: &Module, request: &RequestJob, name: &str) -> String {
    let graph = module.job.graph;
    let mut rows = String::new();
    let named = |name: &str| {
        let at = graph.vars.iter().position(|var| var.name == name)?;
        Some(&module.names.vars[&VarId(at as u32)])
    };
    let moves: Vec<(&String, &String, &String)> = request
        .results
        .iter()
        .zip(&request.directions)
        .filter_map(|((by, ..), var)| Some((by, named(by)?, &module.names.vars[var])))
        .collect();
    for (key, by, direction) in &moves {
        let others = moves.iter().filter(|(other, ..)| other != key);
        let still: Vec<String> =
            others.map(|(_, by, direction)| format!("\"{direction}\": \"{by}\"")).collect();
        let derivative = format!("_block({name}, \"{key}\", {{{}}})", still.join(", "));
        let kind = kind(request.kind);
        rows.push_str(&row(&derivative, kind, &request.of, by, &format!("\"{direction}\"")));
    }
    rows
}

fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Grad | RequestKind::Jacobian => "jacobian",
        RequestKind::Hessian => "hessian",
        RequestKind::Hvp => "hvp",
        RequestKind::Jvp => "jvp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn functions_of_a_file_have_different_names() {
        for library in Library::ALL {
            let mut names = BTreeSet::new();
            for helper in library.helpers().into_iter().chain(helpers(library)) {
                assert!(names.insert(helper.name.clone()), "{library:?}: {}", helper.name);
            }
        }
    }
}
