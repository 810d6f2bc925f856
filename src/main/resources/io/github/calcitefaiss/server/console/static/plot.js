/* Licensed under the Apache License, Version 2.0; see LICENSE. */
// The distances of a result, row by row.

import uPlot from "./uplot.js";

/** Draws a column of a table of numbers. */
export function draw(grid, column, name) {
  const values = [];
  for (const row of grid.tBodies[0].rows) {
    const value = Number(row.cells[column].textContent);
    if (row.cells[column].textContent.trim() === "" || !Number.isFinite(value)) {
      return;
    }
    values.push(value);
  }
  const place = document.getElementById("plot");
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("./uplot.css", import.meta.url).href;
  document.head.append(style);
  const colour = property => getComputedStyle(document.documentElement).getPropertyValue(property).trim();
  const axis = label => ({
    label,
    labelSize: label ? 18 : 0,
    labelFont: "12px sans-serif",
    font: "11px sans-serif",
    stroke: colour("--soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  });
  const plot = new uPlot(
    {
      width: Math.min(704, place.parentElement.clientWidth),
      height: 150,
      legend: { show: false },
      cursor: { y: false },
      scales: { x: { time: false }, y: { range: (u, low, high) => [Math.min(0, low), high || 1] } },
      axes: [{ ...axis(), size: 26, incrs: [1, 2, 5, 10, 20, 50, 100, 200] }, { ...axis(name), size: 58 }],
      series: [
        {},
        {
          label: name,
          stroke: colour("--accent"),
          width: 2,
          points: { show: values.length < 60, size: 6, fill: colour("--accent") },
        },
      ],
    },
    [values.map((_, i) => i + 1), values],
    place,
  );
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${name} of ${values.length} rows, from ${values[0]} to ${values[values.length - 1]}`);
  addEventListener("resize", () =>
    plot.setSize({ width: Math.min(704, place.parentElement.clientWidth), height: 150 }),
  );
}
