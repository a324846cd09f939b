"""Whether losses of PyTorch that carry their closed form, and the module that holds the parameters, behave as PyTorch's own do; a line for
each that does not."""

import copy
import os
import tempfile

import net
import numpy as np
import torch
import torch.distributed
import torch.multiprocessing

torch.manual_seed(3)
rng = np.random.default_rng(5)
point = [torch.tensor(value, requires_grad=True) for value in net.example(rng).values()]
W, b, x, t = point


def plain(*arguments):
    """The loss that PyTorch differentiates itself."""
    return net.forward(*arguments)["E"]


def same(what, got, want):
    """A line where tensors differ."""
    if len(got) != len(want) or any(not torch.allclose(g, w, rtol=1e-10, atol=1e-12) for g, w in zip(got, want)):
        print(f"WRONG {what}: {got} for {want}")


def refused(what, call, said):
    """A line where an error does not say what it should."""
    try:
        call()
    except ValueError as error:
        if said not in str(error):
            print(f"WRONG {what}: {error}")
    else:
        print(f"WRONG {what}: accepted")


def rank(number, file, model, inputs, results):
    """One process of two: the gradients of its half of the batch, averaged over both."""
    store = f"file://{file}"
    torch.distributed.init_process_group("gloo", init_method=store, rank=number, world_size=2)
    whole = torch.nn.parallel.DistributedDataParallel(model)
    whole(*[value[3 * number : 3 * number + 3] for value in inputs]).backward()
    if number == 0:
        torch.save([param.grad for param in model.parameters()], results)
    torch.distributed.destroy_process_group()


def main():
    """All checks."""
    if not torch.autograd.gradcheck(net.loss, point) or not torch.autograd.gradgradcheck(net.loss, point):
        print("WRONG gradcheck")
    grads = torch.autograd.grad
    same("grad", grads(net.loss(*point), point), grads(plain(*point), point))
    # Inside of what someone else differentiates; by some arguments; without any.
    outer = [torch.sin(loss(2 * W, b, x, t) ** 2) + torch.logsumexp(W, 0).sum() for loss in (net.loss, plain)]
    same("inside", grads(outer[0], [W, b]), grads(outer[1], [W, b]))
    frozen = [value.detach() for value in point]
    same("by parameters", grads(net.loss(W, b, *frozen[2:]), [W, b]), grads(plain(W, b, *frozen[2:]), [W, b]))
    same("by an input", grads(net.loss(*frozen[:2], x, frozen[3]), [x]), grads(plain(*frozen[:2], x, frozen[3]), [x]))
    same("value", [net.loss(*frozen)], [plain(*frozen)])
    compiled = torch.compile(net.loss, fullgraph=True)
    same("compiled", grads(compiled(*point), point), grads(plain(*point), point))
    for call in (net.loss, net.value_and_grad):
        refused("a shape", lambda: call(W, b[:-1], x, t), "b has shape (4,), but [M] is (5,) here")
        refused("axes", lambda: call(W, b, x[0], t), "x has 1 axes, but is declared with 2")
        refused("a type", lambda: call(W, b, x + 1j, t), "x has entries of type torch.complex128, but real numbers")

    model = net.Model(4, 5)
    if [(name, tuple(param.shape)) for name, param in model.named_parameters()] != [("W", (4, 5)), ("b", (5,))]:
        print(f"WRONG parameters: {model}")
    inputs = [torch.randn(6, 4, dtype=net.DTYPE), torch.randn(6, 5, dtype=net.DTYPE)]
    same("a module", [model(*inputs)], [plain(model.W, model.b, *inputs)])
    again = net.Model(4, 5)
    again.load_state_dict(model.state_dict())
    same("a module loaded", [again(*inputs)], [model(*inputs)])
    trained = copy.deepcopy(model)
    optimiser = torch.optim.SGD(trained.parameters(), lr=0.1)
    for _ in range(3):
        before = trained(*inputs)
        optimiser.zero_grad()
        before.backward()
        optimiser.step()
        if not trained(*inputs) < before:
            print("WRONG a step does not help")
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "grads")
        store = os.path.join(folder, "store")
        torch.multiprocessing.spawn(rank, (store, model, inputs, results), nprocs=2)
        same("two processes", torch.load(results), grads(plain(model.W, model.b, *inputs), model.parameters()))
    print("done")


if __name__ == "__main__":
    main()
