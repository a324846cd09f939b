//! The command line as data. One table of commands and flags is the only place that knows them: the parser, the nearest-name
//! hints and the shell completions read it.

use crate::failure::Failure;
use lexopt::Arg;
use std::ffi::OsString;

/// A command.
pub(crate) struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Long names of the flags that it takes besides those of every command.
    pub flags: &'static [&'static str],
    /// How many files or names it takes at most.
    pub operands: usize,
}

const PROGRAM: [&str; 5] = ["expression", "var", "wrt", "order", "syntax"];

const fn command(
    name: &'static str,
    about: &'static str,
    flags: &'static [&'static str],
    operands: usize,
) -> Command {
    Command { name, about, flags, operands }
}

/// All commands, in the order in which help lists them.
pub(crate) const COMMANDS: &[Command] = &[
    command(
        "derive",
        "the derivation of every gradient, step by step",
        &["format", "notation", "steps", "style", "lang", "standalone", "width", "ascii", "output"],
        1,
    ),
    command("eval", "losses and derivatives at a point, as JSON", &["at", "output"], 1),
    command(
        "check",
        "every derivative against finite differences",
        &["seed", "points", "tol", "plot", "format", "output"],
        1,
    ),
    command(
        "emit",
        "code that computes the losses and derivatives",
        &["target", "dtype", "header", "standalone", "output"],
        1,
    ),
    command(
        "graph",
        "the computation graph and the paths of the chain rule, as a picture",
        &["format", "notation", "output"],
        1,
    ),
    #[cfg(feature = "serve")]
    command("serve", "the playground, for a browser on this machine", &["port", "answer"], 0),
    command("ops", "the rule book: every function and its derivative", &["format", "output"], 1),
    command("fmt", "formats programs", &["check", "in-place", "expression", "syntax"], usize::MAX),
    command("explain", "what an error code means", &["format", "output"], 1),
    command("completions", "shell completions", &[], 1),
    command("help", "help on a command", &[], 1),
];

/// Commands that read a program, and so take the flags that say what is differentiated.
const READERS: [&str; 5] = ["derive", "eval", "check", "emit", "graph"];

/// The formats that a command writes.
const FORMATS: &[(&str, &[&str])] = &[
    (
        "derive",
        &["unicode", "text", "latex", "markdown", "html", "mathml", "typst", "json", "ipynb"],
    ),
    ("graph", &["dot", "svg"]),
    ("ops", &["text", "unicode", "markdown", "json"]),
];

/// A flag.
pub(crate) struct Flag {
    /// `--long`
    pub long: &'static str,
    /// `-s`
    pub short: Option<char>,
    /// Whether a value follows.
    pub takes_value: bool,
    /// The values that it may have, where they are few.
    pub choices: &'static [&'static str],
}

const fn flag(long: &'static str, short: Option<char>, choices: &'static [&'static str]) -> Flag {
    Flag { long, short, takes_value: true, choices }
}

const fn switch(long: &'static str, short: Option<char>) -> Flag {
    Flag { long, short, takes_value: false, choices: &[] }
}

/// All flags.
pub(crate) const FLAGS: &[Flag] = &[
    flag("expression", Some('e'), &[]),
    flag("var", None, &[]),
    flag("wrt", None, &[]),
    flag("order", None, &["1", "2"]),
    flag("syntax", None, &["chainrule", "matlab"]),
    flag(
        "format",
        None,
        &[
            "unicode", "text", "latex", "markdown", "html", "mathml", "typst", "json", "ipynb",
            "dot", "svg",
        ],
    ),
    flag("notation", None, &["matrix", "index"]),
    flag("steps", None, &["full", "brief", "none"]),
    flag("style", None, &["auto", "chain", "staged"]),
    flag("lang", None, &["en", "zh"]),
    switch("standalone", None),
    flag("width", None, &[]),
    switch("ascii", None),
    flag("output", Some('o'), &[]),
    flag("at", None, &[]),
    flag("seed", None, &[]),
    flag("points", None, &[]),
    flag("tol", None, &[]),
    switch("plot", None),
    flag("target", None, &["rust", "numpy", "jax", "torch", "c"]),
    flag("dtype", None, &["f32", "f64"]),
    switch("header", None),
    switch("standalone", None),
    switch("check", None),
    switch("in-place", Some('i')),
    flag("port", None, &[]),
    switch("answer", None),
    flag("color", None, &["auto", "always", "never"]),
    flag("message-format", None, &["human", "json"]),
    switch("help", Some('h')),
    switch("version", Some('V')),
];

/// Flags of every command.
const GENERAL: [&str; 4] = ["color", "message-format", "help", "version"];

impl Command {
    /// Whether it takes a flag of this long name.
    pub fn takes(&self, long: &str) -> bool {
        let reads = READERS.contains(&self.name) && PROGRAM.contains(&long);
        reads || GENERAL.contains(&long) || self.flags.contains(&long)
    }

    /// The values that a flag may have with this command, where they are few.
    pub fn choices(&self, long: &str) -> &'static [&'static str] {
        let own = FORMATS.iter().find(|(name, _)| long == "format" && *name == self.name);
        let flag =
            || FLAGS.iter().find(|flag| flag.long == long).map_or(&[][..], |flag| flag.choices);
        own.map_or_else(flag, |(_, formats)| *formats)
    }
}

/// A command line.
#[derive(Default)]
pub(crate) struct Args {
    /// The command, where one was named.
    pub command: Option<&'static Command>,
    /// Files or names.
    pub operands: Vec<OsString>,
    given: Vec<(&'static str, String)>,
}

impl Args {
    /// Reads a command line, without the name of the program itself.
    pub fn parse(args: Vec<OsString>) -> Result<Args, Failure> {
        let mut parser = lexopt::Parser::from_args(args);
        let mut parsed = Args::default();
        while let Some(arg) = parser.next().map_err(said)? {
            let flag = match arg {
                Arg::Value(value) => {
                    parsed.operand(value)?;
                    continue;
                }
                Arg::Long(name) => {
                    FLAGS.iter().find(|flag| flag.long == name).ok_or_else(|| unknown_flag(name))
                }
                Arg::Short(letter) => {
                    FLAGS.iter().find(|flag| flag.short == Some(letter)).ok_or_else(|| {
                        Failure::usage(format!("there is no flag `-{letter}`"))
                            .help("see `chainrule help`")
                    })
                }
            }?;
            let value =
                if flag.takes_value { parser.value().map_err(said)? } else { OsString::new() };
            let value = value.into_string().map_err(|value| {
                Failure::usage(format!(
                    "the value of `--{}` is not UTF-8: {}",
                    flag.long,
                    value.display()
                ))
            })?;
            parsed.given.push((flag.long, value));
        }
        parsed.validate()?;
        Ok(parsed)
    }

    fn operand(&mut self, value: OsString) -> Result<(), Failure> {
        if self.command.is_some() {
            self.operands.push(value);
            return Ok(());
        }
        let name = value.to_string_lossy();
        match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => self.command = Some(command),
            None => return Err(unknown_command(&name)),
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), Failure> {
        let Some(command) = self.command else { return Ok(()) };
        for (long, value) in &self.given {
            if !command.takes(long) {
                let takers: Vec<String> = COMMANDS
                    .iter()
                    .filter(|other| other.takes(long))
                    .map(|other| format!("`{}`", other.name))
                    .collect();
                return Err(Failure::usage(format!("`{}` has no flag `--{long}`", command.name))
                    .help(format!("`--{long}` is a flag of {}", takers.join(", "))));
            }
            let choices = command.choices(long);
            if !choices.is_empty() && !choices.contains(&value.as_str()) {
                return Err(Failure::usage(format!("`--{long}` cannot be `{value}`"))
                    .help(format!("it may be {}", choices.join(", "))));
            }
        }
        let mut programs = self.values("expression");
        if let (Some(first), Some(second)) = (programs.next(), programs.next()) {
            return Err(Failure::usage(format!(
                "the program is given twice: by `-e '{first}'` and by `-e '{second}'`"
            ))
            .help("all of a program is one text: `-e 'param x; loss E = x^2;'`"));
        }
        if self.operands.len() > command.operands {
            let extra = self.operands[command.operands].to_string_lossy();
            return Err(Failure::usage(format!(
                "`{}` does not know what to do with `{extra}`",
                command.name
            ))
            .help(format!("see `chainrule help {}`", command.name)));
        }
        Ok(())
    }

    /// The value of a flag; the last one where it was given more than once.
    pub fn value(&self, long: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == long).map(|(_, value)| value.as_str())
    }

    /// All values of a flag, in order.
    pub fn values<'a>(&'a self, long: &'static str) -> impl Iterator<Item = &'a str> {
        self.given.iter().filter(move |(given, _)| *given == long).map(|(_, value)| value.as_str())
    }

    /// Whether a flag was given.
    pub fn has(&self, long: &str) -> bool {
        self.value(long).is_some()
    }

    /// The value of a flag as a number.
    pub fn number<T: std::str::FromStr>(
        &self,
        long: &str,
        default: T,
        what: &str,
    ) -> Result<T, Failure> {
        match self.value(long) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Failure::usage(format!("`--{long}` must be {what}, not `{text}`"))),
        }
    }
}

fn said(error: lexopt::Error) -> Failure {
    Failure::usage(error.to_string()).help("see `chainrule help`")
}

fn unknown_command(name: &str) -> Failure {
    let failure = Failure::usage(format!("there is no command `{name}`"));
    match nearest(name, COMMANDS.iter().map(|command| command.name)) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None if std::path::Path::new(name).exists() => {
            failure.help(format!("did you mean `chainrule derive {name}`?"))
        }
        None => failure.help("`chainrule help` lists the commands"),
    }
}

fn unknown_flag(name: &str) -> Failure {
    let failure = Failure::usage(format!("there is no flag `--{name}`"));
    match nearest(name, FLAGS.iter().map(|flag| flag.long)) {
        Some(near) => failure.help(format!("did you mean `--{near}`?")),
        None => failure.help("see `chainrule help`"),
    }
}

/// The name that looks most like this one, if any does.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    chainrule_core::lower::expr::nearest(name, known)
}
