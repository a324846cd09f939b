# Functions of PyTorch. An emitted file gets those that it uses.


def _cbrt(x):
    """The cube root, also of negative numbers."""
    return torch.sign(x) * torch.abs(x) ** (1 / 3)


def _erf(x):
    """The error function."""
    return torch.special.erf(x)


def _erfc(x):
    """1 - erf(x), precise for large x."""
    return torch.special.erfc(x)


def _largest(x, axis):
    """The largest of entries that are not negative, along an axis, which stays; 0 where there is none."""
    reduce = torch.amax if x.shape[axis] else torch.sum
    return reduce(x, dim=axis, keepdim=True)


def _along(x, index):
    """The entries of the last axis but one that an index picks."""
    return torch.take_along_dim(x, index, dim=-2)


def _step(x):
    """1 where x is positive, else 0: numbers, which PyTorch makes faster so than of what a comparison gives."""
    return torch.sign(torch.relu(x))


def _where_positive(y, x):
    """y where x is positive, else 0, in one pass: the backward of relu."""
    return torch.ops.aten.threshold_backward(y, x, 0)


def _scatter(rows, index, size):
    """The rows, added up where the index says, in a tensor of this many."""
    out = torch.zeros((size,) + rows.shape[index.ndim :], dtype=rows.dtype)
    return out.index_put((index,), rows, accumulate=True)


def _one_hot(index, size):
    """A row of this many for each index, with 1 at its place."""
    rows = torch.zeros((*index.shape, size), dtype=DTYPE, device=index.device)
    return rows.scatter(-1, index[..., None], 1)


def _states(steps, start):
    """The states of all steps along a first axis; the start tells the shape where there are none."""
    return torch.stack(steps) if steps else start.new_zeros((0, *start.shape))


def _array(name, value):
    """An argument as a tensor; an error names one that is none."""
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from error


def _numbers(name, value, rank):
    """An argument as a tensor of numbers with so many axes."""
    if isinstance(value, torch.Tensor) and value.dtype == DTYPE and value.ndim == rank:
        return value
    value = _array(name, value)
    if value.is_complex():
        raise ValueError(f"{name} has entries of type {value.dtype}, but real numbers are wanted")
    if value.ndim != rank:
        raise ValueError(f"{name} has {value.ndim} axes, but is declared with {rank}")
    return value.to(DTYPE)


def _indices(name, value, rank):
    """An argument as a tensor of whole numbers from 0 on with so many axes."""
    value = _array(name, value)
    if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise ValueError(f"{name} has entries of type {value.dtype}, but whole numbers are wanted")
    if value.ndim != rank:
        raise ValueError(f"{name} has {value.ndim} axes, but is declared with {rank}")
    value = value.to(torch.int64)
    # Values can be looked at where nothing is being compiled.
    if not torch.compiler.is_compiling() and torch.any(value < 0):
        raise ValueError(f"{name} has entries that are not whole numbers from 0 on")
    return value


def _fits(name, value, declared, shape):
    """An error where the shape is not the declared one."""
    if value.shape != shape:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, but {declared} is {shape} here")
