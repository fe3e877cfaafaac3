"""How many threads a call of this package was told to use."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest


def threads_used(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> list[int | None]:
    """A list that gets the `threads` of every call of `module.name` from now on."""
    used: list[int | None] = []
    real = getattr(module, name)

    def call(*given: Any, **more: Any) -> Any:
        used.append(more["threads"])
        return real(*given, **more)

    monkeypatch.setattr(module, name, call)
    return used
