"""Settings for the whole suite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    """Two torch threads on two busy cores wait for each other."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
