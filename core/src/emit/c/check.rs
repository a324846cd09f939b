//! In: a file. Out: its self-check, a `main` under `#ifdef CHAINRULE_CHECK` that compares the gradients of the losses with central
//! differences at a random point that satisfies what is declared.

use super::file::File;
use super::names::parse;
use crate::check::sizes::index_limits;
use crate::emit::example::small_sizes;
use crate::emit::helpers::{Helper, needed};
use crate::ir::graph::Fact;
use crate::ir::{Dim, DimId, Shape, Var, VarId};

/// The check's text; `room` is how many numbers the functions need at most.
pub fn text(file: &File, rooms: &[Dim]) -> String {
    let check = Check { file, sizes: small_sizes(file.job, &file.vars) };
    let main = check.main(rooms);
    let all: Vec<Helper> = parse(include_str!("facts.c"));
    let used: String =
        needed(&all, &main).iter().map(|helper| format!("{}\n\n", helper.text)).collect();
    format!("#ifdef CHAINRULE_CHECK\n#include <stdio.h>\n\n{used}{main}\n#endif\n")
}

struct Check<'a> {
    file: &'a File<'a>,
    sizes: Vec<(DimId, usize)>,
}

impl Check<'_> {
    fn size(&self, dim: &Dim) -> usize {
        let size =
            |id: DimId| self.sizes.iter().find(|(own, _)| *own == id).map_or(1, |(_, size)| *size);
        dim.value(&size).unwrap_or(1)
    }

    fn count(&self, shape: &Shape) -> usize {
        shape.iter().map(|dim| self.size(dim)).product()
    }

    /// Sizes and tensors as every function takes them.
    fn given(&self) -> String {
        let graph = self.file.job.graph;
        let sizes = self.sizes.iter().map(|(_, size)| size.to_string());
        let vars = self.file.vars.iter().map(|var| {
            let number = if graph.var(*var).shape.is_empty() { "[0]" } else { "" };
            format!("given_{}{number}", var.0)
        });
        let all: Vec<String> = sizes.chain(vars).collect();
        all.iter().map(|text| format!("{text}, ")).collect()
    }

    fn main(&self, rooms: &[Dim]) -> String {
        let (job, graph) = (self.file.job, self.file.job.graph);
        let mut out = String::new();
        for var in &self.file.vars {
            let declared = graph.var(*var);
            let kind = if declared.int { "size_t" } else { "real" };
            out.push_str(&format!(
                "static {kind} given_{}[{}];\n",
                var.0,
                self.count(&declared.shape).max(1)
            ));
        }
        let results =
            job.losses.iter().map(|loss| loss.value).chain(job.outputs.iter().map(|out| out.value));
        let results: Vec<usize> = results.map(|node| self.count(graph.shape(node))).collect();
        for (at, count) in results.iter().enumerate() {
            out.push_str(&format!("static real result_{at}[{}];\n", (*count).max(1)));
        }
        let room = rooms.iter().map(|room| self.size(room)).max().unwrap_or(0).max(1);
        out.push_str(&format!("static real room[{room}];\nstatic int wrong = 0;\n\n"));
        let outs: String = (0..results.len()).map(|at| format!("result_{at}, ")).collect();
        out.push_str(&format!(
            "static void values(void) {{\n    forward({}{outs}room);\n}}\n\n",
            self.given()
        ));
        out.push_str(&self.point(&results));
        if job.losses.iter().any(|loss| !loss.grads.is_empty()) {
            out.push_str(COMPARE);
        }
        out.push_str("int main(void) {\n    draw();\n");
        for (at, (loss, name)) in job.losses.iter().zip(&self.file.names.losses).enumerate() {
            let mut grads = String::new();
            let mut checks = String::new();
            out.push_str("    {\n        static real value[1]");
            for (number, grad) in loss.grads.iter().enumerate() {
                let declared = graph.var(grad.var);
                let count = self.count(&declared.shape).max(1);
                out.push_str(&format!(", grad_{number}[{count}]"));
                grads.push_str(&format!("grad_{number}, "));
                checks.push_str(&format!(
                    "        compare(\"d {} / d {}\", {count}, grad_{number}, given_{}, result_{at});\n",
                    ascii(&loss.name), ascii(&declared.name), grad.var.0
                ));
            }
            out.push_str(&format!(
                ";\n        {name}({}value, {grads}room);\n{checks}    }}\n",
                self.given()
            ));
        }
        out.push_str("    return wrong;\n}");
        out
    }

    /// The function that draws a point at which all results are finite.
    fn point(&self, results: &[usize]) -> String {
        let graph = self.file.job.graph;
        let draws: String =
            self.file.vars.iter().map(|var| self.drawn(*var, graph.var(*var))).collect();
        let sums: String = results
            .iter()
            .enumerate()
            .map(|(at, count)| {
                format!("        for (size_t k = 0; k < {count}; k++) {{\n            sum += fabs(result_{at}[k]);\n        }}\n")
            })
            .collect();
        format!(
            "static void draw(void) {{\n    static const double low[] = {{-1.5, 0.2, 0.1, -0.9, 1.1}}, high[] = {{1.5, 1.7, 0.9, 0.9, 2.5}};\n    for (int trial = 0; trial < 40; trial++) {{\n        const double from = low[trial % 5], to = high[trial % 5];\n        double sum = 0;\n        (void)from;\n        (void)to;\n{draws}        values();\n{sums}        if (sum < INFINITY) {{\n            return;\n        }}\n    }}\n}}\n\n"
        )
    }

    /// The statements that draw one argument.
    fn drawn(&self, id: VarId, var: &Var) -> String {
        let count = self.count(&var.shape);
        let name = format!("given_{}", id.0);
        if var.int {
            let limits = index_limits(self.file.job.graph).remove(&id).unwrap_or_default();
            let below = limits.iter().map(|dim| self.size(dim)).min().unwrap_or(3);
            return format!("        cr_indices({count}, {name}, {below});\n");
        }
        let has = |fact: Fact| var.facts.contains(&fact);
        let positive = has(Fact::Positive) || has(Fact::Nonnegative) || has(Fact::Simplex);
        let interval = if positive { "0.2, 1.7" } else { "from, to" };
        let mut out = format!("        cr_fill({count}, {name}, {interval});\n");
        let columns = var.shape.last().map_or(1, |dim| self.size(dim)).max(1);
        let rows = count / columns;
        let square = var.shape.len() == 2 && var.shape[0] == var.shape[1];
        for (fact, call) in
            [(Fact::OneHot, "cr_one_hot"), (Fact::Simplex, "cr_simplex"), (Fact::Unit, "cr_unit")]
        {
            if has(fact) {
                out.push_str(&format!("        {call}({rows}, {columns}, {name});\n"));
            }
        }
        for (fact, call) in [
            (Fact::Symmetric, "cr_symmetric"),
            (Fact::Spd, "cr_spd"),
            (Fact::Orthogonal, "cr_orthogonal"),
            (Fact::Diagonal, "cr_diagonal"),
            (Fact::Triangular, "cr_triangular"),
        ] {
            if has(fact) && square {
                out.push_str(&format!("        {call}({columns}, {name});\n"));
            }
        }
        out
    }
}

/// A name inside of a string of C.
fn ascii(name: &str) -> String {
    crate::emit::names::ascii(name)
}

const COMPARE: &str = r#"static void compare(const char *what, size_t n, const real *grad, real *given, const real *result) {
    const double eps = sizeof(real) == 4 ? 1e-2 : 1e-6, allowed = sizeof(real) == 4 ? 5e-2 : 1e-5;
    double worst = 0;
    int bad = 0;
    for (size_t k = 0; k < n; k += 1 + n / 100) {
        const real kept = given[k];
        double up, down, slope, error;
        given[k] = (real)(kept + eps);
        values();
        up = result[0];
        given[k] = (real)(kept - eps);
        values();
        down = result[0];
        given[k] = kept;
        slope = (up - down) / (2 * eps);
        error = fabs(grad[k] - slope) / (1 + fabs(slope));
        bad = bad || !(error < allowed);
        worst = fmax(worst, error);
    }
    wrong = wrong || bad;
    printf("%s: largest error %.1e, %s\n", what, worst, bad ? "WRONG" : "good");
}

"#;
