"""Counts the SQL statements of mutations: `Meter` runs one and records its statements, `every_mutation` runs all."""

import datetime as dt
from typing import Any

import pyotp
from graphql import get_named_type
from sqlalchemy import update
from structlog.testing import capture_logs

from db.models.user import User
from domain import clock
from services.demo import sample_files as files
from tests.support.client import SCHEMA, HttpClient, operation
from tests.support.http_server import PASSWORD, Clients
from tests.support.identity_login import Visit, configure
from tests.support.lookup import DIPLOMA, MATHEMATICS, STANDARD, aim_of, criteria, learner_id, qualification_id, user_id
from tests.support.openid_provider import OpenIdProvider
from tests.support.own_orders import own_orders
from tests.support.push_service import Browser
from tests.support.quality_statements import reviews_and_samples
from tests.support.smtp_server import Post, link_in

CHOSEN = "a heron on the weir"


class Meter:
    """`await meter(person, mutation, **arguments)` runs it with the smallest payload and records its statements."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def __call__(self, person: HttpClient, mutation: str, **arguments: Any) -> Any:
        payload: Any = get_named_type(SCHEMA.mutation_type.fields[mutation].type)  # type: ignore[union-attr]
        text = operation(mutation, *(_least(name, get_named_type(one.type)) for name, one in payload.fields.items()))
        with capture_logs() as logs:
            response = await person.response(text, **arguments)
        assert "errors" not in response, (response["errors"], logs)
        answer = response["data"][mutation]
        assert answer.pop("errors") == [], mutation
        (self.counts[mutation],) = [line["statements"] for line in logs if line["event"] == "operation"]
        named = payload.name.removesuffix("Payload")
        records = [answer.get(named[0].lower() + named[1:]), *answer.values()]
        return next((one["id"] for one in records if isinstance(one, dict) and "id" in one), answer)


# What is selected of types that have no id.
_SELECTED = {
    "UserError": "code field message", "Viewer": "role", "ProviderSettings": "reviewIntervalWeeks",
    "SamplingPolicy": "aimsPercent", "Download": "url", "FileUpload": "fileId url headers { name value }",
}  # fmt: skip


def _least(name: str, type_: Any) -> str:
    selected = _SELECTED.get(type_.name, "id")
    return f"{name} {{ {selected} }}" if hasattr(type_, "fields") else name


async def sent(person: HttpClient) -> str:
    sample = files.pdf("Wheel build record")
    return await person.upload(sample.name, sample.content_type, sample.content)


async def every_mutation(clients: Clients, post: Post) -> dict[str, int]:
    """Runs every mutation once, as a user with permission and with typical arguments. Returns name -> statements."""
    meter = Meter()
    await _signing_in(meter, clients, post)
    await _people(meter, clients)
    await _portfolio(meter, clients)
    await _plan_and_time(meter, clients)
    await _papers(meter, clients)
    await reviews_and_samples(meter, clients)
    await _second_factor(meter, clients)
    await _identity_provider(meter, clients)
    await _signing_code(meter, clients)
    await _version_change(meter, clients)
    await own_orders(meter, clients)
    return meter.counts


async def _signing_in(meter: Meter, clients: Clients, post: Post) -> None:
    person = await clients.anonymous()
    tokens = await meter(person, "login", input={"username": "fiona.grange", "password": PASSWORD, "role": None})
    tokens = await meter(person, "tokenRefresh", refreshToken=tokens["refreshToken"])
    await meter(person, "logout", refreshToken=tokens["refreshToken"])
    await meter(person, "passwordResetRequest", username="fiona.grange")
    token = link_in(await post.to("fiona.grange@northmoor.example")).partition("token=")[2]
    await meter(person, "passwordReset", input={"token": token, "newPassword": CHOSEN})
    await post.to("fiona.grange@northmoor.example")
    both = await clients("many.roles")
    await meter(both, "roleSwitch", role="IQA", refreshToken=both.tokens["refreshToken"])
    starter = await clients("new.starter")
    change = {"currentPassword": PASSWORD, "newPassword": CHOSEN}
    starter.use(await meter(starter, "passwordChange", input=change))
    await meter(starter, "disclaimerAccept")


async def _people(meter: Meter, clients: Clients) -> None:
    assessor, admin = await clients("assessor"), await clients("master.admin")
    site = await meter(assessor, "employerCreate", input={"name": "Ferry Lane", "parentId": None})
    await meter(assessor, "employerUpdate", id=site, input={"name": "Ferry Lane Works", "parentId": None})
    enrolled = {"name": "Ivo Brandt", "email": "ivo@example.org", "uln": None, "employerId": site}
    learner = await meter(assessor, "learnerEnrol", input=enrolled)
    await meter(assessor, "learnerUpdate", id=learner, input={"name": "Ivo Brant"})
    yesterday = (clock.today() - dt.timedelta(days=1)).isoformat()
    asked = {
        "learnerId": learner, "qualificationId": await qualification_id(assessor, MATHEMATICS),
        "assessorId": await user_id(assessor, "Priya Raman"), "iqaId": await user_id(assessor, "Gareth Pugh"),
        "startDate": yesterday, "plannedEndDate": (clock.today() + dt.timedelta(days=99)).isoformat(),
    }  # fmt: skip
    aim = await meter(assessor, "aimAdd", input=asked)
    await meter(assessor, "aimUpdate", id=aim, input={"status": "IN_TRAINING"})
    begun = {"aimIds": [aim], "startDate": yesterday, "reason": "ILLNESS"}
    await meter(assessor, "breakBegin", input=begun)
    found = await assessor.data("query($id: ID!) { aim(id: $id) { breaks { id } } }", id=aim)
    (pause,) = found["aim"]["breaks"]
    await meter(assessor, "breakUpdate", id=pause["id"], input={"note": "A broken wrist."})
    await meter(assessor, "breakEnd", id=pause["id"], returnedOn=clock.today().isoformat())
    await meter(assessor, "hoursAgree", aimId=aim, plannedMinutes=6000, priorLearningMinutes=0)
    person = await user_id(admin, "Ivo Brant")
    await meter(admin, "userUpdate", id=person, input={"email": "ivo.brant@example.org"})
    await meter(admin, "invitationResend", userId=person)
    invited = {"name": "Noor Malik", "email": "noor@example.org", "role": "EMPLOYER_MANAGER"}
    manager = await meter(assessor, "userInvite", input=invited)
    await meter(assessor, "employerManagerAllocate", userId=manager, learnerIds=[learner])
    await meter(assessor, "employerManagerDeallocate", userId=manager, learnerIds=[learner])
    handed = {"fromUserId": asked["assessorId"], "toUserId": await user_id(admin, "Colin Marsden"), "aimIds": [aim]}
    await meter(admin, "assessorHandOver", input=handed)
    await meter(admin, "roleGrant", userId=manager, role="EMPLOYER_OVERVIEW")
    await meter(admin, "employerOverviewAllocate", userId=manager, employerIds=[site])
    await meter(admin, "employerOverviewDeallocate", userId=manager, employerIds=[site])
    await meter(admin, "roleRevoke", userId=manager, role="EMPLOYER_OVERVIEW")
    await meter(admin, "userArchive", id=manager)
    await meter(admin, "providerSettingsUpdate", input={"reviewIntervalWeeks": 10})
    await meter(admin, "subjectAccessExport", learnerId=learner)
    await meter(admin, "learnerErase", id=learner, confirmName="Ivo Brant")


async def _portfolio(meter: Meter, clients: Clients) -> None:
    learner, assessor = await clients("learner"), await clients("assessor")
    aim = await aim_of(assessor, await learner_id(assessor, "Maya Thornton"), MATHEMATICS)
    await meter(learner, "fileUploadCreate", input={"name": "a.pdf", "contentType": "application/pdf", "size": 9})
    words = {"title": "Wheel", "description": "Built.", "declareOwnWork": True, "password": PASSWORD, "actionId": None}
    evidence = await meter(
        learner, "evidenceSubmit", input={**words, "aimId": aim["id"], "fileId": await sent(learner)}
    )
    await meter(assessor, "evidenceReturn", id=evidence, pointsForImprovement="Say why.")
    await meter(learner, "evidenceResubmit", id=evidence, input={"fileId": await sent(learner), "comment": "Said."})
    await meter(assessor, "evidenceSign", id=evidence, password=PASSWORD)
    left = [*criteria(aim, "NOT_STARTED"), *criteria(aim, "IN_PROGRESS")]
    judged = {"assessmentMethods": ["PRODUCT"], "mappings": [{"criterionId": one, "signOff": True} for one in left]}
    await meter(assessor, "evidenceAssess", id=evidence, input=judged)
    await meter(assessor, "unitSign", id=aim["units"][-1]["id"], password=PASSWORD)
    await meter(assessor, "evidenceUnmap", id=evidence, criterionIds=left)
    await meter(learner, "evidenceUpdate", id=evidence, input={"title": "Back wheel"})
    await meter(assessor, "evidenceWithdraw", id=evidence, reason="Another learner's wheel.")


async def _plan_and_time(meter: Meter, clients: Clients) -> None:
    learner, assessor = await clients("learner"), await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of(assessor, maya, STANDARD)
    await _choose(meter, assessor, maya)

    def at(days: int) -> dict[str, str]:
        # At night, because the demo's people have sessions in the afternoon.
        starts = clock.now() + dt.timedelta(days=days, hours=-3)
        starts = starts.replace(hour=2) if days > 0 else starts
        return {"startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(hours=1)).isoformat()}

    booking = {"learnerId": maya, "type": "GENERAL", "aimIds": [aim["id"]]}
    session = await meter(assessor, "sessionBook", input={**booking, **at(50)})
    await meter(assessor, "sessionUpdate", id=session, input=at(51))
    await meter(assessor, "sessionCancel", id=session)
    group = {"learnerIds": [maya], "type": "GENERAL", **at(-1)}
    await meter(assessor, "sessionBookMany", input=group)
    query = "query($id: ID!) { learner(id: $id) { sessions(first: 100) { nodes { id groupId } } } }"
    sessions = (await assessor.data(query, id=maya))["learner"]["sessions"]["nodes"]
    (met,) = [each for each in sessions if each["groupId"]]
    attendances = [{"sessionId": met["id"], "attended": True}]
    await meter(assessor, "sessionCompleteMany", groupId=met["groupId"], attendances=attendances)
    past = await meter(assessor, "sessionBook", input={**booking, **at(0)})
    await meter(assessor, "sessionBook", input={**booking, **at(60)})
    await meter(assessor, "sessionComplete", id=past, input={"attended": True, "feedback": "Good."})
    asked = {
        "learnerId": maya, "sessionId": past, "aimId": aim["id"], "kind": "ACTION", "title": "Read",
        "description": "All.", "targetDate": clock.today().isoformat(), "fileIds": [await sent(assessor)],
    }  # fmt: skip
    action = await meter(assessor, "actionSet", input=asked)
    await meter(assessor, "actionUpdate", id=action, input={"title": "Read it"})
    await meter(learner, "actionRespond", id=action, input={"learnerFeedback": "Done."})
    await meter(assessor, "actionComplete", id=action)
    await meter(assessor, "actionReopen", id=action)
    await meter(assessor, "actionDelete", id=action, reason="Set twice.")
    await meter(assessor, "sessionReopen", id=past, reason="Another learner came.")
    entry = {
        "learnerId": maya, "date": clock.today().isoformat(), "activityType": "COACHING_OR_MENTORING", "minutes": 30,
        "comments": "Shadowing.", "aimId": aim["id"], "unitId": aim["units"][0]["id"],
    }  # fmt: skip
    kept = await meter(learner, "timeLogEntryAdd", input=entry)
    await meter(learner, "timeLogEntryUpdate", id=kept, input={**entry, "minutes": 40})
    await meter(await clients("employer.manager"), "timeLogEntryConfirm", ids=[kept])
    await meter(assessor, "timeLogEntryApprove", ids=[kept])
    await meter(assessor, "timeLogEntryUnapprove", ids=[kept])
    wrong = await meter(learner, "timeLogEntryAdd", input=entry)
    await meter(learner, "timeLogEntryDelete", id=wrong)


async def _papers(meter: Meter, clients: Clients) -> None:
    learner, assessor = await clients("learner"), await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = (await aim_of(assessor, maya, STANDARD))["id"]
    for mutation in ("signatureRequestSign", "signatureRequestCancel"):
        asked = {"learnerId": maya, "title": "Review", "fileId": await sent(assessor), "roles": ["LEARNER", "ASSESSOR"]}
        request = await meter(assessor, "signatureRequestCreate", input=asked)
        if mutation == "signatureRequestSign":
            digest = (await learner.read("SignatureRequest", request))["document"]["sha256"]
            await meter(learner, mutation, id=request, documentSha256=digest, password=PASSWORD)
        else:
            await meter(assessor, mutation, id=request)
    asked = {
        "learnerId": maya,
        "title": "Plan",
        "fileId": await sent(assessor),
        "roles": ["LEARNER", "EMPLOYER_MANAGER"],
    }
    request = (await assessor.mutate("signatureRequestCreate", input=asked))["id"]
    guest = {"requestId": request, "role": "EMPLOYER_MANAGER", "name": "Jo", "email": "jo@garage.example"}
    await meter(assessor, "guestSignatureInvite", **guest)
    digest = (await learner.read("SignatureRequest", request))["document"]["sha256"]
    documents = [{"id": request, "documentSha256": digest}]
    await meter(learner, "signatureRequestSignMany", documents=documents, password=PASSWORD)
    await meter(learner, "messageSend", input={"aimId": aim, "subject": "Hello", "body": "There."})
    resource = await meter(
        assessor, "resourceAdd", input={"aimId": aim, "title": "Chart", "fileId": await sent(assessor)}
    )
    await meter(assessor, "resourceRemove", id=resource)
    await meter(learner, "cvSectionSave", name="SKILLS", text="Wheels.")
    document = await sent(learner)
    await meter(learner, "cvDocumentAdd", kind="CV", fileId=document)
    await meter(learner, "cvDocumentRemove", fileId=document)
    picture = files.portrait(1)
    photo = await learner.upload(picture.name, picture.content_type, picture.content)
    await meter(learner, "photoSet", fileId=photo)
    await meter(learner, "notificationSettingsUpdate", input={"emailFor": ["SIGN_DOCUMENT"], "digestHour": 7})
    browser = Browser("https://fcm.googleapis.com/fcm/send/none")
    await meter(learner, "pushSubscriptionAdd", input=browser.input)
    await meter(learner, "pushSubscriptionRemove", endpoint=browser.endpoint)


async def _choose(meter: Meter, assessor: HttpClient, learner: str) -> None:
    query = "query($id: ID!) { aim(id: $id) { units(chosenOnly: false) { id mandatory chosen } } }"
    diploma = (await aim_of(assessor, learner, DIPLOMA))["id"]
    units = (await assessor.data(query, id=diploma))["aim"]["units"]
    optional = [unit["id"] for unit in units if not unit["mandatory"]]
    await meter(assessor, "aimUnitsChoose", id=diploma, unitIds=optional)


async def _second_factor(meter: Meter, clients: Clients) -> None:
    admin, person = await clients("master.admin"), await clients("kwame.mensah")
    for mutation in ("secondFactorRemove", "secondFactorReset"):
        begun = await meter(person, "secondFactorEnrol", password=PASSWORD)
        code = pyotp.parse_uri(begun["uri"]).now()
        confirmed = await meter(person, "secondFactorConfirm", code=code)
        if mutation == "secondFactorRemove":
            await meter(person, mutation, code=confirmed["recoveryCodes"][0])
        else:
            viewer = (await person.data("{ viewer { user { id } } }"))["viewer"]
            await meter(admin, mutation, userId=viewer["user"]["id"])


async def _identity_provider(meter: Meter, clients: Clients) -> None:
    person, services = await clients.anonymous(), clients.running.server.services
    async with OpenIdProvider("https://app.example/kpi/") as openid:
        await configure(services.database, services.tokens.seals, 1, openid)
        openid.tell(person={"sub": "kwame", "email": "kwame.mensah@northmoor.example", "email_verified": True})
        (offered,) = (await person.data("{ identityProviders { id authorizationUrl } }"))["identityProviders"]
        # The first sign-in, which also links the account.
        await meter(person, "loginWithProvider", input=await Visit(openid.client.redirect_uri).input(offered))


async def _signing_code(meter: Meter, clients: Clients) -> None:
    person = await clients("kwame.mensah")
    async with clients.running.server.services.database.writing() as session:
        await session.execute(update(User).where(User.username == "kwame.mensah").values(has_password=False))
    await meter(person, "signingCodeRequest")


async def _version_change(meter: Meter, clients: Clients) -> None:
    assessor = await clients("assessor")
    aim = (await aim_of(assessor, await learner_id(assessor, "Joe Kelly"), STANDARD))["id"]
    query = "query($title: String) { qualifications(search: $title) { nodes { id version } } }"
    versions = (await assessor.data(query, title=STANDARD))["qualifications"]["nodes"]
    newest = await qualification_id(assessor, STANDARD)
    (other,) = [each["id"] for each in versions if each["id"] != newest]
    query = "query($id: ID!) { aim(id: $id) { units { number criteria { code } } } }"
    unit = (await assessor.data(query, id=aim))["aim"]["units"][0]
    number, code = unit["number"], unit["criteria"][0]["code"]
    step = {"fromUnitNumber": number, "fromCode": code, "toUnitNumber": number, "toCode": code}
    await meter(assessor, "aimVersionChange", id=aim, input={"qualificationId": other, "criterionMap": [step]})
