"""The rules of FORMAT.md, enforced: what `make.py --check` says of the families."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from .amounts import read
from .dish import Condition, Family, FormatError, references
from .draw import all_combinations, even_draws
from .expand import MEASURE, Draw, Printer, Recipe
from .judge import Lexicon, match, split_line

SHORTEST, LONGEST = 300, 900
DRAWS, DISTINCT = 200, 40


@dataclass
class _Complaint:
    """One message, and in which draws it came up."""

    draws: list[Draw] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)


def names_of(recipe: Recipe) -> list[tuple[str, int, bool]]:
    """The ingredients of a recipe: name, line number, and whether the line has an amount."""
    found = []
    for text, line in zip(recipe.ingredients, recipe.lines[0], strict=True):
        item = read(text)
        found += [(name, line, item.low is not None) for name in split_line(item.name, item.low is not None)]
    return found


def _check_use(recipe: Recipe, lexicon: Lexicon) -> Iterator[tuple[int, str]]:
    """Line numbers and messages about one recipe: rules 1, 2 and 5."""
    listed = names_of(recipe)
    steps = [step.split(". ", 1)[1] for step in recipe.steps]
    found = match([name for name, _, _ in listed], steps, lexicon)
    for name, line, _ in listed:
        if name in found.unused:
            vague = {shown for _, shown in found.vague if shown.split()[-1][:4] == name.split()[-1].lower()[:4]}
            hint = f"; '{vague.pop()}' in a step may be several of the ingredients" if vague else ""
            yield line, f"ingredient '{name}' is never used{hint}"
    for step, shown in found.unlisted:
        yield recipe.lines[1][step - 1], f"step {step} names '{shown}', which is not listed"
    latest, before = -1, ""
    for name, line, amount in listed:
        # What stands without an amount (salt and pepper) closes the list, wherever it is used.
        if not amount or name not in found.first_use:
            continue
        if found.first_use[name] < latest:
            yield line, f"ingredient '{name}' is listed after '{before}', but is used before it"
        elif found.first_use[name] > latest:
            latest, before = found.first_use[name], name


def _check_shape(recipe: Recipe) -> Iterator[tuple[int, str]]:
    """Line numbers and messages about the form of one recipe."""
    length = len(recipe.text())
    if not SHORTEST <= length <= LONGEST:
        yield 0, "a text is " + (f"shorter than {SHORTEST}" if length < SHORTEST else f"longer than {LONGEST}")
    lines = Counter(recipe.ingredients)
    for text, line in zip(recipe.ingredients, recipe.lines[0], strict=True):
        item = read(text)
        if lines[text] > 1:
            yield line, f"ingredient line '{text}' stands twice"
        if not item.name or not item.name[0].isalpha():
            yield line, f"ingredient line '{text}' is not amount, unit and name"
    for text, line in zip(recipe.steps, recipe.lines[1], strict=True):
        if not text.endswith((".", ".)")):
            yield line, f"a step does not end in a full stop: '...{text[-30:]}'"
        body = text.split(". ", 1)[1]
        if sign := next((sign for sign in "[]{}|" if sign in body), ""):
            yield line, f"a stray '{sign}' in the text of a step"
        words = body.lower().split()
        for first, second in pairwise(words):
            if first == second and first not in ("very",):
                yield line, f"a word twice in a row: '{first} {second}'"
    if len(recipe.steps) < 3 or len(recipe.ingredients) < 3:
        yield 0, f"only {len(recipe.ingredients)} ingredients and {len(recipe.steps)} steps"


def _common(complaint: _Complaint, draws: list[Draw]) -> str:
    """What the draws with a complaint have in common that not all draws have."""
    found = []
    for name in draws[0].options:
        here = {draw.options[name].say for draw in complaint.draws}
        if len(here) == 1 < len({draw.options[name].say for draw in draws}):
            found.append(f"{name}={here.pop()}")
    for name in draws[0].maybes:
        kinds = {draw.maybes[name] for draw in complaint.draws}
        if len(kinds) == 1:
            found.append(f"{name} is {'in' if kinds.pop() else 'out'}")
    share = len(complaint.draws) / len(draws)
    some = "" if found or share > 0.95 else f" in {share:.0%} of the draws"
    return (f" (when {', '.join(found)})" if found else "") + some


def check_family(family: Family, lexicon: Lexicon) -> list[str]:
    """All messages about one family."""
    problems = list(check_references(family))
    if problems:
        return problems
    complaints: dict[tuple[int, str], _Complaint] = {}
    texts = set()
    try:
        random_draws = list(even_draws(family, DRAWS, "check"))
        draws = [*random_draws, *all_combinations(family)]
        for at, draw in enumerate(draws):
            recipe = Printer(family, draw).recipe()
            if at < DRAWS:
                texts.add(recipe.text())
            for line, message in {*_check_use(recipe, lexicon), *_check_shape(recipe)}:
                complaint = complaints.setdefault((line, message), _Complaint())
                complaint.draws.append(draw)
                complaint.lengths.append(len(recipe.text()))
    except FormatError as error:
        return [f"{family.where()}: {error}"]
    except ValueError as error:
        return [f"{family.where()}: cannot be printed: {error}"]
    for (line, message), complaint in sorted(complaints.items()):
        extreme = max(complaint.lengths) if f" {LONGEST}" in message else min(complaint.lengths)
        length = f", at worst {extreme}" if message.startswith("a text is") else ""
        problems.append(f"{family.where(line or None)}: {message}{length}{_common(complaint, draws)}")
    if len(texts) < DISTINCT:
        problems.append(f"{family.where()}: only {len(texts)} distinct texts in {DRAWS} draws, wanted {DISTINCT}")
    return problems


def _check_condition(family: Family, test: Condition) -> Iterator[str]:
    if test.name not in (family.picks if test.option else family.maybes):
        yield f"'?{test.name}' tests no {'pick' if test.option else 'maybe'} of this family"
    elif test.option and not any(option.called(test.option) for option in family.picks[test.name]):
        yield f"'{test.option}' is no option of pick '{test.name}'"


def _check_slot(family: Family, text: str, in_step: bool) -> Iterator[str]:
    name = _slot_name(text)
    if not name:
        if text not in ("servings", "pieces") and not MEASURE.fullmatch(text):
            yield f"'{{{text}}}' is neither a pick nor a time such as {{8-10 min}} nor {{200 C}}"
    elif name not in family.picks:
        yield f"'{{{text}}}': there is no pick '{name}'"
    elif in_step and text == name and any(option.text != option.say for option in family.picks[name]):
        yield f"a step says {{{name}}}, amount and all; write {{{name}.say}}"


def _slot_name(text: str) -> str:
    found = re.match(r"[a-z]\w*", text)
    return found[0] if found and found[0] not in ("servings", "pieces") else ""


def check_references(family: Family) -> Iterator[str]:
    """Messages about conditions and slots that name nothing, and about names that nothing uses."""
    used = set()
    for at, kind, thing in references(family):
        if isinstance(thing, Condition):
            used.add(thing.name)
            messages = _check_condition(family, thing)
        else:
            used.add(_slot_name(thing.text))
            messages = _check_slot(family, thing.text, kind == "step")
        yield from (f"{family.where(at)}: {message}" for message in messages)
    for option in (option for options in family.picks.values() for option in options):
        used.update(re.findall(r"\{([a-z]\w*)", " ".join([option.text, *option.keys.values()])))
    for name in [*family.picks, *family.maybes]:
        if name not in used:
            yield f"{family.where()}: '{name}' is drawn but never used"


def corpus_names(families: Iterable[Family]) -> set[str]:
    """The names of all ingredients that the families may list."""
    names = set()
    for family in families:
        try:
            for draw in all_combinations(family, 60):
                printer = Printer(family, draw)
                for line in family.ingredients:
                    item = printer.ingredient(line)[1] if printer.stands(line) else None
                    names.update(split_line(item.name, item.low is not None) if item else [])
        except (ValueError, KeyError):
            continue  # `check_family` will say what is wrong
    return names


def duplicates(families: list[Family]) -> Iterator[str]:
    """Messages about family names that stand twice."""
    first: dict[str, Family] = {}
    for family in families:
        if family.name in first:
            yield f"{family.where()}: the name is taken by {first[family.name].where()}"
        first.setdefault(family.name, family)
