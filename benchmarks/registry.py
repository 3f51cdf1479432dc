"""The races of the project, by name."""

from benchmarks import grading, inference, optim
from benchmarks.race import Race

RACES: dict[str, Race] = {race.name: race for race in (optim.RACE, grading.RACE, inference.RACE)}
