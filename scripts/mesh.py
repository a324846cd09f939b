"""Runs the trainings in examples/mesh as their users would, and compares: one device, eight, several processes, interrupted and killed. See mesh.sh."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "mesh"
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
    """A training with JAX: its processes and what they print."""

    def __init__(self, name, *options, devices=1, processes=1):
        command = [sys.executable, "-u", EXAMPLES / "train.py", FOLDER / "digits_jax.py", *options]
        joined = ["--join", f"127.0.0.1:{free_port()}", "--processes", str(processes), "--patience", str(PATIENCE)]
        more = [[*joined, "--process", str(process)] for process in range(processes)] if processes > 1 else [[]]
        self.start(name, [command + own for own in more], environment(devices))

    def start(self, name, commands, env):
        """Starts the processes, each with a log."""
        self.losses = FOLDER / f"{name}.json"
        self.losses.unlink(missing_ok=True)
        self.logs = [FOLDER / f"{name}.{process}.log" for process in range(len(commands))]
        self.processes = []
        for command, log in zip(commands, self.logs, strict=True):
            with open(log, "w") as out:
                one = subprocess.Popen([*command, "--losses", self.losses], stdout=out, stderr=out, env=env)
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


# torchrun. PyTorch 1.13, which Debian 12 has, does not read its own defaults under Python 3.11.
TORCHRUN = """
from torch.distributed.elastic.multiprocessing import Std
Std.from_str = staticmethod(lambda text: Std(int(text)))
from torch.distributed.run import main
main()
"""


class TorchRun(Run):
    """A training with PyTorch, by torchrun where there are several processes."""

    def __init__(self, name, *options, processes=1):
        torch = os.environ["CHAINRULE_TORCH"]
        run = [torch, "-c", TORCHRUN, f"--nproc_per_node={processes}", f"--master_port={free_port()}"] if processes > 1 else [torch]
        command = [*run, EXAMPLES / "train_torch.py", FOLDER / "digits_torch.py", *options]
        self.start(name, [command], {**os.environ, "PYTHONUNBUFFERED": "1"})

    def child(self, at):
        """The number of one of the processes that torchrun started."""
        number = self.processes[0].pid
        return int(Path(f"/proc/{number}/task/{number}/children").read_text().split()[at])


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


def the_page_holds():
    """What docs/mesh.md shows of JAX is so, with its program and eight devices."""
    page = ROOT / "docs" / "mesh.md"
    program = page.read_text().split("```grad net.grad\n")[1].split("```")[0]
    (FOLDER / "net.grad").write_text(program)
    emit = [os.environ["CHAINRULE"], "emit", FOLDER / "net.grad", "--target", "jax", "-o", FOLDER / "net.py"]
    subprocess.run(emit, check=True)
    command = [sys.executable, "-m", "doctest", page]
    if subprocess.run(command, env={**environment(8), "PYTHONPATH": str(FOLDER)}, check=False).returncode:
        raise SystemExit("mesh.py: docs/mesh.md shows something else")
    print("docs/mesh.md holds", flush=True)


def again(run, saved, folder):
    """What was killed goes on from its last checkpoint as if nothing had been."""
    steps = [int(path.name.split(".")[0]) for path in folder.iterdir() if path.name.split(".")[0].isdigit()]
    passes = ["--passes", str(max(steps) // 12 + 3)]
    _, whole = Run("uninterrupted", *passes).result()
    compare("started again", run("again", *passes, *saved, processes=2), whole)


def with_torch(passes, whole):
    """The same with PyTorch."""
    compare("PyTorch", TorchRun("torch", *passes), whole)
    compare("PyTorch, two processes", TorchRun("torch_two", *passes, processes=2), whole)
    saved = ["--checkpoints", FOLDER / "torch_saved", "--every", "20"]
    TorchRun("torch_half", "--passes", "6", *saved, processes=2).result()
    compare("PyTorch, resumed alone", TorchRun("torch_resumed", *passes, *saved), whole)
    saved = ["--checkpoints", FOLDER / "torch_killed", "--every", "15"]
    run = TorchRun("torch_dies", "--passes", "5000", *saved, processes=2)
    run.waits_for("pass 3:")
    began = time.monotonic()
    os.kill(run.child(1), signal.SIGKILL)
    [code] = run.codes(3 * PATIENCE)
    if code == 0 or "Signal 9" not in run.said():
        run.give_up(f"torchrun ends with {code}")
    print(f"PyTorch, a process killed: torchrun ends after {time.monotonic() - began:.1f} s with code {code}", flush=True)
    again(TorchRun, saved, FOLDER / "torch_killed")


def main():
    short = "--short" in sys.argv
    passes = ["--passes", "3" if short else "12"]
    _, whole = Run("one", *passes).result()
    compare("eight devices", Run("eight", *passes, devices=8), whole)
    compare("two processes", Run("two", *passes, processes=2), whole)
    the_page_holds()
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
    again(Run, saved, FOLDER / "killed")
    if "CHAINRULE_TORCH" in os.environ:
        with_torch(passes, whole)
    else:
        print("mesh.py: without PyTorch, which Debian has as python3-torch", file=sys.stderr)


main()
