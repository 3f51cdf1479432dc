"""The update rules behind `torch.optim.Optimizer`, under torch's names and keyword arguments."""

from mlsys.optim.front.adadelta import Adadelta
from mlsys.optim.front.adagrad import Adagrad
from mlsys.optim.front.adam import Adam
from mlsys.optim.front.adamw import AdamW
from mlsys.optim.front.lookahead import Lookahead, Ranger
from mlsys.optim.front.lowbit import LowBitAdamW
from mlsys.optim.front.nadam import NAdam
from mlsys.optim.front.radam import RAdam
from mlsys.optim.front.rmsprop import RMSprop
from mlsys.optim.front.scheduler import Scheduler
from mlsys.optim.front.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lookahead",
    "LowBitAdamW",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Ranger",
    "Scheduler",
]
