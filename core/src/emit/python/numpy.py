# Functions of NumPy. An emitted file gets those that it uses.


def _sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


def _silu(x):
    """x times its sigmoid."""
    return x * _sigmoid(x)


def _mish(x):
    """x * tanh(softplus(x))."""
    return x * np.tanh(np.logaddexp(0, x))


def _gelu_tanh(x):
    """The approximation of gelu by tanh."""
    return x * _sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x))


def _each(function, x):
    """A function of numbers, entry by entry."""
    return np.asarray(np.vectorize(function, otypes=[np.float64])(x), dtype=DTYPE)


def _erf(x):
    """The error function."""
    return _each(math.erf, x)


def _erfc(x):
    """1 - erf(x), precise for large x."""
    return _each(math.erfc, x)


def _erfinv(x):
    """The inverse of erf."""

    def one(y):
        t = abs(y)
        if not t < 1:
            return math.copysign(math.inf, y) if t == 1 else math.nan
        # A first guess by S. Winitzki's formula, then Halley's method.
        log = math.log1p(-t * t)
        b = 2 / (math.pi * 0.147) + 0.5 * log
        z = math.sqrt(max(math.sqrt(b * b - log / 0.147) - b, 0))
        for _ in range(3):
            error = math.erf(z) - t if t < 0.5 else (1 - t) - math.erfc(z)
            step = error / (2 / math.sqrt(math.pi) * math.exp(-z * z))
            z -= step / (1 + z * step)
        return math.copysign(z, y)

    return _each(one, x)


def _lgamma(x):
    """The logarithm of |gamma(x)|."""

    def one(z):
        return math.inf if z <= 0 and z == math.floor(z) else math.lgamma(z)

    return _each(one, x)


def _digamma(x):
    """The derivative of lgamma."""

    def one(z):
        if z <= 0:
            return math.nan if z == math.floor(z) else one(1 - z) - math.pi / math.tan(math.pi * z)
        total = 0.0
        while z < 10:
            total -= 1 / z
            z += 1
        w = 1 / (z * z)
        series = w * (
            1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (5 / 660 - w * 691 / 32760))))
        )
        return total + math.log(z) - 0.5 / z - series

    return _each(one, x)


def _trigamma(x):
    """The derivative of digamma."""

    def one(z):
        if z <= 0:
            return (
                math.inf
                if z == math.floor(z)
                else (math.pi / math.sin(math.pi * z)) ** 2 - one(1 - z)
            )
        total = 0.0
        while z < 10:
            total += 1 / (z * z)
            z += 1
        w = 1 / (z * z)
        series = w * (
            1 / 6 - w * (1 / 30 - w * (1 / 42 - w * (1 / 30 - w * (5 / 66 - w * 691 / 2730))))
        )
        return total + 1 / z + 0.5 * w + series / z

    return _each(one, x)


def _shift(x, axis):
    """What is subtracted before exponentials: the largest entry, where that is finite."""
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, 0)


def _logsumexp(x, axis):
    """log(sum(exp(x))), finite for large entries."""
    top = _shift(x, axis)
    total = np.log(np.sum(np.exp(x - top), axis=axis))
    return total + np.reshape(top, total.shape)


def _softmax(x, axis):
    """Exponentials over their sum, finite for large entries."""
    weights = np.exp(x - _shift(x, axis))
    return weights / np.sum(weights, axis=axis, keepdims=True)


def _log_softmax(x, axis):
    """The logarithm of softmax, finite for large entries."""
    rest = x - _shift(x, axis)
    return rest - np.log(np.sum(np.exp(rest), axis=axis, keepdims=True))


def _largest(x, axis):
    """The largest of entries that are not negative, along an axis, which stays; 0 where there is none."""
    return np.max(x, axis=axis, keepdims=True, initial=0)


def _along(x, index):
    """The entries of the last axis but one that an index picks."""
    return np.take_along_axis(x, index, axis=-2)


def _scatter(rows, index, size):
    """The rows, added up where the index says, in an array of this many."""
    out = np.zeros((size,) + rows.shape[index.ndim :], dtype=rows.dtype)
    np.add.at(out, index, rows)
    return out


def _one_hot(index, size):
    """A row of this many for each index, with 1 at its place."""
    rows = np.zeros(index.shape + (size,), dtype=DTYPE)
    np.put_along_axis(rows, index[..., None], 1, axis=-1)
    return rows


def _states(steps, start):
    """The states of all steps along a first axis; the start tells the shape where there are none."""
    return np.stack(steps) if steps else np.zeros((0, *start.shape), dtype=DTYPE)


def _array(name, value):
    """An argument as an array; an error names one that is none."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from error


def _numbers(name, value, rank):
    """An argument as an array of numbers with so many axes."""
    value = _array(name, value)
    if value.dtype.kind in "cOSUmM":
        raise ValueError(f"{name} has entries of type {value.dtype}, but real numbers are wanted")
    if value.ndim != rank:
        raise ValueError(f"{name} has {value.ndim} axes, but is declared with {rank}")
    return value.astype(DTYPE, copy=False)


def _indices(name, value, rank):
    """An argument as an array of whole numbers from 0 on with so many axes."""
    value = _array(name, value)
    if value.dtype.kind not in "iuf":
        raise ValueError(f"{name} has entries of type {value.dtype}, but whole numbers are wanted")
    if value.ndim != rank:
        raise ValueError(f"{name} has {value.ndim} axes, but is declared with {rank}")
    if np.any(value < 0) or np.any(value != np.floor(value)):
        raise ValueError(f"{name} has entries that are not whole numbers from 0 on")
    return value.astype(np.int64)


def _fits(name, value, declared, shape):
    """An error where the shape is not the declared one."""
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, but {declared} is {shape} here")
