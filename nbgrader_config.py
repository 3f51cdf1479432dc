"""Settings for nbgrader, in its own commands and in `mlsys grade` alike."""

import os
from pathlib import Path

from mlsys.grading import secret
from mlsys.grading.check import CELL_S
from mlsys.grading.selfcheck import TEXT_STUB

c = get_config()  # noqa: F821

course = Path(__file__).resolve().parent
c.CourseDirectory.root = str(course)
c.CourseDirectory.course_id = "mlsys"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"

# The kernels that run students' notebooks inherit this: cases are then drawn from the course's secret.
os.environ[secret.VARIABLE] = str(secret.ensure(course))

# Students' warnings must not cost them the cell: anything on stderr scores 0 otherwise.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r".*(UserWarning|FutureWarning|DeprecationWarning|RuntimeWarning|NNPACK).*"

c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code here")'}
c.ClearSolutions.text_stub = TEXT_STUB
c.OverwriteCells.add_missing_cells = True  # a deleted test cell is put back rather than left for hand grading
c.KernelManager.transport_encryption = "auto"  # where the kernel can; otherwise it warns once a submission
c.Execute.shutdown_kernel = "immediate"  # all output is in by then; waiting costs 0.6 s a submission
c.Execute.timeout = CELL_S
c.Execute.interrupt_on_timeout = True
c.Execute.skip_cells_with_tag = "__never__"  # the usual tag, skip-execution, would score full marks unrun
c.GenerateFeedback.force = True
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",  # by default, feedback prints them
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
