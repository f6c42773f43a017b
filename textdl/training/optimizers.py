"""The optimisers by name: torch's own, with its fused kernel where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .config import TrainConfig
from .gradient_task import Layer

Make = Callable[[list[dict[str, Any]], TrainConfig, bool], torch.optim.Optimizer]


def _sgd(momentum: bool, nesterov: bool) -> Make:
    def make(groups: list[dict[str, Any]], config: TrainConfig, fused: bool) -> torch.optim.Optimizer:
        rolling = config.momentum if momentum else 0.0
        return torch.optim.SGD(groups, config.lr, momentum=rolling, nesterov=nesterov, fused=fused)

    return make


def _adam(kind: Callable[..., torch.optim.Optimizer]) -> Make:
    def make(groups: list[dict[str, Any]], config: TrainConfig, fused: bool) -> torch.optim.Optimizer:
        return kind(groups, config.lr, betas=(config.beta1, config.beta2), fused=fused)

    return make


#: Plain gradient descent; momentum (Polyak 1964); Nesterov (1983; as in Sutskever et al. 2013); AdaGrad (Duchi et al.
#: 2011); AdaDelta (Zeiler 2012); RMSProp (Tieleman & Hinton 2012); Adam (Kingma & Ba 2015); AdamW (Loshchilov & Hutter
#: 2019).
#: Online, mini-batch and batch descent are a matter of --batch-size.
OPTIMIZERS: dict[str, Make] = {
    "sgd": _sgd(momentum=False, nesterov=False),
    "momentum": _sgd(momentum=True, nesterov=False),
    "nesterov": _sgd(momentum=True, nesterov=True),
    "adagrad": lambda groups, config, fused: torch.optim.Adagrad(groups, config.lr),
    "adadelta": lambda groups, config, fused: torch.optim.Adadelta(groups, config.lr, rho=config.beta2),
    "rmsprop": lambda groups, config, fused: torch.optim.RMSprop(groups, config.lr, alpha=config.beta2),
    "adam": _adam(torch.optim.Adam),
    "adamw": _adam(torch.optim.AdamW),
}


def make_optimizer(layers: Sequence[Layer], config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser that ``config.optimizer`` names.

    ``config.weight_decay``, which only AdamW has, is for weight matrices: biases and gains are left alone.
    """
    groups: list[dict[str, Any]] = []
    for layer in layers:
        own = [p for p in layer.parameters if p.requires_grad]
        parts = [own]  # each group is a call of the kernel of its own: two only where they differ
        if config.weight_decay:
            parts = [[p for p in own if p.ndim > 1], [p for p in own if p.ndim <= 1]]
        groups += [{"params": part, "rate": layer.rate, "start": layer.start} for part in parts if part]
    every = [p for group in groups for p in group["params"]]
    fused = bool(every) and all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in every)
    optimizer = OPTIMIZERS[config.optimizer](groups, config, fused)
    for group in optimizer.param_groups:  # 0 where torch's own default is another
        group["weight_decay"] = config.weight_decay if group["params"][0].ndim > 1 else 0.0
    return optimizer


def set_pace(optimizer: torch.optim.Optimizer, lr: float, momentum: float | None, share: float = 1.0) -> None:
    """Set the learning rate and, where a schedule cycles it and the optimiser has one, the momentum.

    ``share`` of the training is done; layers whose time has not come have a rate of 0.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr * group["rate"] if share >= group["start"] else 0.0
        if momentum is not None and "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        elif momentum is not None and group.get("momentum"):
            group["momentum"] = momentum


def thaw(optimizer: torch.optim.Optimizer, share: float) -> None:
    """Leave layers whose time has not come out of the backward pass, and take the others into it."""
    for group in optimizer.param_groups:
        wanted = share >= group["start"]
        for parameter in group["params"]:
            if parameter.requires_grad != wanted:
                parameter.requires_grad_(wanted)


def add_penalties(parameters: Iterable[nn.Parameter], l1: float, l2: float) -> None:
    """Add the gradient of ``l1 · Σ|w| + l2 / 2 · Σw²`` over the weight matrices to theirs; biases are left alone."""
    having = [(p, p.grad) for p in parameters if p.grad is not None and p.ndim > 1]
    weights: list[Tensor] = [p.detach() for p, _ in having]
    gradients: list[Tensor] = [g for _, g in having]
    if l1:
        torch._foreach_add_(gradients, torch._foreach_sign(weights), alpha=l1)
    if l2:
        torch._foreach_add_(gradients, weights, alpha=l2)


@torch.no_grad()
def clip(parameters: list[nn.Parameter], norm: float | None, value: float | None) -> None:
    """Clip each entry of the gradient to ±``value``, then all of it to a length of ``norm`` (Pascanu et al. 2013)."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    if value is not None and gradients:
        nn.utils.clip_grad_value_(parameters, value)
    if norm is not None and gradients:
        # what clip_grad_norm_ does, to the bit, less what that asks of each gradient: a hundredth of a small step
        length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (norm / (length + 1e-6)).clamp_(max=1.0))
