"""The check of rule 4, which finds lists of entities, and passes those that say why they are listed."""

from pathlib import Path

import pytest

from tests.support.class_lists import listed_entities

_IMPORTS = "from db.models.aim import Aim, AimProgress as Sums\nfrom db.models.user import User\n"


def found_in(folder: Path, lines: str) -> list[str]:
    """Returns the findings in a module with these lines."""
    (folder / "a.py").write_text(_IMPORTS + lines)
    return listed_entities(folder, ["a.py"])


@pytest.mark.parametrize(
    "line",
    [
        "SWEPT = (Aim, Session, User)",
        "NAMES = {Aim: 'aim', Session: 'session', User: 'person'}",
        "PARTS = [(Aim, 1), (Session, 2), (User, 3)]",
        "TABLES = {'aim', 'session', 'user_account'}",
        "TYPES = {'aimId': 'Aim', 'iqaId': 'User', 'sessionId': 'Session'}",
        "SWEPT = (Aim, Session, User)  # listed: because",
    ],
)
def test_a_list_of_entities_is_found(tmp_path: Path, line: str) -> None:
    (report,) = found_in(tmp_path, f"from db.models.session import Session\n{line}\n")
    assert report.startswith("a.py: line 4: lists ")


@pytest.mark.parametrize(
    "lines",
    [
        "PAIR = (Aim, User)",
        "found = select(Aim, Session, User)",
        "frame = {'learner': 1, 'provider': 2, 'qualification': 3}",
        "# listed: each has a check of its own\nCHECKS = [(Aim, 1), (Session, 2), (User, 3)]",
        "Session = Aim = User = None\nNUMBERS = (1, 2, 3)",
    ],
)
def test_other_literals_pass(tmp_path: Path, lines: str) -> None:
    assert found_in(tmp_path, f"from db.models.session import Session\n{lines}\n") == []
