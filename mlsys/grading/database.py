"""The gradebook's database, a file of SQLite or a PostgreSQL server, written in one transaction a student.

nbgrader opens the gradebook a dozen times for a submission and commits every step; here its steps become one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import nbgrader.api
from nbgrader.api import Gradebook
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import scoped_session, sessionmaker

from mlsys.grading.errors import CourseError

DRIVERS = ("psycopg", "psycopg2", "pg8000")


@contextmanager
def usable(url: str) -> Iterator[None]:
    """Raises CourseError, without the password that may be in the URL, where the database cannot be used."""
    try:
        yield
    except DBAPIError as error:
        cause = str(error.orig).strip().splitlines()[0]
        raise CourseError(
            f"the gradebook {shown(url)} cannot be used ({cause}). "
            "Is it writable, is the disk full, is another grader running? After an update: nbgrader db upgrade"
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        cause = str(error).splitlines()[0]
        raise CourseError(
            f"the gradebook's URL is none ({cause}). Such as: postgresql+psycopg://user@host/marks"
        ) from None
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] not in DRIVERS:
            raise
        raise CourseError(
            f"the gradebook {shown(url)} needs a driver: pip install 'mlsys[cluster]'"
        ) from None


def shown(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


def prepare(url: str, course: str) -> None:
    """On a server: make nbgrader's tables and the course's row, where two that come first would make them twice.

    Raises CourseError where the database cannot be used.
    """
    with usable(url):
        engine = nbgrader.api.create_engine(url, echo=False, future=True)
        if engine.dialect.name != "postgresql":
            return
        try:
            with engine.connect() as connection:
                lock(connection, "nbgrader's tables")
                for name in dict.fromkeys(
                    (course, "default_course")
                ):  # the latter is what nbgrader's steps ask for
                    Gradebook(url, name).close()
        finally:
            engine.dispose()


@contextmanager
def together(url: str, who: str) -> Iterator[Callable[[], None]]:
    """Meanwhile all of nbgrader's gradebooks work in one transaction; what is yielded commits it, else it is undone.

    who : whose marks these are; on a server, another grader of the same waits. The gradebook's tables have to be there.
    """
    with nbgrader.api.create_engine(url, echo=False, future=True).connect() as connection:
        _begin(connection, who)
        with (
            mock.patch.object(Gradebook, "__init__", _opening(connection)),
            mock.patch.object(Gradebook, "close", _close),
        ):
            yield connection.commit


def _begin(connection: Connection, who: str) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a reader that turns writer late may be refused
    elif connection.dialect.name == "postgresql":
        lock(connection, f"marks of {who}")


def lock(connection: Connection, what: str) -> None:
    """On PostgreSQL: wait until nobody else holds this name, and hold it to the transaction's end."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": what})


def _opening(connection: Connection) -> Callable[..., None]:
    def opened(self: Any, db_url: str, course_id: str = "default_course", authenticator: Any = None) -> None:
        """A session of its own, as nbgrader makes it; its commits flush, and the transaction goes on."""
        self.engine, self.course_id, self.authenticator = connection.engine, course_id, authenticator
        bound = sessionmaker(bind=connection, autoflush=True, join_transaction_mode="rollback_only")
        self.db = scoped_session(bound)

    return opened


def _close(self: Any) -> None:
    self.db.remove()
