"""Images: their layout, their variations, and what a linear model cannot see in the generated ones."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch

from mlsys.core import generator
from mlsys.data import (
    Dataset,
    augmented,
    images,
    load,
    predict_over_views,
    random_crop,
    random_flip,
    views,
)


def pictures(b: int = 5, c: int = 2, h: int = 4, w: int = 6) -> np.ndarray:
    """Images all of whose pixels differ, and differ from the zeros that come in."""
    batch = 1 + np.arange(b * c * h * w, dtype=float).reshape(b, c, h, w)
    batch.flags.writeable = False
    return batch


def test_a_row_is_channel_row_column() -> None:
    data = Dataset("mine", np.arange(48.0).reshape(2, 24), np.arange(2), "me", "none", (2, 3, 4))
    for i, c, row, column in np.ndindex(2, 2, 3, 4):
        assert images(data)[i, c, row, column] == data.X[i, 12 * c + 4 * row + column]
    assert np.shares_memory(images(data), data.X)
    with pytest.raises(ValueError, match="read-only"):
        images(data)[0] = 0
    with pytest.raises(ValueError, match=r"image must have d = 24 pixels; got \(1, 5, 5\), which has 25"):
        Dataset("mine", data.X, data.y, "me", "none", (1, 5, 5))
    with pytest.raises(ValueError, match=r"wine has no images. load\('shapes'\)"):
        images(load("wine"))


def test_parts_of_a_set_of_images_are_images() -> None:
    digits = load("digits")
    assert images(digits).shape == (1797, 1, 8, 8)
    np.testing.assert_array_equal(images(digits)[:, 0], sklearn.datasets.load_digits().images / 16)
    split = digits.split()
    assert images(split.test).shape == (449, 1, 8, 8)
    assert images(split.standardised().train).shape == (1348, 1, 8, 8)
    np.testing.assert_array_equal(images(digits.take([3]))[0], images(digits)[3])


@pytest.mark.parametrize(("name", "image"), [("mnist", (1, 28, 28)), ("cifar10", (3, 32, 32))])
def test_fetched_images_are_in_the_authors_layout(name, image, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLSYS_CACHE", str(tmp_path))
    channel, row, column = np.indices(image)
    pixels = 80 * channel + 2 * row + column  # the authors' files: red, green, blue, each row by row
    bunch = Bunch(data=pixels.reshape(1, -1), target=np.array(["7"]))
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **options: bunch)
    seen = images(load(name))
    assert seen.shape == (1, *image)
    np.testing.assert_allclose(255 * seen[0], pixels, rtol=1e-6)


def test_a_crop_is_a_window_of_the_padded_image() -> None:
    batch = pictures(b=4000)
    out = random_crop(generator(0), batch, 2, fill=-1.0)
    assert out.shape == batch.shape
    assert out.flags.writeable
    padded = np.pad(batch, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-1)
    counts = np.zeros((5, 5), int)
    for i in range(5):
        for j in range(5):
            counts[i, j] = (out == padded[:, :, i : i + 4, j : j + 6]).all((1, 2, 3)).sum()
    assert counts.sum() == 4000  # each image is one of the 25, and no two are alike
    z = (counts - 160) / np.sqrt(160 * 24 / 25)
    assert abs(z).max() < 5
    np.testing.assert_array_equal(out, random_crop(generator(0), batch, 2, fill=-1.0))
    assert (out != random_crop(generator(1), batch, 2, fill=-1.0)).any()
    np.testing.assert_array_equal(random_crop(generator(0), batch, 0), batch)
    assert not (random_crop(generator(0), batch, 2) == -1).any()


def test_a_flip_mirrors_left_to_right_half_of_the_time() -> None:
    batch = pictures(b=4000)
    out = random_flip(generator(0), batch)
    same, mirrored = (out == batch).all((1, 2, 3)), (out == batch[..., ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all()
    assert abs(mirrored.mean() - 0.5) < 5 * 0.5 / np.sqrt(4000)
    both = augmented(generator(2), batch, 0)
    assert ((both == batch).all((1, 2, 3)) | (both == batch[..., ::-1]).all((1, 2, 3))).all()
    moved = augmented(generator(2), batch)
    assert moved.dtype == batch.dtype
    assert (moved == 0).any()
    np.testing.assert_array_equal(moved, augmented(generator(2), batch))
    assert random_flip(generator(0), batch.astype(np.float32)).dtype == np.float32


def test_views_are_fixed_and_a_mirrored_image_is_judged_alike() -> None:
    batch = pictures()
    plain, mirrored = views(batch)
    np.testing.assert_array_equal(plain, batch)
    np.testing.assert_array_equal(mirrored, batch[..., ::-1])
    ten = views(batch, 1)
    assert len(ten) == 10
    assert len({view.tobytes() for view in ten}) == 10
    np.testing.assert_array_equal(ten[2][:, :, 1:, 1:], batch[:, :, :-1, :-1])  # moved down and to the right
    assert not ten[2][:, :, 0].any()
    w = generator(0).standard_normal(48)

    def predict(x: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-x.reshape(len(x), -1) @ w / 1000))
        return np.stack([p, 1 - p], 1)

    for shift in (0, 1):
        mean = predict_over_views(predict, batch, shift)
        np.testing.assert_allclose(mean, np.mean([predict(v) for v in views(batch, shift)], axis=0))
        np.testing.assert_allclose(mean, predict_over_views(predict, batch[..., ::-1], shift))
        np.testing.assert_allclose(mean.sum(1), 1)
    assert abs(predict_over_views(predict, batch) - predict(batch)).max() > 1e-3


def test_the_generated_shapes_are_hidden_from_a_linear_model() -> None:
    data = load("shapes", n=2000)
    assert images(data).shape == (2000, 1, 16, 16)
    assert data.X.min() >= 0
    assert data.X.max() <= 1
    assert np.bincount(data.y).tolist() == [200] * 10
    means = np.stack([data.X[data.y == label].mean(0) for label in range(10)])
    spread = data.X.std() / np.sqrt(200)
    assert abs(means - 0.5).max() < 5.5 * spread  # of 2560 pixels
    train, test = data.split()
    linear = LogisticRegression(max_iter=200, C=0.1).fit(train.X, train.y)
    assert linear.score(test.X, test.y) < 0.3
    colour = load("shapes", n=50, channels=3, size=20)
    assert images(colour).shape == (50, 3, 20, 20)
    assert (images(colour)[:, 0] != images(colour)[:, 1]).any()


def test_without_noise_each_class_of_shapes_is_itself_and_its_mirror_image() -> None:
    """Over many draws, a class covers the same pixels left and right; two classes never the same."""
    data = load("shapes", n=20_000, noise=0.0)
    pixels = images(data)[:, 0]
    bent = abs(pixels - np.median(pixels, (1, 2), keepdims=True))
    mean = np.stack([bent[data.y == label].mean(0) for label in range(10)])
    np.testing.assert_allclose(mean, mean[..., ::-1], atol=0.02)
    for label in range(10):
        others = np.delete(mean, label, 0)
        assert np.sqrt(((others - mean[label]) ** 2).mean((1, 2))).min() > 0.005


BAD = [
    (lambda: random_crop(generator(0), np.ones((3, 4, 4))), TypeError, r"batch must be .*got shape \(3, 4, 4\)"),
    (lambda: random_flip(generator(0), [1]), TypeError, "batch must be .*got list"),
    (lambda: random_crop(generator(0), pictures(), -1), ValueError, "padding must be >= 0; got -1"),
    (lambda: views(pictures(), 0.5), TypeError, "shift must be a whole number; got 0.5"),
    (lambda: load("shapes", size=4), ValueError, "size must be >= 8; got 4"),
    (lambda: load("shapes", channels=0), ValueError, "channels must be >= 1; got 0"),
    (lambda: load("shapes", noise=-0.1), ValueError, "noise must be >= 0; got -0.1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_arguments_are_named(call, error, words) -> None:
    with pytest.raises(error, match=words):
        call()
