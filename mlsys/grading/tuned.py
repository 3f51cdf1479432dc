"""nbgrader as it is, without two pieces of work that it repeats for every submission.

Each of its steps makes a database engine of its own, and with it compiles every query anew; and each check of a cell's
settings first checks the schema itself, which never changes. For a class these take half of its time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jsonschema
import nbgrader.api
import nbgrader.nbgraderformat.common


@contextmanager
def tuned() -> Iterator[None]:
    """Meanwhile, one engine a database and one validator a schema."""
    engines = functools.cache(nbgrader.api.create_engine)
    validators: dict[int, Any] = {}

    def validate(instance: Any, schema: dict[str, Any]) -> None:
        if id(schema) not in validators:  # the schema is kept, so that its id stays its own
            kind = jsonschema.validators.validator_for(schema)
            kind.check_schema(schema)
            validators[id(schema)] = (schema, kind(schema))
        error = jsonschema.exceptions.best_match(validators[id(schema)][1].iter_errors(instance))
        if error is not None:
            raise error

    with (
        mock.patch.object(nbgrader.api, "create_engine", engines),
        mock.patch.object(nbgrader.nbgraderformat.common, "jsonschema", SimpleNamespace(validate=validate)),
    ):
        yield
