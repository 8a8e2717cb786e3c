// Lecture and theme: what only the browser can do. Full screen needs a click in the browser, and Streamlit's theme is kept
// in the browser's storage, one entry for each address at which the app can be opened, and is read when a page is loaded.

const THEMES = { Light: "☀", System: "◐", Dark: "☾" };
const VERSION = "v2"; // of Streamlit 1.67's entries

function made(kind, parent, text, title) {
  const node = parent.appendChild(document.createElement(kind));
  node.textContent = text;
  if (title) node.title = title;
  return node;
}

function entries(pages) {
  const script = document.querySelector('script[src*="static/js/"]');
  const root = new URL(script.src).pathname.split("static/js/")[0];
  const places = new Set([root, root.slice(0, -1), ...pages.map((page) => root + page), window.location.pathname]);
  return [...places].map((place) => `stActiveTheme-${place}-${VERSION}`);
}

function current() {
  const kept = window.localStorage.getItem(`stActiveTheme-${window.location.pathname}-${VERSION}`);
  return kept === null ? "System" : JSON.parse(kept);
}

function choose(theme, pages) {
  for (const entry of entries(pages)) {
    if (theme === "System") window.localStorage.removeItem(entry);
    else window.localStorage.setItem(entry, JSON.stringify(theme));
  }
  window.location.reload(); // the address has all that is chosen
}

function turn(lecture, setTriggerValue) {
  // Without full screen, as in a frame of another page that forbids it, a lecture is larger type all the same.
  if (lecture && document.fullscreenEnabled) document.documentElement.requestFullscreen();
  if (!lecture && document.fullscreenElement) document.exitFullscreen();
  setTriggerValue("lecture", lecture);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".vs-root");
  root.replaceChildren();
  const words = data.lecture ? "Leave the lecture" : "Lecture";
  const lecture = made("button", root, words, data.lecture ? "" : "Full screen and larger type, without sidebar and settings");
  lecture.className = "vs-lecture";
  lecture.addEventListener("click", () => turn(!data.lecture, setTriggerValue));
  const themes = made("div", root, "");
  themes.className = "vs-themes";
  themes.setAttribute("role", "group");
  themes.setAttribute("aria-label", "Theme");
  for (const [theme, sign] of Object.entries(THEMES)) {
    const button = made("button", themes, sign, theme === "System" ? "Theme: as the system has it" : `Theme: ${theme}`);
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-pressed", String(theme === current()));
    button.addEventListener("click", () => choose(theme, data.pages));
  }
}
