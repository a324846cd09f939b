"""Whether losses of JAX that carry their closed form behave as functions of JAX do; a line for each that does not."""

import os

# What is compiled to be run once need not be fast.
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
import jax
import jax.numpy as jnp
import net
import numpy as np
from jax.test_util import check_grads

rng = np.random.default_rng(5)
point = [jnp.asarray(value) for value in net.example(rng).values()]
W, b, x, t = point
every = (0, 1, 2, 3)


def same(what, got, want):
    """A line where two trees of arrays differ."""
    got, want = jax.tree.leaves(got), jax.tree.leaves(want)
    if len(got) != len(want) or any(not np.allclose(g, w, rtol=1e-10, atol=1e-12) for g, w in zip(got, want)):
        print(f"WRONG {what}: {got} for {want}")


def refused(what, call, said):
    """A line where an error does not say what it should."""
    try:
        call()
    except ValueError as error:
        if said not in str(error):
            print(f"WRONG {what}: {error}")
    except TypeError as error:
        print(f"WRONG {what}: {error}")
    else:
        print(f"WRONG {what}: accepted")


def plain(*arguments):
    """The loss that JAX differentiates itself."""
    return net.forward(*arguments)["E"]


check_grads(net.loss, tuple(point), order=2, modes=["rev"])
same("grad", jax.grad(net.loss, argnums=every)(*point), jax.grad(plain, argnums=every)(*point))
second = jax.jacrev(jax.grad(net.loss, argnums=every), argnums=every)
same("second", second(*point), jax.jacrev(jax.grad(plain, argnums=every), argnums=every)(*point))
same("forward over reverse", jax.hessian(net.loss)(*point), jax.hessian(plain)(*point))
# Inside of what someone else differentiates, compiles and maps.
outer = lambda loss: lambda a: jnp.sin(loss(a * W, b, x, t) ** 2) + jax.nn.logsumexp(a * W)
same("inside", jax.jit(jax.value_and_grad(outer(net.loss)))(1.5), jax.value_and_grad(outer(plain))(1.5))
batch = jnp.stack([x, 2 * x, -x])
same(
    "vmap", jax.vmap(net.loss, (None, None, 0, None))(W, b, batch, t), jnp.stack([plain(W, b, row, t) for row in batch])
)
mapped = lambda loss: jax.vmap(jax.grad(loss, argnums=every), (None, None, 0, None))(W, b, batch, t)
same("vmap of grad", jax.jit(lambda: mapped(net.loss))(), mapped(plain))
kept = lambda loss: jax.grad(jax.checkpoint(loss))(W, b, x, t)
same("checkpoint", kept(net.loss), kept(plain))
# Numbers of fewer bits get gradients of fewer bits.
small = jax.grad(net.loss)(W.astype(jnp.float32), b, x, t)
if small.dtype != jnp.float32:
    print(f"WRONG the gradient by 32 bits has {small.dtype}")
for call in (net.loss, jax.jit(net.loss), jax.jit(net.value_and_grad), jax.grad(net.loss)):
    refused("a shape", lambda: call(W, b[:-1], x, t), "b has shape (4,), but [M] is (5,) here")
    refused("axes", lambda: call(W, b, x[0], t), "x has 1 axes, but is declared with 2")
    refused("a type", lambda: call(W, b, x + 1j, t), "x has entries of type complex128, but real numbers are wanted")
print("done")
