"""The lottery ticket: a sparse network that can be trained alone, from its own first weights.

Measured on a CPU, seed 0 (teacher 98.1 %). 90 % removed: 69.1 % without training; rewound and trained 8 epochs 95.8 %;
redrawn and trained 92.2 %; at every stop from 50 to 97 % the rewound network is ahead. 97 % removed: rewound after one
round 45.7 %, after four rounds 93.9 %.
`python -m compress curve --data digits --teacher mlp --method prune --set schedule=rewind --set recovery_epochs=8
--set recovery_rate=0.002 --set rounds=4`, or schedule=redraw.
"""

from pages.ui.lessons.lesson import DIGITS, PRUNE, TEACHER, Lesson, LessonStep, Question

TRAINED = {**DIGITS, "prune.recovery_epochs": "8", "prune.recovery_rate": "0.002"}
REWIND = {**TRAINED, "prune.schedule": "rewind"}

LESSON = Lesson("lottery-ticket", "The lottery ticket", "Whether a small network was inside the large one from the start.", (
    LessonStep(
        "A network, and the weights it began with",
        "Before training, all weights were random. Training made some of them large. Perhaps a small part of the network "
        "was well placed from the start, like a winning ticket (Frankle & Carbin 2019).", TEACHER, DIGITS,
        Question("Remove the 90 % smallest weights of the trained network and do nothing else. Its accuracy?",
                 ("about 98 %, as before", "about 70 %", "10 %: it guesses"), 1,
                 "About 70 %: much is lost, but far from everything.")),
    LessonStep(
        "90 % removed, and no training",
        "Only the mask matters here: which weights stay. They keep their trained values.", PRUNE,
        {**DIGITS, "prune.sparsity": "0.9"},
        Question("Now every weight that stays goes back to its **first, random value**, and only these weights are trained "
                 "for 8 epochs. How good is this tenth of the network?",
                 ("about 70 %", "about 85 %", "about 96 %"), 2,
                 "About 96 %, within a few points of the whole network. The mask and the first weights together are the "
                 "ticket."),
        "The masks further down: one threshold for all layers leaves the first about a fifth of its weights, the second "
        "only about 2 %."),
    LessonStep(
        "The ticket: mask and first weights",
        "This network was trained alone, with a tenth of the weights, for less than half as many epochs as its teacher.",
        PRUNE, {**REWIND, "prune.sparsity": "0.9"},
        Question("Is it the mask, or also the first weights? The control: the same mask and the same training, but **new** "
                 "random first weights. How good is it?",
                 ("as good", "a few points worse", "it learns nothing"), 1,
                 "A few points worse. The mask alone gives most of the accuracy, its own first weights the rest."),
        "Every stop of this curve is a ticket that was trained anew."),
    LessonStep(
        "The control: new first weights",
        "The same masks, with first weights drawn anew. From 50 % to 97 % removed, each stop lies below the ticket's. (One "
        "seed; change the seed on the Teacher page to see how far that holds.)", PRUNE,
        {**TRAINED, "prune.schedule": "redraw", "prune.sparsity": "0.9"},
        Question("At 97 % removed even the ticket fails: below 50 %. What if the same 97 % are removed in four rounds, each "
                 "followed by training?", ("the same", "a little better", "above 90 %"), 2,
                 "Above 90 %. A weight that is unimportant in the full network may be important in a sparse one; each "
                 "round measures it again."),
        "The dotted line of the ticket, measured one step ago."),
    LessonStep(
        "Four rounds",
        "Train, remove some, go back, train again: after four rounds 3 % of the weights are left, and the network is right "
        "on more than nine digits out of ten. Finding this ticket takes four times the training.", PRUNE,
        {**REWIND, "prune.rounds": "4", "prune.sparsity": "0.97"}, None,
        "The file is below 12 kB, about 18 times smaller than the teacher's."),
))
