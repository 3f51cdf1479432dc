"""A model server: a dynamic batcher as a pure policy, the asyncio runner around it, HTTP around that.

policy, replay : no clock, no thread, no library: taught in the chapter and tried on a deterministic clock
batcher : the policy run by asyncio, the model in a worker thread
served, models : what `mlsys serve` serves;  app, server : the HTTP side, which needs the extra `serve`
client : a blocking client, and a server in a process of its own
"""

from mlsys.inference.serve.policy import Decision, Limits, Outcome, Request, Signal, State, step
from mlsys.inference.serve.replay import Ended, replay

__all__ = ["Decision", "Ended", "Limits", "Outcome", "Request", "Signal", "State", "replay", "step"]
