"""Reuse of computation between the frames of a video, on video that is generated here."""

from mlsys.inference.frames.reuse import DeltaLinear, ReusedConv, Seen, Work
from mlsys.inference.frames.study import Saving, first_layer, run, savings
from mlsys.inference.frames.video import Video, video

__all__ = [
    "DeltaLinear",
    "ReusedConv",
    "Saving",
    "Seen",
    "Video",
    "Work",
    "first_layer",
    "run",
    "savings",
    "video",
]
