"""Runs the emitted modules p0, p1, … beside this file and compares them with cases.json; a line for each difference."""

import contextlib
import importlib
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


def read(value):
    """An array of the file."""
    if not isinstance(value, dict):
        return value
    data = [float(x) if isinstance(x, str) else x for x in value["data"]]
    dtype = np.int64 if data and all(isinstance(x, int) for x in data) else np.float64
    return np.array(data, dtype=dtype).reshape(value["shape"])


def compare(where, got, want):
    """A line where two arrays differ by more than 1e-10, by PyTorch's functions 1e-9."""
    most = 1e-9 if hasattr(got, "detach") else 1e-10
    want = np.asarray(read(want), dtype=np.float64)
    dtype = getattr(got, "dtype", None)
    got = np.asarray(got.detach() if hasattr(got, "detach") else got)
    if "float64" not in str(dtype):
        print(f"WRONG {where}: its numbers are {dtype}")
    if got.shape != want.shape:
        print(f"WRONG {where}: shape {got.shape} for {want.shape}")
    elif not np.all(
        (np.abs(got - want) <= most * (1 + np.abs(want))) | (got == want) | (np.isnan(got) & np.isnan(want))
    ):
        print(f"WRONG {where}: {got.ravel()[:8]} for {want.ravel()[:8]}")


def through(module, loss, arguments, places):
    """The gradients that the library's own differentiation of a loss gives, by the arguments at these places."""
    if not places:
        return []
    if module == "jnp":
        return jax.grad(loss, argnums=tuple(places))(*arguments)
    arguments = [
        torch.tensor(x, requires_grad=True, dtype=torch.float64) if at in places else x
        for at, x in enumerate(arguments)
    ]
    loss(*arguments).backward()
    return [arguments[at].grad for at in places]


def results(module, case, arguments, directions):
    """Everything that a module computes."""
    losses = []
    for function in module._GRADIENTS.values():
        value, gradients = function(*arguments)
        losses.append((value, list(gradients.values())))
    values, attached = [], []
    for of, gradients in case["every"]:
        loss = module.loss if len(case["every"]) == 1 else getattr(module, f"loss_{of}")
        values.append(loss(*arguments))
        if case["module"] != "np":
            attached.append(through(case["module"], loss, arguments, [at for at, _ in gradients]))
    further = []
    for (name, by, _, _), given in zip(case["requests"], directions, strict=True):
        result = getattr(module, name)(*arguments, *given)
        further.append(result[by] if isinstance(result, dict) else result)
    return module.forward(*arguments), losses, values, attached, further


def compiled(function, arguments, directions):
    """The same by one program of XLA, which is compiled sooner than many small ones; sizes are no arrays."""
    places = [at for at, x in enumerate(arguments) if not isinstance(x, int)]

    def of_arrays(arrays, directions):
        all = list(arguments)
        for at, array in zip(places, arrays, strict=True):
            all[at] = array
        return function(all, directions)

    return jax.jit(of_arrays)([jnp.asarray(arguments[at]) for at in places], directions)


def run(number, case):
    """One module."""
    module = importlib.import_module(f"p{number}")
    where = f"{number} {case['program'][:300]!r}"
    arguments = [read(value) for value in case["arguments"]]
    directions = [list(map(read, given)) for _, _, given, _ in case["requests"]]

    def everything(arguments, directions):
        return results(module, case, arguments, directions)

    if case["module"] == "jnp":
        found = compiled(everything, arguments, directions)
    else:
        found = everything(arguments, directions)
    forward, losses, values, attached, further = found
    for name, want in case["forward"].items():
        compare(f"{where} {name}", forward[name], want)
    for of, (got, found), (value, grads) in zip(module._GRADIENTS, losses, case["losses"], strict=True):
        compare(f"{where} value {of}", got, value)
        for at, (gradient, want) in enumerate(zip(found, grads, strict=True)):
            compare(f"{where} gradient {at} of {of}", gradient, want)
    for (of, gradients), got, found in zip(case["every"], values, attached or values):
        compare(f"{where} loss {of}", got, case["forward"][of])
        for (at, want), gradient in zip(gradients, found if attached else []):
            compare(f"{where} d {of} by argument {at}", gradient, want)
    for (name, by, _, want), got in zip(case["requests"], further, strict=True):
        compare(f"{where} {name} {by}", got, want)
    # What differentiates by JAX or PyTorch takes seconds for each program.
    if case["check"] and (case["module"] == "np" or number % 25 == 0 or ALL):
        kept = module.DTYPE
        module.DTYPE = {"np": np.float32}.get(case["module"], kept)
        for name, value in module.forward(*arguments).items():
            if value.dtype != module.DTYPE:
                print(f"WRONG {where} {name}: {value.dtype} among numbers of 32 bits")
        for of, function in module._GRADIENTS.items():
            for by, value in function(*arguments)[1].items():
                if value.dtype != module.DTYPE:
                    print(f"WRONG {where} d {of} / d {by}: {value.dtype} among numbers of 32 bits")
        module.DTYPE = kept
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            good = module.check_gradient()
        if not good:
            print(f"WRONG check {where}: {said.getvalue()}")


def main():
    warnings.simplefilter("ignore")
    with open("cases.json", encoding="utf-8") as file:
        cases = json.load(file)
    for number, case in enumerate(cases):
        start = time.time()
        try:
            run(number, case)
        except Exception as error:
            print(f"WRONG {number} {case['program'][:300]!r}: {type(error).__name__}: {error}")
        if time.time() - start > 5 and ALL:
            print(f"SLOW {number} {time.time() - start:.1f} {case['program'][:100]!r}")
    print("done")


main()
