"""In: a cell. Out: its derivation, shown, and a module in the notebook's variables where the cell names one."""

import argparse
import shlex
import warnings

from . import derive, load
from ._tool import Error


class Line(argparse.ArgumentParser):
    """The line of the magic; what is wrong with it is an error, not the end of the program."""

    def error(self, message):
        raise Error(f"{message}\n{self.format_usage().strip()}")


def line():
    """What the line may say."""
    parser = Line(prog="%%chainrule", add_help=False)
    parser.add_argument("name", nargs="?", help="the variable that the module is left in")
    parser.add_argument("--target", choices=("numpy", "jax", "torch"), default="numpy")
    parser.add_argument("--dtype", choices=("f32", "f64"))
    for flag in ("notation", "steps", "style", "lang", "wrt", "syntax", "order"):
        parser.add_argument(f"--{flag}")
    parser.add_argument("--var", action="append", default=[], metavar="NAME:SIZES")
    return parser


def cell(shell):
    """The magic of a shell."""

    def chainrule(text, program):
        """`%%chainrule [NAME] [flags of chainrule derive]`: the derivation; with a name also the module of `--target`, numpy by default."""
        said = vars(line().parse_args(shlex.split(text)))
        said["var"] = dict(one.partition(":")[::2] for one in said["var"])
        name, target, dtype = said.pop("name"), said.pop("target"), said.pop("dtype")
        if name is not None and not name.isidentifier():
            raise Error(f"{name!r} cannot be the name of a variable")
        derivation = derive(program, **said)
        if name is not None:
            wanted = {flag: said[flag] for flag in ("var", "wrt", "order", "syntax")}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # It was said with the derivation.
                shell.push({name: load(program, target, name=name, dtype=dtype, **wanted)})
        return derivation

    return chainrule
