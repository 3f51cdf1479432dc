"""Our schedules on torch-compatible optimisers, ours and torch's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mlsys.optim.schedules import Schedule


class Scheduler(torch.optim.lr_scheduler.LRScheduler):
    """Run a schedule on an optimiser: call step() after each of the optimiser's steps.

        before step t = 1, 2, …: lr = initial_lr * factor(t);  momentum, or betas[0], = momentum(t) if there is one

    optimizer : ours or torch's; every group keeps its own initial_lr, the rate that the optimiser was made with
    schedule : of mlsys.optim.schedules
    last_epoch : steps scheduled before, less one, as in torch
    state_dict holds where it is, not what it runs: make the scheduler with the same schedule before loading.
    Raises TypeError for what is no optimiser or no schedule, ValueError if the schedule has a momentum that a
    group lacks.
    Source: see mlsys.optim.scheduled, which does the same to a rule.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Schedule, last_epoch: int = -1) -> None:
        if not isinstance(schedule, Schedule):
            raise TypeError(
                f"schedule must be a Schedule; got {type(schedule).__name__}. Pass mlsys.optim.schedules.cosine(...)."
            )
        for i, group in enumerate(getattr(optimizer, "param_groups", ())):
            if schedule.momentum and not {"betas", "momentum"} & group.keys():
                raise ValueError(
                    f"group {i} of {type(optimizer).__name__} has no momentum for {schedule.name} to change. "
                    "Pass momentum=None to the schedule."
                )
        self.schedule = schedule
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float | Tensor]:
        """The rate of each group at the coming step."""
        factor = self.schedule.factor(self.last_epoch + 1)
        return [base * factor for base in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        """Set rate, and momentum where the schedule has one, for the optimiser's next step."""
        super().step(epoch)
        if self.schedule.momentum is None:
            return
        momentum = self.schedule.momentum(self.last_epoch + 1)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and the schedule, whose functions cannot be saved."""
        return {name: value for name, value in super().state_dict().items() if name != "schedule"}
