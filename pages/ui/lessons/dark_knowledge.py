"""Dark knowledge: a student that recognises a digit which it was never shown.

Measured on a CPU, seed 0: the student of width 20 % recognises 30 of 36 threes at T = 8 (96.4 % of all digits), none at T
= 1 (88.3 %), and its control, trained on labels alone, none (88.3 %). With 50 labels: 97.8 % against 81.9 % for its
control.
`python -m compress curve --data digits --teacher mlp --method distill --set omit=3 --set alpha=1 --set temperature=8
--set temperatures=1`; with 50 labels `--set labelled=50 --set alpha=1 --set epochs=20` instead.
"""

from pages.ui.lessons.lesson import DIGITS, DISTILL, TEACHER, Lesson, LessonStep, Question

UNSEEN = {**DIGITS, "distill.width": "0.2", "distill.omit": "3", "distill.alpha": "1.0", "distill.temperatures": "none"}
LABELS = {**DIGITS, "distill.width": "0.2", "distill.labelled": "50", "distill.alpha": "1.0", "distill.epochs": "20",
          "distill.temperatures": "none"}

LESSON = Lesson("dark-knowledge", "Dark knowledge", "Why the wrong answers of a teacher are worth learning.", (
    LessonStep(
        "A teacher gives ten numbers, not one answer",
        "This network recognises about 98 % of the digits. For each image it gives ten probabilities; the label gives "
        "only the right class.", TEACHER, DIGITS,
        Question("A small student learns from the teacher's outputs for all digits except the 3: it is not trained on "
                 "any image of a 3. How many of the 36 threes among the validation examples will it recognise?",
                 ("none", "about a third", "most of them"), 2,
                 "Most of them. The teacher's probability of a 3 is higher for images that resemble one; from these "
                 "probabilities the student learns what a 3 looks like."),
        "Under *The most confident mistakes*: which digits are taken for which others?"),
    LessonStep(
        "A student trained without a 3",
        "The student has a fifth of the teacher's hidden units. It was trained on the teacher's outputs at temperature 8, "
        "without a single 3 among its examples. Its control, the same network trained on labels alone, has not seen a 3 "
        "either.", DISTILL, {**UNSEEN, "distill.temperature": "8.0"}, None,
        "The sentence above the chart that counts the recognised threes, of the student and of the control."),
    LessonStep(
        "Where the knowledge is",
        "No label was a 3, so the control learned only that its output for the 3 is small: it stays below 90 %. The student "
        "learned from the teacher's small probabilities too: dark knowledge (Hinton, Vinyals & Dean 2015).", DISTILL,
        {**UNSEEN, "distill.temperature": "8.0", "distill.width": "0.35"},
        Question("At temperature 1 the student is trained on the teacher's probabilities as they are. Will it still "
                 "recognise the threes?", ("yes, as many", "about half of them", "almost none"), 2,
                 "Almost none. At temperature 1 the teacher is so sure that the probability of a 3 is nearly zero for other "
                 "digits, and nothing can be learned from it."),
        "The hollow points: the controls. They stay below 90 % at every width."),
    LessonStep(
        "The same at temperature 1",
        "Only the temperature has changed. The student now recognises as few threes as its control: at temperature 1 the "
        "probabilities of similar digits are almost zero.", DISTILL, {**UNSEEN, "distill.temperature": "1.0"}, None,
        "The student's accuracy at this stop, against about 96 % at temperature 8."),
    LessonStep(
        "Before the last one: what if labels are rare?",
        "The same idea is useful when labels are expensive. Now the student has 50 labelled digits; the teacher gives its "
        "outputs for the other images, which need no label.", TEACHER, DIGITS,
        Question("On 50 labels alone, the student of width 20 % reaches about 82 %. With the teacher's outputs?",
                 ("about 82 %, as before", "about 90 %", "about 98 %, like the teacher"), 2,
                 "About 98 %. Every unlabelled image becomes an example, with ten numbers instead of one label.")),
    LessonStep(
        "Fifty labels and a teacher",
        "Drag the dial: at every width from 5 % on, the student is better than its control on labels alone. (The teacher "
        "itself was trained on all labels; a student cannot replace a good teacher.)", DISTILL, LABELS, None,
        "The chart of gains: intervals that do not contain zero are more than noise."),
))
