"""What training the digits network is, whatever it runs on: the data, the first parameters, the order of the samples, the step."""

import importlib.util

import numpy as np

TRAINING = 1440  # Samples; the others are the test.
RATE = 0.2
MOMENTUM = 0.9
SIZES = {"W1": (64, 20), "b1": (20,), "W2": (20, 20), "b2": (20,), "W3": (20, 10), "b3": (10,)}


def load(path):
    """The module that chainrule emitted."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def samples(path):
    """Images of 64 pixels from 0 to 1 and their classes, one-hot, in an order that is drawn once."""
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[np.random.default_rng(1).permutation(len(rows))]
    return rows[:, :64] / 16, np.eye(10)[rows[:, 64].astype(int)]


def start():
    """The first parameters: weights from 0.1 N(0, 1), biases 0."""
    rng = np.random.default_rng(0)
    return {name: 0.1 * rng.standard_normal(size) * (len(size) > 1) for name, size in SIZES.items()}


def rows(step, batch):
    """The samples of a step: every pass has an order of its own, the same in every process and in every run."""
    steps = TRAINING // batch
    order = np.random.default_rng(1000 + step // steps).permutation(TRAINING)
    return order[step % steps * batch :][:batch]


def read_rightly(answers, classes):
    """The part of the samples whose likeliest class is theirs."""
    return np.mean(np.argmax(answers, 1) == np.argmax(classes, 1))
