# Functions of NumPy, JAX and PyTorch alike: `xp` stands for the module. An emitted file gets those that it uses.


def _size(name, value):
    """An error where a size is no whole number from 0 on; of one that JAX traces the type is known."""
    try:
        good = (value if isinstance(value, int) else value.__index__()) >= 0
    except (AttributeError, TypeError):
        good = hasattr(value, "aval") and value.shape == () and value.dtype.kind in "iu"
    if not good:
        raise ValueError(f"{name} is {value!r}, but a whole number from 0 on is wanted")


def _recip0(x):
    """1 / x, and 0 where x is 0."""
    return xp.where(x == 0, 0, 1 / xp.where(x == 0, 1, x))


def _leaky_relu(x, slope):
    """x where positive, else slope * x."""
    return xp.where(x > 0, x, slope * x)


def _elu(x, alpha):
    """x where positive, else alpha * (exp(x) - 1)."""
    return xp.where(x > 0, x, alpha * xp.expm1(xp.clip(x, None, 0)))


def _selu(x):
    """The self-normalising elu."""
    return xp.where(
        x > 0, 1.0507009873554805 * x, 1.7580993408473769 * xp.expm1(xp.clip(x, None, 0))
    )


def _celu(x, alpha):
    """x where positive, else alpha * (exp(x / alpha) - 1)."""
    return xp.where(x > 0, x, alpha * xp.expm1(xp.clip(x, None, 0) / alpha))


def _gelu(x):
    """x times the normal distribution function at x."""
    return 0.5 * x * _erfc(-0.7071067811865476 * x)


def _hardswish(x):
    """x times its hard sigmoid."""
    return x * xp.clip(x / 6 + 0.5, 0, 1)


def _huber_curve(x, delta):
    """x**2 / 2 where |x| is at most delta, beyond that delta * (|x| - delta / 2)."""
    size = xp.abs(x)
    return xp.where(size <= delta, 0.5 * x * x, delta * (size - 0.5 * delta))


def _logcosh(x):
    """log(cosh(x)), finite for large x and precise for small x."""
    size = xp.abs(x)
    small = xp.log1p(2 * xp.sinh(0.5 * xp.clip(x, -1, 1)) ** 2)
    large = size + xp.log1p(xp.exp(-2 * size)) - 0.6931471805599453
    return xp.where(size < 1, small, large)


def _erfcx(x):
    """exp(x^2) * erfc(x), finite for large x by the asymptotic series (Abramowitz and Stegun, 7.1.23)."""
    small, large = xp.where(x < 8, x, 8), xp.where(x < 8, 8, x)
    t, total = 0.5 / (large * large), 1
    for k in range(21, 0, -2):
        total = 1 - k * t * total
    near = xp.exp(small * small) * _erfc(small)
    return xp.where(x < 8, near, 0.5641895835477563 * total / large)


def _logerfc(x):
    """log(erfc(x)), finite for large x and precise for small x."""
    small, large = xp.where(x < 0.5, x, 0.5), xp.where(x < 0.5, 0.5, x)
    return xp.where(x < 0.5, xp.log1p(-_erf(small)), xp.log(_erfcx(large)) - large * large)


def _xlogy(a, b):
    """a * log(b), and 0 where both are 0."""
    return a * xp.log(xp.where((a == 0) & (b == 0), 1, b))


def _xlog1py(a, b):
    """a * log(1 + b), and 0 where a is 0 and b is -1."""
    return a * xp.log1p(xp.where((a == 0) & (b == -1), 0, b))


def _softsign(x):
    """x / (1 + |x|)."""
    return x / (1 + xp.abs(x))


def _norm2(x, axes):
    """The Euclidean norm over these axes, without overflow."""
    size = xp.abs(x)
    for axis in (axes,) if isinstance(axes, int) else axes:
        size = _largest(size, axis)
    scale = xp.where((size == 0) | xp.isinf(size), 1, size)
    total = xp.sqrt(xp.sum((x / scale) ** 2, axis=axes))
    return total * xp.reshape(scale, total.shape)


def _prod_others(x, axis):
    """For each entry along the axis the product of all others."""
    x = xp.moveaxis(x, axis, -1)
    one = xp.ones_like(x[..., :1])
    before = xp.cumprod(xp.concatenate([one, x[..., :-1]], axis=-1), axis=-1)
    rest = xp.flip(x, (-1,))[..., :-1]
    after = xp.cumprod(xp.concatenate([one, rest], axis=-1), axis=-1)
    return xp.moveaxis(before * xp.flip(after, (-1,)), -1, axis)


def _logdet(x):
    """The logarithm of the determinant, NaN where that is negative."""
    sign, size = xp.linalg.slogdet(x)
    return xp.where(sign < 0, xp.nan, size)


def _solve(a, b):
    """The y with a @ y = b, for vectors or matrices b."""
    if b.ndim == a.ndim:
        return xp.linalg.solve(a, b)
    return xp.linalg.solve(a, b[..., None])[..., 0]


def _symmetric(x):
    """The symmetric part."""
    return (x + xp.swapaxes(x, -1, -2)) / 2


def _cholesky(x):
    """The lower triangular l with l @ l.T the symmetric part of x."""
    return xp.linalg.cholesky(_symmetric(x))


def _eigvalsh(x):
    """The eigenvalues of the symmetric part, ascending."""
    return xp.linalg.eigvalsh(_symmetric(x))


def _eigvecsh(x):
    """The eigenvectors of the symmetric part as columns, each with its largest entry positive."""
    vectors = xp.linalg.eigh(_symmetric(x))[1]
    top = xp.argmax(xp.abs(vectors), -2)[..., None, :]
    return vectors * xp.sign(_along(vectors, top))


def _above(x):
    """How far each entry of a matrix is above the diagonal."""
    return xp.arange(x.shape[-1]) - xp.arange(x.shape[-2])[:, None]


def _tril(x, k):
    """The entries on and below diagonal k."""
    return xp.where(_above(x) <= xp.asarray(k)[..., None, None], x, 0)


def _triu(x, k):
    """The entries on and above diagonal k."""
    return xp.where(_above(x) >= xp.asarray(k)[..., None, None], x, 0)


def _flat(x, axes):
    """These axes as one, the last."""
    x = xp.moveaxis(x, axes, tuple(range(-len(axes), 0)))
    return xp.reshape(x, x.shape[: -len(axes)] + (-1,))


def _view(x, shape, at):
    """The entries of x at the positions that `at` gives for each index of the shape; 0 where one is outside."""
    if 0 in x.shape:
        return xp.zeros(shape, dtype=x.dtype)
    index = [
        xp.reshape(xp.arange(n), (-1,) + (1,) * (len(shape) - 1 - axis))
        for axis, n in enumerate(shape)
    ]
    positions = [xp.asarray(p) for p in at(*index)]
    inside = [(p >= 0) & (p < n) for p, n in zip(positions, x.shape)]
    picked = x[tuple(xp.clip(p, 0, n - 1) for p, n in zip(positions, x.shape))]
    for one in inside:
        picked = xp.where(one, picked, 0)
    return xp.broadcast_to(picked, shape)


def _over(position, divisor):
    """position / divisor where that is whole, else outside."""
    return xp.where(position % divisor == 0, position // divisor, -1)


def _block(function, key, still):
    """One result of a product in which other directions, told with their tensors, are 0."""

    def product(**at):
        zeros = {direction: 0 * at[by] for direction, by in still.items()}
        return function(**zeros, **at)[key]

    return product
