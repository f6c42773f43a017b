"""Huffman trees for hierarchical softmax: each word is a leaf, and its probability a product along the path to it.

Morin & Bengio 2005, "Hierarchical probabilistic neural network language model"; Huffman 1952, "A method for the
construction of minimum-redundancy codes"; as in Mikolov et al. 2013.

Legend: V words, P nodes of all paths together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tree(NamedTuple):
    """The paths from the root to each word: ``nodes[starts[v] : starts[v + 1]]`` is that of word v.

    At an inner node with the score s the turn 0 has the probability sigmoid(s), the turn 1 sigmoid(-s).
    """

    starts: NDArray[np.int64]  # [V + 1]
    nodes: NDArray[np.int32]  # [P], inner nodes, each below V - 1
    turns: NDArray[np.int8]  # [P], 0 or 1


def build_tree(counts: NDArray[np.int64]) -> Tree:
    """The tree in which the frequent words of ``counts [V]`` have the shortest paths; the root is node V - 2."""
    size = len(counts)
    parents = np.zeros(max(2 * size - 1, 1), np.int64)
    sides = np.zeros(len(parents), np.int8)
    order = np.argsort(counts, kind="stable")
    leaves, weights = order.tolist(), np.asarray(counts)[order].tolist()
    sums: list[int] = []  # of the inner nodes, which come in rising order
    leaf = inner = 0
    for made in range(size - 1):
        total = 0
        for side in (0, 1):
            if leaf < size and (inner == made or weights[leaf] <= sums[inner]):
                child, weight, leaf = leaves[leaf], weights[leaf], leaf + 1
            else:
                child, weight, inner = size + inner, sums[inner], inner + 1
            parents[child], sides[child] = size + made, side
            total += weight
        sums.append(total)
    return _paths(parents, sides, size)


def _paths(parents: NDArray[np.int64], sides: NDArray[np.int8], size: int) -> Tree:
    """Climb from all leaves at once."""
    root = 2 * size - 2
    at = np.arange(size)
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]] = []
    lengths = np.zeros(size, np.int64)
    words = np.flatnonzero(at != root)
    while len(words):
        turns, at[words] = sides[at[words]], parents[at[words]]
        steps.append((words, at[words] - size, turns))
        lengths[words] += 1
        words = words[at[words] != root]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tree = Tree(starts, np.zeros(starts[-1], np.int32), np.zeros(starts[-1], np.int8))
    for height, (words, nodes, turns) in enumerate(steps, 1):
        tree.nodes[starts[words + 1] - height] = nodes
        tree.turns[starts[words + 1] - height] = turns
    return tree


def grow_tree(tree: Tree, counts: NDArray[np.int64]) -> Tree:
    """A tree with more words, of these ``counts``: a new root has the old tree on one side, one of them on the other.

    The old inner nodes keep their numbers, so what was learnt of them stays true.
    """
    old, new = len(tree.starts) - 1, len(counts)
    if not new:
        return tree
    root, more = old + new - 2, build_tree(counts)
    pieces = [
        (part.nodes[start:stop] + offset, part.turns[start:stop], side)
        for part, offset, side in ((tree, 0, 0), (more, old - 1, 1))
        for start, stop in zip(part.starts, part.starts[1:], strict=False)
    ]
    starts = np.concatenate([[0], np.cumsum([len(nodes) + 1 for nodes, _, _ in pieces])])
    nodes = np.concatenate([np.concatenate([[root], nodes]) for nodes, _, _ in pieces])
    turns = np.concatenate([np.concatenate([[side], turns]) for _, turns, side in pieces])
    return Tree(starts.astype(np.int64), nodes.astype(np.int32), turns.astype(np.int8))


def word_probabilities(tree: Tree, scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """The probability of each word [V], of the scores of the inner nodes [V - 1]; they sum to one."""
    signs = 1.0 - 2.0 * tree.turns
    logs = -np.logaddexp(0.0, -signs * np.asarray(scores, np.float64)[tree.nodes])
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    made: NDArray[np.float64] = np.exp(sums[tree.starts[1:]] - sums[tree.starts[:-1]])
    return made
