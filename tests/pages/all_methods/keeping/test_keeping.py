"""Networks are deleted and restored on Compare, taken along and added as archives; on a shared app by its owner alone."""

from __future__ import annotations

from typing import Any

import pytest

from compress.curves.archive import packed
from compress.recipe import Recipe
from pages.ui.all_methods.keeping import archives, deleting, gone, table
from pages.ui.own_data import command
from pages.ui.shell import door
from tests.pages.test_pages import COMPARE, LINK, LOW_RANK, component, engine, filled, labels, named, show  # noqa: F401

FOLDS = [f"Compare.{one.TITLE}" for one in (table, archives, deleting)]


@pytest.fixture(autouse=True)
def restored(engine, filled) -> Any:  # noqa: F811
    """Whatever a test deletes is back after it."""
    yield
    engine.store.restore_points([(one["key"], one["reference"]) for one in engine.store.deleted_points()])


@pytest.fixture
def place(filled) -> tuple[str, str]:  # noqa: F811
    return Recipe.parse(filled.points[1]["recipe"]).key(), filled.teacher["digest"]


def networks(shown: Any) -> int:
    return int(component(shown, "compare.plane")["charts"]["plane"]["alt"].split()[0])


def test_an_opened_network_is_deleted_and_undo_brings_it_back(show, filled, engine, place):  # noqa: F811
    engine.store.pin(*place, "the knee")
    shown = show(COMPARE, {**LINK, "open": "/".join(place)})
    before = networks(shown)
    named(shown.main.button, "Delete").click().run()
    assert networks(shown) == before - 1 and "open" not in shown.query_params and not shown.exception
    assert "1 network is deleted." in " ".join(one.value for one in shown.markdown)
    dial = component(show(LOW_RANK, LINK))["dial"]
    read = dict(zip(dial["values"], dial["readout"], strict=True))
    assert read[filled.points[1]["dial"]] is None and read[filled.points[0]["dial"]]
    named(shown.main.button, "Undo").click().run()
    assert networks(shown) == before and "Undo" not in labels(shown.button) and not shown.exception
    assert engine.store.pins()[place]["note"] == "the knee"
    engine.store.unpin(*place)


def test_a_deleted_point_is_not_measured_by_itself(show, filled, engine, monkeypatch):  # noqa: F811
    asked: list[Any] = []
    monkeypatch.setattr(engine, "submit", lambda request, key, title, session="", joined=None: asked.append(request))
    engine.store.delete_points([(Recipe.parse(one["recipe"]).key(), filled.teacher["digest"]) for one in filled.points])
    link = {**LINK, "low_rank.keep": "0.3"}
    shown = show(LOW_RANK, link, by_itself=True)
    assert not asked and not shown.exception


def test_deleted_ones_are_listed_with_their_day_and_restored_together(show, filled, engine, place):  # noqa: F811
    others = [(Recipe.parse(one["recipe"]).key(), place[1]) for one in filled.points[2:]]
    engine.store.delete_points([place, *others])
    shown = show(COMPARE, LINK, opened=FOLDS)
    assert "7 days" in " ".join(one.value for one in shown.caption) and not shown.exception
    listed = shown.data_editor[1].value
    assert [name for name in listed] == ["restore", "data", "network", "accuracy", "size", "note", "deleted",
                                         "can be restored until"]
    assert "Low rank (share kept 30 %)" in list(listed["network"])
    named(shown.main.button, "Restore all 3").click().run()
    assert engine.store.deleted_points() == [] and not shown.exception


def test_the_table_has_boxes_to_delete_rows_with(show, filled):  # noqa: F811
    shown = show(COMPARE, LINK, opened=FOLDS)
    assert list(shown.data_editor[0].value)[:2] == ["pinned", "delete"]
    assert named(shown.main.button, "Delete those that are ticked").disabled


def test_on_a_shared_app_nobody_deletes_or_adds_on_the_page(show, filled, place, monkeypatch):  # noqa: F811
    monkeypatch.setattr(door, "is_shared", lambda: True)
    shown = show(COMPARE, {**LINK, "open": "/".join(place)}, opened=FOLDS)
    said = " ".join(one.value for one in shown.caption)
    assert "points --delete" in said and "points --load" in said and not shown.exception
    assert "delete" not in list(shown.data_editor[0].value) and "Delete" not in labels(shown.button)
    assert not shown.main.get("file_uploader")


def test_a_link_to_a_deleted_network_says_so_and_brings_it_back(show, filled, engine, place):  # noqa: F811
    engine.store.delete_points([place])
    shown = show(COMPARE, {**LINK, "open": f"{'/'.join(place)} {'0' * 16}/{place[1]}"})
    said = [one.value for one in shown.main.markdown]
    assert sum(gone.DELETED in one for one in said) == 1 and sum(gone.UNKNOWN in one for one in said) == 1
    named(shown.main.button, "Restore it").click().run()
    assert shown.query_params["open"].split()[0] == "/".join(place) and not shown.exception
    said = [one.value for one in shown.main.markdown]
    assert not any(gone.DELETED in one for one in said) and any("right → wrong" in one for one in said)
    named(shown.main.button, "Leave it out").click().run()
    assert shown.query_params["open"] == "/".join(place) and not shown.exception
    assert not any(gone.UNKNOWN in one.value for one in shown.main.markdown)


def test_a_link_to_a_network_without_its_predictions_says_so(show, filled, engine, place, monkeypatch):  # noqa: F811
    def lost(key: str, reference: str) -> bytes:
        raise KeyError(key)

    monkeypatch.setattr(engine.store, "predictions", lost)
    shown = show(COMPARE, {**LINK, "open": "/".join(place)})
    assert any(gone.BROKEN in one.value for one in shown.main.markdown) and not shown.exception


def test_a_teacher_is_refused_in_a_sentence(show, filled, engine):  # noqa: F811
    shown = show(COMPARE, {**LINK, "open": f"{filled.recipe.reference().key()}/{filled.teacher['digest']}"}, opened=FOLDS)
    assert "Delete" not in labels(shown.button) and not shown.exception


@pytest.mark.parametrize(("settings", "expected"), [({}, False), ({"COMPRESS_PASSWORD": "x"}, True)])
def test_an_app_that_asks_who_comes_in_is_shared(settings, expected, monkeypatch):
    monkeypatch.delenv("COMPRESS_PASSWORD", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(door.st, "get_option", lambda name: "127.0.0.1")
    assert door.is_shared() is expected
    monkeypatch.setattr(door.st, "get_option", lambda name: "0.0.0.0")
    assert door.is_shared()


def test_an_archive_of_what_is_shown_is_offered_unless_files_are_gone_or_too_many(show, filled, engine, monkeypatch):  # noqa: F811
    shown = show(COMPARE, LINK, opened=FOLDS)
    (offer,) = [one.proto for one in shown.main.get("download_button") if one.proto.label.startswith("Archive of")]
    assert not offer.disabled and not shown.exception
    monkeypatch.setattr(archives, "MOST_BYTES", 10)
    again = show(COMPARE, LINK, opened=FOLDS)
    (offer,) = [one.proto for one in again.main.get("download_button") if one.proto.label.startswith("Archive of")]
    assert offer.disabled and "choose fewer with the filters" in " ".join(one.value for one in again.caption)


def test_an_archive_adds_its_networks_and_a_damaged_one_nothing(engine, filled, place):  # noqa: F811
    store = engine.store
    contents = packed(store, [place])
    store.delete_points([place])
    with pytest.raises(ValueError, match=r"^The archive was refused whole: .* Nothing was added"):
        archives.added(contents[:-40] + bytes(40))
    assert store.point(*place) is None
    assert archives.added(contents).startswith("1 network is added") and store.point(*place)
    assert archives.added(contents) == "All networks of the archive were here already."


def test_a_command_that_takes_too_long_ends_in_a_sentence_with_its_remedy(monkeypatch):
    monkeypatch.setattr(command, "SECONDS", 0.01)
    with pytest.raises(ValueError, match=r"longer to read than 0.01 seconds. Add fewer."):
        command.printed("methods", remedy="Add fewer.")
