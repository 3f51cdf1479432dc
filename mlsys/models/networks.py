"""Small torch networks for the experiments: a conv net for images, an LSTM and a transformer for text.

Each is built from a seed: two calls give equal weights, and torch's global random numbers are left alone.
Nothing here draws random numbers while training (there is no dropout), so that a run is its seeds and its data.
This module imports torch, which mlsys.models does not: `from mlsys.models.networks import conv_net`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlsys.core.checks import whole


def _built(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """The module with the weights of this seed: made without memory, so that no global number is drawn."""
    rng = torch.Generator().manual_seed(whole(seed=seed))
    with torch.device("meta"):
        module = make()
    module.to_empty(device="cpu")
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm2d, nn.LayerNorm)):
            part.reset_parameters()  # ones and zeros
        elif isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=rng)
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=part.in_features**-0.5, generator=rng)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=part.embedding_dim**-0.5, generator=rng)
        elif isinstance(part, nn.LSTM):
            _lstm_weights(part, rng)
        if isinstance(part, (nn.Conv2d, nn.Linear)) and part.bias is not None:
            nn.init.zeros_(part.bias)
    for part in module.modules():
        if isinstance(part, Block):
            for last in (part.out, part.down):  # so that the sum of 2 * layers branches keeps its size
                last.weight.data.div_(math.sqrt(part.branches))
    module.get_parameter("head.weight").data.mul_(0.1)  # all classes nearly equally likely at first
    return module


def _lstm_weights(lstm: nn.LSTM, rng: torch.Generator) -> None:
    for name, weight in lstm.named_parameters():
        if "weight_ih" in name:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5, generator=rng)
        elif "weight_hh" in name:
            for gate in weight.data.chunk(4):
                nn.init.orthogonal_(gate, generator=rng)
        else:
            nn.init.zeros_(weight)
            if "bias_ih" in name:  # the gates are in, forget, cell, out; it remembers at first
                weight.data.chunk(4)[1].fill_(1.0)


class ConvNet(nn.Module):
    """What conv_net builds."""

    def __init__(self, channels: int, classes: int, size: int, width: int, norm: bool, blocks: int) -> None:
        super().__init__()
        self.image = (channels, size, size)
        self.stem = _conv(channels, width, 1, norm)
        widths = (width, 2 * width, 4 * width)
        if blocks:
            parts, into = list[nn.Module](), width
            for stage, out in enumerate(widths):
                for i in range(blocks):
                    parts.append(Residual(into, out, 2 if stage and not i else 1))
                    into = out
            self.body = nn.Sequential(*parts)
        else:
            self.body = nn.Sequential(
                nn.ReLU(), _conv(width, 2 * width, 2, norm), nn.ReLU(), _conv(2 * width, 4 * width, 2, norm)
            )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != self.image:
            raise ValueError(
                f"x must be (b, {', '.join(map(str, self.image))}), as conv_net was told; got {tuple(x.shape)}. "
                "mlsys.data.images(dataset) has this shape."
            )
        return self.head(F.relu(self.body(self.stem(x))).mean((2, 3)))


class Residual(nn.Module):
    """relu(x) + norm(conv(relu(norm(conv(relu(x)))))); where it halves the image it doubles the channels."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = _conv(into, out, stride, True), _conv(out, out, 1, True)
        self.stride, self.more = stride, out - into

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        y = self.second(F.relu(self.first(x)))
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        return y + (F.pad(x, (0, 0, 0, 0, 0, self.more)) if self.more else x)


def _conv(into: int, out: int, stride: int, norm: bool) -> nn.Module:
    """A 3 x 3 convolution and its norm, which makes a bias useless."""
    conv = nn.Conv2d(into, out, 3, stride, padding=1, bias=not norm)
    return nn.Sequential(conv, nn.BatchNorm2d(out)) if norm else conv


def conv_net(
    channels: int,
    classes: int,
    size: int,
    width: int = 8,
    norm: bool = True,
    blocks: int = 0,
    seed: int = 0,
) -> nn.Module:
    """A conv net: images (b, channels, size, size) -> logits (b, classes).

    A 3 x 3 convolution to `width` channels, then two that halve the image and double the channels, ReLU after
    each, the mean over the image, a linear layer.
    norm : batch norm after every convolution, in place of its bias
    blocks : residual blocks of two convolutions a stage in place of each of the two; the shortcut is
    parameter-free (every second pixel, zero channels). width=16, blocks=3 is the ResNet-20 of the paper.
    Parameters, with c channels, width w, k classes: 9cw + 90w**2 + (14w with norm, 7w without) + 4wk + k; with
    blocks n: 9cw + 9w**2 (42n - 10) + 2w(1 + 14n) + 4wk + k.
    Weights: He's normal for ReLU; the head's small, so that the first loss is near log k.
    Raises TypeError or ValueError if a size does not fit (size >= 4), or blocks > 0 without norm.
    Source: He, Zhang, Ren & Sun (2016), Deep Residual Learning for Image Recognition, §4.2.
    """
    sizes = whole(1, channels=channels), whole(2, classes=classes), whole(4, size=size), whole(1, width=width)
    if whole(blocks=blocks) and not norm:
        raise ValueError(
            f"blocks must be 0 without norm; got {blocks}. Residual sums need the norm: norm=True."
        )
    return _built(lambda: ConvNet(*sizes, norm, blocks), seed)


def _tokens(tokens: Tensor, longest: int | None = None) -> Tensor:
    """The tokens themselves, if they are a batch of rows of whole numbers, no longer than the context."""
    if tokens.ndim != 2 or tokens.dtype not in (torch.int64, torch.int32):
        raise TypeError(
            f"tokens must be (b, t) whole numbers; got shape {tuple(tokens.shape)}, dtype {tokens.dtype}. "
            "Text.batches gives them; torch.from_numpy makes them tensors."
        )
    if longest is not None and tokens.shape[1] > longest:
        raise ValueError(
            f"tokens must be at most context = {longest} long; got {tokens.shape[1]}. "
            "Build the model with a longer context."
        )
    return tokens


class LSTMModel(nn.Module):
    """What lstm_model builds."""

    def __init__(self, vocabulary: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.lstm(self.embedding(_tokens(tokens)))[0])


def lstm_model(vocabulary: int, width: int = 64, layers: int = 1, seed: int = 0) -> nn.Module:
    """An LSTM language model: tokens (b, t) -> logits (b, t, vocabulary) of each next token.

    Embedding, LSTM layers, a linear layer. The state before the first token of a row is zero.
    Parameters, with vocabulary V and width w: 2Vw + V + layers (8w**2 + 8w).
    Weights: normal of variance 1 / in (input), orthogonal (recurrent), forget bias 1; first loss near log V.
    Raises TypeError or ValueError if a size does not fit, and of tokens that are not (b, t) whole numbers.
    Source: Hochreiter & Schmidhuber (1997); the forget gate's bias, Gers, Schmidhuber & Cummins (2000).
    """
    sizes = whole(2, vocabulary=vocabulary), whole(1, width=width), whole(1, layers=layers)
    return _built(lambda: LSTMModel(*sizes), seed)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); each token sees itself and those before it."""

    def __init__(self, width: int, heads: int, branches: int) -> None:
        super().__init__()
        self.heads, self.branches = heads, branches
        self.norm, self.again = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)  # a bias of the keys would change nothing
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        b, t, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(b, t, width))
        return x + self.down(F.gelu(self.up(self.again(x))))


class Transformer(nn.Module):
    """What transformer_model builds."""

    def __init__(self, vocabulary: int, width: int, heads: int, layers: int, context: int) -> None:
        super().__init__()
        self.context = context
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads, 2 * layers) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(_tokens(tokens, self.context)) + self.position.weight[: tokens.shape[1]]
        return self.head(self.norm(self.blocks(x)))


def transformer_model(
    vocabulary: int, width: int = 32, heads: int = 2, layers: int = 2, context: int = 32, seed: int = 0
) -> nn.Module:
    """A causal pre-norm transformer: tokens (b, t <= context) -> logits (b, t, vocabulary) of each next token.

    Token and learnt position embeddings; `layers` times attention and an MLP of width 4w (GELU), each added to its
    input and fed with that input's layer norm; a last norm, a linear layer.
    Parameters, with vocabulary V and width w: 2Vw + V + context w + layers (12w**2 + 10w) + 2w.
    Weights: normal of variance 1 / in, those that end a branch divided by sqrt(2 layers); first loss near log V.
    Raises TypeError or ValueError if a size does not fit, width is no multiple of heads, or tokens are too long.
    Source: Vaswani et al. (2017); norm before each branch and its scale, Radford et al. (2019), GPT-2.
    """
    sizes = whole(2, vocabulary=vocabulary), whole(1, width=width), whole(1, heads=heads)
    rest = whole(1, layers=layers), whole(1, context=context)
    if width % heads:
        raise ValueError(
            f"width must be a multiple of heads = {heads}; got {width}. Pass width={heads * 16}."
        )
    return _built(lambda: Transformer(*sizes, *rest), seed)
