// How the learn page shows a lesson: the same function is called anew after each run of the page.

const LIBRARY = "../component/LIBRARY_NAME/plotly.min.js";
let library;

/** The chart library, fetched once a visit, from this host. */
function plotly() {
  library ??= new Promise((found, failed) => {
    const script = document.createElement("script");
    script.src = new URL(LIBRARY, document.baseURI).href;
    script.onload = () => found(window.Plotly);
    script.onerror = () => { library = undefined; failed(new Error(`${script.src} can't be fetched.`)); };
    document.head.append(script);
  });
  return library;
}

export default function component({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(":scope > .mrp-lesson-root");
  if (!root) {
    root = document.createElement("div");
    root.className = "mrp-lesson-root";
    parentElement.append(root);
  }
  plotly();
  show(root, data, plotly, (guess) => setTriggerValue("predicted", guess));
}
