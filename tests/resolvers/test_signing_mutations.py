"""The list of mutations that sign agrees with how they are marked."""

import pytest

from resolvers.core.unit_of_work import mutation


@pytest.mark.parametrize(("name", "signs"), [("unitSign", False), ("aimUpdate", True)])
def test_a_mutation_signs_if_and_only_if_the_list_names_it(name: str, signs: bool) -> None:
    with pytest.raises(TypeError, match=f"^{name}: "):
        mutation(name, signs=signs)
