"""Atoms of digits: examples as sums of few atoms of a learned dictionary.

Measured on a CPU, seed 0. The data file has 70,407 bytes, a classifier trained on it 96.7 %. Rebuilt from one of 144
atoms: 13,953 bytes, 94.2 %, 30 % of the energy lost; four atoms 96.4 %, 14 % lost. Random atoms: one 81.1 %, four 90.3 %
(64 % lost). Principal components of the bytes of one atom: ten of them, 93.6 %, 27 % lost.
`python -m compress curve --data digits --teacher mlp --method data_codes --set dictionary=random`, or ksvd.
"""

from pages.ui.lessons.lesson import DIGITS, SPARSE_CODE, TEACHER, Lesson, LessonStep, Question

CODES = {**DIGITS, "method": "data_codes"}

LESSON = Lesson("atoms-of-digits", "Atoms of digits", "How few numbers are enough to recognise a digit.", (
    LessonStep(
        "Digits as sums of parts",
        "A dictionary has 144 atoms, small pictures of 8 × 8 pixels that are learned from the digits. Each digit is then "
        "written as a sum of very few atoms: their numbers and their coefficients.", TEACHER, DIGITS,
        Question("Every digit is replaced by **one** atom times a number. A classifier is trained on these pictures and "
                 "tested on digits replaced in the same way. How often is it right? (On the digits as they are: "
                 "about 97 %.)",
                 ("about 50 %", "about 75 %", "above 90 %"), 2,
                 "Above 90 %. One atom and its coefficient are nearly always enough to recognise the digit.")),
    LessonStep(
        "One atom a digit",
        "64 pixels have become one number of an atom and one coefficient. The file is five times smaller, and the pictures "
        "are still digits, though almost a third of their energy is lost.",
        SPARSE_CODE, {**CODES, "data_codes.nonzeros": "1"},
        None,
        "The atoms themselves, further down: many look like whole digits."),
    LessonStep(
        "Four atoms a digit",
        "With four atoms the accuracy is that of the original digits, within noise, and the error is half of that with one "
        "atom. The file still has less than a third of the bytes.", SPARSE_CODE, {**CODES, "data_codes.nonzeros": "4"},
        Question("The same with 144 **random** atoms, nothing learned. What does four of those cost?",
                 ("nothing: any atoms will do", "several points", "it guesses"), 1,
                 "Several points, and most of the energy of the pictures: learned atoms are worth their training."),
        "Play *Orthogonal matching pursuit* further down: each step takes the atom most similar to the residual."),
    LessonStep(
        "Four random atoms",
        "Random atoms resemble nothing in the data, so four of them approximate a digit badly. That the classifier is still "
        "so often right shows how easy these digits are.", SPARSE_CODE,
        {**CODES, "data_codes.nonzeros": "4", "data_codes.dictionary": "random"}, None,
        "The rebuilt pictures, beside the digits as they are."),
    LessonStep(
        "The baseline: principal components",
        "Principal components are a dictionary too, with the same few atoms for every digit. In as many bytes they lose "
        "about as much energy as learned atoms, and the classifier is as accurate within noise: sparse codes gain nothing.",
        SPARSE_CODE, {**CODES, "data_codes.nonzeros": "2"}, None,
        "The curve of principal components in the chart: at every stop it has the same number of bytes."),
))
