"""In: the text of an emitted Python module. Out: the module, whose lines tracebacks and `inspect` show."""

import linecache
import types


def imported(text, name):
    """The module; nothing is written to a disk."""
    module = types.ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module
