"""Drawing pairs of reviews from a family: the same draw printed for either label.

A skeleton has ``[one|other]`` (free choices), ``<this/that>`` (this in a positive review, that in a negative one) and
slots: ``{who}`` draws from the list ``who``; ``{+adj}`` has the polarity of the label and ``{-adj}`` the other one;
``{part}`` is a thing that can be judged and ``{+is}`` how it was judged; a number tells several of a key apart. Within
a side, polarity is that of the side. Since the two texts of a draw are printed from the same words, ``{-}, but {+}``
gives two reviews that differ in order alone.
"""

from __future__ import annotations

import re
from random import Random

from .family import Entry, Family, Words

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_EITHER = re.compile(r"<([^<>/]*)/([^<>/]*)>")
_SLOT = re.compile(r"\{([+-]?)([a-z]*)(\d*)\}")
_SENTENCE = re.compile(r"(^|[.!?] )([a-z])")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou]|hour|honest)(?!one\b|use)")

#: A word of either polarity: (good, bad).
Pair = tuple[str, str]


def tidy(text: str) -> str:
    """A sentence opens with a capital; ``a`` is ``an`` before a vowel."""
    text = _SENTENCE.sub(lambda match: match[1] + match[2].upper(), " ".join(text.split()))
    return _ARTICLE.sub(r"\1n ", text)


class Draw:
    """One draw from a family in a domain; :meth:`text` prints it for a label."""

    def __init__(self, family: Family, words: Words, random: Random) -> None:
        self._words, self._random = words, random
        self._drawn: dict[tuple[str, str, str], Pair] = {}
        self._parts: dict[tuple[str, str], Entry] = {}
        self._used: set[str] = set()
        self._text, self._side = self._choose(family.text), self._choose(family.side)

    def text(self, positive: bool) -> str:
        """The review with the label."""
        return tidy(self._fill(self._text, positive, ""))

    def _choose(self, text: str) -> str:
        while match := _CHOICE.search(text):
            text = text[: match.start()] + self._random.choice(match[1].split("|")) + text[match.end() :]
        return text

    def _fill(self, text: str, good: bool, scope: str) -> str:
        text = _EITHER.sub(lambda match: match[1] if good else match[2], text)

        def slot(match: re.Match[str]) -> str:
            sign, key, number = match.groups()
            polarity = good if sign != "-" else not good
            if not key:
                return self._fill(self._side, polarity, "good" if polarity else "bad")
            # Neutral words are those of the whole review, so that both sides have the same.
            place = (scope if sign or key == "part" else "", key, number)
            if place not in self._drawn:
                self._drawn[place] = self._draw(*place)
            return self._drawn[place][0 if polarity or not sign else 1]

        return _SLOT.sub(slot, text)

    def _draw(self, scope: str, key: str, number: str) -> Pair:
        if key == "part":
            return self._part(scope, number).topic, ""
        if key == "is":
            part = self._part(scope, number)
            return self._unused(part.good), self._unused(part.bad)
        entries = self._words[key]
        if entries[0].topic:
            return self._unused(self._topic(key).good), self._unused(self._topic(key).bad)
        good = [word for entry in entries for word in entry.good]
        bad = [word for entry in entries for word in entry.bad]
        return self._unused(good), self._unused(bad) if bad else ""

    def _part(self, scope: str, number: str) -> Entry:
        if (scope, number) not in self._parts:
            self._parts[scope, number] = self._topic("part")
        return self._parts[scope, number]

    def _topic(self, key: str) -> Entry:
        """A topic that the review has not touched yet."""
        entries = [entry for entry in self._words[key] if entry.topic not in self._used]
        entry = self._random.choice(entries or self._words[key])
        self._used.add(entry.topic)
        return entry

    def _unused(self, words: list[str] | tuple[str, ...]) -> str:
        word = self._random.choice([word for word in words if word not in self._used] or list(words))
        self._used.add(word)
        return word
