//! What can be tested without a compiler around the macro.

use crate::{expand::expand, tokens::Text};
use proc_macro2::{Delimiter, Group, Literal, Punct, Spacing, TokenStream, TokenTree};

fn rebuilt(program: &str) -> String {
    let stream: TokenStream = program.parse().expect("tokens");
    Text::of(&Group::new(Delimiter::Brace, stream)).text
}

#[test]
fn text_survives_the_lexer() {
    for program in [
        "dim B, N = 10;\ninput x: [B, N];\n\nz = x.T @ W |> f(1., 0.5) ^ -2;",
        "z[i,k] = sum[j](x[i,j]*W[j , k]);",
        "a = b <= 1e-3; c = x[..., None]; d = x[:, 1:4];",
        "f = mean(x, axis=0, reduction=\"sum\") .* 2.e1;",
        "loss E = 1.*x+1./y - .5;",
    ] {
        assert_eq!(rebuilt(program), program);
    }
}

#[test]
fn comments_vanish_and_documentation_stays() {
    assert_eq!(
        rebuilt("/// A \"b\" \\ é\n    param W; // gone\n\n    // gone\n    x = W;"),
        "/// A \"b\" \\ é\n    param W;\n\n    x = W;"
    );
    assert_eq!(rebuilt("/** A */ param W;"), "/// A \n param W;");
    assert_eq!(rebuilt("r#in = r#match + 1;"), "in = match + 1;");
}

/// Tokens of several expansions: positions are of no use.
#[test]
fn tokens_without_positions_are_spaced() {
    let scattered: TokenStream = ["x |>", "relu", ".T ", "[0 ", ",1]"]
        .iter()
        .flat_map(|part| part.replace(['[', ']'], " ").parse::<TokenStream>().expect("tokens"))
        .map(|mut tree| {
            tree.set_span(proc_macro2::Span::call_site());
            tree
        })
        .collect();
    let text = Text::of(&Group::new(Delimiter::Brace, scattered)).text;
    assert_eq!(text, "x |> relu . T 0 , 1");
}

#[test]
fn operands_of_macros_keep_their_brackets() {
    let operand = TokenTree::from(Group::new(Delimiter::None, "a + b".parse().expect("tokens")));
    let single = TokenTree::from(Group::new(Delimiter::None, "7".parse().expect("tokens")));
    let times = || TokenTree::from(Punct::new('*', Spacing::Alone));
    let stream: TokenStream = [operand, times(), single].into_iter().collect();
    assert_eq!(Text::of(&Group::new(Delimiter::Brace, stream)).text, "( a + b ) * 7");
}

#[test]
fn misuse_is_told_kindly() {
    for (input, told) in [
        ("", "expected a module"),
        ("dim B; loss E = 1;", "expected a module"),
        ("pub mod { }", "expected the module's name"),
        ("pub mod a;", "expected the module's program"),
        ("pub mod a", "expected the module's program"),
        ("mod a = nets;", "expected a path in quotes"),
        ("mod a = 3;", "expected a path in quotes"),
        ("pub mod a { } pub mod b { }", "nothing may follow"),
        ("pub struct A;", "expected a module"),
        ("/// only documentation", "expected a module"),
        ("pub mod a = \"no/such.grad\";", "no/such.grad"),
    ] {
        let out = expand(input.parse().expect("tokens")).to_string();
        assert!(out.contains("compile_error") && out.contains(told), "{input}: {out}");
    }
}

/// What a macro by example hands on as a visibility, a name and a path may stand between brackets that nobody wrote.
#[test]
fn parts_from_macros_are_read() {
    let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
    let bare = |text: &str| TokenTree::from(Group::new(Delimiter::None, tokens(text)));
    let mut input = tokens("#[doc = \"a\"]");
    input.extend([bare(""), bare("pub(crate)")]);
    input.extend(tokens("mod"));
    input.extend([bare("name")]);
    input.extend(tokens("="));
    input.extend([bare("r#\"no/such.grad\"#")]);
    let out = expand(input).to_string();
    for part in ["# [doc = \"a\"]", "pub (crate) mod name", "no/such.grad"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn literals_say_what_they_stand_for() {
    let text = |written: &str| crate::literal::text(&written.parse().expect("a literal"));
    for (written, stands_for) in [
        (r#""""#, ""),
        (r#""plain é""#, "plain é"),
        (r#""\\\"\'\n\r\t\0\x41\u{e9}\u{1_F600}|""#, "\\\"'\n\r\t\0A\u{e9}\u{1f600}|"),
        ("\"one \\\n   \t two\"", "one two"),
        (r##"r"\n""##, r"\n"),
        (r###"r##"a"#b"##"###, "a\"#b"),
    ] {
        assert_eq!(text(written).as_deref(), Some(stands_for), "{written}");
    }
    for other in ["b\"bytes\"", "c\"text\"", "'c'", "1.5"] {
        assert_eq!(text(other), None, "{other}");
    }
    let awkward = "tab\t, quote\" and \\ and é and \u{200b} and \r\n'";
    assert_eq!(crate::literal::text(&Literal::string(awkward)).as_deref(), Some(awkward));
}

/// Errors in a file are shown with the file's lines; the file is watched all the same.
#[test]
fn faults_of_files_are_excerpts() {
    let out =
        expand(r#"pub mod a = "../tests/nets/faulty.grad";"#.parse().expect("tokens")).to_string();
    assert_eq!(out.matches("compile_error").count(), 2, "{out}");
    for part in [
        "`y` is not declared [E0301]",
        "--> ../tests/nets/faulty.grad:5:18",
        "| loss E = sum(w * y);",
        "faulty.grad:6:",
        "include_bytes",
        "value_and_grad_into_E",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

/// Any tokens at all give tokens, whatever their order.
#[test]
fn nothing_panics() {
    let words = "mod a pub { } [ ] ( ) # ! = ; : , dim x W loss E 1.5 2x \"s\" 'c' b\"y\" ' |> @ ^ - + * / .. ... r#in é doc param sum < <= ::";
    let words: Vec<&str> = words.split(' ').collect();
    let mut state = 1_u64;
    for _ in 0..4000 {
        let mut text = String::from("mod a {");
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(words[(state >> 33) as usize % words.len()]);
            text.push(' ');
        }
        text.push('}');
        if let Ok(stream) = text.parse::<TokenStream>() {
            expand(stream);
        }
    }
    let mut deep = TokenStream::from(TokenTree::from(Literal::u8_unsuffixed(1)));
    for _ in 0..500 {
        deep = TokenStream::from(TokenTree::from(Group::new(Delimiter::Parenthesis, deep)));
    }
    expand(quote::quote!(mod a { loss E = #deep; }));
}
