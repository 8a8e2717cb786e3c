"""The few rules that Streamlit's theme cannot express: large type for a lecture hall, calm spacing, hidden parts, print."""

from __future__ import annotations

from pages.ui.shell.look.view import PARTS, View

STYLE = """<style>
.stMainBlockContainer { padding: 1.1rem 2rem 3rem 2rem; max-width: 1800px; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.55rem; }
.stButton p, .stDownloadButton p { white-space: normal; overflow: visible; }
.stButton button, .stDownloadButton button { height: auto; }
.stMainBlockContainer h1 { font-size: 1.9rem; line-height: 1.2; padding: 0; }
.stMainBlockContainer .st-key-part-summary { padding-top: 0.2rem; }
.stButton button[kind=primary] { color: light-dark(white, #17112b); }
.stMainBlockContainer h3 { font-size: 1.3rem; padding: 0.2rem 0; }
.ce-brand { font-weight: 750; font-size: 1.05rem; line-height: 1.1; letter-spacing: -0.01em; margin: -1.2rem 0 0.2rem 0;
  white-space: nowrap; }
/* Data set and teacher decide what every page shows: they are in sight below the links, also in a low window. */
@media (min-width: 641px) {
  [data-testid=stSidebarHeader] { height: 2.2rem; margin-bottom: 0; }
  [data-testid=stSidebarUserContent] hr { display: none; }
  [data-testid=stSidebarUserContent] .stVerticalBlock { gap: 0.5rem; }
}
@media (min-width: 641px) and (max-height: 940px) {
  [data-testid=stSidebarUserContent] [data-testid=stPageLink] a { padding-top: 0; padding-bottom: 0; min-height: 1.8rem; }
}
.ce-cards { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.ce-card { flex: 1 1 5.6rem; border: 1px solid rgba(128,140,150,0.28); border-radius: 0.6rem; padding: 0.35rem 0.7rem; }
.ce-card:first-child { flex-grow: 1.7; }
.ce-card b { display: block; font-size: 1.2rem; line-height: 1.3; font-weight: 680; white-space: nowrap; }
.ce-card span { display: block; font-size: 0.8rem; line-height: 1.25; opacity: 0.75; }
.ce-pictures { display: flex; flex-wrap: wrap; gap: 0.7rem; }
.ce-pictures figure { margin: 0; text-align: center; max-width: 100%; }
.ce-pictures img { image-rendering: pixelated; border-radius: 0.3rem; display: block; margin: 0 auto;
  border: 1px solid rgba(128,140,150,0.3); }
.ce-pictures blockquote { margin: 0; padding: 0.45rem 0.7rem; width: 17rem; max-width: 100%; text-align: left;
  font-size: 0.95rem; line-height: 1.35; overflow-wrap: anywhere; border-left: 3px solid #0072B2;
  background: rgba(128, 128, 128, 0.12); }
.ce-pictures.row { flex-wrap: nowrap; }
.ce-pictures.row figure { flex: 1 1 0; min-width: 0; }
.ce-pictures.row img { width: 100%; height: auto; }
.ce-pictures figcaption { overflow-wrap: anywhere; max-width: 20rem; font-size: 0.84rem; opacity: 0.8; margin-top: 0.2rem; }
.ce-notice { border-left: 4px solid var(--st-primary-color, light-dark(#6D3FD1, #B59BFF)); padding: 0.1rem 0 0.1rem 0.9rem;
  font-size: 1.08rem; line-height: 1.55; }
.ce-race { font-size: clamp(1.05rem, 0.1rem + 1.45vw, 1.45rem); line-height: 1.25; }
.ce-asked td { background: color-mix(in srgb, var(--st-primary-color, light-dark(#6D3FD1, #B59BFF)) 14%, transparent); }
.ce-nowrap { white-space: nowrap; }
.ce-methods { width: 100%; border-collapse: collapse; font-size: 0.92rem; line-height: 1.3; }
.ce-methods td { padding: 0.12rem 0.3rem 0.12rem 0; white-space: nowrap; }
.ce-methods td:first-child { white-space: normal; }
.ce-methods td:last-child { opacity: 0.75; text-align: right; padding-right: 0; }
.ce-methods .ce-swatch { width: 0.7rem; height: 0.7rem; margin-right: 0.3rem; }
[class*=st-key-lesson-card] > :last-child { margin-top: auto; }
.st-key-race-sentence { min-height: 3.1rem; }
@media (max-width: 640px) { .st-key-race-sentence { flex-wrap: wrap !important; } }
@media (max-width: 640px) { .st-key-race-sentence > :last-child { flex-basis: 100% !important; } }
.st-key-race-begin, .st-key-race-progress { min-height: 3.5rem; }
.ce-race b { font-weight: 720; }
.ce-ask { font-size: 1.02rem; font-weight: 640; }
.ce-answer { font-size: 1.08rem; line-height: 1.4; }
.ce-answer b { font-weight: 700; }
[class*=st-key-ask-] { gap: 0.45rem; }
.st-key-compare-clicks { position: absolute; }
[class*=st-key-answer-] button { min-height: 2rem; padding: 0.1rem 0.5rem; }
[class*=st-key-question-] { padding: 0.6rem 0.9rem; }
.ce-opened { font-weight: 640; line-height: 1.3; }
.ce-opened span { display: inline-block; min-width: 1.55rem; padding: 0 0.35rem; margin-right: 0.5rem; border-radius: 0.4rem;
  text-align: center; color: white; }
.ce-opened small { display: block; font-weight: 400; opacity: 0.75; }
.ce-whose { display: block; font-size: 0.84rem; opacity: 0.75; }
.ce-race-head { font-weight: 640; padding-top: 0.4rem; }
.ce-swatch { display: inline-block; width: 0.95rem; height: 0.95rem; border-radius: 50%; border: 3px solid; }
.st-key-lesson { padding: 0.25rem 0.9rem 0.4rem 0.9rem; gap: 0.1rem;
  border-color: var(--st-primary-color, light-dark(#6D3FD1, #B59BFF));
  background: color-mix(in srgb, var(--st-primary-color, light-dark(#6D3FD1, #B59BFF)) 5%, transparent); }
.st-key-lesson button { min-height: 1.9rem; padding: 0.05rem 0.7rem; }
.st-key-lesson [data-testid=stMarkdownContainer] { margin-bottom: 0; }
.st-key-lesson .stMarkdown p { font-size: 0.93rem; line-height: 1.35; margin: 0; }
/* A lesson has set the page, and says what it shows. */
@media (max-height: 900px) {
  .stMainBlockContainer:has(.st-key-lesson) :is(.st-key-part-presets, .st-key-part-summary) { display: none; }
}
[class*=st-key-chain-card] { padding: 0.3rem 0.7rem 0.6rem 0.7rem; gap: 0.2rem; }
[class*=st-key-chain-card] .stButton button { min-height: 1.7rem; padding: 0.05rem 0.3rem; min-width: 1.7rem; }
[class*=st-key-chain-card] :is(label, label p) { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
[class*=st-key-chain-card] b { white-space: nowrap; }
@media (max-height: 760px) {
  .ce-second, .stMainBlockContainer:has([class*=st-key-chain-card]) .st-key-part-summary { display: none; }
  /* The cards of a chain take the place that the staircase needs: the chips stand beside the title. */
  .stMainBlockContainer:has([class*=st-key-chain-card]) .st-key-part-presets { margin: -2.55rem 0 0 7.5rem; width: auto; }
  .stMainBlockContainer:has([class*=st-key-chain-card]) .ce-verdict { min-height: 1.5em; }
}
/* A fold opens and closes at once: while Streamlit's animation of its height goes on, everything below moves. */
.stExpander details { height: auto !important; }
[data-testid=stExpanderDetails][inert] { display: none; }
.lp-turning .ce-verdict { opacity: 0.35; }
.ce-verdict { font-size: 1rem; line-height: 1.45; min-height: 2.9em; }
.ce-preset { font-size: 0.9rem; line-height: 1.3; opacity: 0.75; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.st-key-ce-chips { flex-wrap: wrap; max-height: 4.6rem; overflow: auto; scrollbar-width: thin; }
.st-key-ce-chips .stButton button { border-radius: 1rem; min-height: 0; padding: 0.2rem 0.75rem; }
.st-key-ce-chips .stButton p { font-size: 0.87rem; white-space: nowrap; }
.st-key-ce-work { min-height: 6.6rem; }
@media (min-height: 761px) { :root { --ce-more: 68px; } }
@media (max-height: 760px) and (min-width: 641px) {
  .stMainBlockContainer:has(.st-key-questions) .st-key-part-summary { display: none; }
  .st-key-questions [class*=st-key-question-] { padding: 0.25rem 0.8rem; gap: 0.25rem; }
  .st-key-questions .ce-answer { font-size: 0.98rem; line-height: 1.3; }
  .st-key-questions :is([data-baseweb=input], [data-baseweb=base-input]) { height: 2rem; min-height: 2rem; }
}
@media (max-height: 760px) {
  .st-key-ce-chips { flex-wrap: nowrap; mask-image: linear-gradient(to right, black 95%, transparent); }
  .ce-preset { display: none; }
}
/* The dial stays in sight while what it moves is scrolled, where the window is large enough for both. */
@media (min-width: 641px) { div:has(> .st-key-ce-dial) { position: sticky; top: 0; z-index: 90; } }
@media (max-width: 640px) { .st-key-ce-chips { flex-wrap: nowrap; } .st-key-ce-heading { row-gap: 0; } }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4rem 1rem 2rem 1rem; }
  [data-testid=stColumn]:has(.st-key-part-settings) { order: 2; }
  .stMainBlockContainer > .stVerticalBlock > :has(> .st-key-part-settings [class*=st-key-chain-card]) { order: 1; }
  .stMainBlockContainer > .stVerticalBlock > :has(> .stVerticalBlock > [class*=st-key-fold-chain]) { order: 2; }
  .ce-preset { white-space: normal; }
  .stMainBlockContainer h1 { font-size: 1.7rem; padding-bottom: 0.4rem; }
}
@media print {
  @page { size: A4 landscape; margin: 10mm; }
  .stApp, .stAppViewContainer, .stMain { position: static !important; display: block !important; height: auto !important;
    overflow: visible !important; }
  .stMainBlockContainer { padding: 0; zoom: 0.75; }
  .stSidebar, .stAppHeader, .st-key-part-settings, .st-key-part-presets, .st-key-part-exports, .st-key-lesson,
  .st-key-lecture, .stButton, .stDownloadButton, [data-testid=stColumn]:has(.st-key-part-settings)
  { display: none !important; }
  .lp-dial-place, div:has(> .st-key-ce-dial) { position: static; }
  .lp-dial-player, .lp-card .modebar { visibility: hidden; }
  summary { break-after: avoid; }
  .lp-card, .ce-card, .ce-notice, .ce-pictures figure, .stDataFrame, [data-testid=stHorizontalBlock]:not(:has(.lp-card))
  { break-inside: avoid; }
}
</style>"""

LECTURE_SCALE = 1.3  # of all type, and of the charts' height
# In a low window, as of a projector, the charts of a lecture have the room of the words above them.
LOW_LECTURE = """@media (max-height: 820px) {
  .st-key-part-summary, .st-key-part-presets { display: none; }
  .stMainBlockContainer:has(.st-key-lesson) :is(.stHeading:has(h1), .st-key-ce-heading) { display: none; }
  .st-key-lesson { margin-top: 0.7rem; }
  :root { --ce-more: 0px; }
  :root:has(.st-key-lesson) { --ce-less: 80px; }
}"""
PLACES = {
    "sidebar": "[data-testid=stSidebar], [data-testid=stExpandSidebarButton]",
    "settings": ".st-key-part-settings, [data-testid=stColumn]:has(.st-key-part-settings)",
    "presets": ".st-key-part-presets",
    "summary": ".st-key-part-summary",
    "findings": ".ce-notice, .ce-finding, .st-key-race-list",
    "exports": ".st-key-part-exports",
}


def of_view(view: View) -> str:
    """Hides what the view hides, and scales a lecture."""
    rules = [f"{PLACES[part]} {{ display: none !important; }}" for part in PARTS if not view.shows(part)]
    if view.lecture:
        rules.append(f":root {{ --ce-scale: {LECTURE_SCALE}; font-size: {16 * LECTURE_SCALE}px !important; }}")
        rules.append(LOW_LECTURE)
        rules.append(".st-key-lecture { position: fixed; z-index: 1000; top: 0.15rem; right: 0.5rem; width: auto; "
                     "zoom: 0.75; opacity: 0.55; } .st-key-lecture:hover, .st-key-lecture:focus-within { opacity: 1; }")
    return f"<style>{' '.join(rules)}</style>" if rules else ""
