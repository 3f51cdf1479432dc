"""The races of the project, by name, and those that one name runs together."""

from benchmarks import features, grading, layers, optim, overhead, serving
from benchmarks.race import Race

# Each part of inference is a race with a record of its own: an edit of one makes no figure of the others stale.
INFERENCE = (overhead.RACE, serving.RACE, layers.RACE, features.RACE)
RACES: dict[str, Race] = {race.name: race for race in (optim.RACE, grading.RACE, *INFERENCE)}
TOGETHER: dict[str, tuple[Race, ...]] = {"inference": INFERENCE}


def races(name: str) -> tuple[Race, ...]:
    """The race of this name, or the several. Raises KeyError for what is neither."""
    return TOGETHER[name] if name in TOGETHER else (RACES[name],)
