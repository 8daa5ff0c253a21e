"""Each loader by itself, with keys that no question of the graph would bring it: `tests/scope/directly.py` says why."""

import pytest

from db.enums import Role
from tests.scope.conftest import Worlds
from tests.scope.directly import KEYS, OTHERS, disagreements, given, relations
from tests.scope.everything import VIEWERS
from tests.scope.looking import differences


def test_every_relation_is_asked() -> None:
    assert relations() == {name for names in KEYS.values() for name in names.split()} | OTHERS


@pytest.mark.parametrize(("who", "role"), VIEWERS, ids=str)
async def test_a_loader_gives_what_is_seen_whatever_it_is_asked_for(worlds: Worlds, who: str, role: Role) -> None:
    if not worlds.looker.database.is_sqlite and (who, role) not in worlds.some:
        return
    sight = worlds.sight(who, role)
    cut = await worlds.cut_to(who, role)
    assert differences(await given(worlds.looker, sight), await given(cut, sight)) == []
    assert await disagreements(worlds.looker, sight) == []
