(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const save = (name, node) => ({
    name: "save", title: node.dataset.save, icon: Plotly.Icons.camera,
    click: () => {
      const { data, layout } = charts[name].figures.light_wide;
      Plotly.downloadImage({ data, layout: { ...layout, paper_bgcolor: "#FFFFFF", plot_bgcolor: "#FFFFFF" } }, { format: "svg", width: 960, height: layout.height, filename: `mrp-${name}` });
    },
  });
  const draw = () => {
    for (const node of document.querySelectorAll(".screen-chart")) {
      const name = node.dataset.chart, wide = node.clientWidth >= 560;
      const { data, layout } = charts[name].figures[`${dark.matches ? "dark" : "light"}_${wide ? "wide" : "narrow"}`];
      Plotly.react(node, data, { ...layout, width: node.clientWidth }, { displaylogo: false, scrollZoom: false, doubleClick: false, modeBarButtons: [[save(name, node)]] });
    }
  };
  for (const node of document.querySelectorAll(".paper-chart")) {
    const { data, layout } = charts[node.dataset.chart].figures.paper;
    Plotly.newPlot(node, data, { ...layout, width: 680 }, { staticPlot: true });
  }
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(draw, 150); });
  dark.addEventListener("change", draw);
  draw();
})();
