//! In: a job and a point. Out: statements that call every function of the job's generated Rust, and compare what they give with what the
//! reference evaluator says there.

use chainrule_core::emit::{self, Job};
use chainrule_core::eval::{Point, eval};
use chainrule_core::ir::{Graph, NodeId, VarId};
use std::fmt::Write as _;

/// The function that the statements call: numbers of 64 bits fit to 1e-9, of 32 bits to 1e-4 of the largest.
pub const CHECK: &str = r#"
fn check<F: Copy + Into<f64>>(what: &str, got: &[F], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}");
    let single = size_of::<F>() == 4;
    // What 32 bits cannot hold is infinite there, or 0.
    let wanted = |w: f64| if single { f64::from(w as f32) } else { w };
    let finite = want.iter().map(|w| wanted(*w).abs()).filter(|w| w.is_finite());
    let largest = finite.fold(1e-3, f64::max);
    for (at, (g, w)) in got.iter().zip(want).enumerate() {
        let (g, w): (f64, f64) = ((*g).into(), wanted(*w));
        let room = if single { 1e-4 * largest } else { 1e-9 * (1.0 + w.abs()) };
        let same = (g.is_nan() && w.is_nan()) || g == w || (g - w).abs() <= room;
        if !same { println!("WRONG {what} [{at}]: {g} for {w}"); return; }
    }
}
"#;

/// Numbers as Rust writes them, with the type's name behind each, if there is one.
fn list(data: &[f64], float: &str) -> String {
    let number = |x: &f64| match x {
        x if x.is_finite() => format!("{x:?}{float}"),
        x if x.is_nan() => "(0.0 / 0.0)".to_string(),
        x => format!("({}1.0 / 0.0)", if *x > 0.0 { "" } else { "-" }),
    };
    format!("[{}]", data.iter().map(number).collect::<Vec<_>>().join(", "))
}

/// A nested array literal.
fn nested(shape: &[usize], data: &[f64], int: bool, float: &str) -> String {
    match shape {
        // The type of no entries has to be said.
        [_, ..] if data.is_empty() => {
            let number = if int { "0usize".to_string() } else { format!("0.0{float}") };
            shape.iter().rev().fold(number, |entry, size| format!("[{entry}; {size}]"))
        }
        _ if int => format!("{:?}", data.iter().map(|v| *v as usize).collect::<Vec<_>>()),
        [] => format!("{:?}{float}", data[0]),
        [_] => list(data, float),
        [_, rest @ ..] => {
            let size: usize = rest.iter().product();
            let rows: Vec<String> =
                data.chunks(size.max(1)).map(|row| nested(rest, row, int, float)).collect();
            format!("[{}]", rows.join(", "))
        }
    }
}

/// Statements being written.
pub struct Calls<'a> {
    /// What was generated.
    pub job: &'a Job<'a>,
    /// Its graph.
    pub graph: &'a Graph,
    /// Where it is called.
    pub point: &'a Point,
    /// The module that it stands in.
    pub module: String,
    /// The type of the numbers.
    pub float: &'static str,
    /// The statements.
    pub out: String,
}

impl Calls<'_> {
    fn value(&self, node: NodeId) -> String {
        let array = eval(self.graph, self.point, &[node]).unwrap().remove(0);
        format!("&{}", list(&array.data, ""))
    }

    /// Writes them.
    pub fn write(&mut self) {
        let float = self.float;
        let job = self.job;
        let module = self.module.clone();
        let vars = |ids: &[VarId]| -> Vec<f64> {
            ids.iter().flat_map(|id| self.point.vars[id].data.clone()).collect()
        };
        let params = vars(&job.params);
        let dims: Vec<String> = self
            .point
            .dims
            .iter()
            .map(|(id, size)| {
                format!("{}: {size}", emit::rust::ident(&self.graph.dims[id.0 as usize].name))
            })
            .collect();
        let dims = format!("{module}::Dims {{ {} }}", dims.join(", "));
        let text = emit::rust_text(job).unwrap();
        let untold = text.contains("fn new (dims : Dims");
        // The first is that of `Params`.
        let run_time = text[text.find("fn zeros").unwrap()..].starts_with("fn zeros (dims : Dims)");
        let inputs: Vec<String> = job
            .inputs
            .iter()
            .map(|id| {
                let (array, var) = (&self.point.vars[id], self.graph.var(*id));
                format!("&{}", nested(&array.shape, &array.data, var.int, float))
            })
            .collect();
        let known = if untold { format!("{dims}, ") } else { String::new() };
        let zeros = if run_time { dims.clone() } else { String::new() };
        let out = &mut self.out;
        let _ = writeln!(
            out,
            "let inputs = {module}::Inputs::<{float}>::new({known}{}).unwrap();",
            inputs.join(", ")
        );
        let _ = writeln!(out, "let mut params = {module}::Params::<{float}>::zeros({zeros});");
        let _ = writeln!(out, "params.as_mut_slice().copy_from_slice(&{});", list(&params, ""));
        let _ = writeln!(out, "let mut ws = {module}::Workspace::new(&inputs);");
        self.results(&module);
        self.requests(&module);
    }

    fn results(&mut self, module: &str) {
        let job = self.job;
        for loss in &job.losses {
            let name = emit::rust::ident(&loss.name);
            let want = self.value(loss.value);
            let _ = writeln!(
                self.out,
                "check(\"{module} {name}\", &[{module}::forward(&params, &inputs, &mut ws).{name}], {want});"
            );
            let suffix =
                if job.losses.len() > 1 { format!("_{}", loss.name) } else { String::new() };
            let mut grads = loss.grads.iter().collect::<Vec<_>>();
            let _ = writeln!(
                self.out,
                "let (value, grads) = {module}::value_and_grad{suffix}(&params, &inputs);"
            );
            let _ = writeln!(self.out, "check(\"{module} value {name}\", &[value], {want});");
            for grad in &grads {
                let (name, want) =
                    (emit::rust::ident(&self.graph.var(grad.var).name), self.value(grad.value));
                let place = self.flat(&format!("grads.{name}()"), grad.value, "");
                let _ = writeln!(self.out, "check(\"{module} grad {name}\", {place}, {want});");
            }
            if job.losses.len() > 1 {
                continue;
            }
            grads.sort_by_key(|grad| (!job.params.contains(&grad.var), grad.var));
            let all: Vec<f64> = grads
                .iter()
                .flat_map(|grad| {
                    eval(self.graph, self.point, &[grad.value]).unwrap().remove(0).data
                })
                .collect();
            let _ = writeln!(
                self.out,
                "check(\"{module} grad {name}\", grads.as_slice(), &{});",
                list(&all, "")
            );
        }
        for output in &job.outputs {
            let (name, want) = (emit::rust::ident(&output.name), self.value(output.value));
            let place = format!("{module}::forward(&params, &inputs, &mut ws).{name}");
            let place = self.flat(&place, output.value, "&");
            let _ = writeln!(self.out, "check(\"{module} {name}\", {place}, {want});");
        }
    }

    /// A result as a run of numbers.
    fn flat(&self, place: &str, node: NodeId, borrow: &str) -> String {
        match self.graph.shape(node).is_empty() {
            true => format!("&[{place}]"),
            false => {
                let float = self.float;
                format!("::chainrule::rt::Tensor::<{float}>::flat({borrow}{place}).unwrap()")
            }
        }
    }

    fn requests(&mut self, module: &str) {
        let float = self.float;
        for request in &self.job.requests {
            let directions: String = request
                .directions
                .iter()
                .map(|id| format!("&{}, ", list(&self.point.vars[id].data, "")))
                .collect();
            let (mut rooms, mut outs, mut checks) = (String::new(), String::new(), String::new());
            for (at, (_, node, _)) in request.results.iter().enumerate() {
                let want = self.value(*node);
                let _ = write!(
                    rooms,
                    "let want{at}: &[f64] = {want}; let mut got{at} = vec![{float}::NAN; want{at}.len()]; "
                );
                let _ = write!(outs, "&mut got{at}, ");
                let _ =
                    write!(checks, "check(\"{module} {}\", &got{at}, want{at}); ", request.name);
            }
            let _ = writeln!(
                self.out,
                "{rooms} {module}::{}(&params, &inputs, {directions}&mut ws, {outs}); {checks}",
                request.name
            );
        }
    }
}
