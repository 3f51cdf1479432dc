"""The generated language: its entropy by formula, by enumeration and by sampling; texts, their windows and batches."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.core import generator
from mlsys.data import TEXTS, Text, load, load_text

TINY = {"length": 6, "kinds": 2, "depth": 2, "groups": 2, "size": 2}


def enumerated(seed: int, length: int, kinds: int, depth: int, groups: int, size: int) -> dict:
    """Every sentence of the documented grammar and its probability, one branch at a time."""
    vocabulary = 1 + 2 * kinds + groups * size
    table = generator(seed, "grammar", "language").integers(0, size, (kinds + 1, vocabulary))
    by_group = [1 / i**2 for i in range(1, groups + 1)]
    by_rank = [1 / j**2 for j in range(1, size + 1)]
    found = {}

    def grow(sentence: tuple[int, ...], stack: tuple[int, ...], p: float) -> None:
        r, k = length - len(sentence), len(stack)
        if r == 0:
            found[sentence] = p
            return
        opens = 0.15 if k < depth and k + 2 <= r else 0.0
        closes = 1.0 if k == r else 0.15 if k else 0.0
        for kind in range(1, kinds + 1) if opens else ():
            grow((*sentence, kind), (*stack, kind), p * opens / kinds)
        if closes:
            grow((*sentence, kinds + stack[-1]), stack[:-1], p * closes)
        if k == r:
            return
        turn = table[stack[-1] if stack else 0, sentence[-1]]
        for i in range(groups):
            for j in range(size):
                word = 1 + 2 * kinds + size * i + (turn + j) % size
                share = by_group[i] / sum(by_group) * by_rank[j] / sum(by_rank)
                grow((*sentence, word), stack, p * (1 - opens - closes) * share)

    grow((0,), (), 1.0)
    return found


def test_the_entropy_is_that_of_all_sentences_enumerated() -> None:
    for options in (TINY, {**TINY, "depth": 1, "kinds": 1}, {**TINY, "length": 2}, {**TINY, "length": 7}):
        p = np.array(list(enumerated(0, **options).values()))
        assert p.sum() == pytest.approx(1, rel=1e-12)
        exact = -(p * np.log(p)).sum() / options["length"]
        assert load_text("grammar", **options, sentences=1).entropy == pytest.approx(exact, rel=1e-12)


def test_the_sampler_draws_from_that_grammar_and_knows_each_surprisal() -> None:
    m = 50_000
    text = load_text("grammar", seed=3, sentences=m, **TINY)
    all_of_them = enumerated(3, **TINY)
    sentences = [tuple(row) for row in text.tokens.reshape(m, -1).tolist()]
    own = -np.log([all_of_them[sentence] for sentence in sentences])  # KeyError: not of the grammar
    np.testing.assert_allclose(text.surprisal.reshape(m, -1).sum(1), own, rtol=1e-10)
    prefixes: dict[tuple[int, ...], float] = {}
    for sentence, p in all_of_them.items():
        for t in range(1, 7):
            prefixes[sentence[:t]] = prefixes.get(sentence[:t], 0) + p
    for sentence, row in zip(sentences[:200], text.surprisal.reshape(m, -1), strict=False):
        known = [-np.log(prefixes[sentence[: t + 1]] / prefixes.get(sentence[:t], 1)) for t in range(6)]
        np.testing.assert_allclose(row, known, atol=1e-10)
    counts = dict.fromkeys(all_of_them, 0)
    for sentence in sentences:
        counts[sentence] += 1
    p = np.array(list(all_of_them.values()))
    seen = np.array(list(counts.values()))
    often = m * p > 20
    assert often.sum() > 100
    z = (seen - m * p)[often] / np.sqrt(m * p * (1 - p))[often]
    assert abs(z).max() < 5.5  # of a few hundred cells: fails a right sampler once in 10**5 seeds
    assert z.std() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("options", [{}, {"length": 64, "depth": 2, "kinds": 8}, {"groups": 1, "size": 20}])
def test_a_long_run_agrees_with_the_entropy(options) -> None:
    text = load_text("grammar", seed=1, sentences=20_000, **options)
    each = text.surprisal.reshape(20_000, -1).mean(1)
    z = (each.mean() - text.entropy) / (each.std() / np.sqrt(len(each)))
    assert abs(z) < 4.9  # fails a right formula once in a million seeds
    assert (
        each.std() / np.sqrt(len(each)) < 0.003 * text.entropy
    )  # and a wrong one by half a per cent is seen


def test_what_the_language_is_for() -> None:
    text = load_text("grammar", sentences=20_000)
    assert text.vocabulary == 57
    assert len(text) == 20_000 * 32 == len(text.tokens)
    rows = text.tokens.reshape(-1, 32)
    assert not rows[:, 0].any()
    assert rows[:, 1:].all()
    reach = 0
    for row in rows[:2000].tolist():  # brackets match, and some are far apart
        stack: list[tuple[int, int]] = []
        for t, token in enumerate(row):
            if 1 <= token <= 4:
                stack.append((token, t))
            elif 5 <= token <= 8:
                kind, since = stack.pop()
                assert kind + 4 == token
                reach = max(reach, t - since)
            assert len(stack) <= 3
        assert not stack
    assert reach >= 28
    words = np.bincount(text.tokens, minlength=57)[9:].reshape(6, 8).sum(1)
    np.testing.assert_allclose(words / words[0], 1 / np.arange(1, 7) ** 2, rtol=0.05)
    pairs = np.zeros((57, 57))
    np.add.at(pairs, (text.tokens[:-1], text.tokens[1:]), 1)
    p = pairs / pairs.sum()
    given = -np.sum(p * np.log(np.where(p > 0, pairs / np.maximum(pairs.sum(1, keepdims=True), 1), 1)))
    single = np.bincount(text.tokens) / len(text)
    alone = -np.sum(single * np.log(single))
    assert alone > given + 0.3  # the token before helps,
    assert given > text.entropy + 0.3  # and what lies further back helps as much


@pytest.mark.parametrize("name", TEXTS)
def test_same_seed_same_text_and_nobody_can_change_it(name: str) -> None:
    text, other = load_text(name), load_text(name, seed=1)
    np.testing.assert_array_equal(text.tokens, load_text(name).tokens)
    assert (text.tokens[: len(other)] != other.tokens).any()
    assert text.source
    assert text.licence
    for array in (text.tokens, text.surprisal, text.split().test.tokens, text.windows(32)[0]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        text.entropy = 0.0
    mine = np.arange(4)
    kept = Text("mine", mine, 4, "me", "none")
    mine[0] = 3
    assert kept.tokens.tolist() == [0, 1, 2, 3]


def test_a_split_is_two_stretches() -> None:
    text = load_text("grammar", sentences=10, **TINY)
    train, test = text.split(0.32)
    assert (len(train), len(test)) == (42, 18)
    np.testing.assert_array_equal([*train.tokens, *test.tokens], text.tokens)
    np.testing.assert_array_equal([*train.surprisal, *test.surprisal], text.surprisal)
    assert (train.entropy, test.period) == (text.entropy, 6)
    assert [len(part) for part in text.split(0.001)] == [54, 6]
    assert [len(part) for part in text.split(0.999)] == [6, 54]
    mine = Text("mine", np.arange(10), 10, "me", "none").split(0.2)
    assert mine.test.tokens.tolist() == [8, 9]
    for share, words in ((0, "must be > 0"), (1.0, r"must lie in \[0, 1\)")):
        with pytest.raises(ValueError, match=f"test_share {words}"):
            text.split(share)
    with pytest.raises(ValueError, match="grammar has 1 sentences; a split needs two"):
        load_text("grammar", sentences=1).split()


def test_windows_and_batches_are_an_epoch() -> None:
    text = Text("mine", np.arange(20), 20, "me", "none")
    inputs, targets = text.windows(3)
    assert inputs.ravel().tolist() == list(range(18))
    assert targets.ravel().tolist() == list(range(1, 19))
    assert len(text.windows(19)[0]) == 1
    epoch = list(text.batches(generator(0), 2, 3))
    assert [x.shape for x, _ in epoch] == [(2, 3)] * 3
    assert sorted(row for x, _ in epoch for row in x[:, 0].tolist()) == [0, 3, 6, 9, 12, 15]
    assert all((y == x + 1).all() for x, y in epoch)
    again, other = list(text.batches(generator(0), 2, 3)), list(text.batches(generator(1), 2, 3))
    assert all((a[0] == b[0]).all() for a, b in zip(epoch, again, strict=True))
    assert any((a[0] != b[0]).any() for a, b in zip(epoch, other, strict=True))
    assert len(list(text.batches(generator(0), 4, 3))) == 1
    sentences = load_text("grammar", sentences=9, **TINY)
    assert not sentences.windows(12)[0][:, [0, 6]].any()
    assert not sentences.windows(6)[1][:, -1].any()  # the last target is the next full stop, which is certain


def test_the_floor_is_what_the_source_scores_on_these_windows() -> None:
    text = load_text("grammar", sentences=40, **TINY)
    known = text.surprisal[1:]
    for context in (6, 12):
        _, targets = text.windows(context)
        assert text.floor(context) == pytest.approx(known[: targets.size].mean(), rel=1e-12)
    with pytest.raises(ValueError, match="mine has no known source, so no floor"):
        Text("mine", np.arange(9), 9, "me", "none").floor(4)


BAD = [
    (lambda: load_text("war-and-peace"), "no text 'war-and-peace'. There is: grammar"),
    (lambda: load("grammar"), r"grammar is a text.*load_text\('grammar'\)"),
    (lambda: load_text("grammar", sentences=0), "sentences must be >= 1; got 0"),
    (lambda: load_text("grammar", length=1), "length must be >= 2; got 1"),
    (lambda: load_text("grammar", depth=0), "depth must be >= 1; got 0"),
    (lambda: load_text("grammar", seed=-1), "seed must be >= 0; got -1"),
    (lambda: load_text("grammar").windows(33), "context must be a multiple of 32.*got 33"),
    (lambda: load_text("grammar").windows(0), "context must be >= 1; got 0"),
    (lambda: load_text("grammar", sentences=2).windows(64), "context must be < 64.*got 64"),
    (lambda: load_text("grammar", sentences=9).batches(generator(0), 9, 32), "batch must be <= 8.*got 9"),
    (lambda: Text("mine", np.ones(3), 2, "me", "none"), r"tokens must be \(n,\) ints.*float64"),
    (lambda: Text("mine", np.arange(3), 2, "me", "none"), r"tokens must lie in \[0, 2\); got 0 to 2"),
    (lambda: Text("mine", np.arange(3), 3, "me", "none", 0.0, np.zeros(2)), r"surprisal must be \(3,\); got \(2,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_arguments_are_named(call, words) -> None:
    with pytest.raises(ValueError, match=words):
        call()
