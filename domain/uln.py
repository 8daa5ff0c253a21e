"""The Unique Learner Number (ULN): nine digits and a check digit."""

from collections.abc import Sequence

_WEIGHTS: Sequence[int] = range(10, 1, -1)


def is_uln(text: str) -> bool:
    """Returns whether the text is a valid ULN: ten digits, the first not 0, the last the check digit.

    The first nine digits are weighted by 10 to 2 and summed. The check digit is 10 less the sum modulo 11; a number
    whose sum is divisible by 11 has no check digit and is not a ULN.
    """
    if len(text) != 10 or not (text.isascii() and text.isdecimal()) or text[0] == "0":
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)) % 11
    return remainder != 0 and int(text[9]) == 10 - remainder
