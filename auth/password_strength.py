"""How easily a password is guessed. Slow for some passwords: it runs in a worker process."""

from zxcvbn import zxcvbn

# zxcvbn's time grows much faster than the length: 24 characters take at most 0.3 s, 72 take 3 s.
_MAX_RATED = 24
# Of 0 to 4: a score of 2 resists an online attack without a rate limit (a million guesses).
_MIN_SCORE = 2


def is_easily_guessed(password: str, own_words: list[str]) -> bool:
    """Returns whether a password is rated as easily guessed; a long one by its beginning and its end."""
    parts = [password[:_MAX_RATED]]
    if len(password) > _MAX_RATED:
        parts.append(password[-_MAX_RATED:])
    return all(zxcvbn(part, user_inputs=own_words)["score"] < _MIN_SCORE for part in parts)
