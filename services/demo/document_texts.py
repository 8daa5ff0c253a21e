"""The texts of the demo's documents, from which PDFs and Word documents are made. Written for Waymark."""

# Title -> paragraphs; one that begins with "- " is a list item.
DOCUMENTS: dict[str, tuple[str, ...]] = {
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
        "- Where are damaged batteries kept here, and who must know?",
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
        "- We repair anything that rolls, and we would rather repair than sell.",
        "- Apprentices have been a part of every workshop since the first.",
    ),
}  # fmt: skip
