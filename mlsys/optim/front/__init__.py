"""The update rules behind `torch.optim.Optimizer`, under torch's names and keyword arguments."""

from mlsys.optim.front.adadelta import Adadelta
from mlsys.optim.front.adagrad import Adagrad
from mlsys.optim.front.adam import Adam
from mlsys.optim.front.rmsprop import RMSprop
from mlsys.optim.front.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "RMSprop"]
