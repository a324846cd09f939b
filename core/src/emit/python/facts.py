# Random arrays that satisfy declared facts, in NumPy. An emitted file gets those that it uses.


def _random_one_hot(rng, x):
    """Rows with a single 1 in the shape of x."""
    return np.eye(x.shape[-1])[rng.integers(0, x.shape[-1], x.shape[:-1])]


def _simplex(x):
    """Rows that sum to one."""
    return x / np.sum(x, axis=-1, keepdims=True)


def _unit(x):
    """Rows of length one."""
    return x / np.sqrt(np.sum(x * x, axis=-1, keepdims=True))


def _spd(x):
    """A symmetric matrix with positive eigenvalues."""
    return x @ x.T / len(x) + 0.5 * np.eye(len(x))


def _symmetrised(x):
    """The symmetric part."""
    return (x + x.T) / 2


def _orthogonal(x):
    """An orthogonal matrix."""
    return np.linalg.qr(x)[0]


def _diagonal(x):
    """0 off the diagonal."""
    return np.diag(np.diag(x))
