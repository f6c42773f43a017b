"""Lines with a token each, or with word/TAG: what comes out, and what is said of lines that are wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textdl.errors import CorpusError
from textdl.text import conll
from textdl.text.conll import Columns, Tagged, looks_slashed, read_columns, read_slashes
from textdl.text.nltk_tagged import read_trees

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
. . O O

-DOCSTART- -X- -X- O
# # O O
1 CD I-NP O
"""

CONLL_U = """# newdoc id = one
# text = Don't can it
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tcan\tcan\tVERB\tVB\t_\t0\troot\t_\t_
3.1\tnothing\t_\tPRON\t_\t_\t_\t_\t_\t_
4\tit\tit\tPRON\tPRP\t_\t3\tobj\t_\t_

# sent_id = 2
1\t#\t#\tSYM\tSYM\t_\t0\troot\t_\t_
2\t1 000\t1000\tNUM\tCD\t_\t1\tnummod\t_\t_
"""


def read(text: str, token: str | None = None, tag: str | None = None, names: tuple[str, ...] = ()) -> list[Tagged]:
    return list(read_columns(text.split("\n"), "file", Columns(token, tag, names)))


def complaint(sentences: Iterator[Tagged]) -> str:
    with pytest.raises(CorpusError) as caught:
        list(sentences)
    return str(caught.value)


def test_columns_of_conll_2003() -> None:
    first, last = ["EU", "rejects", "."], ["#", "1"]
    assert read(CONLL_2003) == [(first, ["I-ORG", "O", "O"]), (last, ["O", "O"])]
    assert read(CONLL_2003, tag="2") == [(first, ["NNP", "VBZ", "."]), (last, ["#", "CD"])]
    assert read(CONLL_2003, tag="-2") == read(CONLL_2003, tag="3")
    assert read(CONLL_2003.replace(" ", "\t")) == read(CONLL_2003)
    assert read(CONLL_2003.replace(" ", "   ")) == read(CONLL_2003)
    names = ("word", "pos", "chunk", "name")
    assert read(CONLL_2003, "pos", "word", names)[0] == (["NNP", "VBZ", "."], first)


def test_columns_of_conll_u() -> None:
    words = [["Do", "n't", "can", "it"], ["#", "1 000"]]
    assert read(CONLL_U) == [(words[0], ["AUX", "PART", "VERB", "PRON"]), (words[1], ["SYM", "NUM"])]
    assert [tags for _, tags in read(CONLL_U, tag="xpos")] == [["VB", "RB", "VB", "PRP"], ["SYM", "CD"]]
    assert read(CONLL_U, "lemma", "deprel")[0] == (["do", "not", "can", "it"], ["aux", "advmod", "root", "obj"])
    assert read(CONLL_U, "2", "4") == read(CONLL_U)
    assert read(CONLL_U, tag="-3") == read(CONLL_U, tag="deprel")


def test_comments_before_a_sentence_only_and_not_like_a_token() -> None:
    text = "# from somewhere [2009]\nA\tB-X\n#\tO\n\n#\tO\nC\tO\n# a b c d\n"
    assert read(text[: text.index("# a b")]) == [(["A", "#"], ["B-X", "O"]), (["#", "C"], ["O", "O"])]
    assert complaint(read_columns(text.split("\n"), "file")).startswith("file:7 has 1 column where")


@given(
    st.lists(
        st.lists(
            st.tuples(st.text("ab#/.\u00a0é", min_size=1, max_size=4), st.sampled_from(["X", "Y", "#"])), min_size=1
        ),
        max_size=5,
    ),
    st.sampled_from(["\t", " "]),
)
def test_what_was_written_is_read(sentences: list[list[tuple[str, str]]], apart: str) -> None:
    sentences = [*sentences, [("end", "X")]]  # of nothing but lines with # nobody could tell what they are
    lines = [line for some in sentences for line in [*(f"{a}{apart}{b}" for a, b in some), ""]]
    assert read("\n".join(lines)) == [([a for a, _ in some], [b for _, b in some]) for some in sentences]


@pytest.mark.parametrize(
    "text, said",
    [
        ("a X\nb\n", "file:2 has 1 column where the file's first line has 2, apart by spaces"),
        ("a X\n\nb c X\n", "file:3 has 3 columns where"),
        ("a\tX\n\tX\n", "file:2 has an empty token"),
        ("a\tX\nb\t \tX\n", "file:2 has 3 columns"),
        ("a\tX\tY\nb\t\tZ\nc\t\t\n", "file:3 has 1 column where"),
        ("1\tw" + "\t_" * 8 + "\nx\tw" + "\t_" * 8, "file:2 begins with 'x', where CoNLL-U has the number of a word"),
        ("word\n", "file:1 has one column, 'word'; a line must hold a token and its tag"),
        (
            "The/DET can/NOUN\nThe/DET\n",
            "file:2 has 1 column where the file's first line has 2, apart by spaces; of word/TAG",
        ),
        ("The/DET\n", "file:1 has one column, 'The/DET'; of word/TAG text set tagged_form to slashes"),
    ],
)
def test_lines_that_are_wrong(text: str, said: str) -> None:
    assert complaint(read_columns(text.split("\n"), "file")).startswith(said)


@pytest.mark.parametrize(
    "text, columns, said",
    [
        (CONLL_2003, Columns(tag="5"), "file has no column '5'; it has 4, 1 to 4 (-1 is the last)"),
        (CONLL_2003, Columns(tag="0"), "file has no column '0'"),
        (CONLL_2003, Columns(token="-5"), "file has no column '-5'"),
        (CONLL_2003, Columns(tag="upos"), "file has no column 'upos'; it has 4"),
        (CONLL_U, Columns(tag="upso"), "did you mean 'upos'"),
        (CONLL_U, Columns(tag="wat"), "known: id, form, lemma, upos, xpos, feats, head, deprel, deps, misc"),
        (CONLL_2003, Columns(tag="1"), "file: column 1 is both the token and the tag"),
        (CONLL_2003, Columns("4"), "file: column 4 is both the token and the tag"),
    ],
)
def test_columns_that_are_wrong(text: str, columns: Columns, said: str) -> None:
    assert said in complaint(read_columns(text.split("\n"), "file", columns))


def test_a_sentence_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conll, "MOST_TOKENS", 50)
    assert len(read("a X\n" * 50)[0][0]) == 50
    assert complaint(read_columns(["a X"] * 51, "file")).startswith(
        "file:51 is still in a sentence that began 50 tokens"
    )
    assert complaint(read_slashes([" ".join(["a/X"] * 51)], "file")).startswith("file:1 is a sentence of 51 tokens")


def test_nothing_at_all() -> None:
    assert read("") == read("\n \n\t\n") == read("-DOCSTART- -X- O\n\n") == []


def test_slashes() -> None:
    lines = ["", "\tThe/at 1/2/cd ,/,  //sym", "  ", "so/rb"]
    assert list(read_slashes(lines, "file")) == [
        (["The", "1/2", ",", "/"], ["at", "cd", ",", "sym"]),
        (["so"], ["rb"]),
    ]
    for line, part in (("a/x b", "'b'"), ("a/x /x", "'/x'"), ("a/", "'a/'")):
        assert complaint(read_slashes(["ok/x", line], "file")).startswith(f"file:2 has {part} where word/TAG should be")
    assert looks_slashed("a/X b/Y")
    assert not any(map(looks_slashed, ["a b/Y", "a/ b/Y", "/X", ""]))


def test_trees() -> None:
    text = "( (S (NP (DT The) (NN can)) (-NONE- *-1)\n (VP (VBD fell)\n) (. .)) )\n( (X (, ,) ) )\n(S (-NONE- *))"
    assert list(read_trees(text, "file")) == [
        (["The", "can", "fell", "."], ["DT", "NN", "VBD", "."]),
        ([","], [","]),
    ]
    assert (
        complaint(read_trees("(S (NN a)\n", "file")) == "file:2 ends with 1 brackets that do not match; fetch it again"
    )
