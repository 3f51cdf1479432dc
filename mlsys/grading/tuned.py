"""nbgrader as it is, without three pieces of work that it repeats for every submission.

Each of its steps makes a database engine of its own, and with it compiles every query anew; looks whether all tables
are there; and each check of a cell's settings first checks the schema itself, which never changes. For a class these
take half of its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jsonschema
import nbgrader.api
import nbgrader.nbgraderformat.common
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
        mock.patch.object(nbgrader.api, "create_engine", engine),
        mock.patch.object(Gradebook, "__init__", opened),
        mock.patch.object(Gradebook, "close", lambda self: self.db.remove()),
        mock.patch.object(nbgrader.nbgraderformat.common, "jsonschema", SimpleNamespace(validate=validate)),
    ):
        try:
            yield
        finally:
            for one in made.values():
                one.dispose()
