"""Closed-form gradients, derived by the chain rule.

>>> import chainrule
>>> chainrule.derive("x^3", var={"x": ""}, wrt="x").derivatives[0]["text"]
'3 * x^2'

A program is a text of the language, a bare expression, or a `pathlib.Path` of a file. Four keywords say more of an
expression, as the flags of the command do: `var` the sizes of its variables, `wrt` by what is differentiated, `order=2`
that Hessians are wanted too, and `syntax="matlab"` the other dialect.
"""

from ._derivation import Derivation
from ._tool import Error, call, program

__all__ = ["Derivation", "Error", "derive", "emit", "eval", "load", "load_ipython_extension"]


def derive(source, *, var=None, wrt=None, order=None, syntax=None, notation=None, steps=None, style=None, lang=None):
    """The derivation of every gradient, step by step, as notebooks and terminals show it.

    `notation` is "matrix" or "index", `steps` "full", "brief" or "none", `style` "auto", "chain" or "staged", `lang` "en"
    or "zh".
    """
    flags = {"notation": notation, "steps": steps, "style": style, "lang": lang or "en"}

    def written(form, warn):
        with program(source, var=var, wrt=wrt, order=order, syntax=syntax) as given:
            return call("derive", given, {**flags, "format": form}, warn=warn)

    return Derivation(written)


def eval(source, at, *, dims=None, var=None, wrt=None, order=None, syntax=None):
    """Losses, outputs and derivatives at a point: numbers and nested lists by their names.

    `at` has a number, a nested sequence or an array for each variable; `dims` the sizes that none of them tells.
    """
    from ._point import read, written

    with program(source, var=var, wrt=wrt, order=order, syntax=syntax) as given:
        return read(call("eval", given, {"at": "-"}, stdin=written(at, dims)))


def emit(source, target="numpy", *, dtype=None, var=None, wrt=None, order=None, syntax=None):
    """The text of code that computes the losses and derivatives: for "numpy", "jax", "torch", "c" or "rust"."""
    with program(source, var=var, wrt=wrt, order=order, syntax=syntax) as given:
        return call("emit", given, {"target": target, "dtype": dtype})


def load(source, target="numpy", *, name="chainrule_program", **options):
    """The module that `emit` writes for "numpy", "jax" or "torch", imported."""
    from ._module import imported

    if target not in ("numpy", "jax", "torch"):
        raise Error(f"a module for {target!r} cannot be loaded, only one for 'numpy', 'jax' or 'torch'")
    return imported(emit(source, target, **options), name)


def load_ipython_extension(shell):
    """Gives IPython the cell magic `%%chainrule`."""
    from ._magic import cell

    shell.register_magic_function(cell(shell), "cell", "chainrule")
