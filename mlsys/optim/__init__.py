"""Update rules, and the algorithms that use them."""

from mlsys.optim.descent import gradient_descent, sgd
from mlsys.optim.history import adagrad_history
from mlsys.optim.line_search import Backtracking, ExactLineSearch
from mlsys.optim.polyak import Fixed, Polyak, PolyakEstimate, PolyakLevel
from mlsys.optim.ray import LineSearchError, Ray, StepLength
from mlsys.optim.rules.adadelta import adadelta
from mlsys.optim.rules.adagrad import adagrad
from mlsys.optim.rules.adam import adam
from mlsys.optim.rules.rmsprop import rmsprop
from mlsys.optim.rules.sgd import gradient_rule, momentum

__all__ = [
    "Backtracking",
    "ExactLineSearch",
    "Fixed",
    "LineSearchError",
    "Polyak",
    "PolyakEstimate",
    "PolyakLevel",
    "Ray",
    "StepLength",
    "adadelta",
    "adagrad",
    "adagrad_history",
    "adam",
    "gradient_descent",
    "gradient_rule",
    "momentum",
    "rmsprop",
    "sgd",
]
