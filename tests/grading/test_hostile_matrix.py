"""The hostile matrix that the book shows is of the corpus and of the nbgrader that are here."""

from importlib.metadata import version

from hostile_matrix import of_corpus

from mlsys.grading.demo import corpus
from mlsys.report import record

KEPT = record.load("hostile")["result"]


def test_it_is_of_this_corpus_and_this_nbgrader():
    assert KEPT["corpus"] == of_corpus(), "make it anew: python tests/grading/hostile_matrix.py"
    assert KEPT["nbgrader"] == version("nbgrader")


def test_it_has_a_row_for_every_case():
    cases = [*corpus.hostile(), *corpus.honest()]
    assert [row["case"] for row in KEPT["rows"]] == [case.student for case in cases]
