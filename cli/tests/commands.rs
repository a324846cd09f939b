//! The commands from outside: what they print, where, and with which exit code.

mod common;

use common::{folder, run, run_with};

const LAYER: &str = "dim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M]; z = x @ W + b; o = sigmoid(z); loss E = 1/2 * sum((o - t)^2);";

#[test]
fn help_has_a_page_for_every_command() {
    let overview = run(&["help"]);
    assert_eq!((overview.code, overview.err.as_str()), (0, ""));
    for command in [
        "derive",
        "eval",
        "check",
        "emit",
        "graph",
        "serve",
        "ops",
        "fmt",
        "explain",
        "completions",
    ] {
        assert!(overview.out.contains(&format!("  {command} ")), "{command}");
        let page = run(&["help", command]);
        assert_eq!(page.code, 0, "{command}");
        assert!(
            page.out.starts_with(&format!("chainrule {command}: ")) && page.out.contains("example"),
            "{}",
            page.out
        );
        assert!(page.out.lines().count() <= 45, "{command}: a page is one screen");
        assert_eq!(run(&[command, "--help"]).out, page.out);
    }
    assert!(run(&["--version"]).out.starts_with("chainrule 0."));
}

#[test]
fn wrong_command_lines_are_2() {
    for (args, part) in [
        (&[][..], "which command?"),
        (&["dervie"], "did you mean `derive`?"),
        (&["derive"], "which program?"),
        (&["derive", "-e", "x", "y.grad"], "given twice"),
        (&["derive", "-e", "x", "-e", "y^2"], "given twice: by `-e 'x'` and by `-e 'y^2'`"),
        (&["fmt", "-e", "x", "-e", "y^2"], "given twice"),
        (&["derive", "a.grad", "b.grad"], "does not know what to do with `b.grad`"),
        (&["derive", "/nonexistent.grad"], "there is no such file"),
        (&["derive", "/"], "directory"),
        (&["derive", "-e", "x", "--format", "svg"], "`--format` cannot be `svg`"),
        (&["graph", "-e", "x", "--format", "latex"], "it may be dot, svg"),
        (&["derive", "-e", "x", "--at", "p"], "`--at` is a flag of `eval`"),
        (&["derive", "-e", "x", "--wat"], "no flag `--wat`"),
        (&["derive", "-e", "x", "-q"], "no flag `-q`"),
        (&["derive", "-e"], "missing argument"),
        (&["derive", "-e", "x", "--syntax", "octave"], "octave"),
        (&["derive", "-e", "x", "--var", "1:2"], "wants a name"),
        (&["derive", "-e", "x", "--var", "x", "--wrt", "x,"], "wants names"),
        (&["derive", "-e", "x^2", "--var", "x", "--wrt", "y"], "`y` is not declared"),
        (&["derive", "-e", "x^2", "--var", "x:0"], "at least 1"),
        (&["derive", "-e", "x", "--var", "x:3", "--order", "2"], "has no loss"),
        (&["eval", "-e", "x", "--var", "x"], "at which point?"),
        (&["eval", "-", "--at", "-"], "both"),
        (&["eval", "-e", "x", "--var", "x", "--at", "/nonexistent"], "there is no such file"),
        (&["check", "-e", "x^2", "--var", "x", "--points", "-1"], "whole number"),
        (&["check", "-e", "x^2", "--var", "x", "--points", "0"], "at least 1"),
        (&["check", "-e", "x^2", "--var", "x", "--tol", "nan"], "over 0"),
        (&["emit", "-e", "x^2", "--var", "x"], "which target"),
        (&["ops", "softmx"], "did you mean `softmax`?"),
        (&["explain", "E9999"], "there is no code"),
        (&["completions", "tcsh"], "no completions"),
        (&["fmt", "--check", "-i", "a.grad"], "choose one"),
    ] {
        let ran = run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(part) && ran.err.contains("error"), "{args:?}: {}", ran.err);
    }
}

/// What flags write is text that no one sees: nothing is said to stand in it.
#[test]
fn flags_are_named_and_no_line_is_invented() {
    for (args, said) in [
        (&["derive", "-e", "x^2", "--var", "x", "--wrt", "y"][..], "`--wrt y`: `y` is not"),
        (&["derive", "-e", "x^2", "--var", "x:0"], "`--var x:0`: a size"),
        (&["derive", "-e", "param w; const q = 3; loss E = w^2;", "--wrt", "q"], "`--wrt q`: `q`"),
    ] {
        let ran = run(args);
        assert!(ran.err.contains(said) && !ran.err.contains("-->"), "{}", ran.err);
    }
    let ran = run(&["derive", "-e", ""]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("error[E0309]") && ran.err.contains("<expression>:1:1"),
        "{}",
        ran.err
    );
}

#[test]
fn a_derivative_that_is_too_large_to_check_is_placed() {
    let ran = run(&["check", "-e", "param w: [20000]; loss E = sum(w)^4; hessian E wrt w;"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("error[E0103]") && ran.err.contains(":1:46"), "{}", ran.err);
    assert!(ran.err.contains("hvp E wrt w"), "{}", ran.err);
}

#[test]
fn wrong_programs_are_1_with_all_places() {
    let program = "dim N, H;\ninput x: [N];\nparam W: [H, N];\nz = x @ W;\ny = sigmod(x);\nloss E = sum(y);\n";
    let ran = run(&["derive", "-e", program]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    for part in [
        "error[E0202]",
        "error[E0302]",
        "<expression>:4:",
        "<expression>:5:",
        "did you mean `sigmoid`?",
    ] {
        assert!(ran.err.contains(part), "{part}:\n{}", ran.err);
    }
    let json = run(&["derive", "-e", program, "--message-format", "json"]);
    let lines: Vec<serde_json::Value> =
        json.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["code"], &lines[0]["labels"][0]["line"]), (&"E0202".into(), &4.into()));
}

#[test]
fn odd_inputs_are_answered() {
    let deep = format!("loss E = {}1{};", "(".repeat(100_000), ")".repeat(100_000));
    let large = format!("loss E = {}1;", "1+".repeat(5_000_000));
    for (input, code) in [
        (b"".as_slice(), 1),
        (b";;;", 1),
        (b"\xff\xfe", 2),
        (b"\0\0\0", 1),
        ("loss E = \u{1b}[31m;".as_bytes(), 1),
        ("é∂∂∂ = ⊙;".as_bytes(), 1),
        (deep.as_bytes(), 1),
        (large.as_bytes(), 1),
    ] {
        let ran = run_with(&["derive", "-"], input);
        let short = String::from_utf8_lossy(&input[..input.len().min(40)]).into_owned();
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{short}: {}", ran.err);
        assert!(ran.err.contains("error") && ran.err.len() < 20_000, "{short}");
        assert!(
            !ran.err.contains('\u{1b}'),
            "{short}: no control characters of the program reach the terminal"
        );
    }
}

#[test]
fn warnings_do_not_fail() {
    let ran = run(&["derive", "-e", "param w, v; loss E = w^2;"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.err.contains("warning[W0501]")
            && ran.out.contains("∂E/∂v, a scalar")
            && ran.out.contains("│ 0 │"),
        "{}{}",
        ran.err,
        ran.out
    );
}

#[test]
fn colour_only_where_asked() {
    let plain = run(&["derive", "-e", "loss"]);
    let colour = run(&["derive", "-e", "loss", "--color", "always"]);
    assert!(!plain.err.contains('\u{1b}') && colour.err.contains('\u{1b}'));
}

#[test]
fn derivations_as_json() {
    let out = run(&["derive", "-e", LAYER, "--format", "json"]).json();
    let first = &out["derivatives"][0];
    assert_eq!((&first["of"], &first["wrt"]), (&"E".into(), &"W".into()));
    assert_eq!(first["shape"], serde_json::json!(["N", "M"]));
    assert_eq!(first["kind"], "gradient");
    let second =
        run(&["derive", "-e", LAYER, "--format", "json", "--order", "2", "--wrt", "b"]).json();
    let kinds: Vec<&serde_json::Value> =
        second["derivatives"].as_array().into_iter().flatten().map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&"hessian".into()), "{kinds:?}");
    let steps = first["steps"].as_array().expect("steps");
    assert!(
        steps.len() > 2
            && steps.iter().all(|step| step["text"].as_str().is_some_and(|text| !text.is_empty()))
    );
    assert_eq!(out["derivatives"].as_array().map(Vec::len), Some(2));
    let none =
        run(&["derive", "-e", LAYER, "--format", "json", "--steps", "none", "--wrt", "b"]).json();
    assert_eq!(none["derivatives"].as_array().map(Vec::len), Some(1));
    assert_eq!(none["derivatives"][0]["steps"], serde_json::json!([]));
}

/// What asks for nothing is refused in every format alike.
#[test]
fn a_program_without_derivatives_is_wrong_in_every_format() {
    for program in ["dim N;", "", "input x; y = x;"] {
        for format in ["unicode", "text", "latex", "json", "ipynb"] {
            let said = ["--format", format, "--message-format", "json"];
            let ran = run(&[&["derive", "-e", program][..], &said].concat());
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{format}: {}", ran.err);
            let finding: serde_json::Value = serde_json::from_str(&ran.err).expect("one finding");
            assert_eq!(finding["code"], "E0309", "{format}");
        }
    }
}

#[test]
fn a_variable_that_is_named_twice_is_derived_once() {
    let given = ["derive", "-e", "param x, y; loss E = x^2 + y;", "--format", "json", "--wrt"];
    for twice in [&["x,y,x"][..], &["x", "--wrt", "y,x"]] {
        let out = run(&[&given[..], twice].concat()).json();
        let by: Vec<_> = out["derivatives"].as_array().into_iter().flatten().collect();
        assert_eq!(by.iter().map(|one| &one["wrt"]).collect::<Vec<_>>(), ["x", "y"]);
    }
}

/// The program, with the declarations of the directions, reads what is printed of a product with them.
#[test]
fn products_with_directions_as_json() {
    let program = "dim N; param w:[N], c, c_dot; loss E = c*sum(w^3) + c_dot; hvp E wrt w, c;";
    let out = run(&["derive", "-e", program, "--format", "json"]).json();
    let all = out["derivatives"].as_array().expect("derivatives");
    let products: Vec<&serde_json::Value> = all.iter().filter(|one| one["kind"] == "hvp").collect();
    assert_eq!(products.len(), 2);
    for one in products {
        let directions = one["directions"].as_array().expect("directions");
        let told = |key: &str| -> Vec<&str> {
            directions.iter().map(|direction| direction[key].as_str().expect("a text")).collect()
        };
        assert_eq!(told("name"), ["w_dot", "c_dot_2"]);
        assert_eq!(told("text"), ["input w_dot: [N];", "input c_dot_2;"]);
        assert_eq!(directions[0]["shape"], serde_json::json!(["N"]));
        let read = format!(
            "dim N; input w:[N], c, c_dot; {} output product = {};",
            told("text").concat(),
            one["text"].as_str().expect("a text")
        );
        let point = r#"{"w":[1,2],"c":3,"c_dot":5,"w_dot":[1,-1],"c_dot_2":0.5}"#;
        let value = run_with(&["eval", "-e", &read, "--at", "-"], point).json();
        let asked = run_with(&["eval", "-e", program, "--at", "-"], point).json();
        let wrt = one["wrt"].as_str().expect("a name");
        assert_eq!(value["output"]["product"], asked["hvp"]["E"][wrt], "{read}");
    }
    assert!(all.iter().any(|one| one["kind"] == "gradient" && one.get("directions").is_none()));
}

#[test]
fn derivations_as_documents() {
    let drawn = run(&["derive", "-e", LAYER]).out;
    assert!(
        drawn.contains("∂E/∂W, of shape [N, M]") && drawn.contains("definition of E"),
        "{drawn}"
    );
    let text = run(&["derive", "-e", LAYER, "--format", "text"]).out;
    assert!(text.contains("dE/dW = x.T @ ((o - t) * o * (1 - o))"), "{text}");
    for style in ["chain", "staged"] {
        let latex = run(&["derive", "-e", LAYER, "--format", "latex", "--style", style]).out;
        assert_eq!(
            latex.matches("\\begin{align*}").count(),
            latex.matches("\\end{align*}").count()
        );
        assert!(
            latex.contains("&= ") && latex.matches('{').count() == latex.matches('}').count(),
            "{latex}"
        );
    }
    let article = run(&["derive", "-e", LAYER, "--format", "latex", "--standalone"]).out;
    assert!(article.starts_with("\\documentclass") && article.ends_with("\\end{document}\n"));
    let markdown = run(&["derive", "-e", LAYER, "--format", "markdown"]).out;
    assert!(markdown.contains("$$\n\\frac{\\partial E}{\\partial W} = "), "{markdown}");
}

#[test]
fn output_files_are_written_only_where_all_is_well() {
    let path = folder("output").join("out.txt");
    let name = path.to_str().expect("UTF-8");
    assert_eq!(run(&["derive", "-e", "loss E = ;", "-o", name]).code, 1);
    assert!(!path.exists());
    let ran = run(&["derive", "-e", LAYER, "-o", name]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let text = run(&["derive", "-e", LAYER, "--format", "text"]).out;
    assert_eq!(std::fs::read_to_string(&path).ok(), Some(text));
    assert_eq!(run(&["derive", "-e", LAYER, "-o", "/nonexistent/out"]).code, 2);
}

#[test]
fn checks() {
    let ran = run(&["check", "-e", LAYER, "--points", "2", "--seed", "5"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.contains("all 2 derivatives hold") && ran.out.contains("4 printed formulas and "),
        "{}",
        ran.out
    );
    assert_eq!(ran.out, run(&["check", "-e", LAYER, "--points", "2", "--seed", "5"]).out);
    let none = run(&["check", "-e", LAYER, "--tol", "1e-300"]);
    assert_eq!(none.code, 1);
    assert!(
        none.out.contains("DOES NOT HOLD") && none.out.contains("derivatives do not hold"),
        "{}",
        none.out
    );
    assert_eq!(run(&["check", "-e", "loss E = 1;"]).code, 1);
}

/// Where the program as written cannot be judged by differences, it is said what judges, and nothing wrong is found.
#[test]
fn checks_say_by_what_they_judge() {
    let cancels = ["check", "-e", "sum(log(1-sigmoid(20*x)))", "--var", "x:B", "--wrt", "x"];
    let ran = run(&[&cancels[..], &["--points", "10"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("judged by differences of the stable spelling"), "{}", ran.out);
    let found = run(&[&cancels[..], &["--points", "10", "--format", "json"]].concat()).json();
    assert!(found["derivatives"][0]["respelt"].as_u64() > Some(0), "{found}");
    let pole = "dim N = 100; param x: [N], y: [N]; loss E = sum(x/y);";
    let judged = (0..10).map(|seed: i32| {
        let ran = run(&["check", "-e", pole, "--points", "1", "--seed", &seed.to_string()]);
        assert_eq!(ran.code, 0, "{}", ran.out);
        ran.out.contains("judged by the rule book")
    });
    assert!(judged.filter(|rules| *rules).count() > 0);
}

#[test]
fn formatting() {
    let formatted = run(&["fmt", "-e", "param   w ;loss E=w^2 ;"]);
    assert_eq!((formatted.code, formatted.out.as_str()), (0, "param w;\nloss E = w^2;\n"));
    let folder = folder("fmt");
    let (good, bad) = (folder.join("good.grad"), folder.join("bad.grad"));
    std::fs::write(&good, &formatted.out).expect("written");
    std::fs::write(&bad, "param   w;").expect("written");
    let (good, bad_name) = (good.to_str().expect("UTF-8"), bad.to_str().expect("UTF-8"));
    assert_eq!(run(&["fmt", "--check", good]).code, 0);
    let ran = run(&["fmt", "--check", good, bad_name]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("bad.grad:1: not formatted"), "{}", ran.err);
    assert_eq!(run(&["fmt", "-i", good, bad_name]).code, 0);
    assert_eq!(std::fs::read_to_string(&bad).ok().as_deref(), Some("param w;\n"));
    assert_eq!(run(&["fmt", "--check", good, bad_name]).code, 0);
    assert_eq!(run(&["fmt", "-e", "loss E = ("]).code, 1);
}

#[test]
fn the_rule_book_has_every_function() {
    let text = run(&["ops"]).out;
    let markdown = run(&["ops", "--format", "markdown"]).out;
    let json = run(&["ops", "--format", "json"]).json();
    for (_, family, row) in chainrule_core::ops::all() {
        assert!(
            text.contains(&format!("  {}(", row.name)) && text.contains(family),
            "{}",
            row.name
        );
        assert!(markdown.contains(&format!("| `{}(", row.name)), "{}", row.name);
    }
    assert_eq!(json.as_array().map(Vec::len), Some(chainrule_core::ops::all().count()));
    let page = run(&["ops", "swish"]).out;
    assert!(page.starts_with("silu(x)") && page.contains("also"), "{page}");
    assert!(run(&["ops", "sigmoid"]).out.contains("dy/dx = y*(1 - y)"));
}

#[test]
fn codes_are_explained() {
    assert!(run(&["explain", "e0201"]).out.starts_with("error E0201: "));
    assert_eq!(run(&["explain"]).out.lines().count(), chainrule_core::Code::ALL.len());
}

#[test]
fn completions_know_all_commands_and_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).out;
        for word in ["derive", "explain", "notation", "message-format", "markdown"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut err = Vec::new();
    assert_eq!(chainrule_cli::run(["ops"], &mut std::io::empty(), &mut Closed, &mut err), 0);
    assert!(err.is_empty());
}

#[test]
fn emitted_code_is_laid_out() {
    let ran = run(&["emit", "-e", LAYER, "--target", "rust", "--dtype", "f32"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(
        ran.out.starts_with("// Generated by chainrule from <expression>")
            && ran.out.contains("`f32`")
    );
    assert!(ran.out.contains("pub fn value_and_grad") && ran.out.lines().count() > 100);
    assert_eq!(run(&["emit", "-e", "loss E = ;", "--target", "rust"]).code, 1);
}

#[test]
fn every_target_is_emitted() {
    for (target, word) in
        [("numpy", "DTYPE = np.float64"), ("jax", "jax_enable_x64"), ("torch", "torch.float64")]
    {
        let ran = run(&["emit", "-e", LAYER, "--target", target]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{target}");
        assert!(ran.out.contains(word) && ran.out.contains("def value_and_grad("), "{target}");
    }
    let ran = run(&["emit", "-e", LAYER, "--target", "c", "--dtype", "f32"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("typedef float real;") && ran.out.contains("void value_and_grad("));
    assert!(
        run(&["emit", "-e", LAYER, "--target", "numpy", "--dtype", "f32"])
            .out
            .contains("np.float32")
    );
}

#[test]
fn what_one_target_has_is_refused_for_another() {
    let ran = run(&["emit", "-e", LAYER, "--target", "c", "--header", "--dtype", "f32"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("#ifndef CHAINRULE__EXPRESSION__H") && !ran.out.contains("real"));
    assert!(ran.out.contains("size_t work_size(") && ran.out.contains("const float *W"));
    for (flag, target, fits) in [("--header", "jax", "c"), ("--standalone", "c", "rust")] {
        let ran = run(&["emit", "-e", LAYER, "--target", target, flag]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(&format!("`{flag}` goes with `--target {fits}`")), "{}", ran.err);
    }
}

#[test]
fn the_other_dialect_is_checked_too() {
    let args = [
        "--syntax",
        "matlab",
        "-e",
        "sum(log(exp(-y .* (X*w)) + 1))",
        "--var=y:n,1",
        "--var=X:n,m",
        "--var=w:m,1",
    ];
    let ran = run(&[&["check"], args.as_slice()].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("6 printed formulas"), "{}", ran.out);
}

#[test]
fn graphs_are_dot_or_svg() {
    let dot = run(&["graph", "-e", LAYER, "--wrt", "W"]);
    assert_eq!((dot.code, dot.err.as_str()), (0, ""));
    for part in ["digraph", "z = xW + b", "∂zₙₖ/∂Wⱼₖ = xₙⱼ", "[B, M]"] {
        assert!(dot.out.contains(part), "{part}:\n{}", dot.out);
    }
    // Only the way to W is marked.
    let marked = |name: &str| {
        let node = dot.out.lines().find(|line| line.contains(&format!("[label=\"{name}\\n")));
        node.is_some_and(|line| line.contains("penwidth"))
    };
    assert!(marked("W") && !marked("b") && !marked("x"), "{}", dot.out);
    let path = folder("graph").join("net.svg");
    let ran = run(&["graph", "-e", LAYER, "-o", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let svg = std::fs::read_to_string(path).expect("the picture");
    assert!(
        svg.starts_with("<svg ") && svg.contains("<title>∂oₙₖ/∂zₙₖ = oₙₖ (1 − oₙₖ)</title>"),
        "{svg}"
    );
}
