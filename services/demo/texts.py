"""The names of the demo's people and the texts of their records, all written for Waymark."""

from domain.enums import ActivityType, AssessmentMethod, CvSectionName, Role, SampleOutcome

DISCLAIMER = (
    "This portfolio holds personal data and work that will be assessed. Use it for your apprenticeship only, submit "
    "only work that is the learner's own, keep your password to yourself, and do not share what you see here about "
    "other people."
)

GIVEN_NAMES = (
    "Aisha", "Alfie", "Amelia", "Amir", "Beth", "Caleb", "Callum", "Chloe", "Daisy", "Danesh", "Dylan", "Eleri",
    "Ellis", "Erin", "Farah", "Finlay", "Freya", "George", "Grace", "Hamza", "Hannah", "Harvey", "Imogen", "Isaac",
    "Isla", "Jamie", "Jasmin", "Joe", "Kayleigh", "Keira", "Leon", "Lewis", "Lola", "Maisie", "Mateusz", "Megan",
    "Mohammed", "Nia", "Niamh", "Oliver", "Oscar", "Poppy", "Rhys", "Rosie", "Ruby", "Samir", "Scarlett", "Sean",
    "Sophie", "Tariq", "Theo", "Tom", "Tyler", "Yasmin", "Zara", "Zofia",
)  # fmt: skip

FAMILY_NAMES = (
    "Adeyemi", "Ahmed", "Allen", "Barker", "Begum", "Bennett", "Booth", "Brennan", "Carter", "Chapman", "Clarke",
    "Cooper", "Davies", "Dixon", "Doyle", "Edwards", "Ellis", "Fletcher", "Fox", "Garner", "Gill", "Graham", "Hall",
    "Harris", "Holt", "Hughes", "Hussain", "Ingham", "Jackson", "Kaur", "Kelly", "Khan", "Kowalska", "Lawson", "Lees",
    "Marsh", "Mills", "Moore", "Murray", "Nowak", "Okafor", "Osborne", "Parry", "Patel", "Price", "Rahman", "Reid",
    "Roberts", "Shaw", "Singh", "Sutton", "Thorpe", "Turner", "Walsh", "Ward", "Webb", "Wood", "Wright", "Young",
)  # fmt: skip

# (title, description, key of the sample file, assessment methods)
EVIDENCE: tuple[tuple[str, str, str, tuple[AssessmentMethod, ...]], ...] = (
    ("Building a rear wheel", "Record of a 32-spoke wheel that I laced, tensioned and trued, with my measurements.",
     "wheel", (AssessmentMethod.PRODUCT, AssessmentMethod.QUESTION_AND_ANSWER)),
    ("Bleeding a hydraulic brake", "Log of a front brake that came back to the bar, from first check to test ride.",
     "brake", (AssessmentMethod.PRODUCT, AssessmentMethod.OBSERVATION)),
    ("Risk assessment of my workstation", "What I found, what I put right at once, and what I reported.",
     "risk", (AssessmentMethod.PRODUCT, AssessmentMethod.PROFESSIONAL_DISCUSSION)),
    ("A fault that showed only under load", "Why the gears slipped on hills, how I found out, what I would do sooner.",
     "account", (AssessmentMethod.REFLECTIVE_ACCOUNT,)),
    ("My workstation at the end of the day", "Photograph, taken before I went home, with everything in its place.",
     "photo", (AssessmentMethod.PERSONAL_STATEMENT, AssessmentMethod.PRODUCT)),
    ("Truing a rotor", "Photograph of the rotor after truing; it was 0.6 mm out before.",
     "rotor", (AssessmentMethod.PRODUCT,)),
    ("Job cards from one week", "The jobs that I opened, updated and closed, with parts and minutes.",
     "jobs", (AssessmentMethod.PRODUCT, AssessmentMethod.QUESTION_AND_ANSWER)),
    ("Measuring wear", "Workbook of chains and cassettes that I measured, with what I advised.",
     "measurements", (AssessmentMethod.PROJECT, AssessmentMethod.PROFESSIONAL_DISCUSSION)),
    ("Answers on bearings", "My answers to the workbook, with drawings of a cup-and-cone hub.",
     "bearings", (AssessmentMethod.EXAM_OR_TEST, AssessmentMethod.QUESTION_AND_ANSWER)),
    ("Working safely on batteries", "My answers after the handout and a morning on the battery bench.",
     "batteries", (AssessmentMethod.QUESTION_AND_ANSWER, AssessmentMethod.SIMULATION)),
)  # fmt: skip

WITNESS = ("Witness statement: taking in jobs", "What I saw on Saturday morning, as the manager of the workshop.")
OBSERVATION = ("Observation in the workshop", "What I observed during my visit, and the questions that I asked.")

ASSESSED = (
    "Clear and complete. I could follow every step, and your measurements are where they should be.",
    "Good work. Next time, say why you chose this method and not another.",
    "This covers more than you claimed for it; I have mapped it to further criteria.",
    "You explained your mistake and what you learned from it, which is worth more than getting it right by luck.",
    "Well observed. Please keep the photographs this sharp in future.",
)

RETURNED = (
    "Please add the torque figures and where you found them.",
    "Tell me in your own words why the cassette had to be replaced too; at the moment only the invoice says so.",
    "The photograph does not show the part that you describe. Take it again, closer, with the part marked.",
    "You describe what your colleague did. I need to see what you did, and how you knew that it was right.",
)

RESUBMITTED = (
    "I have added the torque figures and a photograph of the page they come from.",
    "I rewrote the second part and say now what I measured and why.",
    "New photograph, closer, with the part circled.",
)

PLANNING = (
    "Go through the progress map together; look at two units that can be closed this month.",
    "Observation of a brake service from intake to hand-over, then questions.",
    "Talk about the points for improvement, then plan the next pieces of evidence.",
    "Mathematics: ratios, with the gear tables from the workshop.",
    "Look at the time log together and catch up what is missing.",
)

FEEDBACK = (
    "A good session. You explained bearing preload without notes, and we found evidence for three more criteria.",
    "You were well prepared. Two actions were set; please start with the one that has the earlier date.",
    "Progress since last time is clear. Keep the time log going week by week, it is easier than catching up.",
    "We talked about confidence with customers. Try the intake checklist alone next Saturday and tell me how it went.",
    "Short but useful. The mathematics is coming on: percentages are no longer a problem.",
)

REVIEW_FEEDBACK = "Review with the employer. Targets were agreed and are set as actions; everybody signs the record."
INDUCTION_NOTES = "Welcome, how the portfolio works, initial assessment, health and safety, and the training plan."
INDUCTION_FEEDBACK = "Induction completed. The training plan was explained, and everybody's duties were agreed."

# (title, description, key of the sample file or None)
ACTIONS: tuple[tuple[str, str, str | None], ...] = (
    ("Workbook: bearings", "Work through all questions and submit the workbook as evidence.", "bearings"),
    ("Questions: working safely on batteries",
     "Answer in your own words. Ask on the battery bench if you are not sure.", "batteries"),
    ("Write a reflective account", "Choose a repair that did not go to plan. One page is enough.", None),
    ("Photograph a wheel build", "Five photographs from lacing to truing, each with one sentence.", None),
    ("Catch up the time log", "Log the last four weeks, day release included.", None),
    ("Measure ten chains", "Use the workbook. Bring it to our next session.", None),
    ("Ask for a witness statement", "Ask your manager to describe how you take in a job.", None),
    ("Practise percentages", "Work out the discount and the tax on five real quotations.", None),
)  # fmt: skip

ACTION_FEEDBACK = (
    "I've done this and added it to the evidence library.",
    "Finished, apart from the last question: can we look at that together?",
    "Done. It took longer than I thought because I did one part twice.",
)

TIME_LOG: dict[ActivityType, tuple[str, ...]] = {
    ActivityType.TRAINER_LED_TRAINING: (
        "Day release: wheel building. I learned to bring both sides up together, which saves me half the truing.",
        "Day release: hydraulic brakes. I can now tell air in the line from worn pads before taking anything apart.",
        "Day release: electrical systems. I know how to isolate a battery and prove it, so I can help on those jobs.",
        "Day release: customers and the law. I understand why consent is needed before further work.",
    ),
    ActivityType.DISTANCE_LEARNING_OR_SELF_STUDY: (
        "Worked through the bearings workbook. Preload makes sense to me now.",
        "Read the maker's service manual for the new motors before the first one came in.",
        "Practised percentages online; quotations are quicker now.",
    ),
    ActivityType.COACHING_OR_MENTORING: (
        "Shadowed the senior technician on a suspension service. I saw how she keeps the parts in order.",
        "My mentor showed me how to listen to a customer before looking at the cycle.",
    ),
    ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB: (
        "Fitted my first bottom bracket alone, with somebody checking the torque.",
        "Set up twelve new cycles; I am down to fifty minutes each without leaving anything out.",
    ),
    ActivityType.REVIEW_FEEDBACK_OR_SUPPORT: (
        "One-to-one with my manager. I will take in jobs on my own from next month.",
        "Appraisal. I am to work on explaining costs before the customer asks.",
    ),
    ActivityType.ASSESSMENT_OR_EXAMINATION: (
        "Went through my practice test and found out why I lost marks on units.",
    ),
}  # fmt: skip

CV: dict[CvSectionName, str] = {
    CvSectionName.PERSONAL_PROFILE: "Apprentice cycle technician who likes to find out why something does not work.",
    CvSectionName.EDUCATION: "GCSEs including design and technology, science, English and mathematics.",
    CvSectionName.EMPLOYMENT: "Apprentice in a cycle workshop. Before that a Saturday job in a hardware shop.",
    CvSectionName.SKILLS: "Wheel building, brakes, patient with customers, careful records.",
    CvSectionName.INTERESTS: "Restoring old frames, long rides, and a bicycle kitchen on Thursday evenings.",
}

WITHDRAWN = (
    "I uploaded the wrong file. The right one follows.", "This belongs to my mathematics course.",
    "A customer's name can be read in the photo.",
)  # fmt: skip

# (title, key of the sample file)
RESOURCES = (("Torque chart", "torque"), ("Handout: handling batteries", "handout"))
COURSE_FILES = (("Course handbook", "handbook"),)

# What each role says in a review, under these headings.
REVIEW_HEADINGS = ("progress_since_last", "concerns", "changes_to_plan", "next_steps")
REVIEW_ANSWERS: dict[Role, tuple[tuple[str | None, ...], ...]] = {
    Role.ASSESSOR: (
        (
            "Evidence comes in every week, well described. The last two units were finished ahead of the plan.",
            "The time log has gaps in the busy weeks of the workshop.",
            "Hydraulic brakes come before wheel building, because the workshop has more of that work now.",
            "Two pieces of evidence for brakes by the end of the month, and the time log every Friday.",
        ),
        (
            "Good progress in the workshop units. Mathematics needs more time.",
            None,
            None,
            "An extra hour of mathematics every second week, and a mock test before the next review.",
        ),
    ),
    Role.LEARNER: (
        (
            "I can now build a wheel on my own, and I have started on electric bikes.",
            "I find it hard to write things down when the shop is full.",
            None,
            "Write the time log on Fridays before I clean my stand.",
        ),
        ("I passed the mock test, and I take jobs in at the counter.", None, None, "More jobs with customers."),
    ),
    Role.EMPLOYER_MANAGER: (
        (
            "Reliable and careful, and customers ask for them by name.",
            "We are one mechanic short until the spring, so training days have to be planned early.",
            None,
            "A fixed training day each week from the first of the month.",
        ),
        ("Much quicker than three months ago.", None, None, "Time with our electric bike specialist."),
    ),
}
SAMPLE_COMMENTS = {
    SampleOutcome.ACCEPTED: "Well chosen evidence, and the feedback says what it shows.",
    SampleOutcome.ACTION_REQUIRED: "The photos show the result. What was done is described, but not dated.",
    SampleOutcome.REJECTED: "One photo does not show that the criterion was met more than once.",
}
# What has to be done, and what the assessor did; the first is closed.
SAMPLE_ACTIONS = (
    ("Add the date to the feedback.", "Added, with the date of the visit."),
    ("Ask for a second photo of the finished work.", "Asked at the last session; the learner brings it along."),
    ("Say in the feedback which criterion each photo is for.", None),
)
REOPENED = "The hours of the autumn term were missing."
