#!/usr/bin/env python3
"""Times emitted JAX and PyTorch beside the libraries' own differentiation of the same losses.

    benches/engines.py jax|torch [ROUNDS] [--eager] [--processor]

`CHAINRULE` names the command (default: `target/release/chainrule`). Values and gradients are compared first. The sides take turns
in every round, and another one begins each; a ratio is the median over rounds of the ratio within a round. `--processor` takes the time
of this process alone, as others on the machine disturb it less: of one thread, which PyTorch has here.
"""

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

PROGRAMS = {
    "W3": (25, (64, 20, 20, 10), "sigmoid"),
    "W6": (256, (784, 512, 512, 10), "relu"),
}


def program(sizes, act):
    """The network in the language, the softmax and its cross-entropy in one."""
    lines = [f"dim B; input x: [B, {sizes[0]}]; target t: [B, {sizes[-1]}] one_hot;"]
    layers = list(zip(sizes, sizes[1:]))
    for k, (n, m) in enumerate(layers, 1):
        lines.append(f"param W{k}: [{n}, {m}], b{k}: [{m}];")
    value = "x"
    for k in range(1, len(layers)):
        lines.append(f"h{k} = {act}({value} @ W{k} + b{k});")
        value = f"h{k}"
    lines.append(f"z = {value} @ W{len(layers)} + b{len(layers)};")
    lines.append("loss E = mean(softmax_cross_entropy(z, t));")
    return "\n".join(lines)


def emitted(text, target, folder, name):
    """The module that is emitted for a program."""
    command = os.environ.get("CHAINRULE", "target/release/chainrule")
    out = os.path.join(folder, f"{name}.py")
    subprocess.run([command, "emit", "-e", text, "--target", target, "--dtype", "f32", "-o", out], check=True)
    return importlib.import_module(name)


def point(batch, sizes):
    """Parameters, inputs and one-hot targets."""
    rng = np.random.default_rng(1)
    params = []
    for n, m in zip(sizes, sizes[1:]):
        params += [rng.normal(0, n**-0.5, (n, m)), rng.normal(0, 0.1, m)]
    x = rng.normal(0, 1, (batch, sizes[0]))
    t = np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
    return [np.asarray(value, np.float32) for value in (*params, x, t)]


def jax_sides(module, act, arguments):
    """What JAX differentiates itself, and what is emitted: compiled functions of the arguments."""
    import jax
    import jax.numpy as jnp

    function = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}[act]
    count = len(arguments) - 2

    def own(*arguments):
        *params, x, t = arguments
        for k in range(0, count - 2, 2):
            x = function(x @ params[k] + params[k + 1])
        z = x @ params[-2] + params[-1]
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(z), axis=1))

    arguments = [jnp.asarray(value) for value in arguments]
    places = tuple(range(count))
    sides = {
        "JAX": jax.jit(jax.value_and_grad(own, places)),
        "value_and_grad": jax.jit(module.value_and_grad),
        "jax.grad of loss": jax.jit(jax.value_and_grad(module.loss, places)),
    }
    return {name: lambda run=run: jax.block_until_ready(run(*arguments)) for name, run in sides.items()}


def torch_sides(module, act, arguments):
    """The same of PyTorch, eager and compiled."""
    import torch

    # On a busy machine threads wait for each other longer than they work.
    torch.set_num_threads(1)
    function = {"sigmoid": torch.sigmoid, "relu": torch.relu}[act]
    count = len(arguments) - 2
    arguments = [torch.tensor(value) for value in arguments]
    params = [value.requires_grad_() for value in arguments[:count]]

    def own(*arguments):
        *params, x, t = arguments
        for k in range(0, count - 2, 2):
            x = function(x @ params[k] + params[k + 1])
        z = x @ params[-2] + params[-1]
        return torch.nn.functional.cross_entropy(z, t)

    def by_backward(loss):
        def run():
            value = loss(*arguments)
            return value, torch.autograd.grad(value, params)

        return run

    sides = {
        "PyTorch": by_backward(own),
        "value_and_grad": lambda: module.value_and_grad(*[value.detach() for value in arguments]),
        "backward of loss": by_backward(module.loss),
    }
    if "--eager" not in sys.argv:
        sides["PyTorch, compiled"] = by_backward(torch.compile(own))
        sides["backward of loss, compiled"] = by_backward(torch.compile(module.loss))
    return sides


def numbers(result):
    """A value and its gradients as arrays."""
    value, gradients = result
    if isinstance(gradients, dict):
        gradients = [gradients[name] for name in sorted(gradients, key=lambda name: (name[1:], name))]
    names = [np.asarray(getattr(one, "detach", lambda one=one: one)()) for one in (value, *gradients)]
    return names


def main():
    target, rounds = sys.argv[1], int(next(iter(filter(str.isdigit, sys.argv[2:])), 15))
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        for name, (batch, sizes, act) in PROGRAMS.items():
            module = emitted(program(sizes, act), target, folder, f"{name.lower()}_{target}")
            sides = {"jax": jax_sides, "torch": torch_sides}[target](module, act, point(batch, sizes))
            first, *others = sides
            want = numbers(sides[first]())
            for other in others:
                for got, right in zip(numbers(sides[other]()), want, strict=True):
                    np.testing.assert_allclose(got, right, rtol=2e-4, atol=2e-6)
            times = {side: [] for side in sides}
            repeats = 200 if name == "W3" else 3
            clock = time.process_time if "--processor" in sys.argv else time.perf_counter
            for number in range(rounds):
                names = list(sides)
                first_of_round = number % len(names)
                for side in names[first_of_round:] + names[:first_of_round]:
                    run = sides[side]
                    run()
                    start = clock()
                    for _ in range(repeats):
                        run()
                    times[side].append((clock() - start) / repeats * 1e6)
            for side in sides:
                base = "PyTorch, compiled" if side.endswith(", compiled") else first
                ratio = statistics.median(a / b for a, b in zip(times[side], times[base]))
                print(f"{name} | {side} | {statistics.median(times[side]):.0f} µs | {ratio:.2f}", flush=True)


main()
