"""KPIs as the graph gives them: the employer app's first screen and the comparison of sites, in few statements."""

from collections.abc import Callable

from tests.support.client import InProcessClient

Client = Callable[[str], InProcessClient]

EMPLOYER_KPIS = """
query EmployerKpis {
  viewer {
    user { name }
    awaitingSignatureCount
    kpis {
      generatedAt learnerCount offTrackCount onTrackCount aheadCount pastPlannedEndCount overdueActionCount
      progress { durationPercent mappedPercent signedOffPercent }
    }
  }
}
"""
SITE_COMPARISON = """
query SiteComparison($first: Int!) {
  employers(first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id name
      kpis {
        learnerCount aimCount offTrackCount onTrackCount aheadCount pastPlannedEndCount overdueActionCount
        awaitingAssessmentCount
        progress { criteriaTotal criteriaMapped criteriaSignedOff durationPercent mappedPercent signedOffPercent }
        offTheJob { requiredMinutes expectedMinutes actualMinutes }
      }
    }
  }
}
"""
# Every field of Kpis, from the words of the schema, with something below those that are objects.
BELOW = {"progress": "{ criteriaTotal pastPlannedEnd }", "offTheJob": "{ actualPercent }"}


async def test_the_first_screen_is_one_statement(client: Client):
    olu = client("olu")
    kpis = (await olu.data(EMPLOYER_KPIS))["viewer"]
    assert olu.statements == 1
    # A slot of hers is open for Ada, Bea and Cyd, whose only aim is withdrawn, and in a review of each of their aims.
    # Of the others' aims in training, Bea's two have nothing mapped; Ada's `main` is ahead, and `side`, whose planned
    # end is past, is complete.
    assert (kpis["awaitingSignatureCount"], kpis["kpis"]["learnerCount"]) == (9, 2)
    assert [kpis["kpis"][f"{light}Count"] for light in ("offTrack", "onTrack", "ahead")] == [2, 1, 1]
    # Five aims count: 10 criteria, of which 6 are mapped and 3 signed off; one aim is past its end, three are half way,
    # and one that Max assesses is at a third.
    assert kpis["kpis"]["progress"] == {"durationPercent": 56.8, "mappedPercent": 60.0, "signedOffPercent": 30.0}


async def test_more_sites_cost_no_more_statements(client: Client):
    may = client("may")
    two = await may.data(SITE_COMPARISON, first=2)
    assert (len(two["employers"]["nodes"]), may.statements) == (2, 2)
    five = await may.data(SITE_COMPARISON, first=100)
    assert (len(five["employers"]["nodes"]), may.statements) == (5, 2)
    assert [site["kpis"]["learnerCount"] for site in five["employers"]["nodes"]] == [1, 2, 0, 1, 0]
    # Ada and Bea: 6,000 minutes each; 340 minutes of hers in three aims, 235 of Bea's in two.
    assert [site["kpis"]["offTheJob"] for site in five["employers"]["nodes"]][1] == {
        "requiredMinutes": 12000,
        "expectedMinutes": 6030,
        "actualMinutes": 575,
    }


async def test_each_number_can_be_asked_for_alone(client: Client):
    fields = (await client("may").data('{ __type(name: "Kpis") { fields { name } } }'))["__type"]["fields"]
    together = " ".join(f"{field['name']} {BELOW.get(field['name'], '')}" for field in fields)
    mo = client("mo")
    whole = (await mo.data(f"{{ viewer {{ kpis {{ {together} }} }} }}"))["viewer"]["kpis"]
    assert mo.statements == 1
    for field in (field["name"] for field in fields):
        fragment = f"fragment Alone on Kpis {{ {field} {BELOW.get(field, '')} }}"
        alone = (await mo.data(f"{{ viewer {{ kpis {{ ...Alone }} }} }} {fragment}"))["viewer"]["kpis"]
        assert field == "generatedAt" or alone[field] == whole[field]


GROUPS = """
query Groups($by: KpiGroupBy!, $filter: KpiFilter) {
  viewer { kpiGroups(by: $by, filter: $filter) { key label subject { __typename id } kpis { aimCount } } }
}
"""


async def test_groups_have_names_and_subjects_and_are_in_order(client: Client):
    may = client("may")
    for by, type_name in (("EMPLOYER", "Employer"), ("ASSESSOR", "User"), ("QUALIFICATION", "Qualification")):
        groups = (await may.data(GROUPS, by=by))["viewer"]["kpiGroups"]
        labels = [group["label"] for group in groups if group["key"] != "NONE"]
        assert labels == sorted(labels, key=str.casefold) != []
        assert {group["key"] for group in groups} - {"NONE"} == {
            group["subject"]["id"] for group in groups if group["subject"]
        }
        assert {group["subject"]["__typename"] for group in groups if group["subject"]} == {type_name}
        assert may.statements == 2
    months = (await may.data(GROUPS, by="START_MONTH", filter={"statuses": ["IN_TRAINING"]}))["viewer"]["kpiGroups"]
    assert months == sorted(months, key=lambda month: month["key"])
    assert all(month["subject"] is None and len(month["key"]) == 7 == len(month["label"]) for month in months)
