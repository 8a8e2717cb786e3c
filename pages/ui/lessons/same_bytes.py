"""The same bytes, three ways: some 25 kB by low rank, pruning and distillation.

Measured on a CPU, seed 0 (teacher 203,216 bytes, 98.1 %): low rank, whitened, 8 % of the ranks 26,952 bytes, 83.3 %;
second-order pruning, 90 % removed 27,249 bytes, 92.2 %; student of width 20 %, 30 epochs, 22,080 bytes, 97.8 %, its
control 98.1 %; pruned, rewound and trained 8 epochs 27,249 bytes, 95.8 %.
"""

from pages.ui.lessons.lesson import COMPARE, DIGITS, DISTILL, LOW_RANK, PRUNE, TEACHER, Lesson, LessonStep, Question

LESSON = Lesson("same-bytes", "The same bytes, three ways", "Which method makes the most of 25 kB, and what it takes.", (
    LessonStep(
        "203 kB must become about 25 kB",
        "The teacher's file is to become eight times smaller. Three ways: keep few ranks of each matrix; keep few weights; "
        "or train a small network on the teacher's outputs.", TEACHER, DIGITS,
        Question("Which way is the most accurate at about 25 kB?",
                 ("low rank", "pruning, the others refitted", "a small student"), 2,
                 "The student, clearly. But it is trained from the start; the two others take the teacher's weights and "
                 "need no training at all.")),
    LessonStep(
        "Low rank: 27 kB",
        "8 % of the ranks are kept. One decomposition, no training, a second of work: and about 15 points are lost.",
        LOW_RANK,
        {**DIGITS, "method": "low_rank", "low_rank.keep": "0.08", "low_rank.coding": "none"},
        Question("Pruning leaves 10 % of the weights, refitted, in a file of the same size. Better or worse than low rank?",
                 ("worse", "the same", "better"), 2,
                 "Better, by several points: on this network single weights are a finer choice than ranks."),
        "The whole curve bends above 30 kB: eight times smaller is past what low rank can do here."),
    LessonStep(
        "Pruning: 27 kB",
        "10 % of the weights are left, refitted by second-order information from calibration data. No training either.",
        PRUNE,
        {**DIGITS, "prune.criterion": "second_order", "prune.sparsity": "0.9", "prune.coding": "none"},
        Question("Next comes a small student, trained on the teacher's outputs. How good is the same small network if it is "
                 "trained on the labels alone?",
                 ("far worse than the student", "a few points worse", "as good, within noise"), 2,
                 "As good, within noise. With all labels at hand, a small network for these digits needs no teacher; see "
                 "the lesson *Dark knowledge* for where it does."),
        "The file stores places as well as weights; without them it would be smaller still."),
    LessonStep(
        "A student: 22 kB",
        "A network of 60 and 20 hidden units, trained for 30 epochs on the teacher's outputs: the smallest file of the "
        "three, and as accurate as the teacher within noise.", DISTILL,
        {**DIGITS, "distill.width": "0.2", "distill.epochs": "30", "distill.temperatures": "none",
         "distill.coding": "none"},
        None,
        "The chart of gains: does the interval at this width contain zero?"),
    LessonStep(
        "Side by side",
        "All networks measured so far, on one plane. The fair reading: students cost training and data, low rank and "
        "pruning cost seconds and no training; trained again after pruning, the gap narrows (lesson *The lottery ticket*).",
        COMPARE, DIGITS, None,
        "No network is both smaller and more accurate than one on the line."),
))
