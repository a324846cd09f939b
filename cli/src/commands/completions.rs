//! `chainrule completions`: scripts for shells, written from the table of commands and flags.

use crate::Session;
use crate::args::{COMMANDS, Command, FLAGS, Flag};
use crate::commands::{operand, print};
use crate::failure::Failure;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let script = match operand(session).as_deref() {
        Some("bash") => bash(),
        Some("zsh") => zsh(),
        Some("fish") => fish(),
        other => {
            let failure = match other {
                Some(shell) => Failure::usage(format!("there are no completions for `{shell}`")),
                None => Failure::usage("for which shell?"),
            };
            return Err(failure.help("`chainrule completions bash`, `zsh` or `fish`"));
        }
    };
    print(session, &script)
}

fn names() -> String {
    COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>().join(" ")
}

fn flags_of(command: &Command) -> impl Iterator<Item = &'static Flag> + '_ {
    FLAGS.iter().filter(|flag| command.takes(flag.long))
}

/// The words that may follow a flag; none for files and free text.
fn with_choices() -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(|flag| !flag.choices.is_empty())
}

fn bash() -> String {
    let mut out = String::from(
        "# bash completion for chainrule: source it, or put it into bash_completion.d\n_chainrule() {\n",
    );
    out.push_str("    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n    case $before in\n");
    for flag in with_choices() {
        out.push_str(&format!(
            "        --{}) words=\"{}\" ;;\n",
            flag.long,
            flag.choices.join(" ")
        ));
    }
    out.push_str("    esac\n    if [[ -z $words ]]; then\n        case ${COMP_WORDS[1]} in\n");
    for command in COMMANDS {
        let flags: Vec<String> = flags_of(command).map(|flag| format!("--{}", flag.long)).collect();
        out.push_str(&format!("            {}) words=\"{}\" ;;\n", command.name, flags.join(" ")));
    }
    out.push_str("        esac\n        [[ $word != -* ]] && words=\n    fi\n");
    out.push_str(&format!("    (( COMP_CWORD == 1 )) && words=\"{}\"\n", names()));
    out.push_str("    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -o default -F _chainrule chainrule\n");
    out
}

fn zsh() -> String {
    let mut out = String::from("#compdef chainrule\n_chainrule() {\n    local -a commands=(\n");
    for command in COMMANDS {
        out.push_str(&format!("        '{}:{}'\n", command.name, command.about));
    }
    out.push_str("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n    case $words[2] in\n");
    for command in COMMANDS {
        out.push_str(&format!("        {})\n            _arguments", command.name));
        for flag in flags_of(command) {
            out.push_str(&format!(" \\\n                '--{}{}'", flag.long, zsh_value(flag)));
        }
        out.push_str(" \\\n                '*:file:_files' ;;\n");
    }
    out.push_str("    esac\n}\ncompdef _chainrule chainrule\n");
    out
}

fn zsh_value(flag: &Flag) -> String {
    match (flag.takes_value, flag.choices) {
        (false, _) => String::new(),
        (true, []) => format!("=:{}:_files", flag.long),
        (true, choices) => format!("=:{}:({})", flag.long, choices.join(" ")),
    }
}

fn fish() -> String {
    let mut out = String::from("# fish completion for chainrule\n");
    for command in COMMANDS {
        out.push_str(&format!(
            "complete -c chainrule -n __fish_use_subcommand -f -a {} -d '{}'\n",
            command.name, command.about
        ));
    }
    for flag in FLAGS {
        let takers: Vec<&str> = COMMANDS
            .iter()
            .filter(|command| command.takes(flag.long))
            .map(|command| command.name)
            .collect();
        let short = flag.short.map_or_else(String::new, |letter| format!(" -s {letter}"));
        let value = match (flag.takes_value, flag.choices) {
            (false, _) => String::new(),
            (true, []) => " -r".to_string(),
            (true, choices) => format!(" -x -a '{}'", choices.join(" ")),
        };
        let seen = format!("'__fish_seen_subcommand_from {}'", takers.join(" "));
        out.push_str(&format!("complete -c chainrule -n {seen} -l {}{short}{value}\n", flag.long));
    }
    out
}
