"""Immutable text: a stream of tokens, its windows and batches, and the loss that nobody can beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mlsys.core.checks import fraction, positive, whole
from mlsys.data.dataset import frozen


@dataclass(frozen=True, eq=False)
class Text:
    """Tokens that nobody can change, where they come from, and how well they can be predicted.

    tokens : (n,) ints in [0, vocabulary)
    entropy : nats a token: the *expected* loss of the best predictor there can be, computed from the source, not
    from the sample; None where it is unknown, as for any human text
    surprisal : (n,) nats, -log p(token | all before it) under the source; its mean is `entropy` but for chance
    period : the text is a row of independent sentences of so many tokens; 1 if it is not. Windows begin where
    sentences do, so that a window holds all that its tokens depend on, and `entropy` is the floor, not only a bound.
    Raises ValueError if tokens are not ints in the vocabulary or the arrays differ in length.
    """

    name: str
    tokens: np.ndarray
    vocabulary: int
    source: str
    licence: str
    entropy: float | None = None
    surprisal: np.ndarray | None = None
    period: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", frozen(self.tokens))
        tokens, known = self.tokens, whole(2, vocabulary=self.vocabulary)
        if tokens.ndim != 1 or tokens.dtype.kind not in "iu" or not len(tokens):
            raise ValueError(f"tokens must be (n,) ints, n > 0; got shape {tokens.shape}, {tokens.dtype}.")
        if tokens.min() < 0 or tokens.max() >= known:
            raise ValueError(f"tokens must lie in [0, {known}); got {tokens.min()} to {tokens.max()}.")
        if self.surprisal is not None:
            object.__setattr__(self, "surprisal", frozen(self.surprisal))
            if self.surprisal.shape != tokens.shape:
                raise ValueError(f"surprisal must be {tokens.shape}; got {self.surprisal.shape}.")

    def __len__(self) -> int:
        return len(self.tokens)

    def _stretch(self, start: int, stop: int) -> Text:
        surprisal = None if self.surprisal is None else self.surprisal[start:stop]
        return replace(self, tokens=self.tokens[start:stop], surprisal=surprisal)

    def split(self, test_share: float = 0.25) -> TextSplit:
        """The text up to a sentence's end, and the rest: two stretches, since shuffled tokens are no text.

        test_share : float in (0, 1); each part gets at least one sentence (one token, where period is 1)
        Raises ValueError if test_share is out of range or there are fewer than two sentences.
        """
        share = fraction(test_share=positive(test_share=test_share))
        sentences = len(self) // self.period
        if sentences < 2:
            raise ValueError(f"{self.name} has {sentences} sentences; a split needs two.")
        test = min(max(1, round(share * sentences)), sentences - 1)
        cut = (sentences - test) * self.period
        return TextSplit(self._stretch(0, cut), self._stretch(cut, len(self)))

    def windows(self, context: int) -> tuple[np.ndarray, np.ndarray]:
        """(inputs, targets), both (m, context), with m = (n - 1) // context: each target is the next token.

        The windows follow each other without overlap; what is left at the end is left out. Both are read-only views
        (torch.tensor copies them).
        Raises ValueError if context is no multiple of the period, or the text is shorter than one window.
        """
        stop = self._stop(context)
        return self.tokens[:stop].reshape(-1, context), self.tokens[1 : stop + 1].reshape(-1, context)

    def _stop(self, context: int) -> int:
        if whole(1, context=context) % self.period:
            raise ValueError(
                f"context must be a multiple of {self.period}, the length of a sentence of {self.name}, so that "
                f"windows begin where sentences do; got {context}."
            )
        if len(self) <= context:
            raise ValueError(f"context must be < {len(self)}, the length of the text; got {context}.")
        return (len(self) - 1) // context * context

    def batches(
        self, rng: np.random.Generator, batch: int, context: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """One epoch: each window once, in random order, as (inputs, targets), both (batch, context).

        The windows that do not fill a last batch are left out; another epoch leaves out others.
        Raises ValueError if context does not fit or there are fewer windows than one batch, at the call.
        """
        inputs, targets = self.windows(context)
        if whole(1, batch=batch) > len(inputs):
            raise ValueError(f"batch must be <= {len(inputs)}, the windows that there are; got {batch}.")
        order = rng.permutation(len(inputs))[: len(inputs) // batch * batch].reshape(-1, batch)
        return ((inputs[rows], targets[rows]) for rows in order)

    def floor(self, context: int) -> float:
        """The mean surprisal of the targets of windows(context): what the source itself scores on them.

        A model's loss on the same windows minus this is its excess, free of the chance that made this sample easy
        or hard; over samples it averages to `entropy`. A fitted model can go below it on the *train* part only.
        Raises ValueError if the source is unknown, or context does not fit.
        """
        if self.surprisal is None:
            raise ValueError(f"{self.name} has no known source, so no floor. Use load_text('grammar').")
        return float(self.surprisal[1 : self._stop(context) + 1].mean())


class TextSplit(NamedTuple):
    """train : the stretch to learn from;  test : the stretch to judge by."""

    train: Text
    test: Text
