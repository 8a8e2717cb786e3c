"""A part of a page that is drawn again at once loses nothing that the browser was not told yet."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.ui.shell import messages


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> ForwardMsgQueue:
    """With a whole run that has ended: an element of the page, one of a part of it, and its end."""
    monkeypatch.setattr(ForwardMsgQueue, "clear", messages.STREAMLITS_OWN)  # restored afterwards
    messages.keep()
    made = ForwardMsgQueue()
    made.enqueue(element("", 0))
    made.enqueue(element("part", 1))
    made.enqueue(ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY))
    return made


def element(part: str, place: int, text: str = "before") -> ForwardMsg:
    message = ForwardMsg()
    message.delta.fragment_id = part
    message.delta.new_element.text.body = text
    message.metadata.delta_path.extend([0, place])
    return message


def test_a_part_that_is_drawn_again_loses_nothing_of_the_run_before(queue: ForwardMsgQueue) -> None:
    before = list(queue._queue)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["part"])
    queue.enqueue(element("part", 1, "now"))
    assert queue._queue == [*before, element("part", 1, "now")]  # behind the end of the run before, not in its place


def test_a_whole_run_starts_anew(queue: ForwardMsgQueue) -> None:
    queue.clear(retain_lifecycle_msgs=True)
    (left,) = queue._queue
    assert left.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
    assert len(queue.flush()) == 1 and queue.is_empty()
