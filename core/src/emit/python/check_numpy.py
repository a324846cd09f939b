# The check of an emitted NumPy module. `_GRADIENTS`, `_FURTHER`, `_values` and `example` are the module's.


def _point(rng):
    """Arguments at which all results are finite."""
    for low, high in ((-1.5, 1.5), (0.2, 1.7), (0.1, 0.9), (-0.9, 0.9), (1.1, 2.5)) * 8:
        point = example(rng, low, high)
        try:
            with np.errstate(all="ignore"):
                results = _values(**point)
        except np.linalg.LinAlgError:
            continue
        if all(np.all(np.isfinite(value)) for value in results.values()):
            return point
    raise ValueError("no point was found at which the program is finite; see `example`")


def _moved(point, of, by, *steps):
    """A result after steps of one argument."""
    return np.asarray(_values(**{**point, by: point[by] + sum(steps)})[of])


def _mixed(point, of, by, u, v, eps=1e-4):
    """The second derivative of a number along two directions, by central differences."""

    def value(s, t):
        return _moved(point, of, by, s * eps * u, t * eps * v)

    return (value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)) / (4 * eps * eps)


def _slope(point, of, by, v, eps=1e-6):
    """The derivative of a result along a direction, by central differences."""
    return (_moved(point, of, by, eps * v) - _moved(point, of, by, -eps * v)) / (2 * eps)


def _entries(rng, x, most=100):
    """Unit directions for all entries of an argument, or for some of them where they are many."""
    picked = rng.permutation(x.size)[:most]
    return [np.reshape(np.arange(x.size) == at, x.shape).astype(float) for at in picked]


def _error(got, want):
    """The largest difference, relative to the size of the values."""
    return float(np.max(np.abs(got - want), initial=0) / (1 + np.max(np.abs(want), initial=0)))


def _compare(rng, point, derivative, kind, of, by, direction):
    """The largest error of one derivative."""
    x = point[by] = np.asarray(point[by], dtype=np.float64)
    v = rng.uniform(-1, 1, x.shape)
    if kind == "jvp":
        return _error(derivative(**point, **{direction: v}), _slope(point, of, by, v))
    if kind == "hvp":
        u = rng.uniform(-1, 1, x.shape)
        return _error(
            np.sum(u * derivative(**point, **{direction: v})), _mixed(point, of, by, u, v)
        )
    value = derivative(**point)
    if kind == "hessian":
        u = rng.uniform(-1, 1, x.shape)
        return _error(np.vdot(np.tensordot(value, v, axes=x.ndim), u), _mixed(point, of, by, u, v))
    errors = [
        _error(np.tensordot(value, e, axes=x.ndim), _slope(point, of, by, e))
        for e in _entries(rng, x)
    ]
    return float(np.max(errors, initial=0))


def _gradient(function, by):
    """One gradient as a function of the arguments."""
    return lambda **point: function(**point)[1][by]


def check_gradient(seed=0):
    """Compares every derivative with finite differences, in 64 bits; prints the largest error of each."""
    global DTYPE
    kept, DTYPE = DTYPE, np.float64
    try:
        rng = np.random.default_rng(seed)
        point = _point(rng)
        checks = []
        for of, function in _GRADIENTS.items():
            for by in function(**point)[1]:
                title = f"d {of} / d {by}"
                checks.append((title, _gradient(function, by), "jacobian", of, by, None))
        for function, kind, of, by, direction in _FURTHER:
            checks.append((f"{kind} of {of} by {by}", function, kind, of, by, direction))
        good = True
        for title, *check in checks:
            error = _compare(rng, dict(point), *check)
            fine = error < 1e-5
            good = good and fine
            print(f"{title}: largest error {error:.1e}, {'good' if fine else 'WRONG'}")
        return good
    finally:
        DTYPE = kept


if __name__ == "__main__":
    raise SystemExit(0 if check_gradient() else 1)
