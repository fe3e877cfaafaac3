"""Whether an answer's reasoning holds: three indicators for answers that say more than a mask.

A mask may be right by chance, after a reasoning that is wrong, and a reasoning may be right of
another object than the one that is segmented. From the survey of language models in visual
segmentation come three indicators; a program, not a judge, decides each:

step consistency
    statements right / statements made, over all answers. A statement is a sentence on size, place
    or order, "Its centre is at 35 60.", as `maskcodec.datasets.scene_statements` reads it; it is
    right if the mask that was printed with it, measured, agrees (`scene_checks.check`). One that
    speaks of things which the scene doesn't have is not right.
answer-guided IoU
    the mean IoU of the answers that name what is asked for, beside the share that do
    (`answer_accuracy`): how good masks are where understanding did not fail. An answer is right if
    the labels of its masks are those of the truth, however often each; case, articles, white space
    and punctuation don't count.
constraint satisfaction
    constraints kept / constraints asked, over all questions ("left of", "largest", "not touching",
    see `maskcodec.datasets.scene_constraints`), and `all_constraints`, the share of questions all
    of whose constraints are kept. Only the masks that were produced are looked at.

What can be checked depends on what is known of the image. With the facts of its objects all can;
without, statements and constraints that refer to other objects are not counted, on either side,
and no more are constraints that can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..chat import split_answer
from ..errors import MaskCodecError
from .pair import Pair

if TYPE_CHECKING:
    from ..datasets.scene_constraints import Constraint
    from ..datasets.scene_facts import SceneFacts

ALONE = frozenset({"count", "half", "point", "box", "area", "centre"})
"""Kinds of constraints that speak of the masks and the image alone."""

_SPEAKS = re.compile(r"\b(?:its?|none)\b", re.IGNORECASE)
"""A word of every statement; most texts of masks have none."""

_NO_WORD = re.compile(r"[^\w]+")
_ARTICLES = ("a ", "an ", "the ")
_SCENE = re.compile(r"scene-([0-9]{1,18})(?:#.*)?")


class Examined(NamedTuple):
    """What was checked of an answer; None where there was nothing to check.

    Attributes:
        step: statements that are right, and statements made.
        answer_right: whether it names what is asked for.
        constraints: constraints that are kept, and constraints asked.
    """

    step: tuple[int, int] | None
    answer_right: bool | None
    constraints: tuple[int, int] | None


def examine(pair: Pair, facts: SceneFacts | None = None) -> Examined:
    """Check all that can be checked of one answer.

    Args:
        pair: the sample; `text` is read for statements, `constraints` are checked.
        facts: of the image's objects; None where they are not known.
    """
    return Examined(
        check_statements(pair, facts),
        right_answer(pair),
        check_constraints(pair, facts),
    )


def check_statements(pair: Pair, facts: SceneFacts | None = None) -> tuple[int, int] | None:
    """How many statements of the answer are right of its mask, and how many it makes."""
    answer = split_answer(pair.text or "")
    prose = answer.prose if answer.form == "tagged" else pair.text or ""
    if not _SPEAKS.search(prose):
        return None
    from ..datasets.scene_facts import SceneFacts
    from ..datasets.scene_statements import read_statements

    claims = [
        one.constraint
        for one in read_statements(prose, facts or SceneFacts(pair.size, ()))
        if facts is not None or (one.constraint is not None and one.constraint.kind in ALONE)
    ]
    return _checked(claims, pair, facts) if claims else None


def check_constraints(pair: Pair, facts: SceneFacts | None = None) -> tuple[int, int] | None:
    """How many of the question's constraints the masks keep, and how many it has."""
    if not pair.constraints:
        return None
    from ..datasets.scene_constraints import Constraint

    asked: list[Constraint | None] = []
    for value in pair.constraints:
        try:
            one = Constraint.from_json(value)
        except MaskCodecError:
            continue
        reference = one.get("ref")
        if facts is None:
            if one.kind in ALONE:
                asked.append(one)
        elif reference is None or reference < len(facts.objects):
            asked.append(one)
    return _checked(asked, pair, facts) if asked else None


def _checked(
    claims: Iterable[Constraint | None], pair: Pair, facts: SceneFacts | None
) -> tuple[int, int]:
    from ..datasets.scene_checks import check
    from ..datasets.scene_facts import SceneFacts

    known = facts or SceneFacts(pair.size, ())
    masks = [mask.array for mask in pair.preds]
    results = [one is not None and check(one, masks, known) for one in claims]
    return sum(results), len(results)


def right_answer(pair: Pair) -> bool | None:
    """Whether the answer's labels are those of the truth; None where the truth has none."""
    wanted = {plain(mask.label) for mask in pair.targets}
    if wanted <= {""}:
        return None
    return {plain(mask.label) for mask in pair.preds} == wanted


def plain(phrase: str) -> str:
    """A phrase as it is compared: lower case, no article in front, words one blank apart."""
    words = _NO_WORD.sub(" ", phrase.casefold()).strip()
    for article in _ARTICLES:
        if words.startswith(article):
            return words.removeprefix(article)
    return words


def facts_of_scene(pair: Pair, options: Any = None) -> SceneFacts | None:
    """The facts of a generated scene, made again from its number in the sample's id.

    Args:
        pair: a sample of `maskcodec prepare scenes:N`, by its id `scene-NUMBER#...`.
        options: `SceneOptions` that the scenes were made with; None takes the usual ones.

    Returns:
        None where the id is no scene's, or where the truth isn't made of the scene's objects, so
        that it must be another scene or have been made with other options.
    """
    found = _SCENE.fullmatch(pair.id.rsplit("/", 1)[-1])
    if found is None:
        return None
    from ..datasets.scene_facts import SceneFacts
    from ..datasets.scenes import make_scene

    try:
        facts = SceneFacts.from_json(make_scene(int(found[1]), options).facts())
    except MaskCodecError:
        return None
    return facts if facts.size == pair.size and _are_made_of(pair, facts) else None


def _are_made_of(pair: Pair, facts: SceneFacts) -> bool:
    for target in pair.targets:
        inside = [one for one in facts.objects if (target.array & one.mask).any()]
        if sum(one.area for one in inside) != target.area or not inside:
            return False
    return True
