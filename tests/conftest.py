"""Settings for the whole suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Continuous integration repeats the same examples; a run by hand looks for new ones.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
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
