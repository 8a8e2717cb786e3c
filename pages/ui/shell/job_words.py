"""What a job is doing, in words: its step, its share of the machine, its remaining time, or its place in the queue."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import Any

from compress.service import time_left
from compress.service.queue_order import ordered

Job = dict[str, Any]
ORDINALS = ("", "", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def sentence(job: Job, active: Collection[Job], now: float | None = None) -> str:
    """One line about a job.

    Args:
        active: all queued and running jobs; now: the time (time.time()).
    """
    now = time.time() if now is None else now
    beside = [other for other in active if _program(other) == _program(job)]
    if job["state"] == "queued":
        return f"{job['title']}: {_queued(job, beside, now)}"
    left = seconds_left([*beside, *([] if job["id"] in {other["id"] for other in beside} else [job])], now).get(job["id"])
    return f"{job['title']}: {job['text']} · {time_left.in_words(left)}{_shared(job, beside)}"


def seconds_left(jobs: Collection[Job], now: float) -> dict[int, float]:
    """Number -> seconds until each running job of one program ends, with the turns of the others; without those whose
    remaining work is not known."""
    running = [job for job in jobs if job["state"] == "running"]
    ends = time_left.until_ends([time_left.AtWork(job["id"], job["session"] or "", job["seconds_left"]) for job in running])
    since = {job["id"]: now - job["updated"] for job in running}
    return {number: max(0.0, end - since[number]) for number, end in ends.items()}


def _shared(job: Job, beside: Collection[Job]) -> str:
    """Sessions have equal shares, and the jobs of a session have equal parts of its share."""
    running = Counter(other["session"] for other in beside if other["state"] == "running")
    if running.total() < 2:
        return ""
    every = len(running) * running[job["session"]]
    turn = f"{ORDINALS[every] if every < len(ORDINALS) else f'{every}th'} "
    return f" · {running.total()} runs share this machine; this one gets every {turn}turn"


def _queued(job: Job, beside: Collection[Job], now: float) -> str:
    running = [other for other in beside if other["state"] == "running"]
    waiting = [(other["id"], other["session"] or "") for other in beside if other["state"] == "queued"]
    order = ordered(waiting, [other["session"] or "" for other in running])
    if not running or job["id"] not in order:  # it has begun since it was looked up
        return "waiting for the compute process"
    place = order.index(job["id"]) + 1
    ends = sorted(seconds_left(running, now).values())
    begins = f", begins in about {time_left.duration(max(1.0, ends[place - 1]))}" if place <= len(ends) else ""
    return f"place {place} in the queue{begins}"


def _program(job: Job) -> tuple[Any, Any]:
    """The app whose worker does a job."""
    return job["owner"], job["owner_start"]
