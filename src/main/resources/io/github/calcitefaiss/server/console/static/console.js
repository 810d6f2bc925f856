/* Licensed under the Apache License, Version 2.0; see LICENSE. */
// What a page does beyond being read. Every part is left out where it can't be had.

const ask = document.querySelector("form.ask");
if (ask) {
  import("./editor.js")
    .then(editor => editor.start(ask))
    .catch(() => plainEditor(ask));
}

const copy = document.querySelector("a.copy");
if (copy) {
  copy.href = location.href;
  copy.addEventListener("click", event => {
    if (navigator.clipboard) {
      event.preventDefault();
      navigator.clipboard.writeText(location.href).then(() => {
        copy.textContent = "copied";
      });
    }
  });
}

const grid = document.querySelector("#plot ~ .scroll table.grid");
if (grid) {
  const heads = [...grid.querySelectorAll("thead th")].map(head => head.textContent.trim());
  const column = heads.findIndex(head => /distance|score|similarity/i.test(head));
  if (column >= 0 && grid.rows.length > 3) {
    import("./plot.js").then(plot => plot.draw(grid, column, heads[column])).catch(() => {});
  }
}

if (document.getElementById("map")) {
  import("./map.js").then(map => map.start(document.getElementById("map")));
}

const colour = document.getElementById("colour");
if (colour) {
  colour.addEventListener("change", () => colour.form.submit());
}

// "/" goes to the search box, as on many pages.
document.addEventListener("keydown", event => {
  const search = document.getElementById("search");
  const typing = event.target.closest && event.target.closest("input, textarea, select, .editor");
  if (event.key === "/" && search && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  }
});

function plainEditor(form) {
  form.elements.sql.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      form.requestSubmit();
    }
  });
}
