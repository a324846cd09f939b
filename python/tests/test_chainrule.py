"""The installed package: `python -m unittest discover python/tests`. What wants NumPy, JAX, IPython or nbformat is skipped where they are not."""

import doctest
import importlib.util
import io
import json
import math
import unittest
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import chainrule

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "examples"
PERCEPTRON = "input x: [3]; target t; param w: [3]; o = sigmoid(x @ w); loss E = 1/2 * (o - t)^2;"


def wants(*modules):
    """Skips a test where a module is not there."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"without {', '.join(missing)}")


class Calls(unittest.TestCase):
    def test_a_derivation_is_data_and_shown(self):
        derivation = chainrule.derive(PERCEPTRON)
        [one] = derivation.derivatives
        self.assertEqual((one["of"], one["wrt"], one["text"]), ("E", "w", "(o - t) * o * (1 - o) * x"))
        self.assertIn("power rule", one["steps"][1]["note"])
        self.assertIn("│ (o − t) o (1 − o) x │", str(derivation))
        self.assertEqual(repr(derivation), "<derivation of dE/dw>")
        self.assertIn("\\begin{align*}", derivation.to("latex"))
        with self.assertRaisesRegex(chainrule.Error, "--format"):
            derivation.to("pdf")

    def test_what_is_asked_for_reaches_the_tool(self):
        form = chainrule.derive("norm2(A @ x - y)^2", var={"A": ("M", "N"), "x": "N", "y": "M"}, wrt=["x"])
        self.assertEqual(form.derivatives[0]["text"], "2 * A.T @ (A @ x - y)")
        second = chainrule.derive("-a * x^3", var={"x": "", "a": ""}, wrt="x", order=2, notation="index", lang="zh")
        self.assertEqual([one["kind"] for one in second.derivatives], ["gradient", "hessian"])
        self.assertIn("定义", second.derivatives[0]["steps"][0]["note"])
        self.assertEqual(chainrule.derive("x'*x", var={"x": "N"}, wrt="x", syntax="matlab").derivatives[0]["text"], "2 * x")
        none = chainrule.derive(PERCEPTRON, steps="none", style="chain").derivatives[0]
        self.assertLess(len(none["steps"]), 2)

    def test_a_program_is_a_text_or_a_file(self):
        path = GALLERY / "digits_mlp.grad"
        self.assertEqual(chainrule.derive(path).derivatives, chainrule.derive(path.read_text()).derivatives)
        many = "".join(f"param w{at}; " for at in range(3000)) + "loss L = w0^2;"
        self.assertGreater(len(many), 20_000)
        self.assertEqual(chainrule.derive(many, wrt="w0").derivatives[0]["text"], "2 * w0")
        with self.assertRaises(TypeError):
            chainrule.derive(3)

    def test_values(self):
        result = chainrule.eval(PERCEPTRON, {"x": [1, 2, 3], "t": 0, "w": (0.1, 0.2, 0.3)})
        self.assertAlmostEqual(result["loss"]["E"], 0.3217494955314835)
        self.assertEqual(len(result["grad"]["E"]["w"]), 3)
        self.assertEqual(chainrule.eval("x^3", {"x": 2}, var={"x": ""}, wrt="x")["grad"]["f"]["x"], 12)
        sizes = chainrule.eval("dim N; param x; loss L = x * sum(ones(N));", {"x": 2}, dims={"N": 5})
        self.assertEqual(sizes["loss"]["L"], 10)
        self.assertEqual(chainrule.eval("param x; loss L = 1/x;", {"x": 0})["loss"]["L"], math.inf)

    def test_errors_are_the_tool_s(self):
        with self.assertRaises(chainrule.Error) as caught:
            chainrule.derive("param x; loss L = y^2;")
        self.assertIn("`y` is not declared", str(caught.exception))
        self.assertIn("loss L = y^2", str(caught.exception))
        for call in (
            lambda: chainrule.emit(PERCEPTRON, target="fortran"),
            lambda: chainrule.load(PERCEPTRON, target="c"),
            lambda: chainrule.eval(PERCEPTRON, {"x": [1, 2]}),
            lambda: chainrule.derive(Path("no such file.grad")),
        ):
            self.assertRaises(chainrule.Error, call)

    def test_what_is_doubted_is_a_warning(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            chainrule.derive("param x, y; loss L = log(-exp(x)) + y;")
        self.assertTrue(any("log" in str(one.message) for one in said), said)
        self.assertTrue(all(one.filename == __file__ for one in said), said)

    def test_code_for_every_target(self):
        for target, word in [("numpy", "import numpy"), ("jax", "import jax"), ("torch", "import torch"), ("c", "#include"), ("rust", "fn ")]:
            self.assertIn(word, chainrule.emit(PERCEPTRON, target=target))
        self.assertIn("float32", chainrule.emit(PERCEPTRON, dtype="f32"))

    @wants("numpy")
    def test_a_module_is_loaded(self):
        import numpy as np

        module = chainrule.load(PERCEPTRON)
        x, w = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3])
        value, gradients = module.value_and_grad(w, x, 0.0)
        want = chainrule.eval(PERCEPTRON, {"x": x, "t": 0, "w": w})
        self.assertAlmostEqual(value, want["loss"]["E"], places=14)
        np.testing.assert_allclose(gradients["w"], want["grad"]["E"]["w"], rtol=1e-13)
        with redirect_stdout(io.StringIO()):
            self.assertTrue(module.check_gradient())


@wants("IPython", "numpy")
class Notebooks(unittest.TestCase):
    def setUp(self):
        from IPython.core.interactiveshell import InteractiveShell

        self.shell = InteractiveShell()
        self.shell.run_line_magic("load_ext", "chainrule")

    def test_a_cell_shows_its_derivation(self):
        with redirect_stdout(io.StringIO()):
            ran = self.shell.run_cell("%%chainrule\n" + PERCEPTRON)
        shown, _ = self.shell.display_formatter.format(ran.result)
        self.assertEqual({"text/plain", "text/latex", "text/markdown"}, set(shown))
        self.assertIn("│ (o − t) o (1 − o) x │", shown["text/plain"])
        latex = shown["text/latex"]
        self.assertTrue(latex.startswith("$$\n\\begin{aligned}\n") and latex.endswith("\n\\end{aligned}\n$$"))
        self.assertIn("\\boxed{(o - t)\\,o\\,(1 - o)\\,x}", latex)
        self.assertNotIn("%", latex)

    def test_every_line_of_the_gallery_is_in_latex(self):
        for path in sorted(GALLERY.glob("s*.grad")):
            derivation = chainrule.derive(path)
            self.assertEqual(derivation._repr_latex_().count(" \\\\\n"), derivation.to("latex").count(" \\\\\n"), path)

    def test_a_cell_leaves_a_module(self):
        with redirect_stdout(io.StringIO()):
            self.shell.run_cell("%%chainrule net --notation index\nparam x; loss L = x^3;").raise_error()
            self.shell.run_cell("%%chainrule bare --var x --var a --wrt x --dtype f32\na * x^2\n").raise_error()
            self.shell.run_cell("value, gradients = net.value_and_grad(2.0); _, others = bare.value_and_grad(x=3, a=2)").raise_error()
        known = self.shell.user_ns
        self.assertEqual((known["value"], known["gradients"]["x"], known["others"]["x"]), (8, 12, 12))
        self.assertEqual(str(known["others"]["x"].dtype), "float32")

    def test_what_is_wrong_with_a_cell_is_an_error(self):
        for text, says in [
            ("%%chainrule\nparam x; loss L = y;", "`y` is not declared"),
            ("%%chainrule --stile auto\nparam x; loss L = x;", "--stile"),
            ("%%chainrule 3\nparam x; loss L = x;", "cannot be the name"),
        ]:
            with redirect_stdout(io.StringIO()) as out:
                ran = self.shell.run_cell(text)
            self.assertIsInstance(ran.error_in_exec, chainrule.Error, text)
            self.assertIn(says, out.getvalue())
            self.assertNotIn("Traceback", out.getvalue())


class Pages(unittest.TestCase):
    @wants("numpy")
    def test_what_the_pages_show_is_so(self):
        for page in (ROOT / "docs" / "python.md", ROOT / "python" / "README.md"):
            failed, tried = doctest.testfile(str(page), module_relative=False)
            self.assertGreater(tried, 1, page)
            self.assertEqual(failed, 0, page)


@wants("nbformat")
class Written(unittest.TestCase):
    def test_notebooks_of_the_gallery_are_valid(self):
        import nbformat

        for path in sorted(GALLERY.glob("*.grad")):
            book = nbformat.reads(chainrule.derive(path).to("ipynb"), as_version=nbformat.NO_CONVERT)
            nbformat.validate(book)
            self.assertGreater(len(book.cells), 2, path)
            self.assertIn("    loss ", book.cells[0].source)
            self.assertEqual(book.metadata.kernelspec.name, "python3")

    def test_json_is_what_is_read(self):
        derivation = chainrule.derive(PERCEPTRON)
        self.assertEqual(json.loads(derivation.to("json"))["derivatives"], derivation.derivatives)


if __name__ == "__main__":
    unittest.main()
