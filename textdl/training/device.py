"""Which device, and in which precision."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

from ..errors import ConfigError


def pick_device(name: str, number: int | None = None) -> torch.device:
    """The torch device of a ``--device``; ``auto`` is the first of cuda, mps, cpu that is there.

    ``number`` is which of the machine's GPUs this process takes when several train together.

    Raises:
        ConfigError: the device is not there.
    """
    if number is not None and name in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda", number % torch.cuda.device_count())
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device must be auto, cpu, cuda, cuda:N or mps, got {name!r}") from None
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise ConfigError(f"device {name!r} is not there (torch {torch.__version__} sees none); use --device auto")
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """The type of the matrix products. ``auto`` is bfloat16 where the device has units for it, else float32.

    The weights, the loss and the optimiser are float32 always; the narrower types are torch's autocast.
    """
    if name == "auto":
        return torch.bfloat16 if _has_bfloat16_units(device) else torch.float32
    return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(name, torch.float32)


@contextlib.contextmanager
def arithmetic(name: str, device: torch.device) -> Iterator[None]:
    """Torch as a training wants it: TF32 on a GPU if that is the precision ``name``, and the same bits twice.

    On CUDA the latter needs a variable that cuBLAS reads when it starts; it is set here unless it is there.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    strict = torch.are_deterministic_algorithms_enabled()
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = name == "tf32", False
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = before[1:]
        torch.use_deterministic_algorithms(strict)


def _has_bfloat16_units(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    # These two tests are young and private in torch; where they are missing, float32 is never wrong.
    tests = (getattr(torch.cpu, f"_is_{unit}_supported", None) for unit in ("avx512_bf16", "amx_tile"))
    return any(test() for test in tests if test is not None)
