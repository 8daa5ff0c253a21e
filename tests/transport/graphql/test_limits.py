"""Limits before validation: the sizes of documents, and that none of them makes the check itself slow."""

import sys

import pytest
from graphql import get_introspection_query

from tests.support.minimal_schema import schema
from transport.graphql import Limits
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import OperationRejected

LIMITS = Limits()


@pytest.fixture
def preparation():
    return DocumentCache(schema, LIMITS)


def refused(preparation, text, variables=None):
    """The `limit` by which a document is refused."""
    with pytest.raises(OperationRejected) as refusal:
        preparation.prepare(text).operation(None).price(variables, preparation._limits)
    return refusal.value.errors[0]["extensions"].get("limit"), refusal.value.errors[0]["message"]


def price(preparation, text, variables=None, name=None):
    return preparation.prepare(text).operation(name).price(variables, preparation._limits)


def nested(depth):
    return '{learner(id: "1") ' + "{friend" * (depth - 2) + "{id}" + "}" * (depth - 2) + "}"


def chain(count, spreads, last="__typename"):
    """Fragments that each spread the next one several times."""
    middle = "".join(f" fragment F{i} on Query {{{f' ...F{i + 1}' * spreads}}}" for i in range(count))
    return "{...F0}" + middle + f" fragment F{count} on Query {{{last}}}"


def test_each_limit_holds_what_it_says_and_no_less(preparation):
    def aliases(count):
        return "{" + " ".join(f"a{i}: __typename" for i in range(count)) + "}"

    def directives(count):
        return "{" + "__typename " + "@skip(if: false) " * count + "}"

    def repeats(count):
        return "{" + "__typename " * count + "}"

    def comments(count):
        return "#\n" * count + "{__typename}"

    def operations(count):
        return " ".join(f"query Q{i} {{__typename}}" for i in range(count))

    def fragments(count):
        return chain(count - 1, 1)

    def tokens(count):
        return "{learners(after: [" + "1 " * (count - 12) + "]) {nodes}}"

    def characters(count):
        return "{__typename}" + " " * (count - 12)

    for make, limit, allowed in (
        (nested, "depth", 12), (aliases, "aliases", 30), (repeats, "repeats", 30), (operations, "operations", 20),
        (fragments, "fragments", 60), (characters, "document_characters", 30_000),
    ):  # fmt: skip
        assert preparation.prepare(make(allowed)).operations
        assert refused(preparation, make(allowed + 1))[0] == limit
    assert refused(preparation, directives(LIMITS.directives + 1))[0] == "directives"
    assert "cannot represent" in refused(preparation, tokens(2_000))[1]
    assert preparation.prepare(comments(200))
    assert "more than 2000 tokens" in refused(preparation, tokens(2_001))[1]
    assert "more than 200 comments" in refused(preparation, comments(201))[1]


def test_what_fragments_spread_counts_as_often_as_it_is_spread(preparation):
    assert refused(preparation, chain(12, 3))[0] == "fields"
    assert refused(preparation, chain(59, 3))[0] == "fields"
    assert refused(preparation, chain(1, 8, "a: __typename b: __typename c: __typename d: __typename"))[0] == "aliases"
    deep = '{learner(id: "1") {...A}} fragment A on Learner {friend {friend {friend {friend {...B}}}}} '
    deep += "fragment B on Learner {friend {friend {friend {friend {friend {friend {friend {friend {id}}}}}}}}}"
    assert refused(preparation, deep)[0] == "depth"
    loose = "{__typename} fragment F on Query {" + " ".join(f"a{i}: __typename" for i in range(31)) + "}"
    assert refused(preparation, loose)[0] == "aliases"


def test_a_cycle_of_fragments_is_named(preparation):
    assert "within itself" in refused(preparation, "{...A} fragment A on Query {...B} fragment B on Query {...A}")[1]


def test_repeats_that_fragments_and_parents_bring_together_count(preparation):
    apart = "{" + " ".join(f"learners(first: 1) {{n{i}: totalCount}}" for i in range(15)) + "}"
    assert preparation.prepare(apart)
    spread = "{" + " ".join(f"...F{i}" for i in range(31)) + "}"
    spread += "".join(f" fragment F{i} on Query {{__typename}}" for i in range(31))
    assert refused(preparation, spread)[0] == "repeats"
    inline = "{" + " ... on Query {learners {totalCount}}" * 25 + "}"
    assert refused(preparation, inline)[0] == "repeat_pairs"


def test_tools_may_introspect_but_not_in_circles(preparation):
    text = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    assert price(preparation, text) < LIMITS.operation_cost / 10
    circle = "{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}"
    assert "introspection depth" in refused(preparation, circle)[1]
    chained = '{__type(name: "Query") ' + "{ofType" * 20 + "{name}" + "}" * 20 + "}"
    assert refused(preparation, chained)[0] == "introspection_depth"


def test_documents_are_known_again_and_floods_of_bad_ones_drive_no_good_one_out():
    preparation = DocumentCache(schema, Limits(kept_characters=1_000, kept_refusals=5))
    good = preparation.prepare("{__typename}")
    for number in range(50):
        with pytest.raises(OperationRejected):
            preparation.prepare(f"{{nothing{number}}}")
    assert preparation.prepare("{__typename}") is good
    assert (preparation.counts.hits, preparation.counts.misses) == (1, 51)
    with pytest.raises(OperationRejected):
        preparation.prepare("{nothing49}")
    assert (preparation.counts.hits, preparation.counts.misses) == (2, 51)
    for number in range(50):
        preparation.prepare(f"query Q{number} {{__typename}}" + " " * 80)
    assert preparation._kept_characters <= 1_000
    assert preparation.prepare("{__typename}") is not good


def test_a_pinned_document_stays():
    preparation = DocumentCache(schema, Limits(kept_characters=10))
    pinned = preparation.pin("{__typename}")
    for number in range(5):
        preparation.prepare(f"query Q{number} {{__typename}}")
    assert preparation.prepare("{__typename}") is pinned


def _work(preparation, text):
    """How many Python functions are called to prepare a document: a measure that a busy machine does not change."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        preparation.prepare(text)
    except OperationRejected:
        pass
    finally:
        sys.setprofile(None)
    return calls


BOMBS = {
    "plain": "{__typename}",
    "aliases": "{" + " ".join(f"a{i}:__typename" for i in range(1_500)) + "}",
    "repeats": "{" + "__typename " * 1_900 + "}",
    "unknown directives": "{__typename " + "@a" * 10_000 + "}",
    "depth": "{a" * 300 + "}" * 300,
    "depth, parser": "{a" * 5_000 + "}" * 5_000,
    "list literal": "{__type(name:" + "[" * 5_000 + "]" * 5_000 + "){name}}",
    "fan-out": chain(50, 3),
    "dense fragments": "{...F0}" + "".join(
        f" fragment F{i} on Query {{__typename " + " ".join(f"...F{j}" for j in range(i + 1, min(i + 12, 58))) + "}"
        for i in range(58)
    ),
    "long string": '{__type(name:"' + "\\u0041" * 4_900 + '"){name}}',
    "comment": "#" + "x" * 29_000 + "\n{__typename}",
    "unknown fields": "{" + " ".join(f"learnrs{i} {{a}}" for i in range(390)) + "}",
    "unknown arguments": "{learners(" + " ".join(f"frst{i}:1" for i in range(390)) + "){totalCount}}",
    "unknown types": "query(" + " ".join(f"$a{i}:Lerner{i}" for i in range(390)) + "){__typename}",
    "many ids": "{nodes(ids: [" + "1 " * 1_900 + "]) {id}}",
    "many values": "{learners(after: [" + "1 " * 1_900 + "]) {totalCount}}",
    "wide and valid": "{" + " ".join(
        f'a{i}: learner(id: "1") {{id name aims {{id}} friend {{id name friend {{id friend {{id aims {{id}}}}}}}}}}'
        for i in range(28)
    ) + "}",
    "overlaps": "{" + " ".join('learner(id: "1") {' + "friend {id name} " * 10 + "}" for _ in range(20)) + "}",
    "spreads": '{learner(id: "1") {' + " ".join(f"...F{i}" for i in range(59)) + "}}" + "".join(
        f" fragment F{i} on Learner {{f{i % 28}: id}}" for i in range(59)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_no_document_is_much_work(name):
    # About 0.1 us a call and less: 50 ms are some 400,000 of them.
    assert _work(DocumentCache(schema, LIMITS), BOMBS[name]) < 150_000


def test_settings_change_limits_and_nonsense_is_refused():
    assert Limits.read({}) == LIMITS
    read = Limits.read({"WAYMARK_LIMIT_DEPTH": "9", "WAYMARK_LIMIT_BODY_SECONDS": "1.5", "OTHER": "x"})
    assert (read.depth, read.body_seconds, read.aliases) == (9, 1.5, 30)
    for nonsense in ("deep", "-1", "", "nan"):
        with pytest.raises(ValueError, match="WAYMARK_LIMIT_BODY_SECONDS"):
            Limits.read({"WAYMARK_LIMIT_BODY_SECONDS": nonsense})
