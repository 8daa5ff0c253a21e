"""KPIs as the graph gives them: the employer app's first screen and the comparison of sites, in few statements."""

from domain.enums import Role
from tests.support.places import Asker

MANAGER, MASTER = Role.EMPLOYER_MANAGER, Role.MASTER_ADMIN

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


async def test_the_first_screen_is_one_statement(ask: Asker):
    kpis = (await ask(MANAGER, EMPLOYER_KPIS))["viewer"]
    assert ask.statements == 1
    assert (kpis["awaitingSignatureCount"], kpis["kpis"]["learnerCount"], kpis["kpis"]["offTrackCount"]) == (1, 2, 2)
    assert kpis["kpis"]["progress"] == {"durationPercent": 50.2, "mappedPercent": 40.0, "signedOffPercent": 0.0}


async def test_more_sites_cost_no_more_statements(ask: Asker):
    two = await ask(MASTER, SITE_COMPARISON, first=2)
    assert (len(two["employers"]["nodes"]), ask.statements) == (2, 2)
    four = await ask(MASTER, SITE_COMPARISON, first=100)
    assert (len(four["employers"]["nodes"]), ask.statements) == (4, 2)
    assert [site["kpis"]["learnerCount"] for site in four["employers"]["nodes"]] == [1, 2, 1, 0]
    assert [site["kpis"]["offTheJob"] for site in four["employers"]["nodes"]][1] == {
        "requiredMinutes": 1200,
        "expectedMinutes": 602,
        "actualMinutes": 30,
    }


async def test_each_number_can_be_asked_for_alone(ask: Asker):
    fields = (await ask(MASTER, '{ __type(name: "Kpis") { fields { name } } }'))["__type"]["fields"]
    together = " ".join(f"{field['name']} {BELOW.get(field['name'], '')}" for field in fields)
    whole = (await ask(MANAGER, f"{{ viewer {{ kpis {{ {together} }} }} }}"))["viewer"]["kpis"]
    assert ask.statements == 1
    for field in (field["name"] for field in fields):
        fragment = f"fragment Alone on Kpis {{ {field} {BELOW.get(field, '')} }}"
        alone = (await ask(MANAGER, f"{{ viewer {{ kpis {{ ...Alone }} }} }} {fragment}"))["viewer"]["kpis"]
        assert field == "generatedAt" or alone[field] == whole[field]
