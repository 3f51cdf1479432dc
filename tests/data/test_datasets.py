"""Datasets: nobody can change them, everybody gets the same, and offline is an answer too."""

from __future__ import annotations

from urllib.error import URLError

import numpy as np
import pytest
import scipy.sparse
import sklearn.datasets
from sklearn.utils import Bunch

from mlsys.data import NAMES, Dataset, load
from mlsys.data.openml import NAMES as FETCHED

HERE = [name for name in NAMES if name not in FETCHED]
SHAPES = {
    "blobs": (600, 2),
    "scaled-regression": (500, 10),
    "sparse-text": (4000, 2000),
    "shapes": (4000, 256),
    "digits": (1797, 64),
    "breast_cancer": (569, 30),
    "wine": (178, 13),
    "diabetes": (442, 10),
}


def same(a, b) -> bool:
    return (a != b).nnz == 0 if scipy.sparse.issparse(a) else np.array_equal(a, b)


@pytest.mark.parametrize("name", HERE)
def test_each_set_is_what_it_says(name: str) -> None:
    data = load(name)
    assert data.name == name
    assert data.X.shape == SHAPES[name]
    assert len(data) == len(data.y)
    assert data.X.dtype == np.float64
    assert data.y.dtype.kind == ("f" if name in ("diabetes", "scaled-regression") else "i")
    assert data.source
    assert data.licence
    assert np.isfinite(data.X.data if scipy.sparse.issparse(data.X) else data.X).all()
    assert same(data.X, load(name).X)
    assert same(data.y, load(name).y)


@pytest.mark.parametrize("name", HERE)
def test_nobody_can_change_it(name: str) -> None:
    data = load(name)
    for array in [data.y] + (
        [data.X.data, data.X.indices, data.X.indptr] if name == "sparse-text" else [data.X]
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        data.X = None


def test_the_caller_s_arrays_stay_the_caller_s() -> None:
    X, y = np.ones((3, 2)), np.arange(3)
    data = Dataset("mine", X, y, "me", "none")
    X[0], y[0] = 5, 5
    assert data.X[0].tolist() == [1, 1]
    assert data.y[0] == 0
    view = np.ones((3, 2))[:]
    view.flags.writeable = False
    assert Dataset("mine", view, y, "me", "none").X.base is None
    sparse = scipy.sparse.csr_matrix(X)
    kept = Dataset("mine", sparse, y, "me", "none")
    sparse.data[0] = 3
    assert kept.X.data[0] != 3
    with pytest.raises(ValueError, match=r"X must be \(n, d\) and y \(n,\); got \(3, 2\) and \(4,\)"):
        Dataset("mine", X, np.ones(4), "me", "none")


@pytest.mark.parametrize("name", ["blobs", "scaled-regression", "sparse-text", "shapes"])
def test_a_seed_makes_another_set(name: str) -> None:
    assert not same(load(name, seed=1).X, load(name).X)


@pytest.mark.parametrize("name", HERE)
def test_a_split_is_a_partition(name: str) -> None:
    data = load(name)
    train, test = data.split(0.2, seed=3)
    assert len(train) + len(test) == len(data)
    assert len(test) == round(0.2 * len(data))
    whole = np.sort([*train.y, *test.y])
    np.testing.assert_array_equal(whole, np.sort(data.y))
    if not scipy.sparse.issparse(data.X):
        rows = {row.tobytes() for row in data.X}
        assert {row.tobytes() for part in (train, test) for row in part.X} == rows
    again, other = data.split(0.2, seed=3), data.split(0.2, seed=4)
    assert same(again.test.X, test.X)
    assert not same(other.test.X, test.X)
    with pytest.raises(ValueError, match="read-only"):
        train.y[0] = 0


@pytest.mark.parametrize(
    ("share", "words"), [(0, "must be > 0"), (1.0, r"lie in \[0, 1\)"), (-1, "must be > 0")]
)
def test_a_share_must_leave_two_parts(share, words) -> None:
    with pytest.raises(
        ValueError, match=f"test_share {words}" if "must" in words else f"test_share must {words}"
    ):
        load("wine").split(share)
    one = load("blobs", n=2).split(0.01)
    assert (len(one.train), len(one.test)) == (1, 1)
    with pytest.raises(ValueError, match="blobs has 1 rows; a split needs two"):
        load("blobs", n=1).split()


def test_standardising_uses_the_train_part_alone() -> None:
    raw = load("breast_cancer").split()
    train, test = raw.standardised()
    np.testing.assert_allclose(train.X.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(train.X.std(0), 1, rtol=1e-12)
    np.testing.assert_allclose(
        test.X * raw.train.X.std(0) + raw.train.X.mean(0), raw.test.X, rtol=1e-9, atol=1e-12
    )
    constant = load("digits").split().standardised().train.X[:, 0]  # a corner that is always white
    assert not constant.any()
    with pytest.raises(TypeError, match="sparse-text has sparse features"):
        load("sparse-text").split().standardised()


def test_what_the_generated_sets_are_for() -> None:
    scaled = load("scaled-regression", ratio=100.0, n=20000)
    np.testing.assert_allclose(scaled.X.std(0), np.geomspace(1, 0.01, 10), rtol=0.03)
    control = load("scaled-regression", ratio=1, n=20000)
    np.testing.assert_allclose(control.X.std(0), 1, rtol=0.03)
    text = load("sparse-text")
    counts = np.asarray((text.X > 0).sum(0)).ravel()
    slope = np.polyfit(np.log(np.arange(20, 400)), np.log(counts[20:400]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)  # Zipf's law
    assert set(np.unique(text.X.data)) == {1.0}
    sizes = np.bincount(load("blobs", n=100, classes=3).y)
    assert sizes.tolist() == [34, 33, 33]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: load("imagenet"), ValueError, "no dataset 'imagenet'. There is: blobs, "),
        (lambda: load("digits", n=5), TypeError, "digits is a real set and has no options; got n"),
        (lambda: load("blobs", size=5), TypeError, "size"),
        (lambda: load("blobs", n=0), ValueError, "n must be >= 1; got 0"),
        (lambda: load("blobs", spread=-1), ValueError, "spread must be >= 0"),
        (lambda: load("blobs", seed=-1), ValueError, "seed must be >= 0"),
        (lambda: load("scaled-regression", ratio=0.5), ValueError, "ratio must be >= 1; got 0.5"),
        (lambda: load("sparse-text", common=3000), ValueError, "common must be <= d = 2000; got 3000"),
    ],
)
def test_bad_arguments_are_named(call, error, words) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and no network: a call of fetch_openml that is not replaced fails."""
    monkeypatch.setenv("MLSYS_CACHE", str(tmp_path / "cache"))

    def unreachable(**options):
        raise URLError("Name or service not known")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", unreachable)
    return tmp_path / "cache"


@pytest.mark.parametrize("name", FETCHED)
def test_offline_says_what_to_do_and_leaves_nothing(name: str, cache) -> None:
    with pytest.raises(ConnectionError, match=f"{name} is not on this machine") as caught:
        load(name)
    words = str(caught.value)
    for part in (
        "Name or service not known",
        f"load('{name}') once",
        str(cache),
        "MLSYS_CACHE",
        "load('digits')",
    ):
        assert part in words
    assert not cache.exists()


@pytest.mark.parametrize(("name", "number", "d"), [("mnist", 554, 784), ("cifar10", 40927, 3072)])
def test_fetched_once_kept_for_ever(name: str, number: int, d: int, cache, monkeypatch) -> None:
    asked = []

    def tiny(**options):
        asked.append(options)
        pixels = np.arange(3 * d).reshape(3, d) % 256
        return Bunch(data=pixels.astype(float), target=np.array(["5", "0", "9"], dtype=object))

    offline = sklearn.datasets.fetch_openml
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", tiny)
    first = load(name)
    assert [options["data_id"] for options in asked] == [number]
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)
    second = load(name)
    for data in (first, second):
        assert data.X.shape == (3, d)
        assert data.X.dtype == np.float32
        assert data.X.max() == 1
        assert data.X[0, 51] == np.float32(51 / 255)
        assert data.y.tolist() == [5, 0, 9]
        assert not data.X.flags.writeable
    assert [file.name for file in cache.iterdir()] == [f"{name}.npz"]


def test_a_broken_cache_is_fetched_again(cache, monkeypatch) -> None:
    cache.mkdir()
    (cache / "mnist.npz").write_bytes(b"PK half an archive")
    with pytest.raises(ConnectionError):
        load("mnist")
    bunch = Bunch(data=np.zeros((2, 784)), target=np.array(["1", "2"]))
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **options: bunch)
    assert load("mnist").y.tolist() == [1, 2]
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", None)
    assert load("mnist").y.tolist() == [1, 2]
