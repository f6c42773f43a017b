"""The tagger's network: padding is never seen, dropout and unknown words are where they should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from textdl.config import replace
from textdl.errors import ConfigError
from textdl.models.crf import Chain
from textdl.models.spelling_input import SpellingInput
from textdl.models.tagger import Tagger, TaggerConfig, Words
from textdl.tasks.tag_reader import WordReader, vocabulary_of

SENTENCES = [
    ("the", "cat", "sleeps"),
    ("Owls", "fly", "far", "away", "from", "the", "cat"),
    ("extraordinarily",),
    ("no", "owls"),
]
READER = WordReader(vocabulary_of([*SENTENCES, *SENTENCES]), least=1, lowercase=True, digits=True)


def tagger(**settings: object) -> Tagger:
    torch.manual_seed(0)
    derived = {"vocabulary": READER.rows, "letters": READER.letters, "tags": 4}
    config = TaggerConfig(hidden=6, embedding=5, character_features=8, **derived, **settings)  # type: ignore[arg-type]
    return Tagger(config).eval()


def words(*sentences: tuple[str, ...]) -> Words:
    return READER.batch(READER.read(sentences), np.arange(len(sentences)))


@pytest.mark.parametrize("characters", ["cnn", "lstm", "none"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "sru", "rnn"])
@torch.no_grad()
def test_a_batch_is_as_its_sentences_one_by_one(characters: str, cell: str) -> None:
    model = tagger(characters=characters, cell=cell, layers=2)
    together = model(words(*SENTENCES))
    assert together.shape == (7, 4, 4)
    for column, sentence in enumerate(SENTENCES):
        alone = model(words(sentence))[:, 0]
        assert alone.shape == (len(sentence), 4)
        torch.testing.assert_close(together[: len(sentence), column], alone, atol=5e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["cnn", "lstm"])
def test_spelling_does_not_see_padding(kind: str) -> None:
    """Neither what stands behind a word, nor how much of it; and it does see the last letter."""
    torch.manual_seed(0)
    spelling = SpellingInput(kind, letters=9, embedding=5, features=6)
    short, counts = torch.tensor([[3], [4], [5]]), torch.tensor([3])
    wide = torch.cat([short, torch.tensor([[7], [8], [2], [1]])])
    assert torch.allclose(spelling(short, counts), spelling(wide, counts), atol=1e-6)
    other = short.clone()
    other[2] = 6
    assert not torch.allclose(spelling(short, counts), spelling(other, counts), atol=1e-3)


def test_convolution_by_hand() -> None:
    """The largest answer of each filter over three letters in a row, zeros around the word."""
    torch.manual_seed(0)
    spelling = SpellingInput("cnn", letters=9, embedding=2, features=3)
    assert spelling.filters is not None
    word = [3, 4, 5, 6]
    rows = np.zeros((len(word) + 2, 2), np.float32)
    rows[1:-1] = spelling.embedding.detach().numpy()[word]
    weight, bias = (part.detach().numpy() for part in (spelling.filters.weight, spelling.filters.bias))
    answers = [[(weight[f] * rows[at : at + 3].T).sum() + bias[f] for f in range(3)] for at in range(len(word))]
    found = spelling(torch.tensor(word).unsqueeze(1), torch.tensor([4]))[0].detach().numpy()
    np.testing.assert_allclose(found, np.max(answers, axis=0), rtol=1e-5)


def test_words_of_one_row_differ_by_their_letters() -> None:
    """``Owls`` and ``owls`` are looked up as one, and spelled as two."""
    model = tagger()
    known = model.known(words(("Owls", "owls")))
    assert torch.equal(known[0, 0, :5], known[1, 0, :5])
    assert not torch.allclose(known[0, 0, 5:], known[1, 0, 5:])


def test_rare_words_are_taken_for_unknown_while_training_only() -> None:
    model = tagger(word_dropout=1.0)
    counts = torch.zeros(READER.rows)
    row = READER.words.index("sleeps")
    counts[row], counts[READER.words.index("cat")] = 3, 10**9
    model.forget(counts)
    assert model.chances[row] == 0.25
    batch = words(*[("cat", "sleeps")] * 2000)
    table = model.input.trained
    assert table is not None
    model.train()
    known = model.known(batch)[:, :, :5]
    unknown = (known[1] == table[-1]).all(-1)
    assert 0.2 < float(unknown.float().mean()) < 0.3
    assert (known[1][~unknown] == table[row]).all()
    assert (known[0] == table[READER.words.index("cat")]).all()
    model.eval()
    assert (model.known(batch)[1, :, :5] == table[row]).all()


@torch.no_grad()
def test_tags_give_their_log_probability() -> None:
    """Without a field between them that of each tag by itself."""
    model, batch = tagger(crf=False), words(*SENTENCES)
    tags = torch.randint(4, batch.ids.shape, generator=torch.Generator().manual_seed(1))
    logs = model(batch).log_softmax(-1)
    for column, sentence in enumerate(SENTENCES):
        expected = sum(logs[at, column, tags[at, column]] for at in range(len(sentence)))
        assert model(batch, tags)[column].item() == pytest.approx(float(expected), rel=1e-5)


def test_a_field_is_where_spans_are_or_as_asked() -> None:
    def trained(**settings: object) -> bool:
        chain: Chain = tagger(**settings).chain
        return chain.trained

    assert not trained()
    assert trained(spans=True)
    assert trained(crf=True)
    assert not trained(spans=True, crf=False)


def test_settings_that_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match="character_features must be even"):
        TaggerConfig(characters="lstm", character_features=7)
    with pytest.raises(ConfigError, match="sru has no recurrent weights"):
        TaggerConfig(cell="sru", recurrent_dropout=0.1)
    with pytest.raises(ConfigError, match="characters has no choice 'cnnn'"):
        TaggerConfig(characters="cnnn")
    assert replace(TaggerConfig(), {"crf": True}).chained
