"""Trains the digits network with PyTorch, alone or as several processes: the losses are the same.

    chainrule emit examples/digits_mlp.grad --target torch -o digits_torch.py
    python examples/mesh/train_torch.py digits_torch.py
    torchrun --nproc-per-node 2 examples/mesh/train_torch.py digits_torch.py

With `--checkpoints FOLDER` (which all processes must see) the state is saved there, and the same command goes on from what was saved last. If a process
dies torchrun ends the others; with `--max-restarts 3` it starts all of them again.
"""

import argparse
import json
import os
import time
from pathlib import Path

import digits
import numpy as np
import torch
import torch.distributed as dist
from digits import MOMENTUM, RATE, TRAINING


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path, help="the module that `chainrule emit --target torch` wrote")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "data" / "digits.csv")
    parser.add_argument("--passes", type=int, default=30, help="over the training samples")
    parser.add_argument("--batch", type=int, default=120, help="samples a step, over all processes")
    parser.add_argument("--checkpoints", type=Path, help="save the state in this folder, and go on from there")
    parser.add_argument("--every", type=int, default=60, help="steps from one checkpoint to the next")
    parser.add_argument("--losses", type=Path, help="write the loss of each step to this file, as JSON")
    return parser.parse_args()


def mean(loss, gradients):
    """The mean over all processes, which have as many samples each: of a mean over samples that is the loss of all, and its gradient."""
    if not dist.is_initialized():
        return loss, gradients
    # One message for everything costs one latency.
    everything = torch.cat([loss.reshape(1), *(gradient.reshape(-1) for gradient in gradients.values())])
    dist.all_reduce(everything)
    parts = torch.split(everything / dist.get_world_size(), [1, *(gradient.numel() for gradient in gradients.values())])
    return parts[0][0], {name: part.reshape(gradients[name].shape) for name, part in zip(gradients, parts[1:])}


def latest(folder):
    """The newest checkpoint."""
    found = sorted(folder.glob("*.pt"), key=lambda path: int(path.stem)) if folder and folder.exists() else []
    return found[-1] if found else None


def save(folder, step, state):
    """Writes a checkpoint that is there whole or not at all, and drops those before the last two."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "unfinished"
    torch.save(state, unfinished)
    unfinished.rename(folder / f"{step}.pt")
    for old in sorted(folder.glob("*.pt"), key=lambda path: int(path.stem))[:-2]:
        old.unlink()


def train(options, network, rank, processes):
    """Trains, and says how it goes."""
    images, classes = digits.samples(options.data)
    say = print if rank == 0 else lambda *_, **__: None
    say(f"{processes} processes, {options.batch} samples a step", flush=True)
    params = {name: torch.from_numpy(value) for name, value in digits.start().items()}
    velocity = {name: torch.zeros_like(value) for name, value in params.items()}
    done = 0
    if checkpoint := latest(options.checkpoints):
        saved = torch.load(checkpoint)
        params, velocity, done = saved["params"], saved["velocity"], int(checkpoint.stem)
        say(f"goes on after step {done}", flush=True)

    steps = TRAINING // options.batch
    losses, began = [], time.perf_counter()
    for step in range(done, options.passes * steps):
        own = digits.rows(step, options.batch)[rank::processes]
        loss, gradients = mean(*network.value_and_grad(**params, X=images[own], T=classes[own]))
        for name, gradient in gradients.items():
            velocity[name] = MOMENTUM * velocity[name] + gradient
            params[name] = params[name] - RATE * velocity[name]
        losses.append(float(loss))
        if rank == 0 and options.checkpoints and (step + 1) % options.every == 0:
            save(options.checkpoints, step + 1, {"params": params, "velocity": velocity})
        if (step + 1) % steps == 0:
            say(f"pass {(step + 1) // steps}: loss {np.mean(losses[-steps:]):.12f}", flush=True)
    seconds = time.perf_counter() - began

    answers = network.forward(**params, X=images[TRAINING:], T=classes[TRAINING:])["Y"]
    right = digits.read_rightly(answers.numpy(), classes[TRAINING:])
    say(f"{len(losses)} steps in {seconds:.1f} s; of the test samples {right:.3f} are read rightly", flush=True)
    if options.losses and rank == 0:
        options.losses.write_text(json.dumps({"first": done, "losses": losses}))


def main():
    """Joins the other processes if torchrun started any, and trains."""
    options = arguments()
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if TRAINING % options.batch or options.batch % processes:
        raise SystemExit(f"train_torch.py: --batch must divide {TRAINING}, and {processes} processes must share it evenly")
    # Processes of one machine would take each other's cores.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
    if processes > 1:
        dist.init_process_group("gloo")
    train(options, digits.load(options.network), rank, processes)
    if processes > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
