"""The limits of documents, and that checking them is fast for every document."""

import sys

import pytest
from graphql import get_introspection_query

from tests.support.minimal_schema import schema
from transport.graphql import Limits
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import OperationRejected

LIMITS = Limits()


@pytest.fixture
def documents():
    return DocumentCache(schema, LIMITS)


def rejection(documents, text):
    """Returns the `limit` by which a document is rejected, if any, and the message."""
    with pytest.raises(OperationRejected) as raised:
        documents.prepare(text)
    error = raised.value.errors[0]
    return error["extensions"].get("limit"), error["message"]


def nested(depth):
    return '{learner(id: "1") ' + "{friend" * (depth - 2) + "{id}" + "}" * (depth - 2) + "}"


def chain(count, spreads, last="__typename"):
    """Returns a document of fragments that each spread the next one several times."""
    middle = "".join(f" fragment F{i} on Query {{{f' ...F{i + 1}' * spreads}}}" for i in range(count))
    return "{...F0}" + middle + f" fragment F{count} on Query {{{last}}}"


def test_each_limit_holds_what_it_says_and_no_less(documents):
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
        assert documents.prepare(make(allowed)).operations
        name, message = rejection(documents, make(allowed + 1))
        assert name == limit
        assert f" {allowed + 1} " in message and f"the limit is {allowed}." in message
    assert rejection(documents, directives(LIMITS.directives + 1))[0] == "directives"
    assert "cannot represent" in rejection(documents, tokens(2_000))[1]
    assert documents.prepare(comments(200))
    assert "more than 2000 tokens" in rejection(documents, tokens(2_001))[1]
    assert "more than 200 comments" in rejection(documents, comments(201))[1]


def test_a_fragment_counts_as_often_as_it_is_spread(documents):
    assert rejection(documents, chain(12, 3))[0] == "fields"
    assert rejection(documents, chain(59, 3))[0] == "fields"
    assert rejection(documents, chain(1, 8, "a: __typename b: __typename c: __typename d: __typename"))[0] == "aliases"
    deep = '{learner(id: "1") {...A}} fragment A on Learner {friend {friend {friend {friend {...B}}}}} '
    deep += "fragment B on Learner {friend {friend {friend {friend {friend {friend {friend {friend {id}}}}}}}}}"
    assert rejection(documents, deep)[0] == "depth"
    unused = "{__typename} fragment F on Query {" + " ".join(f"a{i}: __typename" for i in range(31)) + "}"
    assert rejection(documents, unused)[0] == "aliases"


def test_a_cycle_of_fragments_is_rejected(documents):
    assert "within itself" in rejection(documents, "{...A} fragment A on Query {...B} fragment B on Query {...A}")[1]


def test_repeats_are_counted_across_fragments_and_parents(documents):
    apart = "{" + " ".join(f"learners(first: 1) {{n{i}: totalCount}}" for i in range(15)) + "}"
    assert documents.prepare(apart)
    spread = "{" + " ".join(f"...F{i}" for i in range(31)) + "}"
    spread += "".join(f" fragment F{i} on Query {{__typename}}" for i in range(31))
    assert rejection(documents, spread)[0] == "repeats"
    inline = "{" + " ... on Query {learners {totalCount}}" * 25 + "}"
    assert rejection(documents, inline)[0] == "repeat_pairs"


def test_introspection_is_allowed_up_to_a_depth(documents):
    text = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    cost = documents.prepare(text).operation(None).cost_with(None, LIMITS)
    assert cost < LIMITS.operation_cost / 10
    circle = "{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}"
    assert "introspection depth" in rejection(documents, circle)[1]
    chained = '{__type(name: "Query") ' + "{ofType" * 20 + "{name}" + "}" * 20 + "}"
    assert rejection(documents, chained)[0] == "introspection_depth"


def test_documents_are_cached_and_invalid_ones_evict_no_valid_one():
    documents = DocumentCache(schema, Limits(kept_characters=1_000, kept_refusals=5))
    good = documents.prepare("{__typename}")
    for number in range(50):
        with pytest.raises(OperationRejected):
            documents.prepare(f"{{nothing{number}}}")
    assert documents.prepare("{__typename}") is good
    assert (documents.stats.hits, documents.stats.misses) == (1, 51)
    with pytest.raises(OperationRejected):
        documents.prepare("{nothing49}")
    assert (documents.stats.hits, documents.stats.misses) == (2, 51)
    for number in range(50):
        documents.prepare(f"query Q{number} {{__typename}}" + " " * 80)
    assert documents._cached_characters <= 1_000
    assert documents.prepare("{__typename}") is not good


def test_a_pinned_document_is_never_evicted():
    documents = DocumentCache(schema, Limits(kept_characters=10))
    pinned = documents.pin("{__typename}")
    for number in range(5):
        documents.prepare(f"query Q{number} {{__typename}}")
    assert documents.prepare("{__typename}") is pinned


def _work(documents, text):
    """Returns how many Python functions are called to prepare a document, which does not depend on the machine."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        documents.prepare(text)
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
    # A call takes 0.1 us or less, so 400,000 calls take about 50 ms.
    assert _work(DocumentCache(schema, LIMITS), BOMBS[name]) < 150_000


def test_settings_change_limits_and_invalid_ones_are_rejected():
    assert Limits.read({}) == LIMITS
    read = Limits.read({"WAYMARK_LIMIT_DEPTH": "9", "WAYMARK_LIMIT_BODY_SECONDS": "1.5", "OTHER": "x"})
    assert (read.depth, read.body_seconds, read.aliases) == (9, 1.5, 30)
    for invalid in ("deep", "-1", "", "nan"):
        with pytest.raises(ValueError, match="WAYMARK_LIMIT_BODY_SECONDS"):
            Limits.read({"WAYMARK_LIMIT_BODY_SECONDS": invalid})
    for unknown in ("WAYMARK_LIMIT_SOCKETS", "WAYMARK_LIMIT_WEIGHTS", "WAYMARK_LIMIT_"):
        with pytest.raises(ValueError, match=f"^{unknown} is not a limit"):
            Limits.read({unknown: "1"})
