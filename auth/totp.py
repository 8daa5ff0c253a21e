"""Codes of an authenticator app: TOTP (RFC 6238), 6 digits, a new one every 30 seconds."""

import datetime as dt
import hmac

import pyotp

STEP_SECONDS = 30
# A clock that is one step late or early is accepted.
_TOLERANCE = 1
ISSUER = "Waymark"


def new_totp_secret() -> str:
    """Returns a secret of 160 random bits in base32, which the app and the server share."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, username: str) -> str:
    """Returns the otpauth URI, which an app reads from a QR code or a link."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: dt.datetime) -> int | None:
    """Returns the number of the 30-second step whose code this is; None if it is none of the accepted steps."""
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    found = None
    # All of them are compared, so that the time does not reveal which one it was.
    for step in range(current - _TOLERANCE, current + _TOLERANCE + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found
