"""Runs the emitted modules m0, m1, … beside this file on one and on eight devices; a line for each difference from one call."""

import importlib
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import numpy as np


def grown(module, batch):
    """Arguments whose batch is eight times that of the example."""
    drawn = [module.example(np.random.default_rng(seed)) for seed in range(8)]
    arguments = dict(drawn[0])
    for name, axes in module._AXES.items():
        if batch in axes:
            arguments[name] = np.concatenate([one[name] for one in drawn], axis=axes.index(batch))
    return arguments


def compare(where, got, want):
    """A line where two arrays differ by more than 1e-12 of the larger of their size and 1."""
    got, want = np.asarray(got), np.asarray(want)
    size = max(1, np.max(np.abs(want), initial=0))
    if got.shape != want.shape or not np.allclose(got, want, rtol=0, atol=1e-12 * size):
        print(f"WRONG {where}: {got.ravel()[:4]} for {want.ravel()[:4]}")


def run(name):
    """One module."""
    module = importlib.import_module(name)
    batch = module.shardings_on.__defaults__[0]
    arguments = grown(module, batch)
    for function in module._GRADIENTS.values():
        on = getattr(module, f"{function.__name__}_on")
        value, gradients = jax.jit(function)(**arguments)
        for devices in (1, 8):
            mesh = jax.make_mesh((devices,), ("rows",), devices=jax.devices()[:devices])
            got, found = on(mesh)(*arguments.values())
            where = f"{name} {function.__name__} on {devices}"
            compare(where, got, value)
            for by, gradient in gradients.items():
                compare(f"{where} by {by}", found[by], gradient)
                if len(found[by].sharding.device_set) != devices:
                    print(f"WRONG {where} by {by}: it is on {found[by].sharding}")


def refused(call, says):
    """A line where a call does not fail with these words."""
    try:
        call()
    except ValueError as error:
        if says not in str(error):
            print(f"WRONG {error}, where it should say: {says}")
    else:
        print(f"WRONG nothing is refused, where it should say: {says}")


def choices(name):
    """Parameters in pieces, a call within `jit`, and what is refused."""
    module = importlib.import_module(name)
    mesh = jax.make_mesh((4, 2), ("rows", "units"))
    arguments = grown(module, "B")
    value, gradients = jax.jit(module.value_and_grad)(**arguments)
    pieces = module.value_and_grad_on(mesh, specs={"W": jax.P(None, "units")})
    for call in (pieces, jax.jit(pieces), module.value_and_grad_on(mesh, batch="N")):
        got, found = call(**arguments)
        compare("choices", got, value)
        compare("choices by W", found["W"], gradients["W"])
    if pieces(**arguments)[1]["W"].sharding.spec != jax.P(None, "units"):
        print("WRONG the gradient of W is not where W is")
    spread = [place.spec for place in module.shardings_on(mesh).values()]
    if spread != [jax.P(), jax.P(), jax.P("rows"), jax.P("rows")]:
        print(f"WRONG {spread}")
    short = {**arguments, "x": arguments["x"][:3]}
    refused(lambda: pieces(**short), "x has shape (3, 4): 4 devices cannot share axis 0 of it evenly")
    refused(lambda: module.shardings_on(mesh, batch="K"), "no argument has an axis of size 'K'")
    refused(lambda: module.shardings_on(mesh, specs={"V": jax.P()}), "specs names V, which is not an argument")
    refused(lambda: pieces(**{**arguments, "b": arguments["x"]}), "b has 2 axes, but is declared with 1")


def main():
    for name in sys.argv[1:]:
        try:
            run(name)
        except Exception as error:
            print(f"WRONG {name}: {type(error).__name__}: {error}")
    choices("choices")
    print("done")


main()
