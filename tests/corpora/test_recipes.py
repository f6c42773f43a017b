"""The corpus "recipes": the committed files, the script that makes them, and the judge."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import textdl_corpora.recipes
from textdl_corpora.recipes import amounts, make
from textdl_corpora.recipes.check import check_family
from textdl_corpora.recipes.dish import Family, read_families
from textdl_corpora.recipes.draw import even_draws
from textdl_corpora.recipes.expand import STYLES, Draw, Printer, Style, tidy
from textdl_corpora.recipes.judge import KINDS, CopyIndex, Judge, Lexicon, copied_share
from textdl_corpora.recipes.stats import block

HOME = Path(textdl_corpora.recipes.__file__).parent
SPLITS = ("train", "validation", "test")
Record = dict[str, Any]


def text_of(record: Record) -> str:
    fields = (record["title"], record["serves"], "\n".join(record["ingredients"]), "\n".join(record["steps"]))
    return "\n\n".join(fields)


@pytest.fixture(scope="module")
def splits() -> dict[str, list[Record]]:
    return {
        name: [json.loads(line) for line in (HOME / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in SPLITS
    }


@pytest.fixture(scope="module")
def records(splits: dict[str, list[Record]]) -> list[Record]:
    return [record for name in SPLITS for record in splits[name]]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


# The files


def test_committed_files_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HOME / "make.py"), "--out", str(tmp_path)], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(written) == ["CARD.md", "lexicon.json", "test.jsonl", "train.jsonl", "validation.jsonl"]
    for name, content in written.items():
        assert content == (HOME / name).read_bytes(), f"{name} is not what make.py writes: run make.py"


def test_sizes(splits: dict[str, list[Record]], records: list[Record]) -> None:
    texts = [text_of(record) for record in records]
    assert len({record["family"] for record in records}) >= 120
    assert len(set(texts)) == len(texts) >= 4000
    assert sum(len(text.encode()) for text in texts) >= 2_000_000
    assert all(300 <= len(text) <= 900 for text in texts)
    families = {name: {record["family"] for record in splits[name]} for name in SPLITS}
    assert sum(len(names) for names in families.values()) == len(set().union(*families.values()))
    assert min(len(families["validation"]), len(families["test"])) >= 12
    assert 0.6 < len(splits["train"]) / len(records) < 0.9


def test_records_hold_their_fields(records: list[Record]) -> None:
    for record in records:
        assert list(record) == ["family", "title", "serves", "ingredients", "steps"]
        assert all(
            isinstance(line, str) and line == line.strip() for line in [*record["ingredients"], *record["steps"]]
        )


def test_the_card_opens_with_its_facts_and_has_the_figures_of_stats(capsys: pytest.CaptureFixture[str]) -> None:
    card = (HOME / "CARD.md").read_text(encoding="utf-8")
    _, front, _ = card.split("+++\n", 2)
    facts = tomllib.loads(front)
    assert facts["name"] == "recipes"
    assert facts["text_fields"] == ["title", "serves", "ingredients", "steps"]
    assert set(facts["splits"]) == set(SPLITS)
    assert all((HOME / file).is_file() for file in facts["splits"].values())
    assert make.main(["--stats"]) == 0
    assert capsys.readouterr().out.split("\n") == [*block(card, "sizes"), "", *block(card, "variety"), ""]


# Ingredients and steps, seen with other eyes than the judge's: words only, no lexicon, no parser

# The last word of some ingredients, but in a step (of an egg, a lemon, a dish) no ingredient of its own.
NOT_ALONE = (
    "water juice sauce leaf tip peel white yolk flake paste syrup cube purée breast thigh heart seed stick pesto "
    "meringue jam leave floret"
)


def kin(word: str) -> set[str]:
    """A word with its singular and plural, whichever it may be."""
    found = {word, word + "s", word + "es", re.sub("s$", "", word), re.sub("es$", "", word)}
    return found | {re.sub("y$", "ies", word), re.sub("ies$", "y", word), re.sub("ves$", "f", word)}


def plain_words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text.lower())


def plain_names(line: str) -> list[list[str]]:
    """The words of each ingredient of a line, without amount and unit."""
    number = r"(?:\d+(?:\.\d+)?[½¼¾]?|[½¼¾])"
    name = re.split(r", | for ", line)[0]
    bare = re.sub(rf"^{number}(?:(?:-| to ){number})? (?:(?:g|kg|ml|litres?|tsp|tbsp|cm) )?", "", name)
    return [plain_words(part) for part in (bare.split(" and ") if bare == name else [bare])]


# The last word of a name whose step may say the word before alone: "the mint", "the anchovies", "the chicken".
CUTS = (
    "leaves fillets fillet shoulder shoulders thigh thighs leg legs breast breasts loin mince chops steaks belly "
    "shanks neck zest juice seeds cloves sprigs yolks whites peel cheese bread bulb bulbs drumsticks cheeks"
)


def in_general(word: str) -> set[str]:
    """What else a word may be called: walnuts are nuts."""
    return {form for kind, members in KINDS.items() if kin(word) & members for form in kin(kind)}


def test_every_ingredient_is_used(records: list[Record]) -> None:
    for record in records:
        used = set(plain_words(" ".join(record["steps"]).replace("salted", "salt")))
        for words in (words for line in record["ingredients"] for words in plain_names(line)):
            nouns = words[-2:] if words[-1] in CUTS.split() else words[-1:]
            whole = {form for word in words for form in in_general(word)}
            assert any(kin(noun) & used for noun in nouns) or whole & used, (
                f"{record['title']}: {' '.join(words)} is not used"
            )


def test_every_ingredient_that_is_used_is_listed(records: list[Record]) -> None:
    lists = {id(record): [w for line in record["ingredients"] for w in plain_names(line)] for record in records}
    nouns = {kind for words in lists.values() for name in words for kind in kin(name[-1])}
    free = {kind for word in NOT_ALONE.split() for kind in kin(word)}
    for record in records:
        listed = {kind for line in record["ingredients"] for word in plain_words(line) for kind in kin(word)}
        listed |= {form for line in record["ingredients"] for word in plain_words(line) for form in in_general(word)}
        for word in set(plain_words(" ".join(record["steps"]))) & nouns - free - {"green"}:
            assert word in listed, f"{record['title']}: {word} is not listed"


# The judge

GOOD = """Carrot Soup with Butter

Serves 4

50 g butter
2 large onions
600 g carrots, sliced
1 litre vegetable stock
salt and black pepper

1. Melt the butter in a pan and soften the onions for 10 minutes.
2. Add the carrots and the stock and simmer for 20 minutes. Blend until smooth.
3. Season with salt and pepper and serve hot."""


def test_the_judge_accepts_a_good_recipe(judge: Judge) -> None:
    verdict = judge(GOOD)
    assert verdict.well_formed
    assert verdict.consistent
    assert verdict.problems == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Carrot Soup with Butter\n\n", ""),
        ("Carrot Soup", "3. Carrot Soup"),
        ("Serves 4\n\n", ""),
        ("Serves 4", "Serves"),
        ("Serves 4", "Serves some"),
        ("50 g butter\n2 large onions\n600 g carrots, sliced\n", ""),
        ("50 g butter", "butter"),
        ("50 g butter", "50 g"),
        ("600 g carrots, sliced", "600 g carrots, "),
        ("2 large onions\n", "2 large onions\n\n"),
        ("2 large onions\n", "2 large onions\n2 large onions\n"),
        ("1. Melt", "Melt"),
        ("2. Add", "3. Add"),
        ("20 minutes. Blend until smooth.", "20 minutes. Blend until"),
        ("3. Season with salt and pepper and serve hot.", ""),
        ("serve hot.", "serve hot.\n\nEnjoy."),
        ("serve hot.", "serve hot.\n4. Season with salt and pepper and serve hot."),
        ("serve hot.", "serve hot.\n4. "),
    ],
)
def test_the_judge_sees_what_is_not_well_formed(judge: Judge, old: str, new: str) -> None:
    assert old in GOOD
    verdict = judge(GOOD.replace(old, new))
    assert not verdict.well_formed
    assert not verdict.consistent
    assert verdict.problems


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("600 g carrots, sliced\n", "", "step 2 names 'carrots', which is not listed"),
        ("50 g butter", "50 g butter\n2 cloves garlic", "ingredient 'garlic' is never used"),
        ("the stock", "the chicken stock", "step 2 names 'chicken stock', which is not listed"),
        ("1 litre vegetable stock", "1 litre coconut milk", "ingredient 'coconut milk' is never used"),
        ("serve hot", "serve with the coconut milk", "step 3 names 'coconut milk', which is not listed"),
        ("salt and black pepper", "salt", "step 3 names 'pepper', which is not listed"),
        ("2 large onions", "2 red onions\n3 white onions", ""),
        ("the stock", "the vegetable stock", ""),
        ("1 litre vegetable stock", "a pinch of nutmeg\n1 litre vegetable stock", "ingredient 'nutmeg' is never used"),
    ],
)
def test_the_judge_holds_ingredients_and_steps_together(judge: Judge, old: str, new: str, problem: str) -> None:
    verdict = judge(GOOD.replace(old, new))
    assert verdict.well_formed
    assert verdict.consistent == (not problem)
    assert not problem or problem in verdict.problems


def test_the_judge_accepts_held_out_recipes(splits: dict[str, list[Record]], judge: Judge) -> None:
    verdicts = [judge(text_of(record)) for name in ("validation", "test") for record in splits[name]]
    assert sum(verdict.consistent for verdict in verdicts) >= 0.98 * len(verdicts)


def without_a_line(record: Record, source: random.Random, _: list[Record]) -> Record:
    lines = list(record["ingredients"])
    del lines[source.randrange(len(lines))]
    return {**record, "ingredients": lines}


def with_another_line(record: Record, source: random.Random, everything: list[Record]) -> Record:
    lines = list(record["ingredients"])
    names = {amounts.read(line).name for line in lines}
    while amounts.read(line := source.choice(source.choice(everything)["ingredients"])).name in names:
        pass
    lines[source.randrange(len(lines))] = line
    return {**record, "ingredients": lines}


def with_other_steps(record: Record, source: random.Random, everything: list[Record]) -> Record:
    while (other := source.choice(everything))["family"] == record["family"]:
        pass
    return {**record, "steps": other["steps"]}


@pytest.mark.parametrize("spoil", [without_a_line, with_another_line, with_other_steps])
def test_the_judge_rejects_spoilt_recipes(
    splits: dict[str, list[Record]],
    records: list[Record],
    judge: Judge,
    spoil: Callable[[Record, random.Random, list[Record]], Record],
) -> None:
    source = random.Random(1)
    held_out = [record for name in ("validation", "test") for record in splits[name]]
    rejected = sum(not judge(text_of(spoil(record, source, records))).consistent for record in held_out)
    assert rejected >= 0.95 * len(held_out)


# Copies


def test_the_copy_index_agrees_with_a_naive_scan() -> None:
    source = random.Random(2)
    texts = ["".join(source.choice("ab ") for _ in range(300)) for _ in range(5)]
    index = CopyIndex(texts, span=8)
    probe = "".join(source.choice("ab ") for _ in range(400)) + texts[2][50:120]
    windows = [probe[at : at + 8] for at in range(len(probe) - 7)]
    naive = [any(window in text for text in texts) for window in windows]
    assert [index.contains(window) for window in windows] == naive
    assert index.share(probe) == sum(naive) / len(naive)
    assert 0 < index.share(probe) < 1
    assert copied_share(probe, texts[2], span=8) == CopyIndex([texts[2]], 8).share(probe)
    assert index.share("short") == 0
    with pytest.raises(ValueError, match="a window of 3"):
        index.contains("abc")


def test_a_recipe_of_the_corpus_is_a_copy(splits: dict[str, list[Record]]) -> None:
    index = CopyIndex(text_of(record) for record in splits["train"][:200])
    assert index.share(text_of(splits["train"][0])) == 1
    assert index.share(GOOD) < 0.3


# Amounts, singular and plural, by hand


@pytest.mark.parametrize(
    ("line", "factor", "printed"),
    [
        ("250 g red lentils", 1, "250 g red lentils"),
        ("250 g red lentils", 2, "500 g red lentils"),
        ("250 g red lentils", "1/2", "125 g red lentils"),
        ("13 g yeast", 2, "25 g yeast"),
        ("7 g yeast", "1/2", "4 g yeast"),
        ("130 g sugar", "3/2", "200 g sugar"),
        ("350 g flour", "3/2", "550 g flour"),
        ("1000 g potatoes", 1, "1 kg potatoes"),
        ("750 g potatoes", 2, "1½ kg potatoes"),
        ("800 g potatoes", "3/2", "1.2 kg potatoes"),
        ("1 kg potatoes", "1/2", "500 g potatoes"),
        ("1 l vegetable stock", 1, "1 litre vegetable stock"),
        ("1 l vegetable stock", 2, "2 litres vegetable stock"),
        ("0.5 l milk", 1, "500 ml milk"),
        ("3 tsp cumin", 1, "1 tbsp cumin"),
        ("1 tsp cumin", 3, "1 tbsp cumin"),
        ("1 tsp cumin", 2, "2 tsp cumin"),
        ("1 tsp cumin", "1/2", "½ tsp cumin"),
        ("1/2 tsp cumin", "1/2", "¼ tsp cumin"),
        ("1 tbsp oil", "1/2", "½ tbsp oil"),
        ("0.5 tbsp oil", "1/2", "¾ tsp oil"),
        ("2 tbsp olive oil", "3/2", "3 tbsp olive oil"),
        ("1 onion", 2, "2 onions"),
        ("1 large onion", "1/2", "½ large onion"),
        ("3 onions", "1/2", "1½ onions"),
        ("1 egg", "1/2", "1 egg"),
        ("3 eggs", "1/2", "2 eggs"),
        ("2 tins chopped tomatoes", "1/2", "1 tin chopped tomatoes"),
        ("1 tin chopped tomatoes", "1/2", "½ tin chopped tomatoes"),
        ("2 cloves garlic", "1/2", "1 clove garlic"),
        ("1 cloves garlic", "1/2", "1 clove garlic"),
        ("1 handful mint", 1, "a handful of mint"),
        ("1 pinch salt", 2, "2 pinches of salt"),
        ("1 large handful of mint", 2, "2 large handfuls of mint"),
        ("2-3 tbsp cold water", 2, "4-6 tbsp cold water"),
        ("400 g carrots, sliced", 2, "800 g carrots, sliced"),
        ("1 loaf", 2, "2 loaves"),
        ("2 bay leaves", "1/2", "1 bay leaf"),
        ("4 cloves", "1/2", "2 cloves"),
        ("1 fillet of beef", 2, "2 fillets beef"),
        ("1 leg of lamb", 2, "2 legs of lamb"),
        ("salt and black pepper", 3, "salt and black pepper"),
    ],
)
def test_scaling(line: str, factor: int | str, printed: str) -> None:
    assert amounts.scale(amounts.read(line), Fraction(factor)).text() == printed


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("tomato", "tomatoes"), ("avocado", "avocados"), ("berry", "berries"), ("leaf", "leaves"), ("loaf", "loaves"),
        ("peach", "peaches"), ("radish", "radishes"), ("cookie", "cookies"), ("chilli", "chillies"), ("pea", "peas"),
        ("olive", "olives"), ("clove", "cloves"), ("turkey", "turkeys"), ("mackerel", "mackerel"), ("box", "boxes"),
        ("asparagus", "asparagus"), ("couscous", "couscous"), ("watercress", "watercress"), ("quiche", "quiches"),
    ],
)  # fmt: skip
def test_singular_and_plural(one: str, many: str) -> None:
    assert amounts.plural(one) == many
    assert amounts.singular(many) == one
    assert amounts.singular(one) == one


# Printing

SMALL = """family: soup
title: {veg.Name} Soup | {veg.Name} and Egg Soup
serves: 4 (2, 4, 8)
pick veg: 3 carrots ; minutes=20 | 600 g pumpkin, diced ; minutes=30
maybe cream 50%
- {veg}
- 1 l vegetable stock
- 2 eggs
- ?cream 50 ml cream
- salt
> Put the {veg.say} in the [cold|hot] stock and simmer for {veg.minutes min}, until the {veg.say} are soft.
> Beat the eggs[, well|] and stir them in for {1 min}.
> [Season with|Add] salt(?cream:  and stir in the cream)(!cream: , and no more). Wait for {8-10 min}.
"""


def family_of(tmp_path: Path, text: str) -> tuple[list[Family], list[str]]:
    path = tmp_path / "some.txt"
    path.write_text(text, encoding="utf-8")
    errors: list[str] = []
    return read_families(path, errors), errors


def printed(family: Family, count: int, veg: int, cream: bool, style: Style = STYLES[0]) -> Any:
    draw = Draw({"veg": family.picks["veg"][veg]}, {"cream": cream}, count, family.titles[0], style, random.Random(1))
    return Printer(family, draw).recipe()


def test_a_recipe_in_print(tmp_path: Path) -> None:
    families, errors = family_of(tmp_path, SMALL)
    assert not errors
    recipe = printed(families[0], 2, 0, True)
    assert recipe.title == "Carrot Soup"
    assert recipe.serves == "Serves 2"
    stock = recipe.ingredients[1].removesuffix(" ml vegetable stock")
    assert int(stock) in (450, 500, 550)  # a tenth less or more than the half of a litre
    assert recipe.ingredients == ("2 carrots", f"{stock} ml vegetable stock", "1 egg", "25 ml cream", "salt")
    assert re.fullmatch(
        r"1\. Put the carrots in the (cold|hot) stock and simmer for 20 minutes, until the carrots are soft\.",
        recipe.steps[0],
    )
    assert re.fullmatch(r"2\. Beat the egg(, well)? and stir them in for 1 minute\.", recipe.steps[1])
    assert re.fullmatch(
        r"3\. (Season with|Add) salt and stir in the cream\. Wait for 8 to 10 minutes\.", recipe.steps[2]
    )
    other = printed(families[0], 4, 1, False, Style("about", "a", True))
    assert other.ingredients[0] in [f"{weight} g pumpkin, diced" for weight in (550, 600, 650)]
    assert other.ingredients[1] in [f"{volume} vegetable stock" for volume in ("900 ml", "1 litre", "1.1 litres")]
    assert other.ingredients[2:] == ("2 eggs", "salt")
    assert "for a minute." in other.steps[1]
    assert other.steps[2].endswith("salt, and no more. Wait for about 10 minutes.")


def test_amounts_vary_in_round_figures_and_only_where_they_are_measured() -> None:
    for line, less, more in (
        ("1 kg flour", "1 kg flour", "1 kg flour"),  # no longer in g: it stays
        ("600 g pumpkin, diced", "550 g pumpkin, diced", "650 g pumpkin, diced"),
        ("150 g peas", "140 g peas", "170 g peas"),
        ("60 ml oil", "55 ml oil", "65 ml oil"),
        ("25 g butter", "25 g butter", "25 g butter"),
        ("200-250 g rice", "200-250 g rice", "200-250 g rice"),
        ("3 eggs", "3 eggs", "3 eggs"),
    ):
        item = amounts.read(line)
        assert (amounts.vary(item, -1).text(), amounts.vary(item, 1).text()) == (less, more)
        assert amounts.vary(item, 0) == item


def test_draws_are_even(tmp_path: Path) -> None:
    family = family_of(tmp_path, SMALL)[0][0]
    draws = list(even_draws(family, 12, "test"))
    assert Counter(draw.count for draw in draws) == {2: 4, 4: 4, 8: 4}
    assert Counter(draw.options["veg"].say for draw in draws) == {"carrots": 6, "pumpkin": 6}
    assert Counter(draw.maybes["cream"] for draw in draws) == {True: 6, False: 6}
    assert Counter(draw.style for draw in draws) == dict.fromkeys(STYLES, 2)
    assert Counter(draw.title.template for draw in draws) == {title.template: 6 for title in family.titles}


def test_tidy() -> None:
    assert tidy("stir ,  then add a egg and an carrot .") == "Stir, then add an egg and a carrot."
    assert tidy("Leave. then bake ,. ") == "Leave. Then bake."
    assert tidy("Add an onion, a unit and a hour") == "Add an onion, a unit and an hour"


# What the checker says


def test_the_small_family_is_clean(tmp_path: Path) -> None:
    problems = check_family(family_of(tmp_path, SMALL)[0][0], Lexicon.of(["carrots", "cream", "butter"]))
    assert [problem for problem in problems if "distinct" not in problem and "300" not in problem] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title:", "titel:", "some.txt:2: soup: no line of a family begins like 'titel:"),
        ("serves: 4 (2, 4, 8)", "serves: some", "some.txt:3: soup: 'serves: some' should be like"),
        ("serves: 4 (2, 4, 8)", "serves: 4 soups (4)", "some.txt:3: soup: 'serves:' takes a number alone"),
        ("family: soup", "family: My Soup", "some.txt:1: a block opens with 'family: name-in-lower-case'"),
        ("maybe cream 50%", "maybe veg 50%", "some.txt:5: soup: 'veg' is defined twice"),
        ("[cold|hot]", "[cold|hot", "some.txt:11: soup: '[' is never closed"),
        ("[cold|hot]", "cold|hot]", "some.txt:11: soup: ']' closes nothing"),
        ("{1 min}", "{1 min", "some.txt:12: soup: '{' is never closed"),
        ("; minutes=20", "; 20", "some.txt:4: soup: option '3 carrots ; 20' should be like"),
        ("- ?cream 50", "- ?veg=beans 50", "some.txt:9: soup: '?veg=beans"),
    ],
)
def test_what_cannot_be_read_is_reported(tmp_path: Path, old: str, new: str, message: str) -> None:
    families, errors = family_of(tmp_path, SMALL.replace(old, new, 1))
    assert not families
    assert errors[0].startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stir in the cream", "stir in it", "some.txt:9: soup: ingredient 'cream' is never used (when cream is in)"),
        ("- ?cream 50 ml cream\n", "", "step 3 names 'cream', which is not listed (when cream is in)"),
        ("Put the {veg.say}", "Put the carrots", "step 1 names 'carrots', which is not listed (when veg=pumpkin)"),
        ("stir them in", "stir in the butter", "some.txt:12: soup: step 2 names 'butter', which is not listed"),
        (
            "- {veg}\n- 1 l vegetable stock\n- 2 eggs",
            "- 2 eggs\n- {veg}\n- 1 l vegetable stock",
            "is listed after 'egg",
        ),
        ("{1 min}", "{nothing}", "some.txt:12: soup: '{nothing}': there is no pick 'nothing'"),
        ("{1 min}", "{a while}", "some.txt:12: soup: '{a while}': there is no pick 'a'"),
        ("{1 min}", "{1 moment}", "some.txt:12: soup: '{1 moment}' is neither a pick nor a time"),
        ("{veg.minutes min}", "{veg.time min}", "has no 'time='"),
        ("(?cream: ", "(?milk: ", "some.txt:13: soup: '?milk' tests no maybe of this family"),
        ("(?cream: ", "(?veg=beans: ", "'beans' is no option of pick 'veg'"),
        ("maybe cream", "maybe never 20%\nmaybe cream", "'never' is drawn but never used"),
        ("the {veg.say} in", "the {veg} in", "a step says {veg}, amount and all"),
        ("Wait for", "Wait wait for", "a word twice in a row: 'wait wait'"),
        ("{8-10 min}.", "{8-10 min}", "some.txt:13: soup: a step does not end in a full stop"),
        ("- salt", "- salt\n- salt", "ingredient line 'salt' stands twice"),
        ("serves: 4", "serves: 4", "a text is shorter than 300"),
    ],
)
def test_what_breaks_a_rule_is_reported(tmp_path: Path, old: str, new: str, message: str) -> None:
    families, errors = family_of(tmp_path, SMALL.replace(old, new, 1))
    assert not errors
    problems = check_family(families[0], Lexicon.of(["carrots", "cream", "butter"]))
    assert any(message in problem for problem in problems), problems


def test_too_few_texts_are_reported(tmp_path: Path) -> None:
    text = SMALL.replace("[cold|hot]", "cold").replace(" | {veg.Name} and Egg Soup", "").replace("(2, 4, 8)", "(4)")
    text = text.replace("[Season with|Add]", "Add").replace("[, well|]", "").replace("{8-10 min}", "{9 min}")
    family = family_of(tmp_path, text)[0][0]
    problems = check_family(family, Lexicon.of(["carrots", "cream", "butter"]))
    assert any("distinct texts in 200 draws, wanted 40" in problem for problem in problems), problems


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(SMALL, encoding="utf-8")
    assert make.main(["--check", str(bad)]) == 1
    assert "1 families, " in capsys.readouterr().out
    assert make.main(["--show", "no-such-dish"]) == 1
    names = [family.name for family in make.load(make.family_files(), [])]
    assert make.main(["--show", names[0], "--count", "2"]) == 0
    assert capsys.readouterr().out.count("\n1. ") == 2
