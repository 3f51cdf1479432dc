"""CirCNN's layer: a matrix of circulant blocks, multiplied by way of the Fourier transform.

Source: Ding, Liao, Wang, Li, Liu, Zhuo, Wang, Qian, Bai, Yuan, Ma, Zhang, Tang, Qiu, Lin & Yuan (2017), CirCNN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlsys.core.checks import whole


class CirculantLinear(nn.Module):
    """y = W x + b, W made of k x k circulant blocks, each given by its first column.

        W[i*k + a, j*k + c] = weight[i, j, (a - c) mod k]
        y_i = irfft(sum_j rfft(weight[i, j]) * rfft(x_j)),  x_j the j-th k entries of x

    weight : (p, q, k), p = outputs / k, q = inputs / k: p * q * k numbers in place of p * q * k**2
    forward(x (..., inputs)) -> (..., outputs)
    The spectra of the weights, (k/2 + 1, q, p) complex, are kept between calls for as long as no gradient for the
    weights is asked for and the weights stay as they are (weights made in inference mode count no changes: theirs are
    not kept); they take up to twice the weights' own bytes (k > 2).
    Raises ValueError if k does not divide inputs and outputs, or x's last axis is not `inputs`.
    """

    def __init__(self, inputs: int, outputs: int, block: int, bias: bool = True) -> None:
        super().__init__()
        self.inputs, self.outputs = whole(1, inputs=inputs), whole(1, outputs=outputs)
        self.block = whole(1, block=block)
        if inputs % block or outputs % block:
            raise ValueError(
                f"block must divide inputs and outputs; got block={block}, inputs={inputs}, outputs={outputs}. "
                "Pad the layer, or take a common divisor."
            )
        self.weight = nn.Parameter(torch.randn(outputs // block, inputs // block, block) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self._kept: tuple[tuple, Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.inputs:
            raise ValueError(f"x must be (..., {self.inputs}); got {tuple(x.shape)}.")
        spectra = self._spectra()
        q, p = spectra.shape[1:]
        X = torch.fft.rfft(x.reshape(-1, q, self.block))
        # One small product a frequency; torch's bmm is slow where each is of single numbers.
        Y = torch.bmm(X.permute(2, 0, 1), spectra).permute(1, 2, 0) if p * q > 1 else X * spectra[:, 0, 0]
        y = torch.fft.irfft(Y, n=self.block).reshape(*x.shape[:-1], self.outputs)
        return y if self.bias is None else y + self.bias

    def _spectra(self) -> Tensor:
        """rfft(weight) as (k/2 + 1, q, p); from the last call if it may be."""
        w = self.weight
        if (torch.is_grad_enabled() and w.requires_grad) or w.is_inference():
            self._kept = None
            return torch.fft.rfft(w).permute(2, 1, 0)
        mark = (w.data_ptr(), w._version, w.dtype, w.device)
        if self._kept is None or self._kept[0] != mark:
            with torch.inference_mode(False), torch.no_grad():  # so that it may serve in either mode
                spectra = torch.fft.rfft(w).permute(2, 1, 0).contiguous()
                self._kept = (
                    mark,
                    spectra,
                    w.detach(),
                )  # held, so that no other weights come to lie at its address
        return self._kept[1]

    def __getstate__(self) -> dict:
        """Copies and files are without the spectra, which can be made again."""
        return {**self.__dict__, "_kept": None}

    def dense(self) -> Tensor:
        """W, (outputs, inputs), written out by the formula."""
        k = torch.arange(self.block, device=self.weight.device)
        blocks = self.weight[:, :, (k[:, None] - k) % self.block]  # (p, q, k, k)
        return blocks.transpose(1, 2).reshape(self.outputs, self.inputs)

    def extra_repr(self) -> str:
        return f"inputs={self.inputs}, outputs={self.outputs}, block={self.block}"


class CirculantConv(nn.Module):
    """A 3 x 3 convolution whose matrix of channels is, for each of the nine taps, made of circulant blocks.

    y[o] = sum over taps t and channels c of W_t[o, c] x[c, moved by t], W_t as CirculantLinear's
    forward(x (b, inputs, h, w)) -> (b, outputs, ceil(h / stride), ceil(w / stride))
    The nine neighbours of each pixel are laid side by side and go through one CirculantLinear of 9 * inputs: simple, at
    the price of transforming each pixel up to nine times. Raises as CirculantLinear does.
    """

    def __init__(self, inputs: int, outputs: int, block: int, stride: int = 1) -> None:
        super().__init__()
        if whole(1, inputs=inputs) % whole(
            1, block=block
        ):  # 9 * inputs may be divisible where a tap's part is not
            raise ValueError(f"block must divide inputs; got block={block}, inputs={inputs}.")
        self.inputs, self.stride = inputs, whole(1, stride=stride)
        self.linear = CirculantLinear(9 * inputs, outputs, block, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        c, h, w = x.shape[1:]
        columns = F.unfold(x, 3, padding=1, stride=self.stride)  # (b, 9c, positions), channel by channel
        columns = (
            columns.unflatten(1, (c, 9)).permute(0, 3, 2, 1).flatten(2)
        )  # (b, positions, 9c), tap by tap
        y = self.linear(columns)
        return y.transpose(1, 2).unflatten(2, (-(-h // self.stride), -(-w // self.stride)))
