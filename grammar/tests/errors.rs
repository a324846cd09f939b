//! What is said of bad text: the sentence, the place, and that one error does not hide another.

use chainrule_grammar::{Code, Source, Span, format, parse, parse_expr};

/// The only error of a text: its message, the text at its place, and its help.
fn error(text: &str) -> (String, String, String) {
    let (_, errors) = parse(&Source::new("test", text));
    assert_eq!(errors.len(), 1, "{text}\n{errors:#?}");
    let span = errors[0].span();
    let place = text.get(span.start..span.end).expect("a range of the text").to_owned();
    (errors[0].message.clone(), place, errors[0].help.clone().unwrap_or_default())
}

#[track_caller]
fn says(text: &str, message: &str, place: &str) {
    let found = error(text);
    assert_eq!((found.0.as_str(), found.1.as_str()), (message, place), "{text}");
}

#[test]
fn operands_and_operators() {
    says("x = x * / W;", "expected an operand after `*`", "/");
    says("x = a @ ;", "expected an operand after `@`", ";");
    says("x = (a + );", "expected an operand after `+`", ")");
    says("x = ;", "expected an expression after `=`", ";");
    says("x =", "expected an expression after `=`", "");
    says("@ x;", "unexpected `@`; expected a statement", "@");
    says("y = a = b;", "unexpected `=`; expected an operator or `;`", "=");
    says("y = f(a $ b);", "unexpected `$`; expected an operator, `,` or `)`", "$");
    says("y = f(,a);", "unexpected `,`; expected an argument", ",");
    says("y = x[];", "unexpected `]`; expected an index", "]");
    says("y = x[1 $];", "unexpected `$`; expected an operator, `,` or `]`", "$");
    says("y = a < b < c;", "comparisons cannot be chained", "<");
    says("y = x |> f + 1;", "a stage of `|>` must be a function or a call of one", "f + 1");
    says("y = [1, 2];", "a list can stand only as an argument of a function", "[1, 2]");
    says("y = \"a\" + 1;", "a string can stand only as an argument of a function", "\"a\"");
    says("f(axis=1, 2);", "an argument by position follows one by keyword", "2");
    says("y = x.^2;", "`.^` is not an operator of this dialect", ".^");
    says("z[0] = 3;", "unexpected `=`; expected an operator or `;`", "=");
    assert!(error("z[0] = 3;").2.contains("`z[i, k] = …`"));
}

#[test]
fn implicit_multiplication() {
    let message = "implicit multiplication is not supported";
    for (text, place, help) in [
        ("y = 2x;", "x", "write `2*x`"),
        ("y = 2 x;", "x", "write `2*x`"),
        ("y = 2.5sin(x);", "sin", "write `2.5*sin`"),
        ("y = 1e;", "e", "write `1*e`"),
        ("y = a b;", "b", "write `a*b`"),
        ("y = 2(x);", "(", "write `*` before the parenthesis; only a name can be called"),
        ("y = (a)(b);", "(", "write `*` before the parenthesis; only a name can be called"),
        ("y = (a) b;", "b", "write `…*b`"),
    ] {
        assert_eq!(error(text), (message.into(), place.into(), help.into()), "{text}");
    }
    says("y = sum[i + 1](x);", "expected the name of an index, as in `sum[i, j:N](…)`", "i + 1");
}

#[test]
fn statements() {
    says("grad E;", "unexpected `;`; expected `wrt`", ";");
    says("grad E x;", "unexpected `x`; expected `wrt`", "x");
    says("grad E wrt ;", "expected a name after `wrt`", ";");
    says("dim 3;", "expected a name after `dim`", "3");
    says("const a;", "unexpected `;`; expected `=`", ";");
    says("input x [N];", "expected `:` before the shape", "[");
    says("param W: [N M];", "unexpected `M`; expected an operator, `,` or `]`", "M");
    says("let x = 3;", "no statement begins with `let`", "let");
    says("fn f(x) x^2;", "unexpected `x`; expected a block `{…}` or `=`", "x");
    says("fn f(x) { h = x; }", "unexpected `}`; expected an expression", "}");
    says("output a, b;", "unexpected `,`; expected `=` or `;`", ",");
    let (message, place, help) = error("parm W: [N];");
    assert_eq!((message.as_str(), place.as_str()), ("no statement begins with `parm`", "parm"));
    assert_eq!(help, "did you mean `param`?");
    assert_eq!(error("x = a； ").2, "write `;`");
    assert_eq!(error("x = a × b;").2, "write `*`");
}

#[test]
fn brackets_strings_and_comments() {
    says("x = (a + b;", "unclosed `(`", "(");
    says("x = f(g[a);", "`)` does not close `[`", ")");
    says("x = a);", "unexpected `)`; no bracket is open here", ")");
    says("fn f(x) { h = x; h", "unclosed `{`", "{");
    says("x = f(\"sum);", "unclosed `\"`", "\"");
    says("x = 1; /* no end", "unclosed `/*`", "/*");
    let text = "y = 1;\nx = (a + b;";
    let (_, errors) = parse(&Source::new("f.grad", text));
    let shown = errors[0].render(&Source::new("f.grad", text));
    assert!(shown.contains("f.grad:2:5") && shown.contains("opened here"), "{shown}");
}

#[test]
fn every_bad_statement_is_reported_and_every_good_one_kept() {
    let text = "a = 1;\nb = 2 +;\nc = (3;\nd = 4;\ne = 5]; f = \"x;\ng = 7;\nfn h(x) { y = ; y }\ni = 8\nj = 9;\nk = 1";
    let (program, errors) = parse(&Source::new("test", text));
    let places: Vec<usize> = errors.iter().map(|error| error.span().start).collect();
    let wanted = ["+;", "(3", "]; f", "\"x", "; y }", "8\n"].map(|part| text.find(part).unwrap());
    let wanted: Vec<usize> =
        wanted.iter().enumerate().map(|(at, place)| place + usize::from(at == 0)).collect();
    assert_eq!(places, wanted, "{errors:#?}");
    assert_eq!(format(&program), "a = 1;\nd = 4;\ng = 7;\ni = 8;\nj = 9;\nk = 1;\n");
}

#[test]
fn a_missing_semicolon_costs_no_statement() {
    let text = "x = a + b\n y = 2 z = 3\nloss L = x";
    let (program, errors) = parse(&Source::new("test", text));
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(errors.iter().all(|error| error.message == "expected `;` after this"));
    assert_eq!(errors[0].span(), Span::new(8, 9));
    assert_eq!(format(&program), "x = a + b;\ny = 2;\nz = 3;\nloss L = x;\n");
}

#[test]
fn a_missing_semicolon_is_seen_before_a_declaration() {
    for first in ["dim N, M", "input x: [N]", "param w: [N] positive", "z = a + b"] {
        for second in ["param b: [N]", "x = y", "loss E = x", "fn f(x) = x"] {
            let text = format!("{first}\n  {second};");
            let (program, errors) = parse(&Source::new("test", text.clone()));
            assert_eq!(program.stmts.len(), 2, "{text}: {errors:#?}");
            assert_eq!(errors.len(), 1, "{text}: {errors:#?}");
            assert_eq!(errors[0].message, "expected `;` after this", "{text}");
            assert_eq!(errors[0].span().end, first.len(), "{text}");
        }
    }
}

#[test]
fn single_formulas() {
    assert_eq!(
        parse_expr("").unwrap_err().message,
        "unexpected end of the text; expected an expression"
    );
    assert_eq!(parse_expr("a; b").unwrap_err().message, "unexpected `;`; expected an operator");
    assert_eq!(parse_expr("x = 1").unwrap_err().span(), Span::new(2, 3));
    assert_eq!(parse_expr("(a").unwrap_err().message, "unclosed `(`");
    assert_eq!(parse_expr("a /* b */ + c").unwrap().span, Span::new(0, 13));
}

#[test]
fn codes() {
    let code = |text: &str| parse(&Source::new("test", text)).1[0].code;
    assert_eq!(code("x = ;"), Code::Syntax);
    assert_eq!(code(&"x".repeat((1 << 20) + 1)), Code::TooLarge);
    assert_eq!(code(&"(".repeat(201)), Code::TooDeep);
}

/// Every node covers the text that it was read from, whatever stands before it.
#[test]
fn spans() {
    use chainrule_grammar::ast::{ExprKind, StmtKind};
    let text = "/* é */ x = 1;\n  zé[i , k] = (a + b) * -c.T  ; // after";
    let (program, errors) = parse(&Source::new("test", text));
    assert!(errors.is_empty(), "{errors:?}");
    let at = |span: Span| &text[span.start..span.end];
    assert_eq!(at(program.stmts[0].span), "x = 1;");
    assert_eq!(at(program.stmts[1].span), "zé[i , k] = (a + b) * -c.T  ;");
    let StmtKind::Def { name, indices, value } = &program.stmts[1].kind else { panic!() };
    assert_eq!((at(name.span), at(indices[1].span)), ("zé", "k"));
    assert_eq!(at(value.span), "(a + b) * -c.T");
    let ExprKind::Product(first, rest) = &value.kind else { panic!() };
    assert_eq!((at(first.span), at(rest[0].1.span)), ("(a + b)", "-c.T"));
    let text = "fn f(x) { h = g(x, axis=1) ; h[1:n, j] }";
    let (program, _) = parse(&Source::new("test", text));
    let at = |span: Span| &text[span.start..span.end];
    let StmtKind::Fn { body, result, params, .. } = &program.stmts[0].kind else { panic!() };
    assert_eq!((at(body[0].span), at(result.span)), ("h = g(x, axis=1) ;", "h[1:n, j]"));
    assert_eq!(at(params[0].span), "x");
    let StmtKind::Def { value, .. } = &body[0].kind else { panic!() };
    let ExprKind::Call { func, kwargs, .. } = &value.kind else { panic!() };
    assert_eq!((at(func.span), at(kwargs[0].0.span), at(kwargs[0].1.span)), ("g", "axis", "1"));
}
