"""What `mlsys serve` serves, and the command itself."""

from __future__ import annotations

import signal
import socket

import numpy as np
import pytest
from typer.testing import CliRunner

from mlsys.cli import app
from mlsys.core import generator
from mlsys.data import load
from mlsys.inference.serve.client import Client, serving
from mlsys.inference.serve.models import model

SMALL = ("digits-mlp", "wide-mlp:96", "conv-net:4")


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_gets_what_its_rows_get_alone(name: str) -> None:
    """To float32's rounding: sums of another order differ by some units in the last place, of the largest term."""
    served = model(name)
    x = generator(0, name).standard_normal((5, served.inputs)).astype(np.float32)
    together = served.predict(x)
    alone = np.concatenate([served.predict(row[None]) for row in x])
    assert together.shape == (5, served.outputs)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())
    assert np.abs(together[0] - together[1]).max() > 1e-3 * np.abs(together).max()


@pytest.mark.parametrize("name", SMALL)
def test_a_seed_is_a_model(name: str) -> None:
    x = generator(0, name).standard_normal((2, model(name).inputs)).astype(np.float32)
    first, again, other = (model(name, seed).predict(x) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_digits_are_read() -> None:
    test = load("digits").split(seed=0).test
    right = model("digits-mlp").predict(test.X.astype(np.float32)).argmax(1) == test.y
    assert right.mean() > 0.95


@pytest.mark.parametrize(
    "name", ["resnet", "digits-mlp:3", "wide-mlp:", "wide-mlp:0", "wide-mlp:-4", "conv-net:²"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no model .* There is: digits-mlp, wide-mlp:WIDTH, conv-net:WIDTH"):
        model(name)


def test_the_command_serves_on_loopback_and_ends_well() -> None:
    with serving("wide-mlp:32", "--max-batch", "3", "--deadline-ms", "5000") as running:
        with Client(running.port) as client:
            about = client.health()
            x = generator(0).standard_normal((3, 64)).astype(np.float32)
            reply = client.predict(x)
        assert (about["model"], about["max_batch"], about["deadline_ms"]) == ("wide-mlp:32", 3, 5000)
        assert np.allclose(reply.outputs, model("wide-mlp:32").predict(x), rtol=1e-4, atol=1e-4)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["resnet"], "no model 'resnet'"),
        (["wide-mlp:8", "--max-batch", "8", "--queue", "4"], "queue must hold a batch"),
        (["wide-mlp:8", "--max-wait-ms", "-1"], "max_wait_s must be >= 0"),
        (["wide-mlp:8", "--deadline-ms", "0"], "deadline_ms must be > 0"),
        (["wide-mlp:8", "--port", "70000"], "port must be at most 65535"),
        (["wide-mlp:8", "--threads", "0"], "threads must be >= 1"),
        (["wide-mlp:8", "--port", "0", "--record", "/no/such/folder/record.jsonl"], "No such file"),
    ],
)
def test_bad_options_are_named(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["serve", *options])
    assert result.exit_code == 2
    assert said in result.output


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["serve", "wide-mlp:8", "--port", str(port)])
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in result.output


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="no model 'resnet'"), serving("resnet"):
        pass
