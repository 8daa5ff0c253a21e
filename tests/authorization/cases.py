"""The viewers that a test runs for, on each database, and which of these cases are left to `scripts/test-long`."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from domain.enums import Role

Viewer = tuple[str, Role]


def each_viewer(viewers: Mapping[str, Iterable[Viewer]], short: Mapping[str, str]) -> pytest.MarkDecorator:
    """Parametrizes a test by `backend`, `who` and `role`. `short`: by backend, the users whose cases are not long."""
    cases: list[Any] = [
        pytest.param(
            backend, who, role,
            id=f"{backend}-{who}-{role.value}", marks=() if who in short[backend].split() else pytest.mark.long,
        )
        for backend, of_backend in viewers.items()
        for who, role in of_backend
    ]  # fmt: skip
    return pytest.mark.parametrize(("backend", "who", "role"), cases, indirect=["backend"], scope="session")
