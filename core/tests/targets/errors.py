"""Whether errors of a module name the argument, what it has and what is wanted; a line for each that does not."""

import net
import numpy as np

library = "jax" if hasattr(net, "jax") else "torch" if hasattr(net, "torch") else "numpy"
good = {"E": [1.0, 2.0], "W": [0.0] * 5, "a": 1.0, "x": [[1.0, 2.0]], "k": [0], "M": 3}
cases = [
    ({"x": [[1.0, 2.0, 3.0]]}, "x has shape (1, 3), but [B, N] is (1, 2) here"),
    ({"W": [0.0] * 4}, "W has shape (4,), but [2*N + 1] is (5,) here"),
    ({"k": [0, 1]}, "k has shape (2,), but [B] is (1,) here"),
    ({"E": [[1.0, 2.0]]}, "E has 2 axes, but is declared with 1"),
    ({"a": [1.0]}, "a has 1 axes, but is declared with 0"),
    ({"k": 0}, "k has 0 axes, but is declared with 1"),
    ({"k": [-1]}, "k has entries that are not whole numbers from 0 on"),
    ({"k": [0.5]}, "k has entries"),
    ({"k": [True]}, "k has entries of type"),
    ({"x": [[1.0, 2j]]}, "x has entries of type"),
    ({"x": "letters"}, "x "),
    ({"x": [[1.0, 2.0], [3.0]]}, "x is not an array of numbers"),
    ({"W": None}, "W "),
    ({"E": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")}, "E "),
    ({"M": -1}, "M is -1, but a whole number from 0 on is wanted"),
    ({"M": 2.5}, "M is 2.5, but a whole number from 0 on is wanted"),
    ({"M": "3"}, "M is '3', but a whole number from 0 on is wanted"),
    ({"M": None}, "M is None, but a whole number from 0 on is wanted"),
    ({"x": [[1.0]], "E": [1.0], "W": [0.0] * 3}, "N is below 2: a position is outside"),
]
calls = [("loss", net.loss), ("value_and_grad", net.value_and_grad), ("forward", net.forward)]


def given(value):
    """A value as the library's users have it."""
    if library == "numpy" or not isinstance(value, (list, float)):
        return value
    try:
        return net.jnp.asarray(value) if library == "jax" else net.torch.tensor(value)
    except (TypeError, ValueError):
        return value


def all_given(change):
    """All arguments; sizes are numbers of Python."""
    return {key: value if key == "M" else given(value) for key, value in {**good, **change}.items()}


def judge(name, call, change, said):
    """A line where an error does not say this."""
    arguments = all_given(change)
    try:
        call(**arguments)
    except ValueError as error:
        if said not in str(error):
            print(f"WRONG {name} {change}: {error}")
    except Exception as error:
        print(f"WRONG {name} {change}: {type(error).__name__}: {error}")
    else:
        print(f"WRONG {name} {change}: accepted")


for name, call in calls:
    for change, said in cases:
        judge(name, call, change, said)
# A row that is not there is no other row.
arguments = all_given({"k": [2]})
if library == "jax":
    jitted = net.jax.jit(net.value_and_grad, static_argnames=["M"])
    for change, said in cases[:6]:
        judge("jit", jitted, change, said)
    for call in (net.value_and_grad, jitted):
        for k in ([2], [2**40], [-1]):
            arguments["k"] = given(k)
            if k != [-1] or call is jitted:
                value = call(**arguments)[0]
                if not np.isnan(value):
                    print(f"WRONG row {k}: {value}")
else:
    try:
        net.value_and_grad(**arguments)
    except IndexError:
        pass
    else:
        print("WRONG row [2]: accepted")
# Whole numbers of any type, and sizes too.
for call in (net.loss, net.forward):
    call(**all_given({"k": np.array([0], dtype=np.uint64), "M": np.int64(3)}))
print("done")
