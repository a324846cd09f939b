//! Help texts: one screen a command, each with examples.

use crate::Session;
use crate::args::{COMMANDS, nearest};
use crate::commands::{operand, print};
use crate::failure::Failure;

/// `chainrule help [COMMAND]`
pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let Some(name) = operand(session) else { return print(session, &overview()) };
    if COMMANDS.iter().any(|command| command.name == name) {
        return print(session, &command(&name));
    }
    let failure = Failure::usage(format!("there is no command `{name}`"));
    Err(match nearest(&name, COMMANDS.iter().map(|command| command.name)) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help("`chainrule help` lists the commands"),
    })
}

/// All commands on one screen.
pub(crate) fn overview() -> String {
    let mut out = String::from(
        "chainrule: closed-form gradients, derived by the chain rule\n\n\
         usage: chainrule <command> [FILE | - | -e PROGRAM] [flags]\n\ncommands:\n",
    );
    for command in COMMANDS {
        out.push_str(&format!("  {:<12} {}\n", command.name, command.about));
    }
    out.push_str(GENERAL);
    out.push_str(EXAMPLES);
    out
}

/// The page of one command.
pub(crate) fn command(name: &str) -> String {
    let page = PAGES.iter().find(|(known, _, _)| *known == name);
    let Some((_, body, reads)) = page else { return overview() };
    let mut out = String::from(*body);
    if *reads {
        out.push_str(PROGRAM);
    }
    out.push_str(GENERAL);
    out
}

const GENERAL: &str = "
everywhere:
  --color auto|always|never    colour in messages; NO_COLOR is respected
  --message-format human|json  messages for people, or one JSON object a line
  -h, --help                   help on the command
  -V, --version                the version

exit codes: 0 good, 1 the program or a check is wrong, 2 the command line is wrong
";

const EXAMPLES: &str = "
examples:
  chainrule derive -e 'sum((sigmoid(x @ W) - t)^2)' --var x:B,N --var W:N,M --var t:B,M --wrt W
  chainrule derive net.grad --format latex --standalone -o net.tex
  chainrule eval net.grad --at point.json
  chainrule check net.grad
";

const PROGRAM: &str = "
the program:
  FILE                  a .grad file; `-` is standard input
  -e, --expression TEXT a whole program, or a bare expression, which is called `f`
  --var W:N,M           declares a variable for it, with its sizes (repeatable); `--var x` a scalar
  --wrt W,b             by what is differentiated, in place of what the program says
  --order 2             Hessians too
  --syntax matlab       the dialect of matrixcalculus.org (`.m.grad` files are read so too); without
                        declarations a letter says what a name is
";

const PAGES: &[(&str, &str, bool)] = &[
    (
        "derive",
        "chainrule derive: the derivation of every gradient, step by step

usage: chainrule derive [FILE | - | -e PROGRAM] [flags]

  --format unicode|text|latex|markdown|html|mathml|typst|json|ipynb
                          how it is written; by default as `-o FILE` ends, else drawn in Unicode
  --standalone            with latex, mathml and typst: a whole document, not a fragment
  --width N               columns that drawn formulas may take; COLUMNS, or 80, by default
  --ascii                 drawn in ASCII alone
  --notation matrix|index whole tensors (default), or entries with index letters
  --steps full|brief|none every rule (default), the outline, or the closed form only
  --style auto|chain|staged   one chain of equalities, or an error term for each named quantity
  --lang en|zh            the language of the reasons; CHAINRULE_LANG, or LANG, by default
  -o, --output FILE       writes there; nothing is written where there is an error

examples:
  chainrule derive -e 'norm2(A @ x - y)^2' --var A:M,N --var x:N --var y:M --wrt x
  chainrule derive net.grad --notation index --style chain
",
        true,
    ),
    (
        "eval",
        "chainrule eval: losses, outputs and derivatives at a point, as JSON

usage: chainrule eval [FILE | - | -e PROGRAM] --at POINT [flags]

  --at FILE         the point; `-` is standard input. An object with a number or a nested, row-major array for
                    each variable: {\"x\": [[0.1, 0.2]], \"w\": [0.3, 0.4]}. Sizes follow from the arrays; one that no
                    array has is given as \"dims\": {\"N\": 3}. The direction of an hvp or jvp by W is \"W_dot\".
  -o, --output FILE writes there; nothing is written where there is an error

NaN, Infinity and -Infinity are written as those strings. A Jacobian's axes are the output's, then the variable's.

examples:
  chainrule eval net.grad --at point.json
  echo '{\"x\": 2}' | chainrule eval -e 'x^3' --var x --at -
",
        true,
    ),
    (
        "check",
        "chainrule check: every derivative against finite differences, at random points

usage: chainrule check [FILE | - | -e PROGRAM] [flags]

  --points N   at how many points; 3 by default
  --seed N     which points; 0 by default
  --tol X      the largest relative error that passes; 1e-6 by default
  --plot       draws the error of each derivative against the step of the differences: truncation falls, rounding grows
  --format unicode|text|json   how it is written; with text, the plot is ASCII
  -o, --output FILE            writes there; nothing is written where something does not hold

The points satisfy the declared facts (one_hot, simplex, spd, ...). The formulas that `derive` prints, and every line of
its derivations, are checked as well. Exits 1 where something does not hold.

examples:
  chainrule check net.grad
  chainrule check net.grad --points 20 --seed 7
",
        true,
    ),
    (
        "emit",
        "chainrule emit: code that computes the losses and derivatives

usage: chainrule emit [FILE | - | -e PROGRAM] --target TARGET [flags]

  --target rust     the code of `derive_grad!`, for the crate `chainrule`
           numpy    a module with `forward`, `value_and_grad` and a function for each further derivative;
           jax      run as a program, it compares every derivative with finite differences (NumPy) or with
           torch    the framework's own (JAX, PyTorch); with JAX, `value_and_grad_on(mesh)` spreads the batch
           c        C99 without a header or allocation: the same functions over row-major arrays; with
                    -DCHAINRULE_CHECK a program that checks its gradients
  --standalone      with --target rust, what the code needs of the crate chainrule pasted in: it compiles alone,
                    also under #![no_std] (where there is no std at all, it wants the crate libm)
  --header          with --target c, the header that declares those functions instead
  --dtype f32|f64   the type of its numbers; f64 by default
  -o, --output FILE writes there; nothing is written where there is an error

examples:
  chainrule emit net.grad --target numpy -o net.py && python3 net.py
  chainrule emit net.grad --target rust -o net.rs
",
        true,
    ),
    (
        "graph",
        "chainrule graph: the computation graph, with shapes and local derivatives

usage: chainrule graph [FILE | - | -e PROGRAM] [flags]

  --format dot|svg        text for Graphviz (default), or a picture (default with `-o NAME.svg`)
  --notation matrix|index how definitions are written; local derivatives are written by their entries
  -o, --output FILE       writes there; nothing is written where there is an error

Thick and coloured is the path of the chain rule, from a loss back to what it is differentiated by. The derivatives along a
path multiply, those of several paths add up. Of large programs the quantities nearest to the results are drawn.

examples:
  chainrule graph net.grad -o net.svg
  chainrule graph net.grad --wrt W1 | dot -Tpdf > net.pdf
",
        true,
    ),
    (
        "serve",
        "chainrule serve: the playground, for a browser on this machine

usage: chainrule serve [flags]

  --port N       where it is found; 8017 by default, 0 takes any port that is free
  --answer       answers questions, one JSON a line on standard input: what the playground's workers do

An editor with errors under the token as you type, the gallery, derivations in either notation, the graph, a numeric check, and
LaTeX, Typst or code to copy. The program is kept in the page's address, so a link holds it. Only this machine is answered, and
nothing is loaded from elsewhere.

example:
  chainrule serve
",
        false,
    ),
    (
        "ops",
        "chainrule ops: the rule book, with every function, its derivative, its domain and how it prints

usage: chainrule ops [NAME] [flags]

With a NAME, all that is known of one function; with the beginning of a name, all functions that begin so.

  --format text|markdown|json   how it is written; text by default
  -o, --output FILE             writes there

examples:
  chainrule ops
  chainrule ops softmax
  chainrule ops log
",
        false,
    ),
    (
        "fmt",
        "chainrule fmt: formats programs

usage: chainrule fmt [FILE... | - | -e PROGRAM] [flags]

Prints the formatted program to standard output, unless one of these is given:
  -i, --in-place   writes it back to each file
  --check          writes nothing; exits 1 where a file is not formatted (for CI)

examples:
  chainrule fmt net.grad
  chainrule fmt --check nets/*.grad
",
        false,
    ),
    (
        "explain",
        "chainrule explain: what an error code means

usage: chainrule explain [CODE] [flags]

What a code means, with a program that has the mistake and one that has not. Without a code, lists all codes.

  --format text|markdown   how it is written; text by default
  -o, --output FILE        writes there

example:
  chainrule explain E0201
",
        false,
    ),
    (
        "completions",
        "chainrule completions: shell completions

usage: chainrule completions bash|zsh|fish

examples:
  chainrule completions bash > ~/.local/share/bash-completion/completions/chainrule
  chainrule completions fish > ~/.config/fish/completions/chainrule.fish
",
        false,
    ),
];
