"""In: a command with its program and flags. Out: what the tool prints; what it refuses is an `Error`, what it doubts a warning."""

import contextlib
import inspect
import os
import shutil
import subprocess
import sysconfig
import tempfile
import warnings
from pathlib import Path

# Longer programs go through a file: systems limit the length of an argument.
LONG = 20_000


class Error(Exception):
    """The program, or the call, is wrong: the message is the tool's."""

    __module__ = "chainrule"

    def _render_traceback_(self):
        """What notebooks show: the message points at the program, of which Python's lines know nothing."""
        return str(self).splitlines()


def tool():
    """The command: of the variable CHAINRULE, of this installation, or of the path."""
    name = "chainrule" + (sysconfig.get_config_var("EXE") or "")
    user = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")) if hasattr(sysconfig, "get_preferred_scheme") else ""
    # `pip install --target FOLDER` puts it into FOLDER/bin.
    places = [sysconfig.get_path("scripts"), user, Path(__file__).parents[1] / "bin"]
    given = os.environ.get("CHAINRULE")
    found = given or next((path for place in places if place and (path := shutil.which(name, path=str(place)))), None) or shutil.which(name)
    if not found:
        raise Error("the command `chainrule` is not there; install the package again, or set CHAINRULE to where it is")
    return found


@contextlib.contextmanager
def program(source, *, var=None, wrt=None, order=None, syntax=None):
    """The arguments that name a program and say what is wanted of it."""
    said = []
    for name, sizes in (var or {}).items():
        sizes = sizes if isinstance(sizes, str) else ",".join(map(str, sizes))
        said += ["--var", f"{name}:{sizes}" if sizes else name]
    if wrt is not None:
        said += ["--wrt", wrt if isinstance(wrt, str) else ",".join(wrt)]
    said += [f"--{flag}={value}" for flag, value in {"order": order, "syntax": syntax}.items() if value is not None]
    with contextlib.ExitStack() as stack:
        if isinstance(source, os.PathLike):
            yield [os.fspath(source), *said]
        elif not isinstance(source, str):
            raise TypeError(f"a program is a text or a path, not {type(source).__name__}")
        elif len(source) > LONG:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            file = Path(folder) / ("program.m.grad" if syntax == "matlab" else "program.grad")
            file.write_text(source, encoding="utf-8")
            yield [str(file), *said]
        else:
            yield ["-e", source, *said]


def call(command, given, flags, stdin="", warn=True):
    """What a command prints; `warn` says whether what it doubts is told."""
    flags = [f"--{flag}={value}" for flag, value in flags.items() if value is not None]
    arguments = [tool(), command, *given, *flags, "--color=never"]
    try:
        ran = subprocess.run(arguments, input=stdin, capture_output=True, encoding="utf-8", check=False)
    except OSError as error:
        raise Error(f"the command `chainrule` cannot be run: {error}") from error
    said = ran.stderr.strip()
    if ran.returncode:
        raise Error(said or f"the command `chainrule` ended with {ran.returncode}")
    if said and warn:
        # At the line that calls this package.
        here = str(Path(__file__).parent)
        depth = next((at for at, frame in enumerate(inspect.stack(0), 1) if not frame.filename.startswith(here)), 1)
        warnings.warn(said, stacklevel=depth)
    return ran.stdout
