"""The condition that a trained language model is given: what it may be, and its ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import PromptError, near
from ..text.tokenizers import Tokenizer
from .conditioned_text import MARK, mark_id
from .generation import refuse_unknown

#: Characters of a condition that are shown in a message.
_SHOWN = 40


@dataclass(frozen=True)
class Conditions:
    """What a run knows of the conditions it was trained on.

    Attributes:
        fields: where they came from.
        common: the most frequent first, or some examples.
        closed: whether there are no others.
    """

    fields: tuple[str, ...]
    common: tuple[str, ...]
    closed: bool

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Conditions | None:
        """Those of what a ``config.json`` says of the corpus; None where there is no condition."""
        said = record.get("conditions")
        if said is None:
            return None
        return cls(tuple(said["fields"]), tuple(said["counts"] or said["examples"]), said["counts"] is not None)

    @property
    def example(self) -> str:
        """A condition to show how one is given."""
        first = self.common[0]
        return first if short(first) == first and first.isprintable() else "TEXT"

    def ids(self, given: str | Sequence[str] | None, tokenizer: Tokenizer) -> list[int]:
        """The ids of a condition and the mark.

        Raises:
            PromptError: there is none, or not one that the model knows.
        """
        if given is None:
            number = 10 if self.closed else 2
            some = ", ".join(repr(short(name)) for name in self.common[:number])
            some += ", ..." if len(self.common) > number else ""
            what = f"of {some}" if self.closed else f"such as {some}"
            raise PromptError(
                f"the model writes on a condition ({', '.join(self.fields)}) and was given none; give --condition TEXT "
                f"(in Python condition=TEXT), {what}"
            )
        text = self.text(given)
        if self.closed and text not in self.common:
            shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
            raise PromptError(f"the model knows no condition {shown!r}; {near(text, self.common)}")
        refuse_unknown(tokenizer, text, "condition", MARK)
        return [*tokenizer.encode(text).tolist(), mark_id(tokenizer)]

    def text(self, given: str | Sequence[str]) -> str:
        """A condition as one text: several values are one for each field, or of one field the lines of a list.

        Raises:
            PromptError: another number of values than there are fields, or nothing in them; or they are no texts.
        """
        if not isinstance(given, str):
            if not isinstance(given, Sequence) or not all(part is None or isinstance(part, str) for part in given):
                raise PromptError(f"the condition must be a text, or a list of texts, got {short(repr(given))}")
            if len(self.fields) > 1 and len(given) not in (1, len(self.fields)):
                raise PromptError(
                    f"the condition has {len(self.fields)} parts ({', '.join(self.fields)}), got {len(given)}; "
                    "give one for each"
                )
            given = ("\n" if len(self.fields) == 1 else "\n\n").join(part for part in given if part)
        given = given.replace("\r\n", "\n").strip()  # as a corpus is read
        if not given:
            raise PromptError(f"the condition ({', '.join(self.fields)}) is empty; give a text")
        return given


def short(condition: str) -> str:
    """A condition as it can be shown within a line."""
    line = condition.partition("\n")[0][:_SHOWN].rstrip()
    return line if line == condition else line + "…"
