// How the learn page shows a lesson: the same function is called anew after each run of the page.

const LIBRARY = "../component/LIBRARY_NAME";
const KEPT = "mrp-charts";
let library;

/** The chart library, packed, from this host; a browser that may keep files (on localhost and by https) fetches it once for all visits. */
async function packed() {
  const address = new URL(LIBRARY, document.baseURI).href;
  const kept = await globalThis.caches?.open(KEPT);
  const found = await kept?.match(address);
  if (found) return found;
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answers ${answer.status}.`);
  for (const old of await kept?.keys() ?? []) await kept.delete(old);
  await kept?.put(address, answer.clone());
  return answer;
}

async function load() {
  const source = await new Response((await packed()).body.pipeThrough(new DecompressionStream("gzip"))).blob();
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const script = document.createElement("script");
  script.src = address;
  await new Promise((done, failed) => {
    Object.assign(script, { onload: done, onerror: failed });
    document.head.append(script);
  });
  URL.revokeObjectURL(address);
  return window.Plotly;
}

/** One library a visit; after a failure the next call tries again. */
function plotly() {
  library ??= load().catch((error) => { library = undefined; throw error; });
  return library;
}

export default function component({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(":scope > .mrp-lesson-root");
  if (!root) {
    root = document.createElement("div");
    root.className = "mrp-lesson-root";
    parentElement.append(root);
  }
  show(root, data, plotly, (guess) => setTriggerValue("predicted", guess));
}
