"""Trains the digits network with JAX on whatever devices there are: the losses are the same on one device, on many, and on many machines.

    chainrule emit examples/digits_mlp.grad --target jax -o digits_jax.py
    python examples/mesh/train.py digits_jax.py

trains in one process on its devices, which are eight if XLA_FLAGS=--xla_force_host_platform_device_count=8 is set. Several processes, on one
machine or on many, are started with the address of the first and their numbers:

    python examples/mesh/train.py digits_jax.py --join 127.0.0.1:8476 --processes 2 --process 0
    python examples/mesh/train.py digits_jax.py --join 127.0.0.1:8476 --processes 2 --process 1

With `--checkpoints FOLDER` (which all processes must see) the state is saved by Orbax, and the same command goes on from what was saved last, on as
many devices as there are then. If a process dies the others stop with a message and exit code 3; if one is silent, JAX ends them after `--patience`.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import digits
import jax
import numpy as np
from digits import MOMENTUM, RATE, TRAINING


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path, help="the module that `chainrule emit --target jax` wrote")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "data" / "digits.csv")
    parser.add_argument("--passes", type=int, default=30, help="over the training samples")
    parser.add_argument("--batch", type=int, default=120, help="samples a step, over all devices")
    parser.add_argument("--join", metavar="HOST:PORT", help="be one of several processes, of which the first listens here")
    parser.add_argument("--processes", type=int, default=1, help="how many they are")
    parser.add_argument("--process", type=int, default=0, help="which of them this is, from 0 on")
    parser.add_argument("--patience", type=int, default=20, help="seconds after which a silent process counts as dead")
    parser.add_argument("--checkpoints", type=Path, help="save the state in this folder, and go on from there")
    parser.add_argument("--every", type=int, default=60, help="steps from one checkpoint to the next")
    parser.add_argument("--losses", type=Path, help="write the loss of each step to this file, as JSON")
    return parser.parse_args()


def start(places):
    """The first state: parameters, and velocities of 0, each where the mesh has it."""
    params = {name: whole(value, places[name]) for name, value in digits.start().items()}
    velocity = {name: whole(np.zeros_like(value), places[name]) for name, value in digits.start().items()}
    return {"params": params, "velocity": velocity}


def whole(value, place):
    """An array that every process knows, of which each device gets its part."""
    return jax.make_array_from_callback(value.shape, place, lambda part: value[part])


@jax.jit
def moved(state, gradients):
    """The state after a step of descent with momentum."""
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, state["velocity"], gradients)
    params = jax.tree.map(lambda p, v: p - RATE * v, state["params"], velocity)
    return {"params": params, "velocity": velocity}


class Checkpoints:
    """States in a folder, by the number of steps that they have seen."""

    def __init__(self, folder, every):
        import orbax.checkpoint as ocp

        options = ocp.CheckpointManagerOptions(max_to_keep=2, save_interval_steps=every, enable_async_checkpointing=False)
        self.manager = ocp.CheckpointManager(folder.absolute(), options=options)
        self.args = ocp.args
        self.outline = lambda state: jax.tree.map(ocp.utils.to_shape_dtype_struct, state)

    def latest(self, state):
        """The state saved last and its steps; without one, the state given and 0."""
        step = self.manager.latest_step()
        if step is None:
            return state, 0
        return self.manager.restore(step, args=self.args.StandardRestore(self.outline(state))), step

    def save(self, step, state):
        """Saves the state if it is time."""
        if self.manager.should_save(step):
            self.manager.save(step, args=self.args.StandardSave(state))


def train(options, network):
    """Trains, and says how it goes."""
    images, classes = digits.samples(options.data)
    first = jax.process_index() == 0
    say = print if first else lambda *_, **__: None
    mesh = jax.make_mesh((jax.device_count(),), ("batch",))
    say(f"{jax.process_count()} processes, {jax.device_count()} devices, {options.batch} samples a step", flush=True)

    gradient = network.value_and_grad_on(mesh)
    places = network.shardings_on(mesh)
    state, done = start(places), 0
    checkpoints = Checkpoints(options.checkpoints, options.every) if options.checkpoints else None
    if checkpoints:
        state, done = checkpoints.latest(state)
        if done:
            say(f"goes on after step {done}", flush=True)

    steps = TRAINING // options.batch
    losses, began = [], time.perf_counter()
    for step in range(done, options.passes * steps):
        # Every process knows the order of all samples, and reads its own rows only.
        rows = digits.rows(step, options.batch)
        batch = {"X": whole(images[rows], places["X"]), "T": whole(classes[rows], places["T"])}
        loss, gradients = gradient(**state["params"], **batch)
        state = moved(state, gradients)
        losses.append(float(loss))
        if checkpoints:
            checkpoints.save(step + 1, state)
        if (step + 1) % steps == 0:
            say(f"pass {(step + 1) // steps}: loss {np.mean(losses[-steps:]):.12f}", flush=True)
    seconds = time.perf_counter() - began

    guess = network.forward(**jax.device_get(state["params"]), X=images[TRAINING:], T=classes[TRAINING:])["Y"]
    right = digits.read_rightly(guess, classes[TRAINING:])
    say(f"{len(losses)} steps in {seconds:.1f} s; of the test samples {right:.3f} are read rightly", flush=True)
    if options.losses and first:
        options.losses.write_text(json.dumps({"first": done, "losses": losses}))


def main():
    """Joins the other processes if there are any, and trains."""
    options = arguments()
    if TRAINING % options.batch:
        raise SystemExit(f"train.py: --batch must divide {TRAINING}, which {options.batch} does not")
    if not options.join:
        train(options, digits.load(options.network))
        return
    try:
        jax.distributed.initialize(
            options.join,
            options.processes,
            options.process,
            initialization_timeout=options.patience,
            heartbeat_timeout_seconds=options.patience,
            shutdown_timeout_seconds=options.patience,
        )
        train(options, digits.load(options.network))
    except Exception as error:
        # Whatever it is: the others would wait for this one.
        why = (str(error) or type(error).__name__).splitlines()[0]
        print(f"train.py: process {options.process} of {options.processes} stops: {why}", file=sys.stderr)
        print("train.py: if another process died, start all of them again; they go on from the last checkpoint", file=sys.stderr)
        sys.stderr.flush()
        # Leaving in order would wait for the processes that are gone.
        os._exit(3)


if __name__ == "__main__":
    main()
