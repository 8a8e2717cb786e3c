"""Guided lessons: one file a lesson, gathered here in the order in which the Lessons page shows them."""

from pages.ui.lessons import (
    atoms_of_digits,
    break_even_rank,
    dark_knowledge,
    deep_compression,
    how_few_bits,
    lottery_ticket,
    same_bytes,
    zeros_and_speed,
)
from pages.ui.lessons.lesson import Lesson

LESSONS: dict[str, Lesson] = {module.LESSON.name: module.LESSON for module in (
    dark_knowledge, break_even_rank, zeros_and_speed, lottery_ticket, atoms_of_digits, how_few_bits,
    deep_compression, same_bytes)}
STEPS = {name: len(lesson.steps) for name, lesson in LESSONS.items()}
