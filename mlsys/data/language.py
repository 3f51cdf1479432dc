"""A generated language whose entropy is known: nested brackets that must match, and words that heed them."""

from __future__ import annotations

import math

import numpy as np

from mlsys.core.checks import whole
from mlsys.core.seeds import generator
from mlsys.data.generated import FREE, OURS
from mlsys.data.text import Text

OPEN, CLOSE = 0.15, 0.15  # the probabilities of a bracket where one is free to come


def grammar(
    seed: int = 0,
    sentences: int = 8000,
    length: int = 32,
    kinds: int = 4,
    depth: int = 3,
    groups: int = 6,
    size: int = 8,
) -> Text:
    """Sentences of `length` tokens: a full stop, then words and nested brackets, all closed by the end.

    Tokens: 0 the stop, 1 … kinds opening, kinds + 1 … 2 kinds closing brackets, then groups * size words.
    After the stop, with k brackets open and r tokens still to come: closing is certain if k = r; else a bracket
    opens with probability 0.15 (if k < depth and k + 2 <= r), of any kind alike; the last opened closes with
    0.15 (if k > 0); else a word comes: group i with probability ∝ 1 / i**2, i = 1 … groups, and in it the word
    number (turn + j - 1) mod size, j with probability ∝ 1 / j**2, j = 1 … size, where
    turn = table[kind of the last open bracket or none, token before], a table that the seed draws.
    So the words of the first group are common everywhere (36 times as common as the last, by default), the token
    before and a bracket perhaps 30 tokens away say which word, and one must count to know when brackets close.
    entropy : exact, in nats a token (the stop's zero included): choices in a group weigh alike under every turn, so
    only the number of open brackets matters, whose distribution at each place is a small sum.
    Vocabulary 1 + 2 kinds + groups * size (57). len(text) = sentences * length; period = length.
    Raises ValueError if sentences, kinds, depth, groups or size < 1, or length < 2. Source: ours.
    """
    sentences, length, kinds = whole(1, sentences=sentences), whole(2, length=length), whole(1, kinds=kinds)
    depth, groups, size = whole(1, depth=depth), whole(1, groups=groups), whole(1, size=size)
    vocabulary = 1 + 2 * kinds + groups * size
    table = generator(seed, "grammar", "language").integers(0, size, (kinds + 1, vocabulary))
    tokens, surprisal = _sentences(
        generator(seed, "grammar", "sample"), (sentences, length), kinds, depth, (groups, size), table
    )
    return Text(
        "grammar",
        tokens.ravel(),
        vocabulary,
        OURS,
        FREE,
        entropy=_entropy(length, kinds, depth, _entropy_of(_falling(groups)) + _entropy_of(_falling(size))),
        surprisal=surprisal.ravel(),
        period=length,
    )


def _falling(m: int) -> np.ndarray:
    """Probabilities ∝ 1 / i**2, i = 1 … m."""
    p = 1 / np.arange(1, m + 1) ** 2.0
    return p / p.sum()


def _entropy_of(p: np.ndarray) -> float:
    """-sum of p log p, in nats, where 0 log 0 = 0."""
    return float(-sum(q * math.log(q) for q in p if q > 0))


def _actions(k: np.ndarray, r: int, depth: int) -> np.ndarray:
    """The probabilities (3, m) to open, close, or say a word, with k (m,) brackets open and r tokens to come."""
    opens = OPEN * ((k < depth) & (k + 2 <= r))
    closes = np.where(k == r, 1.0, CLOSE * (k > 0))
    return np.stack([opens, closes, 1 - opens - closes])


def _entropy(length: int, kinds: int, depth: int, word: float) -> float:
    """Nats a token: the entropy of each choice, over the distribution of open brackets at each place."""
    k = np.arange(depth + 1)
    share, total = (k == 0).astype(float), 0.0
    for r in range(length - 1, 0, -1):
        p = _actions(k, r, depth)
        choice = np.array([_entropy_of(column) for column in p.T])
        total += float(share @ (choice + p[0] * math.log(kinds) + p[2] * word))
        opened, closed, same = share * p
        share = same
        share[1:] += opened[:-1]
        share[:-1] += closed[1:]
    return total / length


def _sentences(
    rng: np.random.Generator,
    shape: tuple[int, int],
    kinds: int,
    depth: int,
    words: tuple[int, int],
    table: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(tokens, surprisal), both (m, length): all sentences grow together, a token at a time."""
    (m, length), (groups, size) = shape, words
    rows = np.arange(m)
    tokens, surprisal = np.zeros(shape, np.int64), np.zeros(shape)
    stack = np.zeros((m, depth + 1), np.int64)  # kinds 1 …, the last opened at stack[:, k]; 0 at the bottom
    k = np.zeros(m, np.int64)
    by_group, by_rank = _falling(groups), _falling(size)
    for t in range(1, length):
        p = _actions(k, length - t, depth)
        u = rng.random(m)
        action = (u >= p[0]).astype(int) + (u >= p[0] + p[1])
        kind, group = rng.integers(1, kinds + 1, m), rng.choice(groups, m, p=by_group)
        rank = rng.choice(size, m, p=by_rank)
        top = stack[rows, k]
        member = (table[top, tokens[:, t - 1]] + rank) % size
        tokens[:, t] = np.choose(action, [kind, kinds + top, 1 + 2 * kinds + size * group + member])
        word = -np.log(by_group[group] * by_rank[rank])
        surprisal[:, t] = -np.log(p[action, rows]) + np.choose(action, [math.log(kinds), 0.0, word])
        k = k + np.choose(action, [1, -1, 0])
        stack[rows[action == 0], k[action == 0]] = kind[action == 0]
    return tokens, surprisal
