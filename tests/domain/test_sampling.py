"""A sampling plan depends on the seed, the policy and the units alone."""

from domain.sampling import Policy, plan, share, snapshot_sha256

AIMS = {aim: [100 + unit for unit in range(10)] for aim in range(1, 21)}


def test_a_share_is_rounded_up():
    assert [share(percent, 7) for percent in (0, 1, 14, 15, 100)] == [0, 1, 1, 2, 7]
    assert share(50, 0) == 0 and share(100, 200) == 200


def test_the_same_seed_chooses_the_same_units_whatever_their_order():
    policy = Policy(25, 30, 0)
    chosen = plan(policy, AIMS, [], 42)
    assert len(chosen) == 5 * 3 and chosen == sorted(chosen)
    backwards = {aim: AIMS[aim][::-1] for aim in reversed(AIMS)}
    assert plan(policy, backwards, [], 42) == chosen
    assert plan(policy, AIMS, [], 43) != chosen
    # As a plan was made before: another rank would plan other samples for a seed that was used.
    assert plan(Policy(10, 10, 0), AIMS, [], 1) == [(7, 106), (11, 104)]


def test_another_aim_changes_at_most_one_of_the_chosen_aims():
    policy = Policy(25, 10, 0)
    before = {aim for aim, _ in plan(policy, AIMS, [], 5)}
    after = {aim for aim, _ in plan(policy, {**AIMS, 99: [1]}, [], 5)}
    assert len(before - after) <= 1


def test_first_units_are_added_to_the_share():
    assert plan(Policy(0, 0, 2), AIMS, [(2, 103), (77, 1)], 1) == [(2, 103)]
    assert len(plan(Policy(100, 100, 2), AIMS, [(2, 103)], 1)) == 200


def test_a_snapshot_follows_every_value_and_no_order():
    rows = [(1, "a", True), (2, None, False)]
    digest = snapshot_sha256(rows, [(3,)])
    assert snapshot_sha256(rows[::-1], [(3,)]) == digest
    assert len({digest, snapshot_sha256(rows, []), snapshot_sha256([(1, "a", False), rows[1]], [(3,)])}) == 3
