"""What ``--set NAME=VALUE ...`` says, in the benchmarks that have it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def given(pairs: Sequence[str]) -> dict[str, Any]:
    """The settings: a value that is JSON as what it says, any other as its text."""
    return {name: _value(text) for name, _, text in (pair.partition("=") for pair in pairs)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
