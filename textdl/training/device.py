"""Which device, and in which precision."""

from __future__ import annotations

import torch

from ..errors import ConfigError


def pick_device(name: str) -> torch.device:
    """The torch device of a ``--device``; ``auto`` is the first of cuda, mps, cpu that is there.

    Raises:
        ConfigError: the device is not there.
    """
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

    The weights, the loss and the optimiser are float32 always; bfloat16 is torch's autocast.
    """
    if name == "auto":
        return torch.bfloat16 if _has_bfloat16_units(device) else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def _has_bfloat16_units(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    # These two tests are young and private in torch; where they are missing, float32 is never wrong.
    tests = (getattr(torch.cpu, f"_is_{unit}_supported", None) for unit in ("avx512_bf16", "amx_tile"))
    return any(test() for test in tests if test is not None)
