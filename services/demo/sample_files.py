"""Sample files of the demo, made in code: PDFs, Word documents, a workbook, tables and pictures of our own."""

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from xml.sax.saxutils import escape

import typst
import xlsxwriter

from services.demo import pictures

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# Office files carry dates; with a fixed one the same words always give the same bytes.
_MADE = datetime(2026, 1, 5, 9, 0)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as somebody would upload it."""

    name: str
    content_type: str
    content: bytes


# Title, then paragraphs; one that begins with "- " is an item of a list.
PAGES: dict[str, tuple[str, ...]] = {
    "Wheel build record": (
        "Rear wheel, 32 spokes, three cross, for a hybrid cycle. Rim and hub were checked for damage before lacing.",
        "- Spoke length worked out from rim and hub: 292 mm left, 290 mm right.",
        "- Lateral true within 0.3 mm, radial true within 0.4 mm, dish within 0.5 mm.",
        "- Tension even to within a tenth on each side; the wheel was stressed by hand and trued again.",
        "I had to slacken the left side twice because I brought it up too early. Next time I will bring both sides up "
        "together in quarter turns.",
    ),
    "Brake bleed log": (
        "Hydraulic disc brake, front. The lever came back to the bar after a long descent.",
        "- Pads out, bleed block in, lever level. Fluid as named on the reservoir.",
        "- Old fluid was dark and held air. Bled from the caliper upwards until no bubbles came.",
        "- Rotor and new pads cleaned, bedded in with twenty stops, leak check under pressure.",
        "Used fluid went into the marked container. The customer was shown the lever before and after.",
    ),
    "Risk assessment of my workstation": (
        "Carried out before the start of work, together with the workshop supervisor.",
        "- Trip hazard: air line across the walkway. Moved to the ceiling reel on the same day.",
        "- Solvent bath: lid left open. Lid closed, reminder put up, gloves and goggles beside it.",
        "- Lifting: cargo cycles above 25 kg. Two people or the electric stand, always.",
        "To be looked at again in three months, or when the layout changes.",
    ),
    "Reflective account": (
        "This week I dealt with a customer whose gears had been set up twice and still slipped on hills.",
        "I listened first and asked when it happened. On the stand everything was perfect, so I loaded the cranks with "
        "the brake on and heard it: the chain was worn past its limit, and the new cassette would not hold it.",
        "I learned that a fault that shows only under load has to be looked for under load, and that it is better to "
        "ask three questions than to make three adjustments. I now measure the chain before I touch a gear.",
    ),
    "12-week progress review": (
        "This review was held with the apprentice, the employer and the training adviser.",
        "- Progress since the last review: see the progress map of each aim.",
        "- Off-the-job learning: logged each week and discussed.",
        "- Safeguarding, wellbeing and equality were talked about; no concerns were raised.",
        "- Targets for the next twelve weeks: set as actions in the learning plan.",
        "By signing, each of us confirms that this is a true record of what was said.",
    ),
    "Training plan": (
        "This plan says what the apprentice, the employer and the training provider have agreed.",
        "- The apprentice attends day release, keeps the time log and submits evidence by the dates agreed.",
        "- The employer gives paid time for off-the-job learning, a mentor, and work that meets the standard.",
        "- The provider teaches, visits at least every four weeks, and reviews progress every twelve.",
        "Changes are agreed in writing by all three.",
    ),
    "Individual learning plan": (
        "Starting point: initial assessment, what the apprentice has done before, and what they would like to do next.",
        "- Units are taken in the order that suits the work that comes into the workshop.",
        "- Mathematics is worked on every second week, with tasks taken from real job cards.",
        "- Support: coloured paper for handouts, and extra time for written questions.",
    ),
    "Workbook: bearings": (
        "Answer in your own words. Drawings are welcome.",
        "- Draw a cup-and-cone bearing and name its parts.",
        "- How do you know that preload is too high? How do you know that it is too low?",
        "- A hub has pitted cones and a sound cup. What do you replace, and why?",
        "- List the steps of a headset service in order, with the tools for each.",
    ),
    "Questions: working safely on batteries": (
        "Use the handout and what you have seen in the workshop.",
        "- What do you check before you remove a battery?",
        "- Where are damaged batteries kept here, and who is told?",
        "- A battery is warm to the touch an hour after charging. Write down what you do, in order.",
    ),
    "Torque chart": (
        "Always read the maker's own figure first. These are for practice pieces only.",
        "- Stem face plate: 5 Nm, in a cross, in three rounds.",
        "- Seat clamp, carbon post: 5 Nm with assembly paste.",
        "- Crank bolt, square taper: 38 Nm. Cassette lock ring: 40 Nm. Rotor lock ring: 40 Nm.",
    ),
    "Handout: handling batteries": (
        "Isolate, then test, then work. A battery that has been dropped is damaged until it is shown to be sound.",
        "- Charge on a hard surface, away from the way out, and never overnight in an empty building.",
        "- A damaged battery goes outside, onto the sand tray, and the supervisor is called.",
    ),
    "Course handbook": (
        "What you can expect from us, and what we expect from you.",
        "- Day release is on Tuesdays. Bring your own protective footwear.",
        "- Log learning in the week in which it happens.",
        "- Evidence is looked at within ten working days.",
        "- If you are stuck, say so early. Your training adviser is there for that.",
    ),
    "Curriculum vitae": (
        "Apprentice cycle technician. I like finding out why something does not work.",
        "- Now: apprentice in a cycle workshop, with day release.",
        "- Before: Saturday job in a hardware shop; work experience with a bicycle recycling project.",
        "- School: GCSEs including design and technology, science and English.",
    ),
    "Job description: apprentice cycle technician": (
        "Reports to the workshop supervisor. Works five days a week, one of them on day release.",
        "- Prepares new cycles, services and repairs customers' cycles under supervision, later alone.",
        "- Keeps the workshop safe and tidy, and the job records complete.",
    ),
    "Company profile": (
        "A family of cycle shops with workshops on the coast, and a head office that looks after buying and training.",
        "- We repair anything that rolls, and we would rather mend than sell.",
        "- Apprentices have been a part of every workshop since the first.",
    ),
}  # fmt: skip


@cache
def pdf(title: str) -> Sample:
    """One of the pages above as a PDF of A4."""
    items = "\n\n".join(
        f"#list[#{_quoted(text[2:])}]" if text.startswith("- ") else f"#{_quoted(text)}" for text in PAGES[title]
    )
    source = (
        f"#set document(title: {_quoted(title)}, date: none)\n"
        "#set page(paper: \"a4\", margin: 25mm, numbering: \"1\")\n"
        "#set text(size: 11pt, lang: \"en\", region: \"GB\")\n"
        f"#text(size: 18pt, weight: \"bold\", {_quoted(title)})\n\n{items}\n"
    )  # fmt: skip
    return Sample(f"{_file_name(title)}.pdf", PDF, typst.compile(source.encode()))


@cache
def docx(title: str) -> Sample:
    """One of the pages above as a Word document."""

    def paragraph(text: str, large: bool = False) -> str:
        style = '<w:rPr><w:b/><w:sz w:val="36"/></w:rPr>' if large else ""
        return f'<w:p><w:r>{style}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'

    lines = paragraph(title, large=True) + "".join(
        paragraph("\u2022 " + text[2:] if text.startswith("- ") else text) for text in PAGES[title]
    )
    opening = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" '
        f'ContentType="{DOCX}.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        f"{lines}</w:body></w:document>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _MADE.timetuple()[:6]), opening + text, zipfile.ZIP_DEFLATED)
    return Sample(f"{_file_name(title)}.docx", DOCX, out.getvalue())


@cache
def measurements() -> Sample:
    """A workbook of drivetrain measurements."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": "Drivetrain measurements", "created": _MADE})
        sheet = workbook.add_worksheet("Chains")
        sheet.set_column(0, 0, 14)
        bold = workbook.add_format({"bold": True})
        sheet.write_row(0, 0, ["Job", "Chain wear %", "Cassette", "Advice"], bold)
        rows = [
            ("J-1042", 0.4, "sound", "keep"),
            ("J-1047", 0.8, "worn", "replace both"),
            ("J-1053", 0.6, "sound", "chain"),
        ]
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)
    return Sample("Drivetrain measurements.xlsx", XLSX, out.getvalue())


@cache
def job_cards() -> Sample:
    """A table of job cards."""
    lines = (
        "job,cycle,reported,found,minutes",
        "J-1042,hybrid,gears slip under load,chain and cassette worn,55",
        "J-1047,cargo,brake squeals,pads contaminated,40",
        "J-1053,folding,wobbles at speed,headset loose,35",
        "J-1060,electrically assisted,no assistance,speed sensor out of place,25",
    )
    return Sample("Job cards.csv", "text/csv", "\r\n".join((*lines, "")).encode())


@cache
def witness_statement() -> Sample:
    """A plain text, as a manager would type it."""
    text = (
        "Witness statement\n\n"
        "I watched the apprentice take in three jobs on Saturday morning. Each customer was listened "
        "to, the cycle was looked at together, and the price was agreed before the job card was opened. One customer "
        "wanted to ride home on a cracked fork: the apprentice explained the risk calmly, wrote the safety notice and "
        "called me.\n"
    )
    return Sample("Witness statement.txt", "text/plain", text.encode())


@cache
def workstation_photo() -> Sample:
    return Sample("Workstation.png", "image/png", pictures.workstation())


@cache
def rotor_photo() -> Sample:
    return Sample("Rotor after truing.jpg", "image/jpeg", pictures.rotor_photo())


@cache
def portrait(number: int) -> Sample:
    """A drawn portrait; each number has a look of its own."""
    return Sample("Photo.png", "image/png", pictures.portrait(number))


def _file_name(title: str) -> str:
    return title.replace(":", " -")


def _quoted(text: str) -> str:
    """A Typst string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
