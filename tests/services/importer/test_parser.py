"""Parsing qualifications: valid files give complete drafts, and every problem is found with its position."""

import csv
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from services.importer.draft import NO_OPTIONS, ImportOptions, QualificationDraft
from services.importer.parser import MAX_BYTES, parse_csv, parse_json, read_qualification, read_qualifications
from services.importer.problems import ImportRejected

DEMO = Path(__file__).parents[3] / "services" / "demo" / "qualifications"
# Published qualifications, under the Open Government Licence (each file names its sources).
PUBLISHED = Path(__file__).parent / "qualifications"
HEADER = "unit_number,unit_title,criterion_code,criterion_description\n"


def document(**changes) -> dict:
    """A small valid qualification, as a JSON object."""
    units = [
        {"number": "1", "title": "One", "criteria": [{"code": "1.1", "description": "First"}]},
        {"number": "2", "title": "Two", "mandatory": False, "criteria": [{"code": "1.1", "description": "Same code"}]},
    ]
    return {
        "title": "Small",
        "reference": "X1",
        "version": "1.0",
        "level": 2,
        "kind": "diploma",
        "units": units,
    } | changes


def read(value: object, options: ImportOptions = NO_OPTIONS) -> QualificationDraft:
    return parse_json(json.dumps(value).encode(), options)


def problems(parse, content: bytes, options: ImportOptions = NO_OPTIONS) -> list[tuple[str, str]]:
    with pytest.raises(ImportRejected) as raised:
        parse(content, options)
    return [(problem.position, problem.message) for problem in raised.value.problems]


def positions(value: object) -> list[str]:
    return [place for place, _ in problems(parse_json, json.dumps(value).encode())]


def test_the_demo_qualifications_are_valid_and_of_every_kind():
    drafts = {draft.kind: draft for draft in read_qualifications(sorted(DEMO.glob("*.json")))}
    assert set(drafts) == {"standard", "diploma", "functional_skills"}
    assert [unit.title for unit in drafts["standard"].units] == ["Knowledge", "Skills", "Behaviours"]
    assert {criterion.code[0] for unit in drafts["standard"].units for criterion in unit.criteria} == set("KSB")
    assert all(unit.criteria[0].code == "1.1" for unit in drafts["diploma"].units)
    assert drafts["standard"].off_the_job_hours_minimum


def test_a_json_file_is_read_completely():
    for path in (*DEMO.glob("*.json"), *PUBLISHED.glob("*.json")):
        given, draft = json.loads(path.read_text(encoding="utf-8")), read_qualification(path)
        for name in ("title", "kind", "reference", "version", "level"):
            assert getattr(draft, name) == given.get(name)
        assert draft.off_the_job_hours_minimum == given["otj_hours_minimum"]
        assert [
            {"number": unit.number, "title": unit.title, "criteria": [asdict(criterion) for criterion in unit.criteria]}
            for unit in draft.units
        ] == [{key: unit[key] for key in ("number", "title", "criteria")} for unit in given["units"]]
        assert [unit.mandatory for unit in draft.units] == [unit.get("mandatory", True) for unit in given["units"]]


def test_the_same_content_as_csv_gives_the_same_draft():
    draft = read_qualification(next(DEMO.glob("functional*.json")))
    out = io.StringIO(HEADER, newline="")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    for unit in draft.units:
        writer.writerows(
            (unit.number, unit.title, criterion.code, criterion.description) for criterion in unit.criteria
        )
    options = ImportOptions(
        title=draft.title, reference=draft.reference, version=draft.version, level=1, kind=draft.kind
    )
    for mark in (b"", b"\xef\xbb\xbf"):
        again = parse_csv(mark + out.getvalue().encode(), options)
        assert again == draft and again.partial and again.digest() == draft.digest()


def test_values_of_the_file_win_over_options():
    options = ImportOptions(title="Other", version="9", level=5, off_the_job_hours_minimum=300)
    draft = read(document(version=None, level=None), options)
    assert (draft.title, draft.version, draft.level, draft.off_the_job_hours_minimum) == ("Small", "9", 5, 300)


def test_a_code_is_unique_within_its_unit_only():
    assert read(document()).criterion_count == 2
    twice = document()
    twice["units"][0]["criteria"].append({"code": " 1.1 ", "description": "Again"})
    assert positions(twice) == ["$.units[0].criteria[1].code"]


def test_the_digest_depends_on_the_whole_content_and_on_nothing_else():
    draft = read(document())
    units, criterion = draft.units, draft.units[0].criteria[0]
    altered = [
        replace(draft, title="Other"), replace(draft, level=None), replace(draft, version="1.1"),
        replace(draft, off_the_job_hours_minimum=1), replace(draft, units=units[::-1]), replace(draft, units=units[:1]),
        replace(draft, units=(replace(units[0], mandatory=False), units[1])),
        replace(draft, units=(replace(units[0], criteria=(replace(criterion, description="Firs"),)), units[1])),
    ]  # fmt: skip
    assert len({draft.digest(), *(other.digest() for other in altered)}) == len(altered) + 1
    assert read(document(notes="ignored")).digest() == draft.digest()


def test_all_problems_of_a_json_file_are_found_at_once_with_their_paths():
    bad = {
        "title": 7, "level": "two", "version": "v" * 41, "otj_hours_minimum": 1.5,
        "units": [
            {"number": "1", "title": " ", "criteria": [{"code": "1", "description": "a"}, {"code": "1"}, "x"]},
            {"number": "1", "title": "B", "mandatory": "no", "criteria": []},
            {"number": 3, "title": "C", "criteria": None},
            ["not a unit"],
        ],
    }  # fmt: skip
    assert set(positions(bad)) == {
        "$.title", "$.level", "$.version", "$.otj_hours_minimum",
        "$.units[0].title", "$.units[0].criteria[1].description", "$.units[0].criteria[1].code",
        "$.units[0].criteria[2]",
        "$.units[1].number", "$.units[1].mandatory", "$.units[1].criteria",
        "$.units[2].number", "$.units[2].criteria", "$.units[3]",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"", "line 1, column 1", "not valid JSON"),
        (b'{"title":\n "x",}', "line 2", "not valid JSON"),
        (b"[]", "$", "not a list"),
        (b'"text"', "$", "not text"),
        (b"[" * 100_000, "", "too deeply"),
        (b"[" + b"1" * 5_000 + b"]", "", "digits"),
        (b'{"level": NaN}', "", "NaN"),
        (b'{"title": "a", "title": "b"}', "", "'title' is used twice"),
        (b'{"title": "half \\ud800"}', "$.title", "U+D800"),
        (b'{"title": "nul \\u0000"}', "$.title", "U+0000"),
        (b'{"title": true}', "$.title", "not true or false"),
        ('{"title": "x"}'.encode("utf-16"), "", "UTF-16"),
        (b"x" * (MAX_BYTES + 1), "", "larger than 8 MiB"),
    ],
)
def test_invalid_json_is_a_problem_and_not_a_crash(content: bytes, place: str, words: str):
    assert any(found.startswith(place) and words in message for found, message in problems(parse_json, content))


def test_each_line_that_is_not_utf8_is_a_problem():
    content = HEADER.encode() + b"1,A,1.1,caf\xe9\n1,A,1.2,fine\n1,A,1.3,na\xefve\n"
    assert [place for place, _ in problems(parse_csv, content)] == ["line 2", "line 4"]


def test_all_problems_of_a_csv_file_are_found_at_once_with_their_lines():
    rows = '1,A,1.1,"over\ntwo lines"\n1,B,1.2,other title\n,,,\n\n2,C,1.1,a,b\n2,C\n1,A,1.1,again\n'
    found = [place for place, _ in problems(parse_csv, (HEADER + rows).encode())]
    assert set(found) == {
        "line 4, unit_title", "line 7", "line 8, criterion_code", "line 8, criterion_description",
        "line 9, criterion_code", "--title",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", "line 1"),
        ("unit_number|unit_title|criterion_code|criterion_description\n", "line 1"),
        (HEADER.replace("\n", ",notes\n") + "1,A,1.1,x,y\n", "line 1"),
        ("1,A,1.1,no header\n", "line 1"),
        (HEADER, "line 2"),
        (HEADER + '1,A,1.1,fine\n1,A,1.2,"never closed\n', "line 3"),
    ],
)
def test_a_csv_file_that_cannot_be_split_into_rows_is_a_problem_with_its_line(content: str, place: str):
    assert problems(parse_csv, content.encode(), ImportOptions(title="T"))[0][0] == place


def test_line_ends_of_every_operating_system_are_read():
    rows = HEADER + "1,A,1.1,x\n1,A,1.2,y\n"
    drafts = {parse_csv(rows.replace("\n", end).encode(), ImportOptions(title="T")) for end in ("\n", "\r\n", "\r")}
    assert len(drafts) == 1 and drafts.pop().criterion_count == 2


def test_problems_of_several_files_are_reported_at_once_with_the_file(tmp_path: Path):
    good, bad, missing = tmp_path / "good.json", tmp_path / "bad.JSON", tmp_path / "missing.csv"
    good.write_text(json.dumps(document()))
    bad.write_text("{}")
    with pytest.raises(ImportRejected) as raised:
        read_qualifications([bad, good, missing, tmp_path / "notes.txt"])
    assert {problem.file for problem in raised.value.problems} == {str(bad), str(missing), str(tmp_path / "notes.txt")}
    assert "cannot be read: No such file" in str(raised.value)


def test_two_files_cannot_hold_the_same_version_with_different_content(tmp_path: Path):
    first, same, other = (tmp_path / f"{name}.json" for name in ("first", "same", "other"))
    first.write_text(json.dumps(document()))
    same.write_text(json.dumps(document(), indent=3))
    other.write_text(json.dumps(document(level=3)))
    assert len(read_qualifications([first, same])) == 2
    with pytest.raises(ImportRejected, match="same version as .*first.json"):
        read_qualifications([first, other])


ROWS = [
    ("unit_number", "unit_title", "criterion_code", "criterion_description", "mandatory"),
    ("1", "One", "1.1", "First; second, third", "TRUE"), ("2", "Two", "1.1", "Tab", "no"),
    ("2", "Two", "1.2", "Ü", "No"),
]  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n"])
def test_a_csv_file_from_excel_is_read(delimiter: str, first: str):
    out = io.StringIO(first.format(delimiter), newline="")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out, delimiter=delimiter)
    for row in ROWS:
        # Excel writes empty columns where a cell was used once, and empty rows.
        writer.writerow([*row, "", ""])
        writer.writerow([""] * 7)
    writer.writerow([])
    draft = parse_csv(b"\xef\xbb\xbf" + out.getvalue().encode(), ImportOptions(title="T"))
    assert [(unit.number, unit.mandatory, len(unit.criteria)) for unit in draft.units] == [
        ("1", True, 1),
        ("2", False, 2),
    ]
    assert draft.units[0].criteria[0].description == "First; second, third"


def test_problems_of_the_mandatory_column():
    rows = "1,One,1.1,First,perhaps\n1,One,1.2,Second,\n2,Two,1.1,First,yes\n2,Two,1.2,Second,no\n"
    found = problems(parse_csv, (HEADER.strip() + ",mandatory\n" + rows).encode(), ImportOptions(title="T"))
    assert [place for place, _ in found] == ["line 2, mandatory", "line 5, mandatory"]


def test_a_csv_row_with_too_few_or_too_many_cells_is_a_problem():
    rows = "1,One,1.1\n1,One,1.2,Second,surplus\n"
    found = problems(parse_csv, (HEADER + rows).encode(), ImportOptions(title="T"))
    assert [place for place, _ in found] == ["line 2, criterion_description", "line 3"]
