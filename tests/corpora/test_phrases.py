"""The corpora "phrases-en-es" and "phrases-en-fr": the committed files, the grammar that makes them, its agreement."""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import textdl_corpora
import textdl_corpora.phrases
from textdl_corpora.phrases import baseline, conjugate, draw, make
from textdl_corpora.phrases.lexicon import adjectives, nouns, people, verbs

HOME = Path(textdl_corpora.__file__).parent
SPLITS = ("train", "validation", "test")
LANGUAGES = ("es", "fr")
Splits = dict[str, list[dict[str, str]]]


def read(language: str) -> Splits:
    folder = HOME / f"phrases-en-{language}"
    return {
        split: [json.loads(line) for line in (folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]
        for split in SPLITS
    }


@pytest.fixture(scope="module")
def corpora() -> dict[str, Splits]:
    return {language: read(language) for language in LANGUAGES}


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+|[^\w\s]", text.lower())


# The files


def test_committed_files_are_what_the_script_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make.make(tmp_path, force=False) == 0
    for language in LANGUAGES:
        name = f"phrases-en-{language}"
        written = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        assert sorted(written) == ["CARD.md", "test.jsonl", "train.jsonl", "validation.jsonl"]
        for file, content in written.items():
            assert content == (HOME / name / file).read_bytes(), (
                f"{name}/{file} is not what make.py writes: run make.py"
            )
    other = tmp_path / "phrases-en-es" / "test.jsonl"
    other.write_text("mine\n", encoding="utf-8")
    capsys.readouterr()
    assert make.make(tmp_path, force=False) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert other.read_text(encoding="utf-8") == "mine\n"
    assert make.make(tmp_path, force=True) == 0
    assert other.read_bytes() == (HOME / "phrases-en-es" / "test.jsonl").read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_names_the_splits_and_the_fields(language: str, corpora: dict[str, Splits]) -> None:
    card = (HOME / f"phrases-en-{language}" / "CARD.md").read_text(encoding="utf-8")
    head = tomllib.loads(card.split("+++")[1])
    assert head["splits"] == {split: f"{split}.jsonl" for split in SPLITS}
    assert (head["name"], head["source_field"], head["target_field"]) == (f"phrases-en-{language}", "en", language)
    assert head["text_fields"] == ["en"]
    assert "generated" in card
    for rows in corpora[language].values():
        for row in rows:
            assert list(row) == ["en", language, "construction"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sizes(language: str, corpora: dict[str, Splits]) -> None:
    splits = corpora[language]
    assert sum(len(rows) for rows in splits.values()) >= 10_000
    assert len(splits["test"]) >= 1000
    assert len(splits["validation"]) >= 500
    assert sum((HOME / f"phrases-en-{language}" / f"{split}.jsonl").stat().st_size for split in SPLITS) < 2_500_000
    assert len({row["construction"] for row in splits["test"]}) >= 40
    assert len({word for row in splits["train"] for word in words(row["en"])}) >= 500


def test_both_have_the_same_english_and_no_text_twice(corpora: dict[str, Splits]) -> None:
    for split in SPLITS:
        assert [row["en"] for row in corpora["es"][split]] == [row["en"] for row in corpora["fr"][split]]
    texts = Counter(row["en"].lower() for rows in corpora["es"].values() for row in rows)
    assert max(texts.values()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_read_as_text(language: str, corpora: dict[str, Splits]) -> None:
    letters = {"es": "a-záéíóúñ", "fr": "a-zàâçèéêëîïôùûœ'"}[language]
    for rows in corpora[language].values():
        for row in rows:
            english, target = row["en"], row[language]
            assert re.fullmatch(r"[A-Z][A-Za-z ,.?'-]*[.?]", english), english
            assert re.fullmatch(rf"[{letters}A-ZÀÉÎÁÍÓÚ ,.?¿-]*[.?]", target), target
            for text in (english, target):
                assert not re.search(
                    r"  | [,.]|[.?] [a-zàéî]|,,|\.\.|\b(\w+) \1\b(?!-)", text.replace("nous nous", "")
                ), text
            assert not re.search(r"\b[Aa] (?!useful)[aeiou]|\b[Aa]n (?:useful|[^aeiouI])", english), english
            assert target.count("?") == english.count("?"), target
            if language == "es":
                assert target.count("¿") == target.count("?"), target
                assert not re.search(r"\b(?:[Aa]|[Dd]e) el\b|\by (?:i|hi(?!e))", target), target
            else:
                assert not re.search(r"\S\?|¿", target), target
                assert not re.search(r"\b(?:de|à) les? (?!\w+er\b)", target), target
                vowel = r"(?!onze|huit|haricot|hamburger)[aeiouhéêèîôœ]"
                assert not re.search(rf"\b(?:[Jj]e|[Nn]e|[Dd]e|[Mm]e|[Ll][ea]|[Qq]ue|si) {vowel}", target), target


# The splits


@pytest.fixture(scope="module")
def lemmas() -> dict[str, str]:
    """The word that each English form belongs to; forms of several words as they stand."""
    forms = {form: noun.key for noun in nouns() for form in noun.forms["en"]}
    forms |= {one.comparative: one.key for one in adjectives()}
    return forms | {form: verb.key for verb in verbs() for form in verb.forms}


def content(english: str, lemmas: dict[str, str]) -> set[str]:
    """The words of an English sentence, with one and two words of a lemma put together."""
    text = words(english)
    pairs = {f"{one} {two}" for one, two in pairwise(text)}
    return {lemmas.get(word, word) for word in text} | {lemmas[pair] for pair in pairs if pair in lemmas}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_held_out_pair_has_a_word_new_to_its_construction(
    split: str, corpora: dict[str, Splits], lemmas: dict[str, str]
) -> None:
    seen: dict[str, set[str]] = {}
    count: Counter[str] = Counter()
    for row in corpora["es"]["train"]:
        found = content(row["en"], lemmas)
        seen.setdefault(row["construction"], set()).update(found)
        count.update(found)
    times = Counter(row["construction"] for row in corpora["es"]["train"])
    for row in corpora["es"][split]:
        found = content(row["en"], lemmas)
        assert found - seen[row["construction"]], row["en"]
        assert min(count[word] for word in found) >= 8, row["en"]
        assert times[row["construction"]] >= 90


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_the_test_is_known(language: str, corpora: dict[str, Splits]) -> None:
    for field in ("en", language):
        count = Counter(word for row in corpora[language]["train"] for word in words(row[field]))
        rare = {word for row in corpora[language]["test"] for word in words(row[field]) if count[word] < 4}
        assert not rare


def test_a_pair_that_training_knows_is_noticed() -> None:
    splits = make.make_splits()
    assert make.problems(splits) == []
    spoilt = dict(splits, test=[*splits["test"], splits["train"][0]])
    assert len(make.problems(spoilt)) >= 2  # it stands twice, and has nothing new


# Agreement, by a slower way: the words beside each noun of the lexicon

ARTICLES = {
    "es": {
        ("m", 0): ["el", "un", "este", "ese", "otro", "todo", "cuánto", "demasiado", "del", "al", "nuestro"],
        ("f", 0): ["la", "una", "esta", "esa", "otra", "toda", "cuánta", "demasiada", "nuestra"],
        ("m", 1): ["los", "unos", "estos", "esos", "otros", "todos", "cuántos", "demasiados", "nuestros"],
        ("f", 1): ["las", "unas", "estas", "esas", "otras", "todas", "cuántas", "demasiadas", "nuestras"],
    },
    "fr": {
        ("m", 0): ["le", "un", "ce", "cet", "du", "au", "mon", "ton", "son", "tout", "quel"],
        ("f", 0): ["la", "une", "cette", "ma", "ta", "sa", "toute", "quelle"],
        ("m", 1): ["les", "des", "ces", "mes", "tes", "ses", "aux", "tous", "quels", "nos", "leurs", "vos"],
        ("f", 1): ["les", "des", "ces", "mes", "tes", "ses", "aux", "toutes", "quelles", "nos", "leurs", "vos"],
    },
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_before_a_noun_agrees_with_it(language: str, corpora: dict[str, Splits]) -> None:
    articles = ARTICLES[language]
    told = {word for row in articles.values() for word in row}
    checked = 0
    of: dict[str, set[tuple[str, int]]] = {}
    for noun in nouns():
        for plural, form in enumerate(noun.forms[language]):
            if " " not in form and not (plural and noun.mass):
                of.setdefault(form, set()).add((noun.genders[language], plural))
    for rows in corpora[language].values():
        for row in rows:
            text = words(row[language])
            for before, word in pairwise(text):
                if word not in of or before not in told or (before in ("el", "al", "del") and word == "agua"):
                    continue
                if language == "fr" and before in ("mon", "ton", "son") and word[0] in "aeéhio":
                    continue  # mon écharpe
                checked += 1
                assert any(before in articles[place] for place in of[word]), row[language]
    assert checked > 10_000


@pytest.mark.parametrize(
    ("construction", "pattern"),
    [
        ("past-it", r"¿(?P<article>El|La|Los|Las) .*\? .*\b(?P<clitic>lo|la|los|las) (?:\w*[éóoíe]|\w+on|\w+mos|vi)\b"),
        ("not-want-it", r"¿(?P<article>El|La|Los|Las) .*\? .*\b(?P<clitic>lo|la|los|las) qu"),
        ("want-to-it", r"¿(?P<article>El|La|Los|Las) .*\? .*[aei]r(?P<clitic>lo|la|los|las)\."),
        ("future-it", r".* (?P<article>el|la|los|las) .*\. .*[aei]r(?P<clitic>lo|la|los|las) "),
        ("command-it", r".* (?P<article>el|la|los|las) .*\. .*[aeoán](?P<clitic>lo|la|los|las), "),
    ],
)
def test_spanish_pronouns_agree_with_what_they_stand_for(
    construction: str, pattern: str, corpora: dict[str, Splits]
) -> None:
    rows = [row for some in corpora["es"].values() for row in some if row["construction"] == construction]
    assert len(rows) > 100
    for row in rows:
        match = re.match(pattern, row["es"], flags=re.IGNORECASE)
        assert match, row["es"]
        clitic = {"el": "lo"}.get(match["article"].lower(), match["article"].lower())
        assert match["clitic"].lower() == ("la" if "El agua" in row["es"] or "el agua" in row["es"] else clitic), row[
            "es"
        ]


def test_french_participles_agree_with_the_object_before_them(corpora: dict[str, Splits]) -> None:
    place: dict[str, tuple[str, int]] = {}
    for noun in nouns():
        for plural, form in enumerate(noun.forms["fr"]):
            place.setdefault(form, (noun.genders["fr"], plural))  # jus is one
    endings = {("m", 0): "", ("f", 0): "e", ("m", 1): "s", ("f", 1): "es"}
    bare = {conjugate.french(verb.french)["participle"][0] for verb in verbs()}
    rows = [row for some in corpora["fr"].values() for row in some if row["construction"].startswith("past-it")]
    assert len(rows) > 300
    for row in rows:
        named, rest = re.match(r"(?:Le |La |Les |L')(.*) \? (.*)\.", row["fr"]).groups()  # type: ignore[union-attr]
        gender, plural = place[named]
        if row["fr"].startswith("Les"):
            plural = 1
        participles = [word for word in words(rest) for one in bare if word == one + endings[gender, plural]]
        assert participles, row["fr"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_adjectives_after_the_verb_agree(language: str, corpora: dict[str, Splits]) -> None:
    endings = {("m", 0): "o", ("f", 0): "a", ("m", 1): "os", ("f", 1): "as"}
    named = {form: noun for noun in nouns() for form in noun.forms["en"]}
    french = {one.key: one.forms["fr"] for one in adjectives()}
    rows = [row for some in corpora[language].values() for row in some if row["construction"] == "is"]
    checked = 0
    for row in rows:
        english, adjective = re.match(r"The (.*) (?:is|are) (.*)\.", row["en"]).groups()  # type: ignore[union-attr]
        place = named[english].genders[language], int(" are " in row["en"])
        last = row[language].split()[-1].strip(".")
        if language == "es" and re.search(r"(?:o|a)s?$", last):
            checked += 1
            assert last.endswith(endings[place]), row["es"]
            assert len(last) - len(last.rstrip("s")) == place[1]
        if language == "fr" and " " not in french[adjective][0]:
            checked += 1
            masculine, feminine, several, of_them = french[adjective][:4]
            assert last == {"m0": masculine, "f0": feminine, "m1": several, "f1": of_them}[f"{place[0]}{place[1]}"]
            assert feminine.endswith("e")
    assert checked > 90


def test_spanish_commands_keep_their_stress_before_a_pronoun() -> None:
    expected = {
        "comprar": "cómprala cómprela cómprenla",
        "calentar": "caliéntala caliéntela caliéntenla",
        "limpiar": "límpiala límpiela límpienla",
        "buscar": "búscala búsquela búsquenla",
        "traer": "tráela tráigala tráiganla",
        "elegir": "elígela elíjala elíjanla",
    }
    for verb, forms in expected.items():
        got = [
            conjugate.with_clitic(conjugate.spanish_form(verb, "command", person), "la")
            for person in ("2i", "2f", "2p")
        ]
        assert " ".join(got) == forms


@pytest.mark.parametrize(
    ("verb", "present", "past"),
    [
        ("pagar", "pago pagas paga pagamos pagan", "pagué pagó pagamos pagaron"),
        ("almorzar", "almuerzo almuerzas almuerza almorzamos almuerzan", "almorcé almorzó almorzamos almorzaron"),
        ("vender", "vendo vendes vende vendemos venden", "vendí vendió vendimos vendieron"),
        ("pedir", "pido pides pide pedimos piden", "pedí pidió pedimos pidieron"),
        ("jugar", "juego juegas juega jugamos juegan", "jugué jugó jugamos jugaron"),
        ("abrir", "abro abres abre abrimos abren", "abrí abrió abrimos abrieron"),
    ],
)
def test_spanish_verbs(verb: str, present: str, past: str) -> None:
    got = [conjugate.spanish_form(verb, "present", person) for person in ("1s", "2i", "3s", "1p", "3p")]
    assert " ".join(got) == present
    assert " ".join(conjugate.spanish_form(verb, "past", person) for person in ("1s", "3s", "1p", "3p")) == past


@pytest.mark.parametrize(
    ("verb", "present"),
    [
        ("goûter", "goûte goûtes goûte goûtons goûtez goûtent"),
        ("finir", "finis finis finit finissons finissez finissent"),
        ("vendre", "vends vends vend vendons vendez vendent"),
        ("manger", "mange manges mange mangeons mangez mangent"),
        ("boire", "bois bois boit buvons buvez boivent"),
    ],
)
def test_french_verbs(verb: str, present: str) -> None:
    got = [conjugate.french_form(verb, "present", person) for person in ("1s", "2i", "3s", "1p", "2f", "3p")]
    assert " ".join(got) == present
    assert conjugate.french_form("manger", "command", "2i") == "mange"
    assert conjugate.french_form("finir", "command", "2i") == "finis"


def test_the_form_of_address_can_be_told_from_the_english(corpora: dict[str, Splits]) -> None:
    familiar = {person.key for person in people()["you"] if person.person == "2i"}
    for rows in corpora["fr"].values():
        for row in rows:
            name = re.search(r", (\w+)[.?]$", row["en"])
            spoken = set(words(row["fr"]))
            if {"tu", "te"} & spoken:
                assert name, row["en"]
                assert name[1] in familiar, row["en"]
            if "vous" in spoken:
                assert name, row["en"]
                assert name[1] not in familiar, row["en"]


# The script


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main(["--show", "no-such-construction"]) == 1
    assert make.main(["--show", "like", "--count", "2"]) == 0
    assert len(capsys.readouterr().out.strip().split("\n\n")) == 2
    assert make.main(["--check"]) == 0
    assert make.main(["--stats"]) == 0
    card = (HOME / "phrases-en-fr" / "CARD.md").read_text(encoding="utf-8")
    assert all(table in card for table in capsys.readouterr().out.strip().split("\n\n")[-3:])


def test_verbs_that_want_more_are_not_drawn_without_it() -> None:
    assert "give" not in {verb.key for verb in draw.verbs_of("document", "")}
    assert "give" in {verb.key for verb in draw.verbs_of("document", "&to")}
    source = random.Random(1)
    for construction in draw.constructions():
        slots = [slots for _ in range(40) if (slots := draw.draw_slots(construction, source))]
        assert slots, construction.name


def test_copying_takes_the_nearest() -> None:
    train = [("The soup is hot.", "a"), ("The soups are hot.", "b"), ("Where is the hotel?", "c")]
    assert baseline.copies(train, ["The soup is cold.", "Where is the museum?"]) == (["a", "c"], ["a", "c"])
    assert baseline.distance(["a", "b", "c", "d"], ["a", "x", "c"]) == 2
