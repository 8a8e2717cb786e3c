"""Wrong settings of the environment, in the shell and in the app."""

from __future__ import annotations

from tests.faults.place import Place, Seen

QUICK = ("teacher", "--data", "digits", "--teacher", "logistic(epochs=1)")


def wrong_device_in_the_shell(place: Place) -> Seen:
    """COMPRESS_DEVICE=cuda:7 and =meta, shell"""
    seen = [place.shell(*QUICK, env={"COMPRESS_DEVICE": device}) for device in ("cuda:7", "meta")]
    return Seen(seen[1].text, "nothing", all(one.is_one_sentence(2, "COMPRESS_DEVICE") for one in seen))


def wrong_device_in_the_app(place: Place) -> Seen:
    """COMPRESS_DEVICE=cuda:7, app"""
    return _page_names(place, "COMPRESS_DEVICE", COMPRESS_DEVICE="cuda:7")


def unknown_users_home(place: Place) -> Seen:
    """COMPRESS_HOME=~nobody_here/x, shell"""
    seen = place.shell(*QUICK, env={"COMPRESS_HOME": "~nobody_here/x"})
    return Seen(seen.text, "nothing", seen.is_one_sentence(2, "COMPRESS_HOME"))


def home_that_is_a_file_in_the_app(place: Place) -> Seen:
    """COMPRESS_HOME is a file, app"""
    (place.folder / "file").write_text("in the way")
    return _page_names(place, "COMPRESS_HOME", COMPRESS_HOME=str(place.folder / "file"))


def one_bad_data_path(place: Place) -> Seen:
    """One good and one impossible path in COMPRESS_DATA, app"""
    paths = f"{place.data()}:~nobody_here/x:{place.folder / 'gone.npz'}"
    page = place.page("pages/1_Teacher.py", {"data": "local:d"}, COMPRESS_DATA=paths)
    return Seen("; ".join([*page["raised"], *page["said"]]) or f"the page {page['title']}", "nothing",
                page["title"] == ["Teacher"] and not page["raised"])


def relative_data_path(place: Place) -> Seen:
    """COMPRESS_DATA=d.npz, shell and app started in the folder of the file"""
    place.data()
    shell = place.shell("teacher", "--data", "local:d", "--teacher", "logistic(epochs=1)", env={"COMPRESS_DATA": "d.npz"})
    page = place.page("pages/1_Teacher.py", {"data": "local:d"}, COMPRESS_DATA="d.npz")
    missing = [text for text in page["said"] if "not there" in text]
    return Seen(f"{shell.text}; the page says {missing or 'nothing of a missing file'}", "nothing",
                shell.code == 0 and page["title"] == ["Teacher"] and not missing)


def _page_names(place: Place, variable: str, **env: str) -> Seen:
    page = place.page(**env)
    said = "; ".join([*page["said"], *page["raised"]])
    return Seen(said, "nothing", variable in said.replace("\\", "") and not page["raised"])


ROWS = (wrong_device_in_the_shell, wrong_device_in_the_app, unknown_users_home, home_that_is_a_file_in_the_app,
        one_bad_data_path, relative_data_path)
