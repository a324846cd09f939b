# Calls of an emitted JAX module on a mesh of devices. `_AXES` is the module's, BATCH the size that it takes for the batch.


def shardings_on(mesh, batch=BATCH, specs=None):
    """Where each argument is to be on a mesh: a `NamedSharding` by its name.

    The batch is spread over the first axis of the mesh: every argument with an axis of
    size `batch` is cut along it, every other is whole on each device. Taken for the
    batch is the open size that most inputs have and no parameter has. `specs` places
    arguments otherwise, as in `{"W": jax.P(None, "model")}`.
    """
    # XLA places what is between the arguments and the results, whatever the mesh says.
    mesh = jax.sharding.Mesh(mesh.devices, mesh.axis_names)
    if batch is not None and not any(batch in axes for axes in _AXES.values()):
        raise ValueError(f"no argument has an axis of size {batch!r}")
    for name in specs or {}:
        if name not in _AXES:
            raise ValueError(f"specs names {name}, which is not an argument")
    places = {}
    for name, axes in _AXES.items():
        cut = axes.index(batch) if batch in axes else None
        spec = jax.P() if cut is None else jax.P(*[None] * cut, mesh.axis_names[0])
        spec = (specs or {}).get(name, spec)
        places[name] = jax.sharding.NamedSharding(mesh, spec)
    return places


def _on_mesh(function, gradients, places):
    """The function, with its arguments and gradients where `places` has them."""
    signature = inspect.signature(function)
    whole = jax.sharding.NamedSharding(next(iter(places.values())).mesh, jax.P())
    run = jax.jit(
        function,
        static_argnames=[name for name in signature.parameters if name not in places],
        out_shardings=(whole, {name: places[name] for name in gradients}),
    )

    def placed(name, value):
        if name not in places:
            return value
        value = value if isinstance(value, jax.Array) else np.asarray(value)
        place = places[name]
        for axis, parts in enumerate(place.spec):
            parts = (parts,) if isinstance(parts, str) else parts or ()
            devices = math.prod(place.mesh.shape[part] for part in parts)
            if axis >= value.ndim or value.shape[axis] % devices:
                raise ValueError(
                    f"{name} has shape {value.shape}: "
                    f"{devices} devices cannot share axis {axis} of it evenly"
                )
        return jax.device_put(value, place)

    @functools.wraps(function)
    def on_mesh(*arguments, **named):
        given = signature.bind(*arguments, **named).arguments
        return run(**{name: placed(name, value) for name, value in given.items()})

    return on_mesh
