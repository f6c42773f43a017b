"""The judge of generated recipes: well formed, consistent, and not copied.

The judge works from the text alone. It knows the corpus only by its lexicon (`lexicon.json`): the nouns of
all ingredients of all recipes. `make.py --check` holds the dish families to the same rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from .amounts import read, singular, word_set

Words = tuple[str, ...]

# A noun of these may be left away or added: "the chicken" for chicken thighs, "the lemon juice" of a lemon.
PARTS = word_set(
    "thigh breast drumstick leg wing shoulder loin fillet steak chop cutlet belly neck mince tenderloin "
    "haunch shank rib leaf seed stick stalk clove floret bulb ball sheet slice piece pod thread root rind "
    "zest juice peel skin flesh white yolk head stem tip wedge half segment ring ribbon strip cube kernel "
    "heart tail top frond sprig crown joint flake powder nut berry stone core cheek rasher packet tin "
    "bunch handful knob quarter chunk round finger spear shell cap"
)
# What a recipe makes itself; alone, or after an ingredient ("the tomato sauce"), it names no new ingredient.
MADE = word_set(
    "dough batter sauce mixture filling topping dressing marinade syrup crust paste purée puree soup stew "
    "pastry icing glaze crumb caramel custard gravy stuffing rub mix base salad broth pickle pie cake "
    "crumble curry compote jam roll relish salsa pesto vinaigrette mash coating layer biscuit pancake bun "
    "patty burger meatball dumpling loaf tart bread sponge meringue pasty scone muffin cookie pudding "
    "fritter omelette wrap toast casserole hash jelly chutney cordial"
)
# Never an ingredient to be listed, though some recipe may list it (water for boiling stands in no list).
FREE = word_set("water ice drizzle spread snap blend measure block bag baby green spice grain")
# "The cheese" is the listed Cheddar, "the herbs" are all those that are listed.
KINDS = {
    "berry": word_set(
        "raspberry strawberry blackberry blueberry gooseberry cranberry loganberry blackcurrant redcurrant "
        "tayberry bilberry"
    ),
    "bird": word_set("chicken turkey duck goose pheasant partridge quail fowl poussin pigeon"),
    "fruit": word_set(
        "apple pear plum peach nectarine apricot cherry fig grape mango pineapple banana orange clementine "
        "satsuma kiwi melon quince damson greengage rhubarb date raisin sultana currant prune papaya lychee "
        "mandarin tangerine grapefruit pomegranate raspberry strawberry blackberry blueberry gooseberry "
        "cranberry loganberry blackcurrant redcurrant tayberry bilberry"
    ),
    "green": word_set(
        "spinach chard kale cabbage rocket watercress choi sorrel lettuce nero nettle leek endive chicory "
        "dandelion pak"
    ),
    "herb": word_set(
        "parsley dill mint coriander basil chive tarragon chervil thyme rosemary sage oregano marjoram savory "
        "lovage"
    ),
    "juice": word_set("lemon lime tomato"),  # and every fruit, below
    "zest": word_set("lemon lime orange grapefruit clementine satsuma mandarin tangerine yuzu"),
    "meat": word_set(
        "beef lamb pork veal venison mutton goat rabbit hare steak mince chicken turkey duck goose pheasant "
        "bacon ham gammon chorizo pancetta salami prosciutto sausage"
    ),
    "nut": word_set("walnut almond hazelnut pecan pistachio cashew peanut macadamia chestnut"),
    "pulse": word_set("lentil chickpea bean pea"),
    "root": word_set("carrot parsnip swede turnip celeriac beetroot potato kohlrabi radish artichoke"),
    "vegetable": word_set(
        "cauliflower broccoli cabbage courgette aubergine pepper carrot parsnip swede turnip celeriac beetroot "
        "potato squash pumpkin leek fennel celery asparagus bean pea kale spinach chard sprout marrow artichoke "
        "radish kohlrabi mushroom tomato okra"
    ),
    "cheese": word_set(
        "cheddar gruyère parmesan feta mozzarella ricotta stilton halloumi mascarpone pecorino paneer "
        "fontina comté camembert brie manchego taleggio burrata leicester gorgonzola roquefort emmental "
        "kefalotyri quark labneh curd"
    ),
    "fish": word_set(
        "cod haddock salmon trout mackerel tuna monkfish pollock hake bream bass plaice sole sardine "
        "fillet"
    ),
    "pasta": word_set(
        "spaghetti penne linguine tagliatelle fusilli rigatoni macaroni orzo orecchiette conchiglie "
        "pappardelle gnocchi bucatini casarecce ditalini lasagne tagliolini trofie vermicelli farfalle "
        "shell"
    ),
}  # fmt: skip
KINDS["juice"] |= KINDS["fruit"]
# Parts and made things that are listed by that name more often than not: the word alone needs one that is.
LISTED = word_set("seed syrup mince pastry")
# Words that do not change which ingredient is meant.
PREPARED = word_set(
    "large small medium big chopped sliced diced grated melted softened beaten toasted fresh cold warm hot "
    "boiling ripe peeled drained crushed cooked sieved shredded tinned freshly finely roughly thinly "
    "coarsely extra good strong lukewarm trimmed skinless boneless quality little more torn roasted mixed "
    "unsalted whole iced raw frozen firm stale soft very dry thick thin fine mature heaped level "
    "ready-made"
)
DERIVED = {"salted": "salt", "buttered": "butter", "floured": "flour", "oiled": "oil", "sugared": "sugar"}
# Phrases that are no ingredient though they contain one.
NO_FOOD = {
    tuple(phrase.split("_"))
    for phrase in word_set(
        "pepper_mill egg_timer rice_cooker stock_pot fish_slice bread_knife butter_knife cake_tin pie_dish "
        "loaf_tin tea_towel coffee_grinder pastry_brush pastry_cutter bread_board potato_masher "
        "potato_peeler garlic_press wine_glass muffin_tin salad_bowl pie_tin pasta_machine flour_sieve "
        "lemon_squeezer sugar_thermometer"
    )
}
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[.,;:()]|\d+")
_COUNT = r"(?:about )?(?:an?|\d[\d½¼¾./]*|[½¼¾])(?:(?:-| to | or )\d[\d½¼¾./]*)?"
_TIME = re.compile(rf"{_COUNT}[ -](?:more )?(?:minute|min|hour|hr|second|sec|day|week)s?\b")
_TEMPERATURE = re.compile(r"\d+(?:(?:-| to )\d+)? ?(?:°|degrees?)(?: ?[cf]\b)?(?: \(\d+ °c fan\))?")
_LINK_WORDS = re.compile(r"\b(?:for|to|plus|from|on|in|with)\b.*")


@dataclass(frozen=True)
class Mention:
    """An ingredient term in a text: its words, whether it is in the plural there, and in which sentence."""

    words: Words
    many: bool
    sentence: int
    shown: str


def _tokens(text: str) -> list[tuple[str, str]]:
    """Words in the singular beside the words as written, without those that say how a thing is prepared."""
    found = []
    for word in _TOKEN.findall(text.lower()):
        if word not in PREPARED:
            found.append((singular(DERIVED.get(word, word)), word))
    return found


def _tails(words: Words) -> Iterator[Words]:
    for at in range(len(words)):
        if words[at] not in ("of", "and"):
            yield words[at:]


@lru_cache(maxsize=100_000)
def ingredient_forms(name: str) -> frozenset[Words]:
    """What a step may call an ingredient, in full: chicken thighs are "chicken thighs" and "chicken"."""
    name = _LINK_WORDS.sub("", re.sub(r"\(.*?\)", "", name.lower())).strip() or name
    words = tuple(word for word, _ in _tokens(name.split(",")[0]) if word.isalpha() or "-" in word or "'" in word)
    words = words or tuple(singular(word) for word in name.split())
    forms = {words}
    if "of" in words:
        at = words.index("of")
        forms |= {words[:at], words[at + 1 :]}
    if words[-1] in PARTS and len(words) > 1 and words[-2] != "baking":
        forms.add(words[:-1])
    if words[-2:] == ("black", "pepper"):
        forms |= {("pepper",), ("black", "pepper")}
    return frozenset(form for form in forms if form)


def split_line(name: str, amount: bool) -> list[str]:
    """The ingredients of one line: "salt and black pepper" are two, as no amount binds them together."""
    return [name] if amount else [part.strip() for part in re.split(r" and |, ", name) if part.strip()]


def terms_of(names: Iterable[str]) -> set[Words]:
    """The terms that a lexicon has for these ingredients: their forms, and the ends of these."""
    return {tail for name in names for form in ingredient_forms(name) for tail in _tails(form)}


def supports(mention: Mention, name: str) -> bool:
    """Whether an ingredient is what a mention may mean."""
    wanted = [mention.words]
    if len(mention.words) > 1 and mention.words[-1] in PARTS | MADE:
        wanted.append(mention.words[:-1])
    for form in ingredient_forms(name):
        if mention.many and mention.words == ("pepper",) and form[-2:] in (("pepper",), ("black", "pepper")):
            continue  # "the peppers" are vegetables
        if any(form[-1] == want[-1] and set(want[:-1]) <= set(form[:-1]) for want in wanted):
            return True
    return False


def is_free(mention: Mention) -> bool:
    """Whether a mention that no ingredient supports is fine all the same."""
    if len(mention.words) > 1:
        return False
    word = mention.words[0]
    if word in ("green", "juice"):  # "green beans" and "the juices" are free, "the greens" and "the juice" are not
        return mention.many == (word == "juice")
    return word in FREE or (word in PARTS | MADE and word not in KINDS and word not in LISTED)


def of_kind(mention: Mention, names: Iterable[str]) -> list[str]:
    """The ingredients that a mention such as "the herbs" means: those of that kind, whole or in leaf."""
    kind = KINDS.get(mention.words[0], frozenset()) if len(mention.words) == 1 else frozenset()
    return [
        name
        for name in names
        if any(
            form[-1] in kind and form[0] != "ground" and form != ("black", "pepper") for form in ingredient_forms(name)
        )
    ]


class Lexicon:
    """The ingredient terms of the whole corpus, and how they are found in a text."""

    def __init__(self, terms: Iterable[Words]) -> None:
        self.terms = frozenset(terms) | {(kind,) for kind in KINDS}
        self.longest = max([2, *map(len, self.terms)])

    @classmethod
    def of(cls, names: Iterable[str]) -> Lexicon:
        """The lexicon of some ingredients, by their names."""
        return cls(terms_of(names))

    def mentions(self, steps: Iterable[str], extra: frozenset[Words] = frozenset()) -> list[list[Mention]]:
        """The mentions of each step, longest match first; `extra` holds terms beyond the lexicon's."""
        found, sentence = [], 0
        for step in steps:
            tokens = _tokens(step)
            here: list[Mention] = []
            at = 0
            while at < len(tokens):
                sentence += tokens[at][0] == "."
                size = self._match(tokens, at, extra)
                if size > 0:
                    here += self._with_shared_noun(tokens, at, size, sentence)
                at += max(1, abs(size))
            sentence += 1
            found.append(here)
        return found

    def skeleton(self, sentence: str) -> str:
        """The sentence with a mark for every number, time, temperature and ingredient term."""
        marked = _TEMPERATURE.sub(" 0 ", _TIME.sub(" 0 ", sentence.lower()))
        words = [(singular(word), word) for word in _TOKEN.findall(marked)]
        found, at = [], 0
        while at < len(words):
            size = self._match(words, at, frozenset())
            found.append("0" if words[at][0].isdigit() else words[at][1] if size <= 0 else "#")
            at += max(1, size)
        return " ".join(found)

    def _match(self, tokens: list[tuple[str, str]], at: int, extra: frozenset[Words]) -> int:
        """The length of the longest term that starts here; 0 for none, less for a phrase that is no food."""
        for size in range(min(self.longest, len(tokens) - at), 0, -1):
            words = tuple(word for word, _ in tokens[at : at + size])
            if words in NO_FOOD:
                return -size
            if words in self.terms or words in extra:
                return size
        return 0

    def _with_shared_noun(self, tokens: list[tuple[str, str]], at: int, size: int, sentence: int) -> list[Mention]:
        """The mention at `at`, and those that share its noun, as in "the red and green peppers"."""
        words = tuple(word for word, _ in tokens[at : at + size])
        noun, shown = words[-1], " ".join(word for _, word in tokens[at : at + size])
        many = tokens[at + size - 1][1] != noun
        found = [Mention(words, many, sentence, shown)]
        before = at - 1
        while size > 1 and before > 0 and tokens[before][0] in ("and", "or", ","):
            first = tokens[before - 1][0]
            if (first, noun) not in self.terms:
                break
            found.append(Mention((first, noun), many, sentence, f"{first} {noun}"))
            before -= 2
        return found


@dataclass(frozen=True)
class Match:
    """How the steps of a recipe and its ingredients go together."""

    unused: tuple[str, ...]
    unlisted: tuple[tuple[int, str], ...]  # the step's number, and what it names
    first_use: dict[str, int]  # the sentence in which each ingredient is first used
    vague: tuple[tuple[int, str], ...]  # mentions that may mean several ingredients


def match(names: list[str], steps: list[str], lexicon: Lexicon) -> Match:
    """Hold the steps of a recipe against the names of its ingredients."""
    own = frozenset(terms_of(names))
    first_use: dict[str, int] = {}
    unlisted, vague = [], []
    for step, mentions in enumerate(lexicon.mentions(steps, own), 1):
        for mention in mentions:
            meant = [name for name in names if supports(mention, name)]
            if not meant:
                meant = of_kind(mention, names)
                if not meant and not is_free(mention):
                    unlisted.append((step, mention.shown))
            elif len(set(meant)) > 1 and not mention.many:
                exact = [name for name in meant if mention.words in ingredient_forms(name)]
                if not exact:
                    vague.append((step, mention.shown))
                meant = exact
            for name in meant:
                first_use.setdefault(name, mention.sentence)
    unused = tuple(name for name in names if name not in first_use)
    return Match(unused, tuple(unlisted), first_use, tuple(vague))


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one text."""

    well_formed: bool
    consistent: bool
    problems: tuple[str, ...]


class Judge:
    """Judges recipes from their text alone."""

    def __init__(self, lexicon: Lexicon, bare: Iterable[str]) -> None:
        self.lexicon = lexicon
        self.bare = frozenset(bare)

    @classmethod
    def load(cls, path: Path | None = None) -> Judge:
        """The judge with the corpus's own lexicon."""
        data = json.loads((path or Path(__file__).with_name("lexicon.json")).read_text(encoding="utf-8"))
        return cls(Lexicon(tuple(term.split(" ")) for term in data["terms"]), data["bare"])

    def __call__(self, text: str) -> Verdict:
        """Judge one text: title, servings, ingredients and steps with blank lines between them."""
        parts = text.strip().split("\n\n")
        if len(parts) != 4:
            return Verdict(False, False, (f"{len(parts)} parts, not 4: title, servings, ingredients, steps",))
        ingredients, steps = parts[2].split("\n"), parts[3].split("\n")
        problems = [
            *self._heading(parts[0], parts[1]),
            *self._ingredients(ingredients),
            *self._steps(steps),
        ]
        if problems:
            return Verdict(False, False, tuple(problems))
        names = [name for line in ingredients for name in _names(line)]
        found = match(names, [step.split(". ", 1)[1] for step in steps], self.lexicon)
        problems += [f"ingredient '{name}' is never used" for name in found.unused]
        problems += [f"step {step} names '{shown}', which is not listed" for step, shown in found.unlisted]
        return Verdict(True, not problems, tuple(problems))

    def _heading(self, title: str, serves: str) -> Iterator[str]:
        if not re.fullmatch(r"[^\W\d_][^\n.:;!?\d]{2,89}", title):
            yield f"'{title[:40]}' is no title"
        if not re.fullmatch(r"Serves [1-9]\d{0,2}|Makes [1-9]\d{0,2}(?: [^\W\d_]\S*)+", serves):
            yield f"'{serves[:40]}' is no number of servings"

    def _ingredients(self, lines: list[str]) -> Iterator[str]:
        if len(lines) < 3:
            yield f"only {len(lines)} ingredients"
        for line in sorted({line for line in lines if lines.count(line) > 1}):
            yield f"ingredient line '{line}' stands twice"
        for line in lines:
            item = read(line)
            if item.low is None and item.name not in self.bare:
                yield f"ingredient line '{line}' has no amount"
            elif not re.fullmatch(r"[^\W\d_].*[^\W_)]\)?", item.name) or (", " in line and not item.prep):
                yield f"ingredient line '{line}' is not amount, unit and name"

    def _steps(self, lines: list[str]) -> Iterator[str]:
        if len(lines) < 3:
            yield f"only {len(lines)} steps"
        for at, line in enumerate(lines, 1):
            if not re.fullmatch(rf"{at}\. \S.*[^\W_)]\)?\.", line):
                yield f"step {at} is not '{at}. ' with a sentence that ends in a full stop: '{line[:30]}'"
        bodies = [line.split(". ", 1)[-1] for line in lines]
        for body in sorted({body for body in bodies if bodies.count(body) > 1}):
            yield f"the step '{body[:30]}' stands twice"


def _names(line: str) -> list[str]:
    """The names of the ingredients of a printed line."""
    item = read(line)
    return split_line(item.name, item.low is not None)


class CopyIndex:
    """All windows of `span` characters of some texts, to see how much of another text is copied from them."""

    def __init__(self, texts: Iterable[str], span: int = 40) -> None:
        self.span = span
        self._texts = list(texts)

    @cached_property
    def _windows(self) -> frozenset[int]:
        # The hashes alone: a set of the windows themselves would take ten times the memory.
        span = self.span
        return frozenset(hash(text[at : at + span]) for text in self._texts for at in range(len(text) - span + 1))

    def contains(self, window: str) -> bool:
        """Whether a window of `span` characters occurs in the source."""
        if len(window) != self.span:
            raise ValueError(f"a window of {len(window)} characters, not {self.span}")
        return hash(window) in self._windows

    def share(self, text: str) -> float:
        """The share of the windows of `text` that occur in the source; 0 for a text without any."""
        total = len(text) - self.span + 1
        if total <= 0:
            return 0.0
        return sum(hash(text[at : at + self.span]) in self._windows for at in range(total)) / total


def copied_share(text: str, source: str, span: int = 40) -> float:
    """The share of all windows of `span` characters of `text` that occur word for word in `source`."""
    return CopyIndex([source], span).share(text)
