"""Prepared examples in the schemas of other trainers.

LLaVA's and Qwen-VL-finetune's json, ms-swift's jsonl, and LLaMA-Factory's sharegpt json with its
entry of `dataset_info.json`. They want `<image>` in the first question, where TRL puts the image
itself; so no one file serves them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..examples import Example, read_examples
from ..records import dump_line
from ..writing import atomic, check_output

IMAGE = "<image>"


def export(schema: str, examples: Path, output: Path) -> int:
    """Write a file of examples in another schema.

    Args:
        schema: "llava", "swift" or "llamafactory".
        examples: what `maskcodec prepare` wrote.
        output: the file to write; images are named absolutely in it.

    Returns:
        how many examples it holds.

    Raises:
        RecordError: a line of `examples` can't be read, or `output` can't be written.
    """
    check_output(output, may_exist=True)
    make = {"llava": _llava, "swift": _messages, "llamafactory": _messages}[schema]
    count = 0
    with atomic(output) as stream:
        lines = schema == "swift"
        stream.write(b"" if lines else b"[")
        for example in _read(examples):
            row = make(example)
            if lines:
                stream.write(dump_line(row))
            else:
                stream.write((b",\n" if count else b"\n") + dump_line(row).rstrip(b"\n"))
            count += 1
        stream.write(b"" if lines else b"\n]\n")
    if schema == "llamafactory":
        _add_dataset_info(output)
    return count


def _read(examples: Path) -> Iterator[Example]:
    if not examples.stat().st_size:
        return
    for item in read_examples(examples):
        if isinstance(item, RecordError):
            raise item
        yield item


def _images(example: Example) -> list[str]:
    return [str(path.absolute()) for path in example.image_paths()]


def _questions(example: Example) -> Iterator[tuple[str, str]]:
    """Each question, the first with a mark for each image, and its answer."""
    for index, turn in enumerate(example.turns):
        marks = "" if index else f"{IMAGE}\n" * len(example.images)
        yield marks + turn.question, turn.answer


def _llava(example: Example) -> dict[str, Any]:
    images = _images(example)
    return {
        "id": example.id,
        "image": images[0] if len(images) == 1 else images,
        "conversations": [
            {"from": who, "value": said}
            for question, answer in _questions(example)
            for who, said in (("human", question), ("gpt", answer))
        ],
    }


def _messages(example: Example) -> dict[str, Any]:
    return {
        "messages": [
            {"role": role, "content": said}
            for question, answer in _questions(example)
            for role, said in (("user", question), ("assistant", answer))
        ],
        "images": _images(example),
    }


def _add_dataset_info(output: Path) -> None:
    """Add the file to the `dataset_info.json` beside it, whose other entries stay."""
    path = output.with_name("dataset_info.json")
    info: Any = {}
    if path.exists():
        try:
            info = json.loads(path.read_bytes())
        except ValueError:
            info = None
        if not isinstance(info, dict):
            raise RecordError("is no JSON object; move it away", file=str(path))
    info[output.stem] = {
        "file_name": output.name,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
        },
    }
    with atomic(path) as stream:
        stream.write(json.dumps(info, ensure_ascii=False, indent=2).encode() + b"\n")
