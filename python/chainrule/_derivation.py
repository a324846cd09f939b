"""In: what the tool writes of derivations. Out: an object that terminals and notebooks show."""

import json
import re


class Derivation:
    """The derivation of every gradient of a program.

    `derivatives` has them as data: what (`of`, `wrt`, `kind`, `shape`), the closed form (`text`, `latex`, `where`) and its
    `steps`, each with its reason. `str` gives them drawn in Unicode; `to(format)` as `chainrule derive --format` writes them.
    """

    def __init__(self, written):
        self._write = written
        self._known = {}
        data = json.loads(written("json", warn=True))
        self.program = data["program"]
        self.derivatives = data["derivatives"]

    def to(self, form):
        """In a format of the command: "latex", "markdown", "mathml", "typst", "html", "ipynb", "text", "unicode" or "json"."""
        if form not in self._known:
            self._known[form] = self._write(form, warn=False)
        return self._known[form]

    def __str__(self):
        return self.to("unicode").rstrip("\n")

    def __repr__(self):
        what = ", ".join(f"d{one['of']}/d{one['wrt']}" for one in self.derivatives)
        return f"<derivation of {what or 'nothing'}>"

    def _repr_pretty_(self, printer, cycle):
        printer.text(repr(self) if cycle else str(self))

    def _repr_latex_(self):
        # Outside of displays MathJax and KaTeX take text for text, and inside of them `align*` is no environment.
        blocks = re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", self.to("latex"), re.DOTALL)
        return "\n\n".join(f"$$\n\\begin{{aligned}}\n{block}\n\\end{{aligned}}\n$$" for block in blocks)

    def _repr_markdown_(self):
        return self.to("markdown")
