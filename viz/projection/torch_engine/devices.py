"""The devices that layouts are computed on, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import InputError
from viz.projection.tsne import is_interpolated

if TYPE_CHECKING:
    from viz.projection.torch_engine.engine import TorchEngine

DEVICES = ("cpu", "cuda", "mps")


def layout_device(device: str, method: str, items: int, n_axes: int) -> str:
    """Choose the device that a layout is computed on: the one asked for, or the CPU, which is faster for few items.

    Examples
    --------
    >>> layout_device("cuda", "tsne", 50_000, 2), layout_device("cuda", "tsne", 115, 2)
    ('cuda', 'cpu')
    """
    return device if method == "tsne" and is_interpolated(items, n_axes) else "cpu"


def check_device(device: str, method: str) -> None:
    """Check that a method can use a device, and that this machine has it.

    Raises
    ------
    InputError
        If the name is none of `DEVICES`, the method only has the CPU, or torch cannot use the device.
    """
    if device not in DEVICES:
        raise InputError(f"there is no device {device!r}; there is {', '.join(DEVICES)}")
    if device == "cpu":
        return
    if method != "tsne":
        raise InputError("another device than the CPU is for t-SNE: leave out `device`, or pass `method=tsne`")
    import torch

    available = torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()
    if not available:
        raise InputError(f"this machine has no {device} that torch can use: pass `device=cpu`")


def find_engine(device: str) -> TorchEngine | None:
    """Build the engine of a device; None for the CPU, where openTSNE and numba are faster."""
    if device == "cpu":
        return None
    import torch

    from viz.projection.torch_engine.engine import TorchEngine

    return TorchEngine(torch.device(device))
