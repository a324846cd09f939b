//! No expression swell: graphs, formulas and derivations grow with the program, and products with a direction stay products.

use chainrule_core::check::{check_told, random_point};
use chainrule_core::derivation::{Options, Steps, Style, Told, tell};
use chainrule_core::emit::{self, Dtype, Library};
use chainrule_core::ir::{NodeId, Num, Op};
use chainrule_core::render::document_text::document;
use chainrule_core::render::phrases::Lang;
use chainrule_core::simplify::simplify_beyond;
use chainrule_core::{Compiled, Source, compile};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

fn compiled(program: &str) -> Compiled {
    let source = Source::new("program", program);
    let compiled = compile(&source);
    let said: String =
        compiled.diagnostics.iter().map(|one| one.render(&source)).collect::<Vec<_>>().join("\n");
    assert!(!compiled.has_errors(), "{said}");
    compiled
}

/// A network of named layers.
fn network(layers: usize, request: &str) -> String {
    let mut text = String::from("dim B; input h0: [B, 3], t: [B, 3];\n");
    for k in 1..=layers {
        let _ = writeln!(text, "param W{k}: [3, 3];\nh{k} = tanh(h{} @ W{k});", k - 1);
    }
    let _ = writeln!(text, "loss E = sum((h{layers} - t)^2);\n{request}");
    text
}

/// The same without names: as calls of a function in a chain, as a network that declares its own parameters, and as one expression.
fn unnamed(spelling: &str, layers: usize) -> String {
    let mut text = String::from("dim B; input h0: [B, 3], t: [B, 3];\n");
    let all = |layer: &dyn Fn(usize) -> String| (1..=layers).map(layer).collect::<String>();
    if spelling != "net" {
        text += &all(&|k| format!("param W{k}: [3, 3];\n"));
    }
    let h = match spelling {
        "chain" => {
            text += "fn layer(x, W) = x @ W;\n";
            format!("(h0{})", all(&|k| format!(" |> layer(W{k}) |> tanh")))
        }
        "net" => {
            let chain = all(&|k| format!("{}dense(3) |> tanh", if k > 1 { " |> " } else { "" }));
            let _ = writeln!(text, "net m = {chain};");
            String::from("m(h0)")
        }
        _ => (1..=layers).fold("h0".into(), |h, k| format!("tanh({h} @ W{k})")),
    };
    text + &format!("loss E = sum(({h} - t)^2);")
}

const UNNAMED: [&str; 3] = ["chain", "net", "expression"];

/// Functions within functions, without names.
fn nested(depth: usize, request: &str) -> String {
    let names = ["sin", "tanh", "exp", "sigmoid"];
    let formula = (0..depth).fold("x".to_string(), |inner, k| format!("{}({inner})", names[k % 4]));
    format!("param x; loss E = {formula};\n{request}")
}

/// A loss of many terms.
fn terms(count: usize, request: &str) -> String {
    let term = |k: usize| format!("{k} * sum(sin({k} * x)^2)");
    let sum: Vec<String> = (1..=count).map(term).collect();
    format!("dim N; param x: [N]; loss E = {};\n{request}", sum.join(" + "))
}

/// How many nodes all derivatives have together.
fn nodes(program: &str) -> usize {
    let compiled = compiled(program);
    let roots: Vec<NodeId> = compiled.derivatives.iter().map(|one| one.node).collect();
    compiled.graph.reachable(&roots).len()
}

fn told(program: &str, steps: Steps) -> Vec<Told> {
    tell(&compiled(program), Options { steps, ..Options::default() }).expect("a derivation")
}

/// The bytes that derivations hold: parts that several of them share are held once.
fn bytes(told: &[Told]) -> usize {
    let mut parts = BTreeMap::new();
    let mut sum = 0;
    for one in told {
        sum += one.text.len() + one.latex().len();
        sum += one.steps.iter().map(|step| step.text.len() + step.latex().len()).sum::<usize>();
        let sizes = one.wheres.iter().map(|part| (Arc::as_ptr(part), part.text.len()));
        parts.extend(sizes);
    }
    sum + parts.values().sum::<usize>()
}

/// What is twice as long has at most a little more than twice as much.
#[track_caller]
fn linear(what: &str, once: usize, twice: usize) {
    assert!(twice * 10 <= once * 22, "{what}: {once}, then {twice}");
}

#[test]
fn graphs_grow_with_the_program() {
    for (what, program) in [
        ("gradients of a network", network as fn(usize, &str) -> String),
        ("gradient of nested functions", nested),
        ("gradient of many terms", terms),
    ] {
        linear(what, nodes(&program(40, "")), nodes(&program(80, "")));
    }
    let request = "hessian E wrt x;";
    linear(
        "Hessian of nested functions",
        nodes(&nested(50, request)),
        nodes(&nested(100, request)),
    );
    // Terms with small factors share their constants, so a hundred are counted from.
    linear("Hessian of many terms", nodes(&terms(100, request)), nodes(&terms(200, request)));
    let request = "hvp E wrt W1;";
    linear("product of a network", nodes(&network(40, request)), nodes(&network(80, request)));
}

/// What comes back through a choice and beside it is one sum, not one for each choice that it came through.
#[test]
fn chains_of_choices_grow_with_their_length() {
    let program = |layer: &str, layers: usize| {
        let mut text = String::from("param a0: [3], w: [3];\n");
        for k in 1..=layers {
            let _ = writeln!(text, "a{k} = {};", layer.replace('X', &format!("a{}", k - 1)));
        }
        text + &format!("loss L = sum(a{layers});")
    };
    for layer in [
        "w*X + where(X > 0, X, exp(X) - 1)",
        "softplus(X) + where(X > w, X*exp(-X), max(X, w))",
        "where(X > w, X*exp(-X), maximum(X, w))",
    ] {
        linear(layer, nodes(&program(layer, 12)), nodes(&program(layer, 24)));
    }
}

#[test]
fn derivations_grow_with_the_program() {
    for steps in [Steps::None, Steps::Full] {
        let size = |layers| bytes(&told(&network(layers, ""), steps));
        linear("derivations of a network", size(40), size(80));
    }
    let size = |depth| bytes(&told(&nested(depth, "hessian E wrt x;"), Steps::None));
    linear("Hessian of nested functions", size(50), size(100));
    for steps in [Steps::None, Steps::Full] {
        let size = |count| bytes(&told(&terms(count, ""), steps));
        linear("gradient of many terms", size(100), size(200));
    }
}

/// Where very many quantities are open, their rules share lines.
#[test]
fn the_lines_of_a_sum_do_not_grow_with_its_terms() {
    let lines = |count| told(&terms(count, ""), Steps::Full)[0].steps.len();
    assert!(lines(200) <= lines(100) + 4, "{} lines, then {}", lines(100), lines(200));
    // Few terms have a line each, as before.
    assert!(lines(6) > lines(4));
}

/// One parameter in each of many definitions.
fn reused(count: usize) -> String {
    let mut text = String::from("input y; param x; a0 = y;\n");
    for k in 1..=count {
        let _ = writeln!(text, "a{k} = sin(a{}) * x;", k - 1);
    }
    text + &format!("loss E = a{count};")
}

/// Pieces of memory that are asked for on the way: a measure of work that is the same on every machine.
fn work(of: impl FnOnce()) -> usize {
    allocation_counter::measure(of).count_total as usize
}

/// However many errors a program has, each costs what it is: what is said of one does not look at all others.
#[test]
fn errors_cost_what_they_are() {
    let all = |line: &dyn Fn(usize) -> String, count| (0..count).map(line).collect::<String>();
    for (what, line) in [
        ("one unknown name", &(|k| format!("y{k} = zzz;\n")) as &dyn Fn(usize) -> String),
        ("one name that is defined again", &|_| "y = zzz;\n".to_string()),
        ("other names each time", &|k| format!("good{k} = x*{k}; y{k} = zzz{k};\n")),
        ("unknown functions", &|k| format!("fn good{k}(x) = x; y{k} = zzz{k}(x);\n")),
        ("unknown sizes", &|k| format!("dim N{k}; param y{k}: [M{k}M];\n")),
        ("shapes", &|k| format!("y{k} = x + w;\n")),
        ("what follows from an error", &|k| format!("good{k} = x*{k}; y{} = y{k};\n", k + 1)),
    ] {
        let cost = |count| {
            let text = format!("param x: [2], w: [3];\n{}loss E = sum(x);", all(line, count));
            let source = Source::new("program", text);
            work(|| assert!(compile(&source).has_errors()))
        };
        linear(what, cost(1000), cost(2000));
    }
}

/// Names, shared products and long sums of code cost what they are together, in every language.
#[test]
fn code_is_written_in_steps_that_do_not_grow() {
    let dense = |layers| network(layers, "");
    for (program, size) in [(reused as fn(usize) -> String, 150), (dense, 20)] {
        let every = |size| compiled(&program(size)).with_every_gradient();
        for language in ["Rust", "C", "NumPy", "JAX", "PyTorch"] {
            let code = |size| {
                let (compiled, source) = (every(size), program(size));
                let job = compiled.job(&source).expect("a job");
                let python = |library| emit::python(&job, library, Dtype::F64);
                work(|| {
                    let text = match language {
                        "Rust" => emit::rust_text(&job),
                        "C" => emit::c99(&job, Dtype::F64),
                        "NumPy" => python(Library::NumPy),
                        "JAX" => python(Library::Jax),
                        _ => python(Library::Torch),
                    };
                    assert!(!text.expect("code").is_empty());
                })
            };
            linear(language, code(size), code(2 * size));
        }
    }
}

/// The gradients by every parameter are one sweep.
#[test]
fn every_gradient_is_made_in_one_sweep() {
    let made = |layers| {
        let compiled = compiled(&network(layers, ""));
        work(|| assert_eq!(compiled.with_every_gradient().every.len(), layers + 2))
    };
    linear("gradients by every parameter", made(40), made(80));
}

/// A derivative through very many quantities is told in time, not looking at all of them again for each.
#[test]
fn a_parameter_in_many_definitions_is_told_in_time() {
    let before = Instant::now();
    let size = |count| bytes(&told(&reused(count), Steps::Full));
    linear("derivation of a parameter that is used again and again", size(100), size(200));
    assert!(before.elapsed().as_secs() < 30, "{:?}", before.elapsed());
}

/// Chains of one loss share the lines that they have in common: what is told grows with the network, not with its square.
#[test]
fn long_chains_begin_where_they_differ() {
    let chains = |layers| {
        let options = Options { style: Style::Chain, ..Options::default() };
        tell(&compiled(&network(layers, "")), options).expect("a derivation")
    };
    let lines = |layers| chains(layers).iter().map(|one| one.steps.len()).sum::<usize>();
    linear("lines of chains", lines(8), lines(16));
    let shared = |told: &Told| told.steps.iter().filter(|step| step.rule == "as-before").count();
    let told = chains(6);
    assert_eq!(told.iter().map(shared).collect::<Vec<_>>(), [0, 1, 1, 0, 0, 0]);
    assert_eq!(told[1].steps[1].note(), "up to here as for ∂E/∂W₁");
    // Each of these lines equals the gradient.
    let compiled = compiled(&network(6, ""));
    let point = random_point(&compiled, 5).expect("a point");
    let report = check_told(&compiled, &told, &point);
    assert!(report.problems.is_empty() && report.lines > 20, "{report:?}");
}

/// What is not shown is not worked out, and nothing else depends on it.
#[test]
fn closed_forms_are_the_same_with_and_without_lines() {
    let layers = unnamed("chain", 6);
    for program in [network(3, ""), network(6, ""), layers, terms(12, ""), reused(12)] {
        for style in [Style::Chain, Style::Staged] {
            let texts = |steps| {
                let options = Options { style, steps, ..Options::default() };
                let told = tell(&compiled(&program), options).expect("a derivation");
                told.iter().map(|one| (one.text.clone(), one.wheres.clone())).collect::<Vec<_>>()
            };
            assert_eq!(texts(Steps::None), texts(Steps::Full), "{program}");
        }
    }
}

/// Named quantities are written once, not again with every derivative; layers without names are given some.
#[test]
fn pages_grow_with_the_program() {
    let size = |program: &str, steps| document(&told(program, steps), Lang::En).len();
    for steps in [Steps::None, Steps::Full] {
        let page = |layers| size(&network(layers, ""), steps);
        linear("page of a network", page(40), page(80));
    }
    for spelling in UNNAMED {
        let page = |layers| size(&unnamed(spelling, layers), Steps::Full);
        linear("page of a network without names", page(10), page(20));
    }
}

#[test]
fn layers_without_names_are_told_like_named_ones() {
    for spelling in UNNAMED {
        let compiled = compiled(&unnamed(spelling, 6));
        for style in [Style::Auto, Style::Chain] {
            let options = Options { style, ..Options::default() };
            let told = tell(&compiled, options).expect("a derivation");
            let named = |name: &str| told[0].wheres.iter().find(|part| part.name == name);
            let first = named("h2").expect("a name for the second layer");
            assert!(first.text.starts_with("tanh(h1 @ "), "{}", first.text);
            assert!(style == Style::Chain || named("delta_h2").is_some());
            let point = random_point(&compiled, 5).expect("a point");
            let report = check_told(&compiled, &told, &point);
            assert!(report.problems.is_empty() && report.lines > 20, "{spelling}: {report:?}");
        }
        // A formula of three layers is read without such names.
        let few = self::told(&unnamed(spelling, 3), Steps::Full);
        assert!(few.iter().flat_map(|one| &one.wheres).all(|part| !part.name.starts_with('h')));
    }
}

/// What is told in stages begins with the forward pass, once for each loss.
#[test]
fn the_forward_pass_stands_first() {
    for program in [network(6, ""), unnamed("net", 7)] {
        let told = told(&program, Steps::Full);
        let names: Vec<&str> = told[0].forward.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["h1", "h2", "h3", "h4", "h5", "h6"]);
        assert!(told[0].forward[1].text.starts_with("tanh(h1 @ "), "{}", told[0].forward[1].text);
        assert!(told[1..].iter().all(|one| one.forward.is_empty()));
        let page = document(&told, Lang::En);
        assert!(page.find("h6 = tanh(h5 @").unwrap() < page.find("delta_").unwrap(), "{page}");
        assert_eq!(page.matches("h3 = tanh(h2 @").count(), 1, "{page}");
    }
    // One chain shows the whole formula anyway.
    assert!(told(&network(2, ""), Steps::Full).iter().all(|one| one.forward.is_empty()));
}

/// What the program names above such layers is written out where it is differentiated by one.
#[test]
fn names_above_layers_are_written_out() {
    let program =
        unnamed("chain", 6).replace("loss E = sum(((", "p = (").replace(") - t)^2);", ");");
    let program = format!("{program}\nloss E = sum((p - t)^2) + sum(p);");
    let compiled = compiled(&program);
    for style in [Style::Auto, Style::Chain] {
        let told = tell(&compiled, Options { style, ..Options::default() }).expect("a derivation");
        let point = random_point(&compiled, 7).expect("a point");
        let report = check_told(&compiled, &told, &point);
        assert!(report.problems.is_empty() && report.lines > 20, "{report:?}");
    }
}

/// A product of many matrices is one product: what stands in it is no layer.
#[test]
fn factors_are_no_layers() {
    let factors: String = (1..9).map(|k| format!(" @ W{k}")).collect();
    let declared: String = (1..9).map(|k| format!("param W{k}: [N, N]; ")).collect();
    let told = told(&format!("dim N; {declared}loss E = trace(W8{factors});"), Steps::Full);
    assert!(told.iter().flat_map(|one| &one.wheres).all(|part| !part.name.starts_with('h')));
}

#[test]
fn the_parts_of_several_derivatives_are_printed_once() {
    let told = told(&network(6, "grad E wrt W1, W2;"), Steps::None);
    let part = |at: usize| told[at].wheres.iter().find(|part| part.name == "delta_h6");
    let (first, second) = (part(0).expect("a part"), part(1).expect("a part"));
    assert!(Arc::ptr_eq(first, second));
}

/// Products with a direction never make the Jacobian or the Hessian: nothing on the way has more axes than the values themselves.
#[test]
fn products_stay_products() {
    for (program, rank) in [
        ("dim N, M; input A: [M, N]; param x: [N]; loss E = sum(tanh(A @ x)^2); hvp E wrt x;", 1),
        ("dim N; param x: [N]; loss E = logsumexp(x); hvp E wrt x;", 1),
        ("dim N, M; input A: [M, N], x: [N]; o = softmax(A @ x); output o; jvp o wrt x;", 1),
        (
            "dim B, N, M; input X: [B, N], t: [B, M]; param W: [N, M]; p = softmax(X @ W); loss E = sum((p - t)^2); hvp E wrt W; jvp p wrt W;",
            2,
        ),
        (
            "dim N; input S: [N, N]; param X: [N, N]; loss E = logdet(X) + trace(S @ inv(X)); hvp E wrt X;",
            2,
        ),
    ] {
        let compiled = compiled(program);
        let products = compiled.derivatives.iter().filter(|one| !one.directions.is_empty());
        let roots: Vec<NodeId> = products.map(|one| one.node).collect();
        assert!(!roots.is_empty(), "{program}");
        let graph = &compiled.graph;
        for node in graph.reachable(&roots) {
            let large = graph.rank(node) > rank && !matches!(graph.op(node), Op::Var(_));
            let delta = matches!(graph.op(node), Op::Delta(_));
            assert!(!large && !delta, "{program}: {:?} of {:?}", graph.op(node), graph.shape(node));
        }
    }
}

/// What a chain adds to a formula in normal form is simplified alone: the work of a step does not grow with the steps before it.
#[test]
fn a_step_of_a_chain_looks_at_its_own_parts() {
    let visited = |depth: usize| {
        let mut compiled = compiled(&nested(depth, ""));
        let closed = compiled.derivatives[0].node;
        let graph = &mut compiled.graph;
        let known: BTreeSet<NodeId> = graph.reachable(&[closed]).into_iter().collect();
        let next = graph.multiply(&[closed, closed]);
        let next = graph.pow(next, Num::int(3));
        let beyond =
            simplify_beyond(graph, &[next], &BTreeSet::new(), &|node| known.contains(&node));
        beyond.map.len()
    };
    assert_eq!(visited(10), visited(100));
    assert!(visited(100) < 10);
}
