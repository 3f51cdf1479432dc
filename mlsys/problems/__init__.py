"""The exercises as data: what is asked (public half), and how it is judged (grader's half).

To add one, name it in its set's EXERCISES, write `<set>/<name>.py` (cases, drive, replay, PROBLEM) and
`<set>/grader/<name>.py` (reference, other right answers, mistakes with their hints, idle answers, judge, GRADER), and
give the source notebook the cells <name>-text, <name>, <name>-check. A mistake is most simply written as an edit of the
reference. Make every case ask for work: what an answer that does nothing earns, it earns for nothing. What `drive`
returns besides the result (the points asked for, say) tells mistakes apart. `python -m mlsys.problems` shows the gate.
To copy from:

    a function                     ps1/adagrad_running    state comes in and goes out
    a function that may call f     ps1/backtracking_search    the calls are counted
    a class                        ps1/rmsprop_class      objects stepped in turns, so that shared state shows
    a generator                    ps1/adadelta_generator    a capped prefix
    numbers by convention          ps1/cost_count         exact
    an oracle, a training run      ps1/sparse_project     served and counted, the result evaluated on unseen data
    a protocol                     ps2/tuning_study       a log, held against what the oracle says
    a class to repair              ps2/adamw_repair       a case a bug, the others switched off
    a policy on a clock            ps4/dynamic_batcher    events on a line that writes its own log
    a budget                       ps4/budget_project     a served device counts trials, bytes and work

A figure is driven like a function: `drive` takes the data out of its artists.

To add a set, add a package beside ps1 whose __init__ has NAME, such as "ps1-adaptive-rates", EXERCISES and TAUGHT; a
notebook under solutions/NAME; and tests/exercises/spoken_ps1.py's like. Then `mlsys release NAME`. No list needs it.
"""

from mlsys.problems.registry import SETS, exercises, grader, problem

__all__ = ["SETS", "exercises", "grader", "problem"]
