"""The settings of training."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import check, knob
from ..errors import ConfigError

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. ``steps`` and ``minutes`` replace ``epochs``; the first bound reached ends it."""

    epochs: float = knob(5.0, "Passes over the training text (unless --steps or --minutes is given).", above=0)
    steps: int | None = knob(None, "Steps to train.", least=1)
    minutes: float | None = knob(None, "Minutes to train, evaluations included; not reproducible.", above=0)
    batch_size: int = knob(8, "Sequences in a batch.", least=1, most=1_000_000)
    lr: float = knob(0.01, "Highest learning rate (Adam).", above=0, most=10)
    seed: int = knob(1, "Seed of everything random.", least=0, most=2**32 - 1)
    device: str = knob("auto", "Where to train: auto, cpu, cuda, cuda:1, mps.")
    precision: str = knob("auto", "Precision of the matrix products.", choices=PRECISIONS)
    threads: int | None = knob(None, "CPU threads (default: one a core).", least=1, most=4096, flag=False)
    warmup: float = knob(
        0.02, "Share of the training in which the rate rises to its highest.", least=0, most=1, flag=False
    )
    final_lr: float = knob(
        0.0, "Rate at the end of the cosine, as a share of the highest.", least=0, most=1, flag=False
    )
    weight_decay: float = knob(0.0, "Decoupled weight decay (AdamW).", least=0, most=10, flag=False)
    beta1: float = knob(0.9, "Adam's memory of the gradient.", least=0, most=0.9999, flag=False)
    beta2: float = knob(0.99, "Adam's memory of its square.", least=0, most=0.99999, flag=False)
    clip: float = knob(1.0, "Largest norm of the gradient.", above=0, flag=False)
    evaluations: int = knob(8, "Evaluations spread over the training.", least=1, most=10_000, flag=False)
    evaluate_at_most: int = knob(
        200_000,
        "Tokens of the validation split that an evaluation during training reads.",
        least=1,
        flag=False,
    )

    checkpoint_minutes: float | None = knob(1.0, "Minutes between two checkpoints.", above=0, flag=False)
    checkpoint_steps: int | None = knob(None, "Steps between two checkpoints.", least=1, flag=False)
    checkpoints: int = knob(2, "Checkpoints that are kept, the last ones.", least=1, most=10_000, flag=False)

    def __post_init__(self) -> None:
        check(self)
        if self.device.split(":")[0] not in ("auto", "cpu", "cuda", "mps"):
            raise ConfigError(f"device must be auto, cpu, cuda, cuda:N or mps, got {self.device!r}")
