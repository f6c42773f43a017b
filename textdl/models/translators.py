"""Which translators there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .recurrent import CELLS
from .recurrent_translator import RecurrentTranslator, RecurrentTranslatorConfig
from .transformer_translator import TransformerTranslator, TransformerTranslatorConfig
from .translating import Translator
from .translator_parts import TranslatorConfig

#: kind -> (its config, its model); a new model is a file in this folder and a line here.
TRANSLATORS: dict[str, tuple[type[TranslatorConfig], type[Translator]]] = {
    **dict.fromkeys(("lstm", "gru", "rnn", "sru"), (RecurrentTranslatorConfig, RecurrentTranslator)),
    "transformer": (TransformerTranslatorConfig, TransformerTranslator),
}
assert set(CELLS) < set(TRANSLATORS)


def chosen_config(values: Mapping[str, Any]) -> type[TranslatorConfig]:
    """The config class of the model of some kind.

    Raises:
        KeyError: there is no such kind here.
    """
    return TRANSLATORS[str(values["kind"])][0]


def translator(config: TranslatorConfig) -> Translator:
    """The model of a config, with new weights.

    Raises:
        ConfigError: ``tied`` "all" without a joint vocabulary.
    """
    model: Any = TRANSLATORS[config.kind][1]  # each takes its own config
    made: Translator = model(config)
    return made
