"""Speed of `translate`: training against a plain torch loop, searching by a beam against greedily and one by one.

    python -m benchmarks.translate_speed [--hidden 512 --steps 40 --rounds 3 --sentences 256]

The plain loop has the same layers (embeddings, an LSTM that reads from both ends, one that writes, general attention,
softmax), the same batches, already made, the same precision, threads, label smoothing and optimiser. The plain beam
search translates one sentence at a time with the very same weights, in a batch of its hypotheses.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import textdl
from textdl.config import replace
from textdl.parallel import open_parallel
from textdl.tasks.translate import Translating, TranslatingConfig
from textdl.training.device import pick_precision
from textdl.training.trainer import Trainer

CORPUS = "phrases-en-es"


class Peer(nn.Module):
    """The same model, written by hand."""

    def __init__(self, sources: int, targets: int, hidden: int, embedding: int = 256) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(sources, embedding), nn.Embedding(targets, embedding)
        self.forwards, self.backwards = nn.LSTM(embedding, hidden // 2), nn.LSTM(embedding, hidden // 2)
        self.bridge = nn.Linear(hidden, 2 * hidden)
        self.decoder = nn.LSTM(embedding, hidden)
        self.general = nn.Linear(hidden, hidden, bias=False)
        self.combine = nn.Linear(2 * hidden, hidden, bias=False)
        self.output = nn.Linear(hidden, targets)

    def encode(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        x = F.dropout(self.source(ids), 0.3, self.training)
        places = torch.arange(len(ids)).unsqueeze(1)
        order = torch.where(places < lengths, lengths - 1 - places, places).unsqueeze(-1)
        front = self.forwards(x)[0]
        back = self.backwards(x.gather(0, order.expand_as(x)))[0]
        y = torch.cat([front, back.gather(0, order.expand_as(back))], -1)
        last = torch.cat([front[lengths - 1, torch.arange(ids.shape[1])], y[0, :, front.shape[2] :]], -1)
        h, c = torch.tanh(self.bridge(last)).chunk(2, -1)
        return y.transpose(0, 1), (places < lengths).t(), (h.unsqueeze(0), c.unsqueeze(0))

    def decode(self, ids: Tensor, values: Tensor, mask: Tensor, state: Any) -> tuple[Tensor, Any]:
        h, state = self.decoder(F.dropout(self.target(ids), 0.3, self.training), state)
        scores = h.transpose(0, 1) @ self.general(values).transpose(1, 2)
        weights = scores.float().masked_fill(~mask.unsqueeze(1), -torch.inf).softmax(-1)
        seen = (weights.to(values.dtype) @ values).transpose(0, 1)
        y = torch.tanh(self.combine(torch.cat([seen, h], -1)))
        return self.output(F.dropout(y, 0.3, self.training)), state


def task_of(**settings: Any) -> Translating:
    config = replace(
        TranslatingConfig(), {"device": "cpu", "evaluations": 1, "attention": "general", "batch_size": 2000, **settings}
    )
    torch.manual_seed(1)
    return Translating.prepare(CORPUS, config, lambda event: None)


def ours(hidden: int, steps: int, precision: str) -> float:
    """Target tokens a second of textdl's trainer."""
    task = task_of(hidden=hidden, steps=steps, precision=precision)
    task.metrics = lambda model, at_most: {}  # type: ignore[method-assign]  # the peer evaluates nothing
    report = Trainer(task.config.train).fit(task)
    return report.units / report.seconds


def theirs(hidden: int, steps: int, precision: torch.dtype) -> float:
    """Target tokens a second of the plain loop."""
    task = task_of(hidden=hidden)
    batches: list[Any] = []
    while len(batches) < steps:
        batches += list(task.batches("train", len(batches), 0))[: steps - len(batches)]
    padded = []
    for batch in batches:
        inside = torch.arange(len(batch.before.ids)).unsqueeze(1) < batch.before.lengths
        aims = torch.full(batch.before.ids.shape, -100)
        aims[inside] = batch.aims
        padded.append((batch.source, batch.before.ids, aims, len(batch.aims)))
    model = Peer(task.reader.source.size, task.reader.target.size, hidden)
    optimizer = torch.optim.AdamW(model.parameters(), 0.002, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    start, tokens = time.perf_counter(), 0
    for source, before, aims, number in padded:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            logits, _ = model.decode(before, *model.encode(source.ids, source.lengths))
        F.cross_entropy(logits.float().flatten(0, 1), aims.flatten(), label_smoothing=0.1).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += number
    return tokens / (time.perf_counter() - start)


@torch.inference_mode()
def plain_beam(peer: Peer, ids: Tensor, end: int, wide: int, most: int) -> list[int]:
    """One sentence [S, 1] by a beam, as it is usually written."""
    values, mask, state = peer.encode(ids, torch.tensor([len(ids)]))
    beam, done = [(0.0, [end])], []
    for _ in range(most):
        tokens = torch.tensor([[some[-1] for _, some in beam]])
        number = len(beam)
        logits, state = peer.decode(tokens, values.expand(number, -1, -1), mask.expand(number, -1), state)
        chances = logits[0].log_softmax(-1) + torch.tensor([score for score, _ in beam]).unsqueeze(1)
        best, places = chances.flatten().topk(wide - len(done))
        going, rows = [], []
        for score, place in zip(best.tolist(), places.tolist(), strict=True):
            row, token = divmod(place, chances.shape[1])
            if token == end:
                done.append((score / ((5 + len(beam[row][1])) / 6), beam[row][1][1:]))
            else:
                going.append((score, [*beam[row][1], token]))
                rows.append(row)
        if not going:
            break
        beam, state = going, tuple(part[:, rows] for part in state)
    return max(done or beam)[1]


def peer_of(run: Any, hidden: int) -> Peer:
    """A peer with the weights of a run."""
    model = run.model
    peer = Peer(run.reader.source.size, run.reader.target.size, hidden).eval()
    own = dict(model.named_parameters())

    def put(theirs: nn.Module, names: dict[str, str]) -> None:
        for name, ours in names.items():
            dict(theirs.named_parameters())[name].data.copy_(own[ours].data)

    parts = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    put(peer.source, {"weight": "words.source.weight"})
    put(peer.target, {"weight": "words.target.weight"})
    put(peer.forwards, {part: f"encoder.forwards.0.layers.0.{part}" for part in parts})
    put(peer.backwards, {part: f"encoder.backwards.0.layers.0.{part}" for part in parts})
    put(peer.decoder, {part: f"decoder.layers.0.{part}" for part in parts})
    put(peer.bridge, {"weight": "bridge.weight", "bias": "bridge.bias"})
    put(peer.combine, {"weight": "combine.weight"})
    put(peer.output, {"weight": "words.output.weight", "bias": "words.output.bias"})
    (general,) = (tensor for name, tensor in own.items() if name.startswith("attention."))
    peer.general.weight.data.copy_(general.data if general.shape == peer.general.weight.shape else general.data.t())
    return peer


def searching(folder: Path, hidden: int, sentences: int, rounds: int) -> None:
    run: Any = textdl.train(
        "translate", CORPUS, out=folder / "run", hidden=hidden, attention="general", steps=300, progress=False
    )
    texts = [pair.source for pair in open_parallel(CORPUS).pairs("test")][:sentences]
    peer, end = peer_of(run, hidden), run.reader.target.end
    sides = [torch.from_numpy(ids).long().unsqueeze(1) for ids in run.reader.encode(run.reader.source, texts)]
    speeds: dict[str, list[float]] = {"greedy": [], "beam 5": [], "plain": []}
    for _ in range(rounds):
        for name, beam in (("greedy", 1), ("beam 5", 5)):
            start = time.perf_counter()
            said = run.translate(texts, beam=beam)
            speeds[name].append(len(texts) / (time.perf_counter() - start))
        some = sides[:: max(1, len(sides) // 32)]
        start = time.perf_counter()
        found = [plain_beam(peer, side, end, 5, 2 * len(side) + 20) for side in some]
        speeds["plain"].append(len(some) / (time.perf_counter() - start))
    ours = said[:: max(1, len(sides) // 32)]
    same = sum(run.reader.decode(ids) == text for ids, text in zip(found, ours, strict=True))
    middle = {name: statistics.median(values) for name, values in speeds.items()}
    print(f"sentences a second: {', '.join(f'{name} {value:.0f}' for name, value in middle.items())}")
    print(f"beam 5 / greedy: {middle['beam 5'] / middle['greedy']:.2f} (asked: 0.25)")
    print(f"beam 5 / one by one in plain torch: {middle['beam 5'] / middle['plain']:.1f} (asked: 8)")
    print(f"the same translations: {same} of {len(found)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=256)
    options = parser.parse_args()
    for precision in dict.fromkeys(
        ("float32", str(pick_precision("auto", torch.device("cpu"))).removeprefix("torch."))
    ):
        kind, ratios = getattr(torch, precision), []
        for _ in range(options.rounds):
            own, other = ours(options.hidden, options.steps, precision), theirs(options.hidden, options.steps, kind)
            ratios.append(own / other)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        middle = statistics.median(ratios)
        told = f"{middle:.3f} of plain torch ({spread}; {own:.0f} target tokens/s; asked: 0.95)"
        print(f"training, LSTM-{options.hidden}, {precision}: {told}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        searching(Path(folder), options.hidden, options.sentences, options.rounds)


if __name__ == "__main__":
    main()
