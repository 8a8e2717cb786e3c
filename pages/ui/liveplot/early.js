// The library before the first chart: it runs for a while, and does so best when the page's own scripts have run and wait
// for the server's answer. They have put something into the document's root by then.

function loadEarly(path, basePath) {
  const root = document.getElementById("root");
  new MutationObserver((changes, observer) => {
    observer.disconnect();
    loadLibrary(path, basePath).catch(() => {});
  }).observe(root, { childList: true });
}
