"""The secrets of links in e-mails: derived when the mail is sent, for its address, while their key is there."""

import pytest

from auth.one_time_secrets import KeyRemoved, OneTimeSecrets

ADA = "ada@example.org"
OLD, NEW = {"2026a": b"o" * 32}, {"2027a": b"n" * 32}


def test_a_reference_becomes_its_secret() -> None:
    secrets = OneTimeSecrets(OLD)
    made = secrets.new(ADA)
    assert len(made.secret) == 43 and made.secret not in made.reference
    text = f"Open http://waymark.test/password?token={made.reference}\nor not."
    assert secrets.fill_in(text, ADA) == text.replace(made.reference, made.secret)
    # A second attempt to send the mail has the same link, also in another process.
    assert OneTimeSecrets(OLD).fill_in(made.reference, ADA) == made.secret
    assert secrets.new(ADA).secret != made.secret


def test_a_reference_in_a_mail_to_somebody_else_opens_nothing() -> None:
    made = OneTimeSecrets(OLD).new(ADA)
    for address in ("eve@example.org", "ada@example.com", "Ada@example.org", ""):
        assert OneTimeSecrets(OLD).fill_in(made.reference, address) != made.secret


def test_a_key_can_be_rotated_while_a_mail_waits() -> None:
    made = OneTimeSecrets(OLD).new(ADA)
    assert OneTimeSecrets({**NEW, **OLD}).fill_in(made.reference, ADA) == made.secret
    with pytest.raises(KeyRemoved):
        OneTimeSecrets(NEW).fill_in(made.reference, ADA)


def test_other_text_stays_as_it_is() -> None:
    for text in ("", "{one-time:}", "{one-time:0123456789ab:short}", "no reference"):
        assert OneTimeSecrets(OLD).fill_in(text, ADA) == text
