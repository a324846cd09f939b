# Functions of JAX. An emitted file gets those that it uses.


def _erf(x):
    """The error function."""
    return jax.scipy.special.erf(x)


def _erfc(x):
    """1 - erf(x), precise for large x."""
    return jax.scipy.special.erfc(x)


def _largest(x, axis):
    """The largest of entries that are not negative, along an axis, which stays; 0 where there is none."""
    return jnp.max(x, axis=axis, keepdims=True, initial=0)


def _along(x, index):
    """The entries of the last axis but one that an index picks."""
    return jnp.take_along_axis(x, index, axis=-2)


def _scatter(rows, index, size):
    """The rows, added up where the index says, in an array of this many."""
    return jnp.zeros((size,) + rows.shape[index.ndim :], dtype=rows.dtype).at[index].add(rows)


def _rows(x, index):
    """The rows of x that the index picks; NaN where there is none."""
    count = x.shape[0]
    index = jnp.where((index < 0) | (index >= count), count, index)
    return x.at[index].get(mode="fill", fill_value=jnp.nan)


def _one_hot(index, size):
    """A row of this many for each index, with 1 at its place; NaN where there is none."""
    inside = (index >= 0) & (index < size)
    rows = index[..., None] == jnp.arange(size)
    return jnp.where(inside[..., None], rows, jnp.nan).astype(DTYPE)


def _array(name, value):
    """An argument as an array; an error names one that is none."""
    try:
        return jnp.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from error


def _numbers(name, value, rank):
    """An argument as an array of numbers with so many axes."""
    value = _array(name, value)
    if value.dtype.kind in "cOSU":
        raise ValueError(f"{name} has entries of type {value.dtype}, but real numbers are wanted")
    if value.ndim != rank:
        raise ValueError(f"{name} has {value.ndim} axes, but is declared with {rank}")
    return value.astype(DTYPE)


def _indices(name, value, rank):
    """An argument as an array of whole numbers from 0 on with so many axes."""
    value = _array(name, value)
    if value.dtype.kind not in "iu":
        raise ValueError(f"{name} has entries of type {value.dtype}, but whole numbers are wanted")
    if value.ndim != rank:
        raise ValueError(f"{name} has {value.ndim} axes, but is declared with {rank}")
    # Values can be looked at where nothing is being traced.
    if not isinstance(value, jax.core.Tracer) and jnp.any(value < 0):
        raise ValueError(f"{name} has entries that are not whole numbers from 0 on")
    return value


def _fits(name, value, declared, shape):
    """An error where the shape is not the declared one."""
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, but {declared} is {shape} here")
