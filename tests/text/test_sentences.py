"""Sentences by rule: hand-made cases, and that text in pieces gives the same."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.errors import ConfigError, CorpusError
from textdl.text.sentences import SentencesConfig, split_sentences, stream_sentences

# A bar stands where a sentence is to end.
CASES = """
Dr. Smith went home.| He slept.
It cost 3.50 dollars.| Fine.
J. R. R. Tolkien wrote it.| It is long.
"Stop!" he cried.| She did.
He said, "Go away."| Then he left.
Is it?| Yes!| Good.
Wait... what?| No.
He left ...| She stayed.
We left at 5 p.m.| The bus was late.
At 5 p.m. Monday we left.
He lives in the U.S. Senate building.
He lives in the U.S.| The end.
See Fig. 3 for it.| Also e.g. this one.
Plan B.| It failed.
It was Vitamin C.| He took it.
So did I.| Then we left.
Mr. and Mrs. Jones.| (They came.)| Good.
Apples, pears, etc.| They were ripe.
1. First item.| 2. Second item.
I paid $5.| Then I left.
In 1984.| 1985 came next.
She has a Ph.D. in maths.
No. 5 is alive.| No.| He is not.
I said no.| He went.
Das ist z.B. gut.| Ja.
日本です。|はい！|そう？
「はい。」|そう。
"What?"| "Nothing."
Visit www.a.com.| Then go.
What!?| No way!!!| Yes.
He met Gen. Lee in Jan. 1864.| It was cold.
Washington, D.C. is hot.
I live on 5th St.| The house is old.
St. John came.| He saw.
¿Qué?| ¡No!| Bien.
i loved both.| the food was good!| really.
It was 10 in. long.
The Mt. Everest trip.| Fun.
It is here.| http://a.com is gone.
No mark at the end
""".strip().split("\n")
TEXTS = st.lists(
    st.sampled_from(
        [
            *(
                "Dr.",
                "A.",
                "it",
                "The",
                "the",
                ".",
                "..",
                "!",
                "?",
                '"',
                "(",
                ")",
                "p.m.",
                "3.",
                "3",
                "。",
                "」",
                "word.",
            ),
            *("Name", " ", " ", " ", "\n", "\n\n", " \n", "\t", "\r\n", "http://", "x" * 70),
        ]
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize("case", CASES)
def test_hand_made(case):
    assert split_sentences(case.replace("|", "")) == [part.strip() for part in case.split("|")]


def test_line_ends():
    text = "A title\n\nOne goes\non. Two\r\n\r\nThree\n \nFour"
    assert split_sentences(text) == ["A title", "One goes on.", "Two", "Three", "Four"]
    lines = SentencesConfig(lines=True)
    assert split_sentences(text, lines) == ["A title", "One goes", "on.", "Two", "Three", "Four"]
    assert split_sentences("Dr.\nWho", lines) == ["Dr.", "Who"]
    assert split_sentences("Dr.\nWho") == ["Dr. Who"]


def test_nothing_but_white_space():
    assert split_sentences("") == split_sentences(" \n\n ") == list(stream_sentences([])) == []


def test_own_abbreviations():
    text = "See Abschn. Drei now."
    assert len(split_sentences(text)) == 2
    for written in ("Abschn", "abschn."):
        assert split_sentences(text, SentencesConfig(abbreviations=(written,))) == [text]


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.booleans())
def test_nothing_is_lost(text, lines):
    assert " ".join(split_sentences(text, SentencesConfig(lines=lines))).replace(" ", "") == "".join(text.split())


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.booleans(), st.data())
def test_pieces_cut_anywhere_give_the_same(text, lines, data):
    config = SentencesConfig(lines=lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]
    assert list(stream_sentences(pieces, config)) == split_sentences(text, config)
    assert list(stream_sentences(list(text), config)) == split_sentences(text, config)


def test_sentences_come_before_the_text_ends():
    def endless():
        while True:
            yield "Here is a line.\nAnd this. "

    stream = stream_sentences(endless())
    assert list(itertools.islice(stream, 3)) == ["Here is a line.", "And this.", "Here is a line."]


def test_bad_input():
    with pytest.raises(CorpusError, match="split_sentences"):
        stream_sentences("one text")
    with pytest.raises(ConfigError, match="abbreviations"):
        SentencesConfig(abbreviations="Abschn")  # type: ignore[arg-type]


def test_a_long_run_of_marks_takes_no_square_of_its_length():
    import time

    text = "It is" + "." * 30_000 + "x, he said. Then" + "!" * 3000 + '"' * 3000 + " He left."
    start = time.perf_counter()
    whole = split_sentences(text)
    assert time.perf_counter() - start < 5  # it took half a minute
    assert [sentence[:8] for sentence in whole] == ["It is...", "Then!!!!", "He left."]
    assert list(stream_sentences([text[at : at + 500] for at in range(0, len(text), 500)])) == whole


@pytest.mark.parametrize("mark", ["'", "’"])
def test_the_end_of_a_contraction_is_no_initial(mark: str) -> None:
    text = f"He can{mark}t. Bob will. The book is Ann{mark}s. Berlin is far. Ask J. Smith."
    assert split_sentences(text) == [
        f"He can{mark}t.",
        "Bob will.",
        f"The book is Ann{mark}s.",
        "Berlin is far.",
        "Ask J. Smith.",
    ]
