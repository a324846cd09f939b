"""Runs examples/mesh/train.py as its users would, and compares: one device, eight, several processes, interrupted and killed. See mesh.sh."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "target" / "mesh"
PATIENCE = 10


def free_port():
    """A port of loopback that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def environment(devices):
    """The environment of a process that sees so many devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    return {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}


class Run:
    """A training: its processes and what they print."""

    def __init__(self, name, *options, devices=1, processes=1):
        self.losses = FOLDER / f"{name}.json"
        self.losses.unlink(missing_ok=True)
        self.logs = [FOLDER / f"{name}.{process}.log" for process in range(processes)]
        command = [sys.executable, "-u", ROOT / "examples/mesh/train.py", FOLDER / "digits_jax.py", "--losses", self.losses, *options]
        if processes > 1:
            command += ["--join", f"127.0.0.1:{free_port()}", "--processes", str(processes), "--patience", str(PATIENCE)]
        self.processes = []
        for process, log in enumerate(self.logs):
            own = ["--process", str(process)] if processes > 1 else []
            with open(log, "w") as out:
                one = subprocess.Popen([*command, *own], stdout=out, stderr=out, env=environment(devices))
            self.processes.append(one)

    def said(self):
        """What the processes have printed."""
        return "\n".join(log.read_text() for log in self.logs)

    def waits_for(self, words):
        """Until the first process has said something."""
        for _ in range(600):
            if words in self.logs[0].read_text():
                return
            time.sleep(0.1)
        self.give_up(f"nobody says {words!r}")

    def give_up(self, why):
        """Ends everything with an error."""
        for process in self.processes:
            process.kill()
        raise SystemExit(f"mesh.py: {why}\n{self.said()}")

    def codes(self, seconds=120):
        """The exit codes, in time."""
        end = time.monotonic() + seconds
        try:
            return [process.wait(max(0.1, end - time.monotonic())) for process in self.processes]
        except subprocess.TimeoutExpired:
            self.give_up(f"a process has not ended after {seconds} s")

    def result(self):
        """The number of the first step and the losses."""
        if any(self.codes()):
            self.give_up("a process has failed")
        found = json.loads(self.losses.read_text())
        return found["first"], found["losses"]


def compare(what, run, whole):
    """The losses of a run are those of the uninterrupted one."""
    first, losses = run.result()
    want = whole[first : first + len(losses)]
    worst = max(abs(one - other) / abs(other) for one, other in zip(losses, want, strict=True))
    print(f"{what}: steps {first + 1} to {first + len(losses)}, largest relative difference {worst:.1e}", flush=True)
    if not worst <= 1e-6:
        run.give_up("the losses differ")


def ends_cleanly(name, victim, signal_, *options):
    """A process dies, or is silent; the others end soon, with a message and an exit code."""
    run = Run(name, "--passes", "5000", *options, processes=3)
    run.waits_for("pass 3:")
    began = time.monotonic()
    run.processes[victim].send_signal(signal_)
    others = [process for at, process in enumerate(run.processes) if at != victim]
    for process in others:
        try:
            process.wait(3 * PATIENCE)
        except subprocess.TimeoutExpired:
            run.give_up("the others do not notice")
    seconds = time.monotonic() - began
    run.processes[victim].kill()
    codes = [process.returncode for process in others]
    # 3 is said by train.py; JAX itself ends a process that lost its coordinator by SIGABRT.
    for at, log in enumerate(run.logs):
        if at != victim and not (run.processes[at].returncode in (3, -signal.SIGABRT) and "died" in log.read_text()):
            run.give_up(f"process {at} ends with {run.processes[at].returncode}")
    print(f"{name}: the others end after {seconds:.1f} s with codes {codes}", flush=True)


def main():
    short = "--short" in sys.argv
    passes = ["--passes", "3" if short else "12"]
    one = Run("one", *passes)
    _, whole = one.result()
    compare("eight devices", Run("eight", *passes, devices=8), whole)
    compare("two processes", Run("two", *passes, processes=2), whole)
    if short:
        return
    compare("three processes of two devices", Run("three", *passes, processes=3, devices=2), whole)
    saved = ["--checkpoints", FOLDER / "saved", "--every", "20"]
    Run("half", "--passes", "6", *saved).result()
    compare("resumed on eight devices", Run("resumed", *passes, *saved, devices=8), whole)
    ends_cleanly("the second process killed", 1, signal.SIGKILL)
    ends_cleanly("the first process killed", 0, signal.SIGKILL)
    ends_cleanly("the third process silent", 2, signal.SIGSTOP)
    saved = ["--checkpoints", FOLDER / "killed", "--every", "15"]
    ends_cleanly("killed while it saves", 1, signal.SIGKILL, *saved)
    steps = [int(path.name) for path in (FOLDER / "killed").iterdir() if path.name.isdigit()]
    passes = ["--passes", str(max(steps) // 12 + 3)]
    _, whole = Run("uninterrupted", *passes).result()
    compare("started again", Run("again", *passes, *saved, processes=2), whole)


main()
