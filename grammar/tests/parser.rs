//! The parser that is checked in is the one that pest derives from the grammar. It is checked in so that those who use the macro
//! build neither pest's generator nor what it depends on.

use quote::quote;
use std::path::Path;

const HEAD: &str = "//! What pest derives from `chainrule.pest`; after a change there: `RENEW=1 cargo test -p chainrule-grammar --test parser`.\n\n";

#[test]
fn the_parser_is_what_pest_derives_from_the_grammar() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/parser.rs");
    let tokens = pest_generator::derive_parser(
        quote! {
            #[grammar = "chainrule.pest"]
            struct Syntax;
        },
        false,
    );
    let syntax = quote! {
        /// The parser.
        pub struct Syntax;
        #tokens
    };
    let parsed = syn::parse2(syntax).expect("pest gives Rust");
    let derived = format!("{HEAD}{}", prettyplease::unparse(&parsed));
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&file, &derived).expect("the parser is written");
    }
    let current = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        current == derived,
        "the grammar has changed: write the parser anew (see its first line)"
    );
}
