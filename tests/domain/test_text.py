"""What people type is cleaned, not refused; names are found and sorted however they are typed."""

import json
import unicodedata

import pytest

from domain.text import clean, clean_line, clean_lines, fold_name, fold_search, number_of

WALES = "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("line one\u000bline two", "line one\nline two"), ("a\u000cb\r\nc\rd\u2028e\u0085f", "a\nb\nc\nd\ne\nf"),
        ("a\u0003b\x00c", "abc"), ("10\u00a0kg", "10\u00a0kg"), ("\u200b\u2800", ""), ("\u3164\u00a0", ""),
        ("Eve\u202eliame", "Eveliame"), ("Zoe\u0301", "Zoé"), ("\ud800x", "x"),
        ("soft\u00adhyphen\ufeff", "softhyphen"),
        # Joiners stay where they join: Persian, a family, not at the ends.
        ("می\u200cخواهم", "می\u200cخواهم"), ("👩\u200d🔧", "👩\u200d🔧"), ("\u200dab\u200c \u200dc\u200d", "ab c"),
        # The flag of Wales is made of invisible characters; alone they go.
        (WALES, WALES),
        ("a\U000e0067b", "ab"), ("❤\ufe0f", "❤\ufe0f"), ("\t tabs\tstay ", "tabs\tstay"),
    ],
)  # fmt: skip
def test_text_is_cleaned(typed: str, kept: str) -> None:
    assert clean_lines(typed) == kept
    assert clean_lines(kept) == kept and unicodedata.is_normalized("NFC", clean(typed))


def test_a_line_has_one_space_between_words_and_keeps_those_that_are_not_ordinary() -> None:
    assert clean_line("  Mary \n\t Ann\u00a0Lee\u2800 ") == "Mary Ann\u00a0Lee\u2800"
    assert clean_line("\u00a0\u200b ") == ""


NAMES = {
    "Łukasz Wójcik": ["lukasz", "wojcik", "Łukasz", "LUKASZ W"], "Siân O’Brien": ["o'brien", "sian o’brien", "o brien"],
    "Søren Ægir": ["soren", "aegir"], "Đặng Văn": ["dang", "dang van"],
    "Mary Ann Lee": [" mary", "mary  ann", "maryann"],
    "Þóra Straße-Ðorn": ["thora", "strasse dorn", "STRASSE–DORN"], "İpek Işık": ["ipek", "isik", "ışık"],
    "Œuvre Ħalq": ["oeuvre", "halq"], "Jean-Luc": ["jean luc", "jeanluc", "jean‑luc"], "O'Neill": ["o´neill", "oneill"],
    "李小龙": ["小龙"], "Ελένη": ["ελενη"], "Юлия": ["юлия", "ЮЛИЯ"],
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_however_it_is_typed(name: str) -> None:
    for typed in NAMES[name]:
        assert fold_search(typed) in fold_search(name), json.dumps(typed)


def test_names_are_sorted_where_a_reader_looks_for_them() -> None:
    names = ["Zoë", "Øst", "Łukasz", "O'Brien", "Oakes", "De Silva", "Dean", "Ångström", "Smith-Jones", "Smith Adams"]
    assert sorted(names, key=fold_name) == [
        "Ångström", "De Silva", "Dean", "Łukasz", "Oakes", "O'Brien", "Øst", "Smith Adams", "Smith-Jones", "Zoë",
    ]  # fmt: skip


def test_one_is_singular() -> None:
    assert [number_of(count, "file") for count in (0, 1, 1200)] == ["0 files", "1 file", "1,200 files"]
    assert number_of(2, "person", "people") == "2 people"
