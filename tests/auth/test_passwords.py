"""New passwords: what is rejected, where the work is done, and how much of it there can be."""

import asyncio
import subprocess
import sys
import threading

import pytest

from auth import password_strength, passwords
from auth.passwords import MAX_LENGTH, password_weakness, password_weakness_here
from db.worker_process import WorkerPool
from resolvers.exports import pdf
from tests.support.architecture import ROOT

# The letters that zxcvbn reads as others. Rating all of it took six seconds.
SUBSTITUTED = "4@8({[<3691!|70$5+7%2" * 3

WEAK = [
    "password", "password1", "Passw0rd!", "qwertyuiop", "12345678", "aaaaaaaaaaaa", "a" * 256, "password" * 9,
    "abcabcabcabc", "letmein99", "p4$$w0rd", "iloveyou", "1q2w3e4r", "99999999999999999999999999999999",
]  # fmt: skip
STRONG = [
    "correct horse battery staple", "x7#Kq!v2Lm", SUBSTITUTED, "a" * 40 + "x7#Kq!v2Lm",
    "the lathe in hall four is green", "éàüßøæñç", "暗号は長いほうがいい",
]  # fmt: skip


@pytest.mark.parametrize("password", WEAK)
async def test_passwords_that_are_easily_guessed(password: str) -> None:
    assert await password_weakness(password) == password_weakness_here(password) != None  # noqa: E711


@pytest.mark.parametrize("password", STRONG)
async def test_passwords_that_are_not(password: str) -> None:
    assert await password_weakness(password, "ada", "Ada Lovelace") is None
    assert password_weakness_here(password, "ada", "Ada Lovelace") is None


@pytest.mark.parametrize("password", ["short", "x" * (MAX_LENGTH + 1), "ada.lovelace1"])
async def test_what_breaks_a_rule_is_not_rated(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_rating", None)
    assert await password_weakness(password, "ada.lovelace", "Ada Lovelace")


def test_at_most_the_beginning_and_the_end_are_rated(monkeypatch: pytest.MonkeyPatch) -> None:
    rated: list[str] = []

    def rate(part: str, user_inputs: list[str]) -> dict[str, int]:
        rated.append(part)
        return {"score": 0}

    monkeypatch.setattr(password_strength, "zxcvbn", rate)
    assert password_strength.is_easily_guessed("abc" * 85, [])
    assert password_strength.is_easily_guessed("short one", [])
    assert rated == [("abc" * 85)[:24], ("abc" * 85)[-24:], "short one"]


def test_a_server_process_never_rates_a_password_itself() -> None:
    program = (
        "import asyncio, sys, auth.passwords as p, db.worker_process as w\n"
        f"assert asyncio.run(p.password_weakness({SUBSTITUTED!r})) is None\n"
        "assert asyncio.run(p.password_weakness('password1'))\n"
        "assert 'zxcvbn' not in sys.modules\n"
        "w.close_workers()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


async def test_the_requests_of_one_account_leave_the_queue_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool("auth.password_strength:is_easily_guessed", max_waiting=1)
    monkeypatch.setattr(passwords, "_rating", pool)
    try:
        # With one worker and one place in its queue, four of one account and one of another are all rated.
        mine = [password_weakness(SUBSTITUTED, "ada", "Ada Lovelace") for _ in range(4)]
        found = await asyncio.gather(*mine, password_weakness("password1", "bob", "Bob"))
    finally:
        pool.close()
    assert found[:4] == [None] * 4 and found[4]


def test_a_hash_costs_what_owasp_asks_for() -> None:
    """In a process of its own: here hashes are cheap."""
    program = "import auth.passwords as p; print(p._HASHER.hash('a'), p._UNKNOWN_USER_HASH)"
    printed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert [each.split("$")[1:4] for each in printed.stdout.split()] == [["argon2id", "v=19", "m=19456,t=2,p=1"]] * 2


async def test_hashes_are_made_by_threads_of_their_own() -> None:
    hashed = await asyncio.gather(*(passwords.hash_password("waymark-demo") for _ in range(4)))
    assert await passwords.passwords_match("waymark-demo", hashed) == [True] * 4
    names = {thread.name.partition("_")[0] for thread in passwords._hashing._threads}
    assert (names, len(passwords._hashing._threads)) == ({"hashing"}, 2)


async def test_exports_never_keep_a_sign_in_waiting() -> None:
    free = threading.Event()
    waiting = [pdf._threads.submit(free.wait) for _ in range(2 * pdf.MAX_THREADS)]
    try:
        async with asyncio.timeout(60):
            stored = await passwords.hash_password("waymark-demo")
            assert await passwords.passwords_match("waymark-demo", [stored]) == [True]
            assert await password_weakness("password1")
    finally:
        free.set()
    assert all(each.result() for each in waiting)


@pytest.mark.parametrize(
    "stored",
    [
        "$argon2id$v=19$m=8388608,t=2,p=1$c2FsdHNhbHRzYWx0$" + "a" * 43,  # 8 GiB
        "$argon2id$v=19$m=19456,t=100000,p=1$c2FsdHNhbHRzYWx0$" + "a" * 43,
        "$argon2id$v=19$m=19456,t=2,p=64$c2FsdHNhbHRzYWx0$" + "a" * 43,
        "$argon2id$v=19$m=19456,t=3,p=1$$",
        "$argon2id$v=19$m=19456,t=2,p=1$$",
        "$argon2id$v=19$m=19456,t=2,p=1$%%%$aaaa",
        "$argon2id$v=19$m=19456,t=2,p=1$YQ$aaaa",
        "$2b$12$abcdefghijklmnopqrstuv",
        "nothing",
        "",
    ],
)
async def test_a_hash_that_was_made_elsewhere_costs_no_more_and_breaks_no_login(stored: str) -> None:
    """A provider from another installation brings its hashes, and a login compares those of every provider."""
    own = await passwords.hash_password("the lathe in hall four", like=stored)
    assert await passwords.passwords_match("the lathe in hall four", [stored, own]) == [False, True]
