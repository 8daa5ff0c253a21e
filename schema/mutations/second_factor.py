"""Mutations of codes: of an authenticator app, as a second factor, and by e-mail, in place of a password."""

import strawberry

from resolvers.authentication import second_factor, signing_code
from resolvers.user import second_factor as reset_by_admin
from schema.mutations.authentication import ViewerPayload
from schema.mutations.user import USER_ID, UserPayload
from schema.payload import mutation, payload, required, result, signed_in
from schema.types.viewer import Viewer


@payload("What a user gets once while they set up a second factor.")
class SecondFactorPayload:
    uri: str | None = result(
        "The `otpauth` URI of the new factor: show it as a QR code and as a link for an authenticator app. Null once "
        "the factor is confirmed.",
        part="uri",
    )
    recovery_codes: list[str] = result(
        "After `secondFactorConfirm`: 10 codes, each of which replaces the app once. Ask the user to keep them; "
        "they are not shown again.",
        make=lambda context, enrolment: list(enrolment.recovery_codes),
    )
    viewer: Viewer | None = signed_in("The viewer after the change.")


@payload("The result of a request for a code to sign with.")
class SigningCodeRequestPayload:
    sent_to: str | None = result("Where the code was sent, as a hint such as `m…@example.org`.")


@strawberry.type
class SecondFactorMutations:
    second_factor_enrol = mutation(
        SecondFactorPayload,
        second_factor.enrol,
        "Begins to set up an authenticator app (TOTP: 6 digits, every 30 seconds) as the viewer's second factor. It "
        "protects the account once `secondFactorConfirm` has had a code. Beginning again replaces what was begun.",
        password=required(str, "The viewer's own password; for a viewer without one, a code of `signingCodeRequest`."),
    )
    second_factor_confirm = mutation(
        SecondFactorPayload,
        second_factor.confirm,
        "Confirms the second factor with a code of the app. From then on `login` needs a code. Returns the recovery "
        "codes, once.",
        code=required(str, "The code that the app shows."),
    )
    second_factor_remove = mutation(
        ViewerPayload,
        second_factor.remove,
        "Removes the viewer's second factor and its recovery codes.",
        code=required(str, "A code of the app, or a recovery code."),
    )
    second_factor_reset = mutation(
        UserPayload,
        reset_by_admin.reset,
        "Removes the second factor of a user who has lost it, and notifies them by e-mail. For a Master Admin, and "
        "never for themself.",
        user_id=USER_ID,
    )
    signing_code_request = mutation(
        SigningCodeRequestPayload,
        signing_code.request,
        "Sends a viewer who has no password a code by e-mail, which replaces the password for one signature: valid "
        "once, for 10 minutes, in this login. A code of the viewer's authenticator app does the same.",
    )
