"""Other packages that do a kernel's job: a file each, functions of the same names.

A function takes the `inputs` of the `KernelCase` whose `function` it is called like, prepares what
its package wants, and returns the `Way` that is timed; None where it can't do these inputs. Each
file is imported in a process of its own, so that a package may be missing, or crash, alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

PEERS = {
    name: f"{__name__}.{file}_peer"
    for name, file in {
        "pycocotools": "pycocotools",
        "faster-coco-eval": "faster_coco_eval",
        "rlemasklib": "rlemasklib",
        "opencv": "opencv",
        "supervision": "supervision",
        "torch": "torch",
        "scikit-image": "skimage",
        "scipy": "scipy",
        "numpy": "numpy",
        "python": "python",
        "memset": "memset",
    }.items()
}
"""The peers by the names that reports give them, and their modules."""

NO_ANSWER = object()
"""What `Way.read` gives where a peer only sets a pace, e.g. by clearing memory."""


def _as_it_is(answer: Any) -> Any:
    return answer


class Way(NamedTuple):
    """How a peer does a job.

    Attributes:
        run: does it for the mask of an index: what is timed.
        read: makes of its answer what the case compares; not timed.
    """

    run: Callable[[int], Any]
    read: Callable[[Any], Any] = _as_it_is
