"""One declaration per setting: CLI flag, default, help, JSON key and check.

A config is a frozen dataclass whose fields are made by :func:`knob` and whose ``__post_init__`` calls :func:`check`::

    @dataclass(frozen=True)
    class ModelConfig:
        hidden: int = knob(256, "Width of the recurrent state.", least=1)

        def __post_init__(self) -> None:
            check(self)

The command line makes ``--hidden`` of it, ``config.json`` the key ``hidden``; nothing about a setting is written twice.

A part that is one of several config classes (the model of a classifier) is declared as a class with a method
``variant(values)``, which gives the one that some plain values are of, told by their ``kind``.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from .errors import ConfigError, near

C = TypeVar("C")


@dataclasses.dataclass(frozen=True)
class Knob:
    """What :func:`knob` knows of a field beside its default."""

    help: str
    least: float | None
    above: float | None
    most: float | None
    choices: tuple[str, ...]
    flag: bool
    derived: bool


def knob(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    flag: bool = True,
    derived: bool = False,
) -> Any:
    """A config field.

    Args:
        default: the value when nothing is said.
        help: one sentence, shown by ``--help``.
        least: smallest value allowed.
        above: bound that the value must exceed.
        most: largest value allowed.
        choices: the values allowed, for a string.
        flag: False for a rarer setting, reached by ``--set`` (or a file, or Python) instead of a flag.
        derived: True for a value that the program fills in (a vocabulary size); it has no flag and is not to be set.
    """
    return dataclasses.field(
        default=default,
        metadata={"knob": Knob(help, least, above, most, choices, flag and not derived, derived)},
    )


def knobs(cls: type) -> dict[str, tuple[Knob, Any, Any]]:
    """``{field: (knob, type, default)}`` of a config class, in the order of declaration."""
    hints = _hints(cls)
    return {
        f.name: (f.metadata["knob"], hints[f.name], f.default) for f in dataclasses.fields(cls) if "knob" in f.metadata
    }


def chosen_kind(values: Mapping[str, Any], choices: Collection[str], usual: str) -> str:
    """The kind of model that some values of a config name; ``usual`` where they name none.

    Raises:
        ConfigError: there is no such kind.
    """
    kind = values.get("kind", usual)
    if not isinstance(kind, str) or kind not in choices:
        raise ConfigError(f"model has no choice {kind!r}; {near(str(kind), choices)}")
    return kind


def check(config: Any) -> None:
    """Check the values of a config against its knobs.

    Raises:
        ConfigError: "hidden must be at least 1, got -1".
    """
    for name, (k, hint, _) in knobs(type(config)).items():
        value = getattr(config, name)
        if not _fits(value, hint):
            raise ConfigError(f"{name} must be {_spell(hint)}, got {value!r}")
        if value is None:
            continue
        if k.choices and value not in k.choices:
            raise ConfigError(f"{name} has no choice {value!r}; {near(str(value), k.choices)}")
        if k.least is not None and not value >= k.least:
            raise ConfigError(f"{name} must be at least {k.least:g}, got {value}")
        if k.above is not None and not value > k.above:
            raise ConfigError(f"{name} must be more than {k.above:g}, got {value}")
        if k.most is not None and not value <= k.most:
            raise ConfigError(f"{name} must be at most {k.most:g}, got {value}")


def check_shares(config: Any) -> None:
    """Check the shares ``validation`` and ``test`` that are to be held out of a corpus.

    Raises:
        ConfigError: they leave nothing to train on.
    """
    if config.validation + config.test > 0.95:
        got = f"{config.validation} and {config.test}"
        raise ConfigError(f"validation and test must be at most 0.95 together, to leave a train, got {got}")


def build(cls: type[C], values: Mapping[str, Any], where: str = "config") -> C:
    """Make a config of plain JSON values, nested configs included.

    Raises:
        ConfigError: a key is not a field of ``cls`` (near names are suggested), or a value does not fit.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a table of settings, got {values!r}")
    cls = getattr(cls, "variant", lambda values: cls)(values)
    hints = _hints(typing.cast(type, cls))
    unknown = [key for key in values if key not in hints]
    if unknown:
        raise ConfigError(f"{where} has no setting {unknown[0]!r}; {near(unknown[0], hints)}")
    made: dict[str, Any] = {}
    for key, value in values.items():
        if _is_part(hints[key]) and not dataclasses.is_dataclass(value):
            made[key] = build(typing.cast(type, hints[key]), value, key)
        else:
            made[key] = _from_json(value, hints[key])
    return cls(**made)


def to_json(config: Any) -> dict[str, Any]:
    """The config as plain JSON values; ``build(type(config), to_json(config)) == config``."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def replace(config: C, changes: Mapping[str, Any]) -> C:
    """A copy with some settings changed; keys are dotted (``train.lr``), or bare when one part alone has them (``lr``).

    Where a part is one of several classes, its name with a ``kind`` (``model="cnn"``) puts that one's defaults in its
    place, before all other changes, unless it is of that kind already.

    Raises:
        ConfigError: an unknown or ambiguous name, or a value that does not fit.
    """
    changes = dict(changes)
    hints = _hints(typing.cast(type, type(config)))
    for part in [part for part, hint in hints.items() if part in changes and hasattr(hint, "variant")]:
        kind = changes.pop(part)
        if kind != getattr(config, part).kind:
            chosen = build(hints[part], {"kind": kind}, part)
            config = dataclasses.replace(config, **{part: chosen})  # type: ignore[type-var]
    values = to_json(config)
    for key, value in changes.items():
        part, name = locate(config, key)
        (values[part] if part else values)[name] = _plain(value)
    return build(type(config), values)


def locate(config: Any, key: str) -> tuple[str, str]:
    """Where a setting lives in a config (or its class) of parts: ``("train", "lr")`` for both ``train.lr`` and ``lr``.

    Raises:
        ConfigError: unknown, ambiguous, or derived.
    """
    paths = {(part, n): k for part, cls in _parts(config).items() for n, (k, _, _) in knobs(cls).items()}
    found = [p for p in paths if key in (p[1], ".".join(p))]
    found = [p for p in found if not paths[p].derived] or found
    if not found:
        known = [name if "." not in key else f"{part}.{name}" for part, name in paths]
        raise ConfigError(f"no setting is called {key!r}; {near(key, known)}")
    if len(found) > 1:
        raise ConfigError(f"{key!r} is the name of several settings; write {' or '.join('.'.join(p) for p in found)}")
    if paths[found[0]].derived:
        raise ConfigError(f"{key} is worked out by the program and can not be set")
    return found[0]


def parse(config: Any, key: str, text: str) -> Any:
    """The value of setting ``key`` of a config (or its class) written as text, as after ``--set``.

    Raises:
        ConfigError: an unknown setting, or text that is not a value of its type.
    """
    part, name = locate(config, key)
    hint = _hints(_parts(config)[part])[name]
    kinds = _members(hint)
    if type(None) in kinds and text.lower() in ("none", "null", ""):
        return None
    try:
        if bool in kinds:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        if int in kinds:
            return int(text)
        if float in kinds:
            return float(text)
    except (ValueError, KeyError):
        raise ConfigError(f"{key} must be {_spell(hint)}, got {text!r}") from None
    return tuple(p.strip() for p in text.split(",")) if _is_tuple(hint) else text


def _is_part(hint: Any) -> bool:
    """Whether a field is a config of its own, or one of several."""
    return dataclasses.is_dataclass(hint) or hasattr(hint, "variant")


def _parts(config: Any) -> dict[str, type]:
    """The class of a config (``""``) and those of its parts; of one that is one of several, as it is there."""
    cls = config if isinstance(config, type) else type(config)
    parts = {name: hint for name, hint in _hints(cls).items() if _is_part(hint)}
    if cls is not config:
        parts = {name: type(getattr(config, name)) for name in parts}
    return {"": cls, **parts}


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of ``int | None``; of a plain type, itself."""
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _is_tuple(hint: Any) -> bool:
    return any(typing.get_origin(kind) is tuple for kind in _members(hint))


def _fits(value: Any, hint: Any) -> bool:
    for kind in _members(hint):
        if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return value == value  # not a number fits nowhere
        if typing.get_origin(kind) is tuple:
            if isinstance(value, tuple) and all(isinstance(v, typing.get_args(kind)[0]) for v in value):
                return True
        elif isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return True
    return False


def _spell(hint: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    return " or ".join(words.get(kind, "a list of texts") for kind in _members(hint))


def _from_json(value: Any, hint: Any) -> Any:
    if isinstance(value, list) and _is_tuple(hint):
        return tuple(value)
    if float in _members(hint) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
