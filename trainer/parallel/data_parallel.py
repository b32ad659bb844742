"""Data parallelism: replicas of the model whose gradients torch's DDP averages, or one model that FSDP2 shards.

`attach_sharding` divides the weights of a model, and so its gradients and optimizer state, among the processes. `replicate` wraps one that
every process holds whole. Either way the optimizers see the model's own parameters, by the same names; those of a sharded model are
DTensors, of which a process holds a part. `whole` gathers one, `put` fills one from a whole tensor, and `own_part` is what this process
holds. Tensors that are not sharded pass through all three.

References
----------
Li et al. (2020), PyTorch distributed: experiences on accelerating data parallel training.
Zhao et al. (2023), PyTorch FSDP: experiences on scaling fully sharded data parallel.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from trainer.model import GPT
from trainer.parallel import processes


def replicate(module: nn.Module) -> nn.Module:
    """Wrap a module so that its backward pass averages the gradients of all processes; alone or sharded it stays as it is."""
    if processes.count() == 1 or is_sharded(module):
        return module
    # The gradients are views of what is sent: one copy of them less.
    return DistributedDataParallel(module, gradient_as_bucket_view=True)


def attach_sharding(model: GPT) -> None:
    """Divide the weights of a model among the processes: each block is gathered when it is computed, and released after it."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(next(model.parameters()).device.type, (processes.count(),))
    for block in model.h:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)


def is_sharded(module: nn.Module) -> bool:
    """Check whether the weights of a module are divided among the processes."""
    return any(_is_sharded(parameter) for parameter in module.parameters())


@contextlib.contextmanager
def exchanging(module: nn.Module, is_last: bool) -> Iterator[None]:
    """Exchange gradients in the backward pass within the ``with`` after the last micro-batch of a step only."""
    if isinstance(module, DistributedDataParallel) and not is_last:
        with module.no_sync():
            yield
        return
    if processes.count() > 1 and is_sharded(module):
        module.set_requires_gradient_sync(is_last)  # type: ignore[operator]
    yield


def whole(tensor: Tensor) -> Tensor:
    """Gather a sharded tensor, in all processes; all must ask for it."""
    return tensor.full_tensor() if _is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def own_part(tensor: Tensor) -> Tensor:
    """Return the part of a sharded tensor that this process holds, without a copy."""
    return tensor.to_local() if _is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def like(parameter: Tensor, value: Tensor) -> Tensor:
    """Divide a whole tensor as a parameter of the same shape is divided; nothing is sent, since every process has it whole."""
    if not _is_sharded(parameter) or value.shape != parameter.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    mesh, placements = parameter.device_mesh, parameter.placements  # type: ignore[attr-defined]
    return distribute_tensor(value.to(mesh.device_type), mesh, placements, src_data_rank=None)


def whole_model(model: GPT) -> GPT:
    """Gather a sharded model into a plain one on the same device, to evaluate or sample; another is returned as it is."""
    if processes.count() == 1 or not is_sharded(model):
        return model
    with torch.device("meta"):  # draws no random numbers
        gathered = GPT(model.config)
    gathered.to_empty(device=next(model.parameters()).device.type).train(model.training)
    with torch.no_grad():
        for into, sharded in zip(gathered.parameters(), model.parameters(), strict=True):
            into.copy_(whole(sharded))
    return gathered


def _is_sharded(tensor: Tensor) -> bool:
    return hasattr(tensor, "full_tensor")
