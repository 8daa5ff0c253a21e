"""The Unique Learner Number: ten digits, the last of which checks the others."""

from collections.abc import Sequence

_WEIGHTS: Sequence[int] = range(10, 1, -1)


def is_uln(text: str) -> bool:
    """Whether the text is a ULN: ten digits, the first not 0, the last the check digit of the nine before it.

    The nine digits times 10 to 2 are summed; 10 less the remainder by 11 is the check digit. For 0 there is none.
    """
    if len(text) != 10 or not (text.isascii() and text.isdecimal()) or text[0] == "0":
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)) % 11
    return remainder != 0 and int(text[9]) == 10 - remainder
