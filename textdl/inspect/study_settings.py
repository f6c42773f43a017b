"""The settings of a study: which models it trains, and how each training is set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import artifact
from ..config import knobs
from ..config import replace as with_settings
from ..errors import ConfigError, near
from .study import LINEAR
from .study_texts import divided

#: A neural model makes about so many steps, in so many epochs at most; and its usual epochs up to so many examples.
STEPS, EPOCHS_AT_MOST, USUAL_UP_TO = 400, 60, 100_000
#: Held-out texts that are measured on.
TEST_AT_MOST = 5_000
#: Settings that are the study's own.
OWN = {
    "model": "name the models by models (--models)",
    "seed": "give seeds (--seeds)",
    "validation": "a tenth of each subset is for validation",
}


def epochs_for(examples: int, batch_size: int, usual: float) -> float:
    """Epochs of a neural model that learns from so many examples.

    Enough for 400 steps, but at most 60; and at least the usual number up to 100,000 examples, above that as many as
    read as many texts, one at least.
    """
    steps = math.ceil(examples / batch_size)
    least = usual if examples <= USUAL_UP_TO else max(1.0, usual * USUAL_UP_TO / examples)
    return max(least, min(EPOCHS_AT_MOST, math.ceil(STEPS / steps)))


@dataclass(frozen=True)
class Lasting:
    """How long a neural model is trained; ``fixed`` where the settings say it."""

    epochs: float | None
    minutes: float | None
    fixed: bool

    @classmethod
    def of(cls, epochs: float | None, minutes: float | None, settings: Mapping[str, Any]) -> Lasting:
        """As asked for.

        Raises:
            ConfigError: it is said twice.
        """
        named = {name.rpartition(".")[2]: name for name in settings}
        for name, value, others in (
            ("epochs", epochs, ("epochs", "steps", "minutes")),
            ("minutes", minutes, ("minutes",)),
        ):
            for other in others:
                if value is not None and other in named:
                    raise ConfigError(
                        f"{name} {value:g} and the setting {named[other]} both say how long; leave one out"
                    )
        return cls(epochs, minutes, not named.keys().isdisjoint(("epochs", "steps", "minutes")))

    def told(self) -> str:
        """The same for people."""
        bound = "" if self.minutes is None else f", but {self.minutes:g} minutes at most"
        if self.fixed:
            return f"as long as the settings say{bound}"
        if self.epochs:
            return f"{self.epochs:g} epochs{bound}"
        return (
            f"as many epochs as make about {STEPS} steps, but {EPOCHS_AT_MOST} at most, and the usual 8 at least "
            f"(fewer above {USUAL_UP_TO:,} examples){bound}"
        )


def config_of(config: Any, lasting: Lasting, size: int, seed: int, several: bool) -> Any:
    """The config of one training: the texts come from memory, and how long it lasts goes by the size."""
    plain = {"text_field": (), "label_field": None, "second_field": None, "limit": None, "documents": "auto"}
    held = {"several_labels": several or None, "validation": 0.0, "test": 0.0, "streaming": False}
    data, train = replace(config.data, **plain, **held), replace(config.train, seed=seed)
    if config.model.kind in LINEAR:
        return replace(config, data=data, train=train)
    number = len(divided(range(size), size)[0])
    if not lasting.fixed:
        train = replace(train, epochs=float(lasting.epochs or epochs_for(number, train.batch_size, train.epochs)))
    if lasting.minutes is not None:  # minutes alone would put epochs aside; of minutes and steps the first one ends
        steps = train.steps or max(1, round(train.epochs * math.ceil(number / train.batch_size)))
        train = replace(train, steps=steps, minutes=lasting.minutes)
    return replace(config, data=data, train=replace(train, checkpoint_minutes=None))


def told_settings(settings: Mapping[str, Any], test_at_most: int) -> tuple[str, ...]:
    """What is set otherwise than by default, for people."""
    shown = [f"{name}={plainly(value)}" for name, value in settings.items()]
    return (*shown, *([f"at most {test_at_most:,} held-out texts"] if test_at_most != TEST_AT_MOST else []))


def plainly(value: Any) -> str:
    """A value of a setting, or of several, for people."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={plainly(some)}" for name, some in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def configs_of(models: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The config of each model with the settings that it has.

    Raises:
        ConfigError: no or an unknown model, a setting that none of them has or that is the study's own.
    """
    from ..tasks.classify import OF_LINEAR, ClassificationConfig

    check_models(models)
    for name in settings:
        if name.rpartition(".")[2] in OWN:
            raise ConfigError(f"{name} is the study's own to set: {OWN[name.rpartition('.')[2]]}; leave it out")
    configs: dict[str, Any] = {}
    used: set[str] = set()
    for model in models:
        start = with_settings(ClassificationConfig(), {"model": model})
        own = {name: value for name, value in settings.items() if has(start, name)}
        if model in LINEAR:  # the rest of the settings of a training are for the trainer's models
            own = {name: value for name, value in own.items() if not _of_trainer(start, name, OF_LINEAR)}
        configs[model] = with_settings(start, own)
        used |= own.keys()
    for name in settings:
        if name not in used:
            _refuse(configs, name)
    if "lm" in configs:
        encoder = configs["lm"].model.encoder
        if encoder is None:
            raise ConfigError("model 'lm' needs a language model; add --set model.encoder=RUN, or leave lm out")
        artifact.read_config(Path(encoder))
    return configs


def check_models(models: Sequence[str]) -> None:
    """Check the names of models.

    Raises:
        ConfigError: there is none, one is unknown, or one is there twice.
    """
    from ..tasks.classify import MODELS

    if isinstance(models, str) or not models:
        raise ConfigError(f"models must be a list of names, got {models!r}; known: {', '.join(MODELS)}")
    for model in models:
        if model not in MODELS:
            raise ConfigError(f"there is no model {model!r}; {near(str(model), MODELS)}")
    if len(set(models)) < len(models):
        raise ConfigError(f"models must be different, got {', '.join(models)}; name each once")


def has(config: Any, name: str) -> bool:
    """Whether a config of parts has a setting, named with its part or without."""
    parts = {part: knobs(type(getattr(config, part))) for part in ("data", "model", "train")}
    return any(name in (own, f"{part}.{own}") for part, some in parts.items() for own in some)


def _of_trainer(config: Any, name: str, kept: Sequence[str]) -> bool:
    own = name.rpartition(".")[2]
    elsewhere = name.startswith(("data.", "model.")) or own in knobs(type(config.data)) | knobs(type(config.model))
    return not elsewhere and own not in kept


def _refuse(configs: Mapping[str, Any], name: str) -> None:
    """Raise what is wrong with a setting that no model takes."""
    known = sorted(
        {
            f"{part}.{own}" if "." in name else own
            for config in configs.values()
            for part in ("data", "model", "train")
            for own, (knob, _, _) in knobs(type(getattr(config, part))).items()
            if not knob.derived
        }
    )
    if name in known:
        raise ConfigError(f"{name} is a setting of neural models, and none is in the study; leave it out")
    raise ConfigError(f"none of the models {', '.join(configs)} has a setting {name!r}; {near(name, known)}")


def check_numbers(
    sizes: Sequence[int | None] | None, seeds: Sequence[int], epochs: float | None, minutes: float | None, test: int
) -> None:
    """Check what is no setting of a model.

    Raises:
        ConfigError: a list is empty or repeats something, or a number is out of range.
    """
    for name, values in (("sizes", sizes), ("seeds", seeds)):
        least = 2 if name == "sizes" else 0
        if values is None:
            continue
        if not values or len(set(values)) < len(values):
            raise ConfigError(f"{name} must be one or more different whole numbers, got {list(values)}; mend the list")
        for value in values:
            if value is None and name == "sizes":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"{name} must be whole numbers, {least} at least, got {value!r}; mend the list")
    for name, number in (("epochs", epochs), ("minutes_at_most", minutes)):
        if number is not None and not 0 < number < math.inf:
            raise ConfigError(f"{name} must be more than 0, got {number}; leave it out or give another")
    if test < 1:
        raise ConfigError(f"test_at_most must be at least 1, got {test}; leave it out or give another")
