# The check of an emitted PyTorch module. `_GRADIENTS`, `_FURTHER`, `_values` and `example` are the module's.


def _point(rng):
    """Arguments at which all results are finite."""
    for low, high in ((-1.5, 1.5), (0.2, 1.7), (0.1, 0.9), (-0.9, 0.9), (1.1, 2.5)) * 8:
        point = example(rng, low, high)
        try:
            results = _values(**point)
        except torch.linalg.LinAlgError:
            continue
        if all(torch.all(torch.isfinite(value)) for value in results.values()):
            return point
    raise ValueError("no point was found at which the program is finite; see `example`")


def _error(got, want):
    """The largest difference, relative to the size of the values."""
    got, want = got.detach().numpy(), want.detach().numpy()
    return float(np.max(np.abs(got - want), initial=0) / (1 + np.max(np.abs(want), initial=0)))


def _compare(rng, point, derivative, kind, of, by, direction):
    """The largest error of one derivative."""
    x = point[by] = torch.as_tensor(point[by], dtype=DTYPE)
    v = torch.as_tensor(rng.uniform(-1, 1, tuple(x.shape)), dtype=DTYPE)
    auto = torch.autograd.functional

    def value(x):
        return _values(**{**point, by: x})[of]

    if kind == "jvp":
        return _error(derivative(**point, **{direction: v}), auto.jvp(value, x, v)[1])
    if kind == "hvp":
        return _error(derivative(**point, **{direction: v}), auto.hvp(value, x, v)[1])
    if kind == "hessian":
        return _error(derivative(**point), auto.hessian(value, x))
    return _error(derivative(**point), auto.jacobian(value, x))


def _gradient(function, by):
    """One gradient as a function of the arguments."""
    return lambda **point: function(**point)[1][by]


def _through(function, by):
    """The gradient that `torch.autograd` gives of a loss with its backward attached."""
    gradient = torch.autograd.functional.jacobian
    return lambda **point: gradient(lambda x: function(**{**point, by: x}), point[by])


def check_gradient(seed=0):
    """Compares every derivative with `torch.autograd`; prints the largest error of each."""
    rng = np.random.default_rng(seed)
    point = _point(rng)
    checks = []
    for of, function in _GRADIENTS.items():
        for by in function(**point)[1]:
            checks.append((f"d {of} / d {by}", _gradient(function, by), "jacobian", of, by, None))
    for of, function in _LOSSES.items():
        for by in _ARGUMENTS:
            title = f"d {of} / d {by} by backward"
            checks.append((title, _through(function, by), "jacobian", of, by, None))
    for function, kind, of, by, direction in _FURTHER:
        checks.append((f"{kind} of {of} by {by}", function, kind, of, by, direction))
    good = True
    for title, *check in checks:
        error = _compare(rng, dict(point), *check)
        fine = error < (1e-8 if DTYPE == torch.float64 else 1e-3)
        good = good and fine
        print(f"{title}: largest error {error:.1e}, {'good' if fine else 'WRONG'}")
    return good


if __name__ == "__main__":
    raise SystemExit(0 if check_gradient() else 1)
