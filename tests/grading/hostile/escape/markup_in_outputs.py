"""Scripts in every form of output, which would run in the browser of whoever marks it."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import HTML, SVG, Javascript, Markdown, display

        display(HTML("<script>window.canary = 1</script><img src=x onerror='window.canary = 2'>"))
        display(Javascript("window.canary = 3"))
        display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='window.canary = 4'/>"))
        display(Markdown("<iframe srcdoc='<script>parent.canary = 5</script>'></iframe>"))
        display({"text/latex": "$$\\\\href{javascript:window.canary=6}{x}$$", "text/plain": "x"}, raw=True)
        print("</pre><script>window.canary = 7</script>")
        raise RuntimeError("</div><script>window.canary = 8</script>")
    """)
