"""Which draws of a family become recipes: evenly spread over titles, picks and servings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any, TypeVar

from .dish import Family, FormatError, Line
from .expand import STYLES, Draw, Printer, Recipe

Item = TypeVar("Item")


def shuffled(items: list[Item], source: Random) -> list[Item]:
    """The items in an order that is the same on every Python, which `shuffle` does not promise."""
    return [item for _, item in sorted(((source.random(), at), item) for at, item in enumerate(items))]


def _deck(items: list[Item], count: int, source: Random) -> list[Item]:
    """`count` items, each as often as any other (give or take one), in no order."""
    decks = [shuffled(items, source) for _ in range(-(-count // len(items)))]
    return shuffled([item for deck in decks for item in deck][:count], source)


def _maybe_deck(chance: float, count: int, source: Random) -> list[bool]:
    return shuffled([at < round(chance * count) for at in range(count)], source)


def _title(family: Family, draw: Draw, turn: Line, source: Random) -> Line:
    """The title whose turn it is, or where its condition does not hold another one."""
    printer = Printer(family, draw)
    choice = [turn] if printer.stands(turn) else [line for line in family.titles if printer.stands(line)]
    if not choice:
        raise FormatError(f"{family.where()}: no title stands when {draw.key()}")
    return choice[int(source.random() * len(choice))]


def even_draws(family: Family, count: int, seed: str) -> Iterator[Draw]:
    """`count` draws in which every option, title, style and number of servings has its even share."""
    source = Random(f"{family.name}/{seed}")
    picks = {name: _deck(options, count, source) for name, options in family.picks.items()}
    maybes = {name: _maybe_deck(chance, count, source) for name, chance in family.maybes.items()}
    counts = _deck(list(family.counts), count, source)
    titles = _deck(family.titles, count, source)
    styles = _deck(STYLES, count, source)
    for at in range(count):
        draw = Draw(
            {name: deck[at] for name, deck in picks.items()},
            {name: deck[at] for name, deck in maybes.items()},
            counts[at],
            titles[at],
            styles[at],
            Random(f"{family.name}/{seed}/{at}"),
        )
        draw.title = _title(family, draw, titles[at], source)
        yield draw


def all_combinations(family: Family, limit: int = 400) -> Iterator[Draw]:
    """Every combination of options and maybes (evenly thinned out beyond `limit`), each with one wording."""
    sides: list[list[Any]] = [*family.picks.values(), *([True, False] for _ in family.maybes)]
    source = Random(f"{family.name}/all")
    combinations = list(product(*sides))
    step = max(1, -(-len(combinations) // limit))
    for at, values in enumerate(combinations[::step]):
        options = dict(zip(family.picks, values, strict=False))
        maybes = dict(zip(family.maybes, values[len(options) :], strict=True))
        count = family.counts[at % len(family.counts)]
        draw = Draw(
            options,
            maybes,
            count,
            family.titles[0],
            STYLES[at % len(STYLES)],
            Random(f"{family.name}/all/{at}"),
        )
        draw.title = _title(family, draw, family.titles[at % len(family.titles)], source)
        yield draw


def recipes_of(family: Family, wanted: int) -> list[Recipe]:
    """Up to `wanted` distinct recipes, first of all such that differ in title, servings or ingredients."""
    found: list[Recipe] = []
    seen: set[object] = set()
    for only_new_lists in (True, False):
        for attempt in range(6):
            missing = wanted - len(found)
            if missing <= 0:
                return found
            for draw in even_draws(family, missing, f"{'first' if only_new_lists else 'then'} {attempt}"):
                recipe = Printer(family, draw).recipe()
                heading = (recipe.title, recipe.serves, recipe.ingredients)
                if recipe not in found and not (only_new_lists and heading in seen):
                    found.append(recipe)
                    seen.add(heading)
    return found
