"""Which samples a report shows: the same ones each time, and none twice."""

from __future__ import annotations

import random
from dataclasses import dataclass

from eval.score_cases import choose


@dataclass(frozen=True)
class Counted:
    """A row with pixel counts."""

    id: str
    truth: int
    pred: int
    intersection: int
    status: str = "valid"
    group: str = ""
    repairs: tuple[str, ...] = ()
    ceiling: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Plain:
    """A row with no more than an IoU."""

    id: str
    iou: float | None


def counted(count: int) -> list[Counted]:
    return [Counted(f"s{i:03}", 100, 100, i * 100 // count) for i in range(count)]


def test_worst_and_best_stand_in_order() -> None:
    cases = choose(counted(50), worst=3, best=2)
    assert [case.id for case in cases] == ["s000", "s001", "s002", "s049", "s048"]
    assert [case.kind for case in cases] == ["worst"] * 3 + ["best"] * 2
    assert cases[0].why == "IoU .00: the answer lies elsewhere"
    assert cases[3].why == "IoU .96"


def test_the_order_of_rows_does_not_matter_and_the_seed_does() -> None:
    rows = [Counted(f"s{i}", 100, 100, 0) for i in range(200)]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert choose(rows, seed=3) == choose(shuffled, seed=3)
    assert choose(rows, seed=3) != choose(rows, seed=4)


def test_no_sample_is_chosen_twice() -> None:
    rows = [Counted(f"s{i}", 100, 90, 80, "repaired", repairs=("row",)) for i in range(8)]
    ids = [case.id for case in choose(rows, worst=6, best=6, invalid=6)]
    assert len(ids) == len(set(ids)) == 8


def test_expressions_of_one_object_are_spread() -> None:
    rows = [Counted(f"a{i}", 100, 100, i, group="a") for i in range(5)]
    rows += [Counted(f"b{i}", 100, 100, 10 + i, group="b") for i in range(5)]
    assert [case.id for case in choose(rows, worst=2, best=0)] == ["a0", "b0"]
    filled = [case.id for case in choose(rows, worst=4, best=0)]
    assert filled == ["a0", "a1", "a2", "b0"]


def test_unreadable_answers_come_kind_by_kind() -> None:
    rows = [Counted(f"i{i}", 100, 0, 0, "invalid", repairs=("row",)) for i in range(5)]
    rows += [Counted("j", 100, 50, 50, "repaired", repairs=("close-tag", "row"))]
    rows += [Counted("m", 100, 0, 0, "missing")]
    cases = choose(rows, worst=0, best=0, invalid=3)
    assert [case.kind for case in cases] == ["invalid"] * 3
    assert cases[0].why == "could not be read (row)"
    assert [case.id for case in cases if case.id == "j"] == ["j"]
    assert "m" not in [case.id for case in cases]
    assert (
        next(c.why for c in cases if c.id == "j") == "read after repair (close-tag, row), IoU .50"
    )


def test_samples_without_a_target() -> None:
    rows = [Counted("right", 0, 0, 0), Counted("wrong", 0, 9, 0), Counted("hit", 9, 9, 9)]
    cases = choose(rows, worst=5, best=5)
    assert [(case.id, case.why) for case in cases] == [
        ("wrong", "IoU .00: nothing was to be found"),
        ("hit", "IoU 1.00"),
    ]
    empty = choose([Counted("x", 9, 0, 0)], best=5)
    assert empty[0].why == "IoU .00: nothing was found"


def test_the_codec_stands_beside() -> None:
    row = Counted("a", 100, 100, 50, ceiling=(100, 95, 0))
    assert choose([row], best=0)[0].why == "IoU .33, codec alone .90"


def test_rows_with_an_iou_alone() -> None:
    rows = [Plain("a", 0.2), Plain("b", None), Plain("c", 0.998)]
    cases = choose(rows, worst=1, best=1)
    assert [(case.id, case.why) for case in cases] == [("a", "IoU .20"), ("c", "IoU above .99")]
    assert choose([]) == []
    assert choose([Plain("a", 0.04)], measure="PQ")[0].why == "PQ .04"
