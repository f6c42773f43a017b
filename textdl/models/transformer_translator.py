"""A small Transformer that turns one sequence into another.

Legend: B sentences, S tokens of the longest source, T of the longest target, K hypotheses of each sentence, D width,
M heads, L layers, N target tokens that are scored, V target vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import check, knob
from ..errors import ConfigError
from .translating import Memory, Scored, Side, State, Step, Translator, inside
from .translator_parts import Places, TranslatorConfig, Words


@dataclass(frozen=True)
class TransformerTranslatorConfig(TranslatorConfig):
    """A Transformer encoder and decoder."""

    kind: str = knob("transformer", "Which model.", choices=("transformer",), derived=True)
    embedding: int = knob(256, "Width of an embedding and of every layer.", least=2, most=65536)
    layers: int = knob(3, "Layers of the encoder, and of the decoder.", least=1, most=64)
    heads: int = knob(4, "Heads of each attention.", least=1, most=1024)
    feedforward: int = knob(1024, "Width of the inner layers.", least=1, most=65536)
    dropout: float = knob(0.1, "Dropout on embeddings, what each part adds, and inner layers.", least=0, most=0.95)

    def __post_init__(self) -> None:
        check(self)
        if self.embedding % self.heads:
            raise ConfigError(
                f"embedding must be a multiple of heads ({self.heads}), got {self.embedding}; change one of them"
            )
        if self.embedding % 2:
            raise ConfigError(f"embedding must be even, half sines and half cosines, got {self.embedding}; add one")


class TransformerTranslator(Translator):
    """Vaswani et al. 2017, "Attention is all you need", with normalised inputs (pre-norm, Xiong et al. 2020).

    Positions are sines and cosines, of any length. Dropout lies on the embeddings, on what each part adds, and within
    the feed-forward layers; none on the attention weights, whose masks a fused kernel would draw.

    The keys of :class:`textdl.models.translating.Memory` are those and the values of all decoder layers side by side
    [B, S, L * 2D]; the state holds, for each layer, those of the tokens before [B * K, t, 2D].

    Scheduled sampling takes two passes (Mihaylova & Martins 2019): one without gradient over the targets as they are,
    whose choices are mixed into what the second one reads.
    """

    def __init__(self, config: TransformerTranslatorConfig) -> None:
        super().__init__()
        self.config = config
        width, layers = config.embedding, range(config.layers)
        self.words = Words(config, width, spread=config.embedding**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in layers)
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in layers)
        self.decoder_norm = nn.LayerNorm(width)
        for module in (*self.encoder.modules(), *self.decoder.modules()):
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def encode(self, source: Side) -> Memory:
        mask = inside(source).T
        x = self._placed(self.words.source(source.ids.T))
        for layer in self.encoder:
            x = layer(x, mask)
        values = self.encoder_norm(x)
        keys = torch.cat([layer.looking.remember(values) for layer in self._layers()], dim=-1)
        return Memory(values, keys, mask, ())

    def begin(self, memory: Memory) -> State:
        """No tokens before: for each layer [B, 0, 2D]."""
        shape = len(memory.mask), 0, 2 * self.config.embedding
        return tuple(memory.keys.new_zeros(shape) for _ in self.decoder)

    def step(self, ids: Tensor, state: State, memory: Memory) -> Step:
        sentences, width = len(ids), self.config.embedding
        x = self._placed(self.words.target(ids.reshape(-1, 1)), state[0].shape[1])  # [B * K, 1, D]
        after, weights = [], None
        for layer, before, seen in zip(self._layers(), state, memory.keys.split(2 * width, dim=-1), strict=True):
            x, remembered = layer.reread(x, before)
            after.append(remembered)
            # The hypotheses of a sentence are queries beside one another, and what they look at is there once.
            x, weights = layer.look(x.view(sentences, -1, width), seen, memory.mask)
            x = layer.ponder(x).view(-1, 1, width)
        assert weights is not None
        logits = self.words.logits(self.decoder_norm(x))
        return Step(logits.view(*ids.shape, -1), tuple(after), weights)

    def forward(self, source: Side, before: Side, own: float = 0.0) -> Scored:
        memory, places = self.encode(source), Places(inside(before))
        ids = before.ids if own <= 0 else self._mixed(before.ids, memory, places, own)
        return Scored(self._scores(ids, memory, places))

    def _scores(self, ids: Tensor, memory: Memory, places: Places) -> Tensor:
        """Of ids [T, B] the logits [N, V] of what follows each."""
        x = self._placed(self.words.target(ids.T))  # [B, T, D]
        for layer, seen in zip(self._layers(), memory.keys.split(2 * self.config.embedding, dim=-1), strict=True):
            x = layer(x, seen, memory.mask)
        return self.words.logits(self.decoder_norm(places.of_sentences(x)))

    @torch.no_grad()
    def _mixed(self, ids: Tensor, memory: Memory, places: Places, own: float) -> Tensor:
        """ids [T, B] with a share of them replaced by what the model itself would say there."""
        choices = places.laid_out(self._scores(ids, memory, places).argmax(-1))
        torch.clear_autocast_cache()  # an older torch would take the weights cast here, without gradient, again later
        drawn = torch.rand(ids.shape, device=ids.device) < own
        drawn[0] = False  # the end id, with which every target begins
        return torch.where(drawn, choices.roll(1, 0), ids)

    def _placed(self, x: Tensor, first: int = 0) -> Tensor:
        """Embeddings x [B, T, D], scaled, and where they stand; the first of them at place ``first``."""
        x = x * math.sqrt(self.config.embedding) + sinusoids(first, x.shape[1], x)
        return F.dropout(x, self.config.dropout, self.training)

    def _layers(self) -> Iterator[DecoderLayer]:
        for layer in self.decoder:
            assert isinstance(layer, DecoderLayer)
            yield layer


class Attention(nn.Module):
    """Attention of several heads: ``forward(queries [B, Q, D], remembered [B, S, 2D]) -> [B, Q, D]``.

    Args:
        width: D.
        heads: M.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.remember = nn.Linear(width, 2 * width)  # keys and values
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, remembered: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """``mask`` [B, S] is True where there is a token; ``causal``: no query looks at a later token than its own."""
        query, key, value = (self._split(part) for part in (self.query(x), *remembered.chunk(2, dim=-1)))
        seen = None if mask is None else mask[:, None, None]
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, is_causal=causal)
        return self._joined(y)

    def weighed(self, x: Tensor, remembered: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`forward`, with the weights [B, Q, S], their mean over the heads."""
        query, key, value = (self._split(part) for part in (self.query(x), *remembered.chunk(2, dim=-1)))
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        scores = scores.masked_fill(~mask[:, None, None], -torch.inf)
        weights = torch.softmax(scores, dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
        return self._joined(weights.to(value.dtype) @ value), weights.mean(1)

    def _split(self, x: Tensor) -> Tensor:
        """[B, Q, D] -> [B, M, Q, D / M]."""
        heads: Tensor = x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return heads

    def _joined(self, y: Tensor) -> Tensor:
        """[B, M, Q, D / M] -> [B, Q, D], through the output layer."""
        z: Tensor = self.output(y.transpose(1, 2).flatten(2))
        return z


class Layer(nn.Module):
    """What the layers of both sides have: attention to their own side, and the feed-forward part."""

    def __init__(self, config: TransformerTranslatorConfig) -> None:
        super().__init__()
        width = config.embedding
        self.share = config.dropout
        self.reading, self.reading_norm = Attention(width, config.heads), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, config.feedforward), nn.Linear(config.feedforward, width)
        self.inner_norm = nn.LayerNorm(width)

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.share, self.training)

    def ponder(self, x: Tensor) -> Tensor:
        """The feed-forward part, x [..., D] -> [..., D]."""
        return x + self.drop(self.outer(self.drop(torch.relu(self.inner(self.inner_norm(x))))))


class EncoderLayer(Layer):
    """``forward(x [B, S, D], mask [B, S]) -> [B, S, D]``."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        normed = self.reading_norm(x)
        return self.ponder(x + self.drop(self.reading(normed, self.reading.remember(normed), mask)))


class DecoderLayer(Layer):
    """``forward(x [B, T, D], seen [B, S, 2D], mask [B, S]) -> [B, T, D]``, or its three parts one by one."""

    def __init__(self, config: TransformerTranslatorConfig) -> None:
        super().__init__(config)
        self.looking, self.looking_norm = (
            Attention(config.embedding, config.heads),
            nn.LayerNorm(config.embedding),
        )

    def forward(self, x: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
        normed = self.reading_norm(x)
        # Padding stands behind each target, where a token that looks back only never meets it.
        x = x + self.drop(self.reading(normed, self.reading.remember(normed), causal=True))
        x = x + self.drop(self.looking(self.looking_norm(x), seen, mask))
        return self.ponder(x)

    def reread(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Of one more token x [B * K, 1, D], looking back at ``before`` [B * K, t, 2D]; and what is now remembered."""
        normed = self.reading_norm(x)
        new = self.reading.remember(normed)
        remembered = torch.cat([before.to(new.dtype), new], dim=1)
        return x + self.drop(self.reading(normed, remembered)), remembered

    def look(self, x: Tensor, seen: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Looking at the source, x [B, K, D] -> [B, K, D]; and the weights [B, K, S]."""
        y, weights = self.looking.weighed(self.looking_norm(x), seen, mask)
        return x + self.drop(y), weights


def sinusoids(first: int, count: int, like: Tensor) -> Tensor:
    """Where tokens stand, from place ``first`` on, as sines and cosines by turns: [count, D], D as of ``like``."""
    width = like.shape[-1]
    places = torch.arange(first, first + count, device=like.device, dtype=torch.float32)
    speeds = torch.exp(torch.arange(0, width, 2, device=like.device) * (-math.log(10000.0) / width))
    angles = places.unsqueeze(1) * speeds  # [count, D / 2]
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(like.dtype)
