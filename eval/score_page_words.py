"""What a report of scores says in words: metrics, kinds of reports, and what went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NOUNS = {
    "referring": ("question", "questions"),
    "semantic": ("image", "images"),
    "instances": ("image", "images"),
    "panoptic": ("image", "images"),
    "boxes": ("expression", "expressions"),
    "video": ("object in a video", "objects in videos"),
    "grounded": ("caption", "captions"),
}
"""What a sample of each kind of report is, one and many."""

TASKS = {
    "referring": "masks of what an expression means",
    "semantic": "a label for every pixel",
    "instances": "a mask for each object, with a confidence",
    "panoptic": "a label for every pixel, and objects told apart",
    "boxes": "the box of what an expression means",
    "video": "an object's mask in every frame",
    "grounded": "captions whose phrases have masks",
}
"""What each kind asks for."""

DATASETS = {
    "refcoco": "RefCOCO",
    "refcoco+": "RefCOCO+",
    "refcocog": "RefCOCOg",
    "grefcoco": "gRefCOCO",
    "reasonseg": "ReasonSeg",
    "ade20k": "ADE20K",
    "context59": "PASCAL Context-59",
    "pascal-context": "PASCAL Context-59",
    "voc": "PASCAL VOC",
    "coco-stuff": "COCO-Stuff",
    "coco-panoptic": "COCO panoptic",
    "ref-youtube-vos": "Ref-YouTube-VOS",
}
"""Names of data sets as their authors write them."""

METRICS = {
    "cIoU": "pixels that answer and truth share, divided by the pixels that either has, both added "
    "up over all samples first: large objects weigh more",
    "oIoU": "another name of cIoU",
    "gIoU": "the mean over samples of each sample's IoU: every sample weighs the same",
    "mIoU": "another name of gIoU",
    "boundary_IoU": "the mean over samples of the IoU of pixels near the outlines: how exact the "
    "edges are",
    "boundary_cIoU": "the same pixels near the outlines, added up over all samples first",
    "N-acc": "of the samples where nothing is to be found, the share where nothing was found",
    "T-acc": "of the samples with something to be found, the share where something was found",
    "step_consistency": "of what the answers' reasoning says about size, order and place, the "
    "share that is true of their masks",
    "answer_accuracy": "the share of answers that name what is asked for",
    "answer_guided_IoU": "the mean IoU of the samples whose answer names what is asked for",
    "constraint_satisfaction": "of the conditions in the questions (left of, largest, …), the "
    "share that the masks meet",
    "all_constraints": "the share of samples whose masks meet every condition of their question",
    "box_mIoU": "the mean IoU of the boxes around prediction and truth",
    "AP": "average precision of masks, over IoU thresholds .50 to .95",
    "AP50": "average precision of masks at IoU .50",
    "AP75": "average precision of masks at IoU .75",
    "boundary_AP": "average precision by boundary IoU",
    "AR100": "the share of true masks found, with 100 predictions an image, over IoU thresholds",
    "PQ": "panoptic quality: SQ times RQ",
    "SQ": "segmentation quality: the mean IoU of segments that were found",
    "RQ": "recognition quality: how many segments were found (F1)",
    "fwIoU": "IoU of labels, each weighed by the pixels that it has in the truth",
    "pAcc": "the share of pixels with the right label",
    "mAcc": "the mean over labels of the share of their pixels with the right label",
    "J&F": "the mean of J and F",
    "J": "the mean over frames of IoU",
    "F": "the mean over frames of how well the outlines agree (F1)",
    "J_recall": "the share of objects whose J is above .50",
    "F_recall": "the share of objects whose F is above .50",
    "J_decay": "how much J falls from the first quarter of a video to the last; less is better",
    "F_decay": "how much F falls from the first quarter of a video to the last; less is better",
    "recall": "the share of true masks that were found with the right phrase",
}

OF_KIND = {
    ("semantic", "mIoU"): "the mean over labels of each label's IoU: every label weighs the same",
    ("grounded", "mIoU"): "the mean over answers of how well their masks agree with the true ones",
}
"""Scores that mean something else in a kind of report."""

PARTS = {
    "_th": "the same of things, which can be counted",
    "_st": "the same of stuff, which can't be counted",
}
"""Ends of names of scores."""

FIGURES = {
    "iou": "IoU",
    "acc": "accuracy",
    "predicted": "pixels predicted",
    "true": "pixels true",
    "pq": "PQ",
    "sq": "SQ",
    "rq": "RQ",
    "tp": "found",
    "fp": "wrong",
    "fn": "missed",
    "ap": "AP",
}
"""Headings of the table of labels."""

GROUPS = {
    "small": "true masks under 32² pixels",
    "medium": "32² to under 96² pixels",
    "large": "96² pixels or more",
    "no-target": "nothing is to be found",
    "single-target": "one object is to be found",
    "multi-target": "several objects are to be found",
}

STATUSES = {
    "valid": ("read as it stands", "The answer kept its format."),
    "repaired": (
        "read after repair",
        "The answer left its format, and still gave masks; what was wrong stands below.",
    ),
    "invalid": ("not readable", "No mask could be read from the answer."),
    "missing": ("missing", "There is no prediction for the sample."),
}
"""What became of predictions: in a few words, and in a sentence."""

COUNTS = {
    "unreadable": "lines of the predictions that could not be used, set aside",
    "extra": "predictions for samples that the truth does not have, left out",
    "duplicate": "predictions for a sample that has one already, left out",
    "rejected": "samples of the truth that could not be used, set aside",
    "words": "answers in words alone, whose right answer has no mask: not scored",
    "other_size": "predictions made for an image of another size",
}

REPAIRS = {
    "close-tag": "the end mark is missing",
    "open-tag": "the start mark is missing or misspelt",
    "missing-start": "the start mark is missing",
    "missing-end": "the end mark is missing: the text was probably cut off",
    "stray-end": "an end mark where nothing had begun",
    "stray-tag": "a mark where none belongs",
    "loose-tag": "a mark is misspelt",
    "half-tag": "the text ends within a mark",
    "unclosed-tag": "a mask has no end mark",
    "cut-token": "the text ends within a token",
    "cut-row": "the text ends within a row",
    "text-before": "words before the mask",
    "text-after": "words after the mask",
    "words": "words among the mask's tokens",
    "rest": "something follows the end",
    "junk": "characters that mean nothing",
    "answers": "several masks where one was asked for",
    "row": "a row that can't be read",
    "rows": "another number of rows",
    "no-rows": "no rows at all",
    "row-count": "another number of rows",
    "rows-missing": "too few rows: the last one was repeated",
    "row-length": "a row of another length",
    "short-row": "a row is too short",
    "long-row": "a row is too long",
    "row-break": "two rows on one line",
    "grid-size": "a grid of another size",
    "cells": "another number of cells",
    "counts": "run lengths are missing or wrong",
    "label": "a label that was not allowed, or none",
    "label-form": "a label in another spelling",
    "box": "a box that can't be read",
    "box-order": "a box from the wrong corner",
    "box-range": "a coordinate beyond its range",
    "edge": "a box edge beyond its range",
    "range": "a number beyond its range",
    "area": "run lengths that do not fill the image",
    "code-range": "a code beyond its range",
    "format": "another layout than the format's own",
    "odd": "a coordinate without its partner",
    "lost": "a coordinate that could not be read",
    "stray-codes": "numbers behind a damaged code",
    "vertex": "a corner that can't be read",
    "picture": "a picture that can't be read: its box was filled",
    "more": "further faults, which were not listed",
    "codes-missing": "too few codes of a shape",
    "too-few-codes": "too few codes of a shape",
    "too-many-codes": "too many codes of a shape",
    "too-many": "more than there is room for",
    "too-many-objects": "more objects than there is room for",
    "too-many-parts": "more parts than there is room for",
    "too-much-paint": "more pixels than there is room for",
    "limits": "more than there is room for",
    "ring": "an outline of fewer than three corners",
    "no-vertices": "an outline without corners",
    "no-object": "no object at all",
    "object": "an object that can't be read",
    "empty": "an empty text",
    "json": "the JSON is broken",
    "line": "line breaks where none belong",
    "blank-line": "an empty line",
    "space": "blanks where none belong",
    "separator": "another separator",
    "spelling": "a number in another spelling",
    "last-newline": "the last line break is missing",
    "text-length": "longer than what is read",
    "wrong-size": "a mask of another size than the image",
    "bad-counts": "run lengths that can't be read or do not fit the image",
    "bad-polygon": "an outline that can't be read",
    "bad-record": "a record that can't be read",
    "bad-box": "a box that can't be read",
    "damaged-file": "a damaged picture",
    "unknown-category": "a category that the truth does not have",
}
"""Kinds of repair, in words; a kind that is not here stands for itself."""


def metric(name: str, kind: object = None) -> str:
    """What a score means in a kind of report; empty where it is not known."""
    if (str(kind), name) in OF_KIND:
        return OF_KIND[str(kind), name]
    if name in METRICS:
        return METRICS[name]
    if name[-3:] in PARTS:
        return PARTS[name[-3:]]
    found = re.fullmatch(r"(P|Prec|pr|G?REC|AP|recall)@(0?\.\d+|[5-9]0)", name)
    if not found:
        return ""
    level = f"{float(found[2]) if '.' in found[2] else int(found[2]) / 100:.2f}".removeprefix("0")
    if found[1] == "REC":
        return f"the share of samples whose box has an IoU of {level} or more"
    if found[1] == "GREC":
        return f"the share of samples whose boxes are all found, and none beside, at IoU {level}"
    if found[1] in ("AP", "recall"):
        return f"{found[1]} at IoU {level}"
    return f"the share of samples with an IoU of {level} or more"


def dataset(document: Mapping[str, Any]) -> str:
    """`RefCOCO val`; empty where the document does not say."""
    name, split = document.get("dataset"), document.get("split")
    shown = DATASETS.get(str(name).lower(), str(name)) if name else ""
    return " ".join(part for part in (shown, str(split) if split else "") if part)


def noun(document: Mapping[str, Any], count: int) -> str:
    """`1 question`, `3,811 questions`."""
    one, many = NOUNS.get(str(document.get("kind")), ("sample", "samples"))
    return f"{count:,} {one if count == 1 else many}"
