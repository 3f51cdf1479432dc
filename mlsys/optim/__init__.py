"""Update rules, and the algorithms that use them."""

from mlsys.optim.descent import sgd
from mlsys.optim.rules.adadelta import adadelta
from mlsys.optim.rules.adagrad import adagrad
from mlsys.optim.rules.adam import adam
from mlsys.optim.rules.rmsprop import rmsprop
from mlsys.optim.rules.sgd import gradient_rule, momentum

__all__ = ["adadelta", "adagrad", "adam", "gradient_rule", "momentum", "rmsprop", "sgd"]
