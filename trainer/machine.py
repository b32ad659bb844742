"""What training takes from the machine: its device, memory that is reused between steps, and room on the disk."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from data.errors import InputError
from data.files.remote_files import check_local
from trainer.parallel import processes

# glibc's names in malloc.h. It refuses larger thresholds, or they no longer fit its int.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20
_KEPT_AT_MOST = 1 << 29


def find_device(name: str) -> torch.device:
    """Find the device of this name; ``auto`` is the first available of cuda, mps and cpu. Each process has a GPU of its own."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if processes.count() > 1:
        return _own_device(name, available["cuda"])
    if name == "auto":
        return torch.device(next(kind for kind, is_available in available.items() if is_available))
    if name.split(":")[0] not in available:
        raise InputError(f"there is no device {name!r}; there is auto, {', '.join(available)}")
    if not available[name.split(":")[0]]:
        raise InputError(f"this machine has no {name} that torch can use: pass `device=cpu`")
    return torch.device(name)


def _own_device(name: str, has_cuda: bool) -> torch.device:
    """Find the device of this process: its own GPU, or the CPU, which all share."""
    if name == "cpu" or (name == "auto" and not has_cuda):
        return torch.device("cpu")
    if name not in ("auto", "cuda") or not has_cuda:
        raise InputError(f"several processes train on cuda or cpu; got {name}: pass `device=cpu`")
    number, n_gpus = processes.rank_on_machine(), torch.cuda.device_count()
    if number >= n_gpus:
        raise InputError(
            f"this machine has {n_gpus} GPUs and more processes: pass --nproc-per-node={n_gpus} to torchrun"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def on_device(array: NDArray[Any], device: torch.device | None) -> torch.Tensor:
    """Copy an array to a device; to a GPU from pinned memory, so that the copy need not be waited for."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device and device.type == "cuda" else tensor.to(device)


def check_room(model: torch.nn.Module, n_snapshots: int, folder: Path) -> None:
    """Check that the snapshots of a model fit on the disk that holds ``folder``; an `InputError` says if they do not."""
    check_local(folder)
    while not folder.exists():
        folder = folder.parent
    needed = sum(4 * p.numel() for p in model.parameters()) * (n_snapshots + 10)  # 10: two slots of optimizer state
    free = shutil.disk_usage(folder).free
    if needed > free:
        sizes = f"need about {needed / 1e6:,.0f} MB and the disk has {free / 1e6:,.0f} MB free"
        raise InputError(f"the snapshots of this run {sizes}: free some space, or take fewer with `snapshot_every`")


def reuse_freed_memory() -> bool:
    """Make the C library keep freed memory for the next allocation; return False where it has no such setting.

    By default glibc returns freed tensors of some hundred kilobytes to the kernel. Every page of the next tensors then has to be
    faulted in and cleared again: hundreds of page faults at every step, a tenth of a small model's time. With this setting up to
    half a gigabyte stays with the process. Other C libraries are left as they are.
    """
    if not _is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_M_TRIM_THRESHOLD, _KEPT_AT_MOST))


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):  # no confstr (Windows), or an unknown name (macOS, musl)
        return False
