"""In: a point of numbers, sequences and arrays; results as the tool writes them. Out: JSON; numbers and lists."""

import json
import math

NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def written(at, dims):
    """The point as the tool reads it."""
    point = {name: plain(value) for name, value in at.items()}
    if dims:
        point["dims"] = {name: int(size) for name, size in dims.items()}
    return json.dumps(point)


def plain(value):
    """Lists and numbers: arrays of any library have `tolist`; what JSON lacks is a word."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return next(name for name, number in NAMES.items() if number == value or math.isnan(number) and math.isnan(value))
    return value


def read(text):
    """Results, their words as numbers."""
    return numbers(json.loads(text))


def numbers(value):
    if isinstance(value, dict):
        return {name: numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [numbers(one) for one in value]
    return NAMES.get(value, value) if isinstance(value, str) else value
