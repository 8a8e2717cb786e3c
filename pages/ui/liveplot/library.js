// Loading plotly.js: once for each browser page, from the server that served the page.

function applicationRoots(basePath) {
  // A page may lie below the root ("/Low_rank") and a proxy may add a prefix that Python does not know of;
  // the application's own script knows where the root is. The configured path is the second guess.
  const roots = [];
  const script = document.querySelector('script[src*="static/js/"]');
  if (script) roots.push(script.src.slice(0, script.src.lastIndexOf("static/js/")));
  const trimmed = (basePath || "").replace(/^\/+|\/+$/g, "");
  roots.push(`${window.location.origin}/${trimmed ? `${trimmed}/` : ""}`);
  return [...new Set(roots)];
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(`No Plotly in ${url}`)));
    script.onerror = () => reject(new Error(`Could not load ${url}`));
    document.head.append(script);
  });
}

async function loadFromFirst(urls) {
  let failure;
  for (const url of urls) {
    try {
      return await loadScript(url);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function loadLibrary(path, basePath) {
  if (!window.liveplotLibrary) {
    const urls = applicationRoots(basePath).map((root) => root + path);
    window.liveplotLibrary = loadFromFirst(urls);
    // A failed load may be tried again when the component is next drawn.
    window.liveplotLibrary.catch(() => delete window.liveplotLibrary);
  }
  return window.liveplotLibrary;
}
