"""nbgrader as it is, without the work that it repeats for every submission.

Each of its steps makes a database engine of its own, and with it compiles every query anew; looks whether all tables
are there; asks for each released cell, one by one; and checks every cell's settings, which a class has in common, by a
schema that it first checks itself. For a class these take more than half of its time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jsonschema
import nbgrader.api
import nbgrader.nbgraderformat.common
from nbconvert.exporters import Exporter
from nbgrader.api import Gradebook
from sqlalchemy.orm import scoped_session, sessionmaker


@contextmanager
def tuned() -> Iterator[None]:
    """Meanwhile, one engine a database, looked through once, and one validator a schema."""
    made: dict[str, Any] = {}
    create = nbgrader.api.create_engine

    def engine(url: str, **settings: Any) -> Any:
        if url not in made:
            made[url] = create(url, **settings)
        return made[url]

    known: set[tuple[str, str]] = set()
    first = Gradebook.__init__

    def opened(self: Any, db_url: str, course_id: str = "default_course", authenticator: Any = None) -> None:
        if (db_url, course_id) not in known:
            first(self, db_url, course_id, authenticator)
            known.add((db_url, course_id))
            return
        self.engine = engine(db_url, echo=False, future=True)
        self.db = scoped_session(sessionmaker(autoflush=True, bind=self.engine, future=True))
        self.course_id, self.authenticator = course_id, authenticator

    validate, find, graded = _validate(), Gradebook.find_source_cell, Gradebook.find_graded_cell
    with (
        mock.patch.object(nbgrader.api, "create_engine", engine),
        mock.patch.object(Gradebook, "__init__", opened),
        mock.patch.object(Gradebook, "close", lambda self: self.db.remove()),
        mock.patch.object(Gradebook, "find_source_cell", _once(find)),
        mock.patch.object(Gradebook, "find_graded_cell", _once(graded)),
        mock.patch.object(nbgrader.nbgraderformat.common, "jsonschema", SimpleNamespace(validate=validate)),
        mock.patch.object(Exporter, "_validate_preprocessor", _last(Exporter._validate_preprocessor)),
    ):
        try:
            yield
        finally:
            for one in made.values():
                one.dispose()


def _once(find: Callable[..., Any]) -> Callable[..., Any]:
    """A look-up of what is the same for the whole class: each row is read once, and then belongs to no session."""
    found: dict[tuple[Any, ...], Any] = {}

    def looked_up(self: Any, *which: str) -> Any:
        key = (self.engine, *which)
        if key not in found:
            row = find(self, *which)
            self.db.expunge(row)
            found[key] = row
        return found[key]

    return looked_up


def _last(look: Callable[..., None]) -> Callable[..., None]:
    """The look at the whole notebook that comes after every preprocessor, after the last one only."""

    def looked(self: Any, notebook: Any, preprocessor: Any) -> None:
        if preprocessor is self._preprocessors[-1]:
            look(self, notebook, preprocessor)

    return looked


def _validate() -> Callable[[Any, dict[str, Any]], None]:
    """jsonschema.validate, which looks at a schema once, and at the settings that it finds right once."""
    right: set[tuple[str, str]] = set()
    validators: dict[str, Any] = {}

    def validate(instance: Any, schema: dict[str, Any]) -> None:
        which = json.dumps(schema)
        settings = json.dumps(instance, sort_keys=True)
        if (which, settings) in right:
            return
        if which not in validators:
            kind = jsonschema.validators.validator_for(schema)
            kind.check_schema(schema)
            validators[which] = kind(schema)
        error = jsonschema.exceptions.best_match(validators[which].iter_errors(instance))
        if error is not None:
            raise error
        right.add((which, settings))

    return validate
