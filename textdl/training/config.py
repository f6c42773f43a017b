"""The settings of training."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import check, knob
from ..errors import ConfigError

PRECISIONS = ("auto", "float32", "tf32", "bfloat16", "float16")
OPTIMIZERS = ("adamw", "adam", "sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop")
SCHEDULES = ("cosine", "constant", "linear", "step", "exponential", "one-cycle", "plateau")


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. ``steps`` and ``minutes`` replace ``epochs``; the first bound reached ends it."""

    epochs: float = knob(5.0, "Passes over the training text (unless --steps or --minutes is given).", above=0)
    steps: int | None = knob(None, "Steps to train.", least=1)
    minutes: float | None = knob(None, "Minutes to train, evaluations included; not reproducible.", above=0)
    batch_size: int = knob(8, "Sequences in a batch (of each process).", least=1, most=1_000_000)
    optimizer: str = knob("adamw", "How the weights are changed.", choices=OPTIMIZERS)
    lr: float = knob(0.01, "Highest learning rate.", above=0, most=1000)
    schedule: str = knob("cosine", "How the learning rate changes.", choices=SCHEDULES)
    patience: int | None = knob(
        None, "Stop after so many evaluations without a better one; the run is then the best.", least=1
    )
    seed: int = knob(1, "Seed of everything random.", least=0, most=2**32 - 1)
    device: str = knob("auto", "Where to train: auto, cpu, cuda, cuda:1, mps.")
    precision: str = knob("auto", "Precision of the matrix products.", choices=PRECISIONS)
    compile: bool = knob(
        False, "Compile the model (torch.compile), which may help on a GPU; goes on without where it can not be done."
    )
    threads: int | None = knob(None, "CPU threads (default: one a core).", least=1, most=4096, flag=False)

    warmup: float = knob(
        0.02, "Share of the training in which the rate rises to its highest.", least=0, most=1, flag=False
    )
    final_lr: float = knob(
        0.0, "Rate at the end (cosine, linear), as a share of the highest.", least=0, most=1, flag=False
    )
    decay_steps: int | None = knob(
        None, "Steps between two cuts (step), or to a tenth of the rate (exponential).", least=1, flag=False
    )
    decay_factor: float = knob(0.1, "What the rate is cut to (step, plateau).", above=0, most=1, flag=False)
    plateau_patience: int = knob(
        2, "Evaluations without a better one before the rate is cut (plateau).", least=1, flag=False
    )
    momentum: float = knob(0.9, "Of the optimisers momentum and nesterov.", above=0, most=0.9999, flag=False)
    beta1: float = knob(0.9, "Adam's memory of the gradient.", least=0, most=0.9999, flag=False)
    beta2: float = knob(
        0.99, "Memory of the gradient's square (Adam, RMSProp, AdaDelta).", least=0, most=0.99999, flag=False
    )
    weight_decay: float = knob(0.0, "Decoupled decay of the weight matrices (adamw).", least=0, most=10, flag=False)
    l1: float = knob(0.0, "Penalty on the sum of |w| over the weight matrices.", least=0, flag=False)
    l2: float = knob(0.0, "Penalty on half the sum of their squares.", least=0, flag=False)
    label_smoothing: float = knob(
        0.0, "Share of the target that goes to all classes alike.", least=0, most=0.99, flag=False
    )
    clip: float | None = knob(1.0, "Largest norm of the gradient; none for no limit.", above=0, flag=False)
    clip_value: float | None = knob(None, "Largest entry of the gradient.", above=0, flag=False)
    accumulate: int = knob(1, "Batches whose gradients make one step.", least=1, most=1_000_000, flag=False)
    ema: float = knob(
        0.0, "Moving average of the weights: its memory, such as 0.999.", least=0, most=0.99999, flag=False
    )
    swa: float = knob(
        0.0, "Mean of the weights over so much of the end of the training, such as 0.25.", least=0, most=1, flag=False
    )

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
        if self.weight_decay and self.optimizer != "adamw":
            raise ConfigError(
                f"weight_decay is decoupled and for adamw only, got it with {self.optimizer}; use l2 for a penalty"
            )
        if self.ema and self.swa:
            raise ConfigError("ema and swa are two averages of the same weights; set one of them")
