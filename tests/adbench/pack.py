"""Packs the arrays of a JSON file into an uncompressed .npz: python3 pack.py FILE.json FILE.npz. Keys of nested objects are joined by dots."""

import json
import sys

import numpy


def arrays(value, name):
    if isinstance(value, dict):
        for key, part in value.items():
            yield from arrays(part, f"{name}.{key}" if name else key)
    else:
        yield name, numpy.asarray(value, dtype=numpy.float64)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        packed = dict(arrays(json.load(file), ""))
    numpy.savez(sys.argv[2], **packed)
