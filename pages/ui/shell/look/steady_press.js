// A press counts for what was under the pointer when it began, though the page moves before it ends: without this, the browser
// sends the click to whatever has come under the pointer by then (a chart that another fold shows), and the click is lost.
// A finger needs none of this: browsers hold what it touches.
(() => {
  if (window.ceSteadyPress) return;
  window.ceSteadyPress = true;
  const PRESSED = "summary, button, a[href], [role=button], [role=tab], [role=radio], [role=option]";
  const STILL = 8; // pixels: who moves the pointer farther than this wants to leave what was pressed
  let press = null;

  function hold() {
    if (press?.on.isConnected && !press.on.hasPointerCapture(press.id)) press.on.setPointerCapture(press.id);
  }

  document.addEventListener("pointerdown", (event) => {
    const on = event.target.closest?.(PRESSED);
    press = null;
    if (!on || event.button !== 0 || event.pointerType === "touch") return;
    press = { on, id: event.pointerId, x: event.clientX, y: event.clientY };
    hold();
    setTimeout(hold); // some elements let go of the pointer while they are told of the press
  }, true);
  document.addEventListener("pointermove", (event) => {
    if (event.pointerId !== press?.id || Math.hypot(event.clientX - press.x, event.clientY - press.y) <= STILL) return;
    if (press.on.hasPointerCapture(press.id)) press.on.releasePointerCapture(press.id);
    press = null;
  }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => { press = null; }, true);
  }
})();
