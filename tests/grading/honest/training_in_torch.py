"""A small training with autograd, a data loader, and threads set by hand."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        torch.manual_seed(0)
        torch.set_num_threads(1)
        model = torch.nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        data = torch.utils.data.DataLoader(torch.randn(64, 4), batch_size=16, shuffle=True)
        for rows in data:
            optimizer.zero_grad()
            loss = (model(rows) - rows.sum(1, keepdim=True)).square().mean()
            loss.backward()
            optimizer.step()
        loss
    """)
