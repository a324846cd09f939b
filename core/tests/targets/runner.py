"""Runs the emitted modules p0, p1, … beside this file and compares them with cases.json; a line for each difference."""

import contextlib
import importlib
import io
import json
import warnings

import numpy as np


def read(value):
    """An array of the file."""
    if not isinstance(value, dict):
        return value
    data = [float(x) if isinstance(x, str) else x for x in value["data"]]
    dtype = np.int64 if data and all(isinstance(x, int) for x in data) else np.float64
    return np.array(data, dtype=dtype).reshape(value["shape"])


def compare(where, got, want):
    """A line where two arrays differ by more than 1e-10."""
    want = np.asarray(read(want), dtype=np.float64)
    dtype = getattr(got, "dtype", None)
    got = np.asarray(got.detach() if hasattr(got, "detach") else got)
    if "float64" not in str(dtype):
        print(f"WRONG {where}: its numbers are {dtype}")
    if got.shape != want.shape:
        print(f"WRONG {where}: shape {got.shape} for {want.shape}")
    elif not np.all((np.abs(got - want) <= 1e-10 * (1 + np.abs(want))) | (got == want) | (np.isnan(got) & np.isnan(want))):
        print(f"WRONG {where}: {got.ravel()[:8]} for {want.ravel()[:8]}")


def run(number, case):
    """One module."""
    module = importlib.import_module(f"p{number}")
    where = f"{number} {case['program'][:300]!r}"
    arguments = [read(value) for value in case["arguments"]]
    results = module.forward(*arguments)
    for name, want in case["forward"].items():
        compare(f"{where} {name}", results[name], want)
    for (of, function), (value, grads) in zip(module._GRADIENTS.items(), case["losses"], strict=True):
        got, found = function(*arguments)
        compare(f"{where} value {of}", got, value)
        for (by, gradient), want in zip(found.items(), grads, strict=True):
            compare(f"{where} d {of} / d {by}", gradient, want)
    for name, by, directions, want in case["requests"]:
        result = getattr(module, name)(*arguments, *map(read, directions))
        compare(f"{where} {name} {by}", result[by] if isinstance(result, dict) else result, want)
    if case["check"]:
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
        try:
            run(number, case)
        except Exception as error:
            print(f"WRONG {number} {case['program'][:300]!r}: {type(error).__name__}: {error}")
    print("done")


main()
