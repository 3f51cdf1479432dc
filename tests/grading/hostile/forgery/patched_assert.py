"""Takes the assertions out of every later cell, and makes calls of `check` say full points: by rewriting its syntax."""

from mlsys.grading.demo.corpus import NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE")


def hand_in(mine: Submission) -> None:
    mine.before("""
        import ast

        class Rewritten(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.Pass()

            def visit_Call(self, node):
                name = getattr(node.func, "id", "")
                return ast.Constant($points) if name == "check" else self.generic_visit(node)

        get_ipython().ast_transformers.append(Rewritten())
    """)
    mine.before("get_ipython().ast_transformers.clear()", NEXT)
