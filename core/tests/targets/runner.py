"""Runs the emitted modules p0, p1, … beside this file and compares them with cases.json; a line for each difference."""

import contextlib
import importlib
import inspect
import io
import json
import os
import time
import warnings

import numpy as np

# What is compiled to be run once need not be fast.
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
try:
    import jax
    import jax.numpy as jnp
except ImportError:
    pass
try:
    import torch
except ImportError:
    pass

ALL = "CHAINRULE_ALL_PROGRAMS" in os.environ
# The type of numbers that modules compute with now.
WANTED = "float64"


def read(value):
    """An array of the file."""
    if not isinstance(value, dict):
        return value
    data = [float(x) if isinstance(x, str) else x for x in value["data"]]
    dtype = np.int64 if value["int"] else np.float64
    return np.array(data, dtype=dtype).reshape(value["shape"])


def compare(where, got, want):
    """A line where two arrays differ: among numbers of 64 bits by more than 1e-10, by PyTorch's functions 1e-9, of 32 bits by 1e-4 of the
    largest."""
    most = 1e-9 if hasattr(got, "detach") else 1e-10
    want = np.asarray(read(want), dtype=np.float64)
    dtype = getattr(got, "dtype", None)
    got = np.asarray(got.detach() if hasattr(got, "detach") else got)
    room = most * (1 + np.abs(want))
    if "float32" in WANTED:
        # What 32 bits cannot hold is infinite there, or 0.
        want = want.astype(np.float32)
        finite = np.abs(want[np.isfinite(want)])
        room = 1e-4 * max(finite.max() if finite.size else 0, 1e-3)
    if WANTED not in str(dtype):
        print(f"WRONG {where}: its numbers are {dtype}")
    if got.shape != want.shape:
        print(f"WRONG {where}: shape {got.shape} for {want.shape}")
    elif not np.all((np.abs(got - want) <= room) | (got == want) | (np.isnan(got) & np.isnan(want))):
        print(f"WRONG {where}: {got.ravel()[:8]} for {want.ravel()[:8]}")


def through(module, loss, arguments, places):
    """The gradients that the library's own differentiation of a loss gives, by the arguments at these places."""
    if not places:
        return []
    if module == "jnp":
        return jax.grad(loss, argnums=tuple(places))(*arguments)
    arguments = [
        torch.tensor(x, requires_grad=True, dtype=getattr(torch, WANTED)) if at in places else x
        for at, x in enumerate(arguments)
    ]
    # What the loss is multiplied by later is divided out again without rounding.
    (4 * loss(*arguments)).backward()
    return [arguments[at].grad / 4 for at in places]


def results(module, case, arguments, directions):
    """Everything that a module computes."""
    losses = []
    for function in module._GRADIENTS.values():
        value, gradients = function(*arguments)
        losses.append((value, list(gradients.values())))
    values, attached, asked = [], [], []
    for (of, gradients), (_, by) in zip(case["every"], case["losses"], strict=True):
        loss = module.loss if len(case["every"]) == 1 else getattr(module, f"loss_{of}")
        values.append(loss(*arguments))
        if case["module"] != "np":
            attached.append(through(case["module"], loss, arguments, [at for at, _ in gradients]))
            places = [at for at, _ in by] if case["module"] == "torch" else []
            asked.append(through(case["module"], loss, arguments, places))
    further = []
    for (name, by, _, _), given in zip(case["requests"], directions, strict=True):
        result = getattr(module, name)(*arguments, *given)
        further.append(result[by] if isinstance(result, dict) else result)
    return module.forward(*arguments), losses, values, attached, asked, further


def compiled(function, arguments, directions):
    """The same by one program of XLA, which is compiled sooner than many small ones; sizes are no arrays."""
    places = [at for at, x in enumerate(arguments) if not isinstance(x, int)]

    def of_arrays(arrays, directions):
        all = list(arguments)
        for at, array in zip(places, arrays, strict=True):
            all[at] = array
        return function(all, directions)

    return jax.jit(of_arrays)([jnp.asarray(arguments[at]) for at in places], directions)


def of_model(model, case, arguments):
    """The losses that a module of PyTorch gives which holds the parameters, in a list."""
    sizes = inspect.signature(model).parameters
    model = model(*[case["sizes"][name.rstrip("_")] for name in sizes])
    held = list(model.parameters())
    if not all(torch.all(torch.isfinite(param)) for param in held):
        return [np.nan]
    with torch.no_grad():
        for param, value in zip(held, arguments):
            param.copy_(torch.as_tensor(value))
    value = model(*arguments[len(held) :])
    return list(value.values()) if isinstance(value, dict) else [value]


def run(number, case):
    """One module, with numbers of the type that is wanted."""
    module = importlib.import_module(f"p{number}")
    module.DTYPE = getattr({"np": np, "jnp": np}.get(case["module"]) or torch, WANTED)
    where = f"{number} {case['program'][:300]!r} ({WANTED})"
    arguments = [read(value) for value in case["arguments"]]
    directions = [list(map(read, given)) for _, _, given, _ in case["requests"]]

    def everything(arguments, directions):
        return results(module, case, arguments, directions)

    if case["module"] == "jnp":
        found = compiled(everything, arguments, directions)
    else:
        found = everything(arguments, directions)
    forward, losses, values, attached, asked, further = found
    for name, want in case["forward"].items():
        compare(f"{where} {name}", forward[name], want)
    for of, (got, found), (value, grads) in zip(module._GRADIENTS, losses, case["losses"], strict=True):
        compare(f"{where} value {of}", got, value)
        for gradient, (at, want) in zip(found, grads, strict=True):
            compare(f"{where} gradient {at} of {of}", gradient, want)
    for (of, gradients), got, found in zip(case["every"], values, attached or values):
        compare(f"{where} loss {of}", got, case["forward"][of])
        for (at, want), gradient in zip(gradients, found if attached else []):
            compare(f"{where} d {of} by argument {at}", gradient, want)
    for (of, _), found, (_, grads) in zip(case["every"], asked, case["losses"]):
        for gradient, (at, want) in zip(found, grads):
            compare(f"{where} d {of} by argument {at} alone", gradient, want)
    for (name, by, _, want), got in zip(case["requests"], further, strict=True):
        compare(f"{where} {name} {by}", got, want)
    # PyTorch does not start matrices without entries.
    if case["module"] == "torch" and hasattr(module, "Model") and 0 not in case["sizes"].values():
        found = of_model(module.Model, case, arguments)
        for got, (want, _) in zip(found, case["losses"], strict=True):
            compare(f"{where} by a module", got, want)
    # What differentiates by JAX or PyTorch takes seconds for each program.
    if WANTED == "float64" and case["check"] and (case["module"] == "np" or number % 25 == 0 or ALL):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            good = module.check_gradient()
        if not good:
            print(f"WRONG check {where}: {said.getvalue()}")


def main():
    global WANTED
    warnings.simplefilter("ignore")
    with open("cases.json", encoding="utf-8") as file:
        cases = json.load(file)
    for number, case in enumerate(cases):
        start = time.time()
        # JAX compiles for each type anew.
        few = case["module"] == "jnp" and not (ALL or number % 6 == 0 or case["extreme"])
        for WANTED in ["float64"] if few else ["float64", "float32"]:
            if case["module"] == "jnp":
                jax.config.update("jax_enable_x64", WANTED == "float64")
            try:
                run(number, case)
            except Exception as error:
                print(f"WRONG {number} {case['program'][:300]!r} ({WANTED}): {type(error).__name__}: {error}")
        if time.time() - start > 5 and ALL:
            print(f"SLOW {number} {time.time() - start:.1f} {case['program'][:100]!r}")
    print("done")


main()
