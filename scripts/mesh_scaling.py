"""Measures how steps on a mesh scale here: one process and two, each on a core of its own. Prints rows for the guide. See mesh.sh."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "target" / "mesh"
WIDE = """dim B; input X: [B, 784]; target T: [B, 10] one_hot;
param W1: [784, 512], b1: [512], W2: [512, 512], b2: [512], W3: [512, 10], b3: [10];
loss L = cross_entropy(softmax(relu(relu(X @ W1 + b1) @ W2 + b2) @ W3 + b3), T);"""
SECONDS = 0.5
CASES = [("digits", 120), ("digits", 1440), ("wide", 64), ("wide", 256), ("wide", 1024)]


def work(processes, process, port):
    """One process: the times of all cases, of which the first prints."""
    os.sched_setaffinity(0, {process % os.cpu_count()})
    import jax

    if processes > 1:
        jax.distributed.initialize(f"127.0.0.1:{port}", processes, process)
    import importlib

    import numpy as np

    sys.path.insert(0, str(FOLDER))
    mesh = jax.make_mesh((processes,), ("batch",))
    rng = np.random.default_rng(0)
    rows = {}
    for name, batch in CASES:
        module = importlib.import_module(f"scaling_{name}")
        places = module.shardings_on(mesh)
        given = module.example(rng, -0.1, 0.1)
        classes = np.eye(10)[rng.integers(0, 10, batch)]
        given |= {"X": rng.uniform(size=(batch, given["X"].shape[1])), "T": classes}
        put = lambda value, place: jax.make_array_from_callback(value.shape, place, lambda part: value[part])
        given = {key: put(np.asarray(value, module.DTYPE), places[key]) for key, value in given.items()}
        gradient = module.value_and_grad_on(mesh)
        step = timed(lambda: gradient(**given))
        params = sum(given[key].size for key in gradient(**given)[1])
        numbers = put(np.ones((processes, params), module.DTYPE), jax.NamedSharding(mesh, jax.P("batch")))
        total = jax.jit(lambda x: x.sum(0), out_shardings=jax.NamedSharding(mesh, jax.P()))
        rows[f"{name} {batch}"] = {"step": step, "sum": timed(lambda: total(numbers)), "params": params}
    if process == 0:
        print(json.dumps(rows))


def realtime(on):
    """Puts all threads before those of other jobs, or back among them; nothing where that is not allowed."""
    policy, priority = (os.SCHED_RR, 1) if on else (os.SCHED_OTHER, 0)
    for thread in os.listdir("/proc/self/task"):
        try:
            os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
        except PermissionError:
            return


def timed(call):
    """The median time of a call; all processes make the same number of calls."""
    import jax
    from jax.experimental import multihost_utils

    jax.block_until_ready(call())
    began = time.perf_counter()
    for _ in range(3):
        jax.block_until_ready(call())
    count = int(max(5, min(300, SECONDS / ((time.perf_counter() - began) / 3))))
    if jax.process_count() > 1:
        count = int(multihost_utils.broadcast_one_to_all(count))
    times = []
    realtime(True)
    for _ in range(count):
        began = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - began)
    realtime(False)
    return statistics.median(times)


def run(processes, port):
    """The times of all cases with so many processes."""
    command = [sys.executable, __file__, "--worker", str(processes)]
    env = {**os.environ, "JAX_PLATFORMS": "cpu"}
    started = [
        subprocess.Popen([*command, str(process), str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True)
        for process in range(processes)
    ]
    said = [one.communicate(timeout=300)[0] for one in started]
    return json.loads(said[0].splitlines()[-1])


def main():
    """The fastest medians of three rounds."""
    emit = [os.environ["CHAINRULE"], "emit", "--target", "jax"]
    subprocess.run([*emit, ROOT / "examples/digits_mlp.grad", "-o", FOLDER / "scaling_digits.py"], check=True)
    subprocess.run([*emit, "-e", WIDE, "--dtype", "f32", "-o", FOLDER / "scaling_wide.py"], check=True)
    rounds = [(run(1, 0), run(2, 21763 + at)) for at in range(3)]
    for case in rounds[0][0]:
        best = [{what: min(turn[at][case][what] for turn in rounds) for what in ("step", "sum")} for at in (0, 1)]
        one, two = best[0]["step"], best[1]["step"]
        print(
            f"{case}: {rounds[0][0][case]['params']} parameters; one {one * 1e3:.2f} ms, two {two * 1e3:.2f} ms, "
            f"{one / two:.2f} times as fast; the sum alone {best[1]['sum'] * 1e3:.2f} ms"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(*map(int, sys.argv[2:5]))
    else:
        main()
