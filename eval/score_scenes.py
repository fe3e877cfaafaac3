"""Facts of generated scenes, which let statements and constraints be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskcodec.chat import OPEN
from maskcodec.scores.pair import Pair
from maskcodec.scores.reasoning import facts_of_scene

if TYPE_CHECKING:
    from maskcodec.datasets.scene_facts import SceneFacts

_tried_first = [False]
"""Whether the last scene that was recognised was a tiny one: those of a file are alike."""


def facts_of(pair: Pair) -> SceneFacts | None:
    """The facts of a scene of `maskcodec prepare scenes:N`, where something can be checked by them.

    Usual scenes and tiny ones are recognised; scenes with other options have no facts here.
    """
    if not pair.id.rsplit("/", 1)[-1].startswith("scene-"):
        return None
    if not pair.constraints and (not pair.text or OPEN[1:-1] not in pair.text.lower()):
        return None
    from maskcodec.datasets.scenes import SceneOptions

    for tiny in (_tried_first[0], not _tried_first[0]):
        facts = facts_of_scene(pair, SceneOptions.tiny() if tiny else None)
        if facts is not None:
            _tried_first[0] = tiny
            return facts
    return None
