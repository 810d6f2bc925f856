/* Licensed under the Apache License, Version 2.0; see LICENSE. */
// The map of a table: points on a canvas, named when pointed at, their neighbours when clicked.

const COLOURS = ["#0b6fd0", "#e07b00", "#1a9a58", "#c83349", "#7e57c2", "#8d6e63", "#d6499f", "#00a3a3"];
const REST = "#98a2b0";
const KEYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Fills an element with the map whose points its data names. */
export async function start(place) {
  const waiting = element("p", "waiting", "Drawing…");
  place.append(waiting);
  const answer = await fetch(place.dataset.points);
  const data = await answer.json();
  if (!data.ok) {
    waiting.className = "error";
    waiting.textContent = data.error;
    return;
  }
  waiting.remove();
  document.getElementById("map-about").textContent =
    `${data.points.length.toLocaleString("en")} of ${data.rows.toLocaleString("en")} rows. A picture, not a ` +
    `measurement: the two directions drawn hold ${Math.round(data.share * 100)} % of the differences.`;
  new Map2d(place, data);
}

function element(name, css, text) {
  const made = document.createElement(name);
  made.className = css;
  made.textContent = text || "";
  return made;
}

class Map2d {
  constructor(place, data) {
    this.place = place;
    this.points = data.points;
    this.kinds = data.kinds;
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", "Map; arrow keys go from point to point, Enter shows neighbours");
    this.tip = element("div", "tip");
    this.tip.hidden = true;
    this.chosenBox = element("div", "chosen");
    this.chosenBox.hidden = true;
    this.chosenBox.setAttribute("aria-live", "polite");
    place.append(this.canvas, this.tip, this.chosenBox);
    this.byId = new Map(this.points.map((point, i) => [point[2], i]));
    this.order = this.points.map((_, i) => i).sort((a, b) => this.points[a][0] - this.points[b][0]);
    this.zoom = 1;
    this.middle = null;
    this.hovered = -1;
    this.chosen = -1;
    this.near = [];
    this.legend();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(place);
  }

  colour(kind) {
    return this.kinds.length === 0 ? COLOURS[0] : kind < COLOURS.length && kind < this.kinds.length ? COLOURS[kind] : REST;
  }

  legend() {
    if (this.kinds.length === 0) {
      return;
    }
    const legend = element("div", "legend");
    const names = [...this.kinds];
    if (this.points.some(point => point[4] >= this.kinds.length)) {
      names.push("others");
    }
    names.forEach((name, i) => {
      const line = document.createElement("div");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      svg.setAttribute("width", "10");
      svg.setAttribute("height", "10");
      for (const [key, value] of Object.entries({ cx: 5, cy: 5, r: 4, fill: this.colour(i) })) {
        dot.setAttribute(key, value);
      }
      svg.append(dot);
      line.append(svg, document.createTextNode(name));
      legend.append(line);
    });
    this.place.append(legend);
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.width = this.place.clientWidth;
    this.height = this.place.clientHeight;
    this.canvas.width = this.width * ratio;
    this.canvas.height = this.height * ratio;
    this.ratio = ratio;
    const xs = this.points.map(point => point[0]);
    const ys = this.points.map(point => point[1]);
    const span = values => [Math.min(...values), Math.max(...values)];
    const [left, right] = span(xs);
    const [low, high] = span(ys);
    this.unit = Math.min(
      (this.width - 40) / (right - left || 1),
      (this.height - 40) / (high - low || 1),
    );
    this.middle = this.middle || [(left + right) / 2, (low + high) / 2];
    this.draw();
  }

  at(i) {
    const scale = this.unit * this.zoom;
    const [x, y] = this.points[i];
    return [this.width / 2 + (x - this.middle[0]) * scale, this.height / 2 - (y - this.middle[1]) * scale];
  }

  draw() {
    if (this.pending) {
      return;
    }
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.drawNow();
    });
  }

  drawNow() {
    const began = performance.now();
    const context = this.canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const size = Math.min(5, (this.points.length > 1500 ? 2.2 : 3.2) * Math.sqrt(Math.sqrt(this.zoom)));
    context.globalAlpha = this.chosen >= 0 ? 0.25 : 0.75;
    // One path for each colour: a fill for each point takes ten times as long.
    const paths = new Map();
    for (let i = 0; i < this.points.length; i++) {
      const [x, y] = this.at(i);
      if (x < -5 || y < -5 || x > this.width + 5 || y > this.height + 5) {
        continue;
      }
      const colour = this.colour(this.points[i][4]);
      let path = paths.get(colour);
      if (!path) {
        paths.set(colour, (path = new Path2D()));
      }
      path.moveTo(x + size, y);
      path.arc(x, y, size, 0, 7);
    }
    for (const [colour, path] of paths) {
      context.fillStyle = colour;
      context.fill(path);
    }
    context.globalAlpha = 1;
    const text = getComputedStyle(this.place).color;
    if (this.chosen >= 0) {
      const [x, y] = this.at(this.chosen);
      context.strokeStyle = text;
      context.lineWidth = 1;
      for (const i of this.near) {
        const [nx, ny] = this.at(i);
        context.globalAlpha = 0.6;
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(nx, ny);
        context.stroke();
        context.globalAlpha = 1;
        this.dot(context, nx, ny, size + 1.5, this.colour(this.points[i][4]), text);
      }
      this.dot(context, x, y, size + 3, this.colour(this.points[this.chosen][4]), text);
    }
    if (this.hovered >= 0) {
      const [x, y] = this.at(this.hovered);
      this.dot(context, x, y, size + 2, this.colour(this.points[this.hovered][4]), text);
    }
    this.place.dataset.drawn = (performance.now() - began).toFixed(1);
  }

  dot(context, x, y, size, fill, line) {
    context.beginPath();
    context.arc(x, y, size, 0, 7);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = line;
    context.lineWidth = 1.5;
    context.stroke();
  }

  nearest(x, y) {
    let best = -1;
    let distance = 14 * 14;
    for (let i = 0; i < this.points.length; i++) {
      const [px, py] = this.at(i);
      const square = (px - x) * (px - x) + (py - y) * (py - y);
      if (square < distance) {
        distance = square;
        best = i;
      }
    }
    return best;
  }

  name(i) {
    const point = this.points[i];
    return point[3] ? `${point[3]} (${point[2]})` : point[2];
  }

  hover(i) {
    if (i === this.hovered) {
      return;
    }
    this.hovered = i;
    this.tip.hidden = i < 0;
    if (i >= 0) {
      const [x, y] = this.at(i);
      this.tip.textContent = this.name(i);
      this.tip.style.left = Math.min(x + 10, this.width - 200) + "px";
      this.tip.style.top = Math.max(4, y - 32) + "px";
    }
    this.draw();
  }

  async choose(i) {
    this.chosen = i;
    this.near = [];
    this.chosenBox.hidden = i < 0;
    this.draw();
    if (i < 0) {
      return;
    }
    const id = this.points[i][2];
    this.chosenBox.replaceChildren(this.link(id, this.name(i)), element("p", "quiet", "Looking for its neighbours…"));
    const answer = await fetch(this.place.dataset.near + encodeURIComponent(id));
    const data = await answer.json();
    if (this.chosen !== i) {
      return;
    }
    if (!data.ok) {
      this.chosenBox.replaceChildren(element("p", "error", data.error));
      return;
    }
    const list = document.createElement("ol");
    for (const row of data.rows) {
      const [other, distance] = [String(row[0]), row[1]];
      if (other === id) {
        continue;
      }
      const place = this.byId.get(other);
      const item = document.createElement("li");
      item.append(this.link(other, place === undefined ? other : this.name(place)), ` ${distance.toFixed(4)}`);
      list.append(item);
      if (place !== undefined) {
        this.near.push(place);
      }
    }
    this.chosenBox.replaceChildren(this.link(id, this.name(i)), list);
    this.draw();
  }

  link(id, text) {
    if (!this.place.dataset.row) {
      return element("span", "", text);
    }
    const link = element("a", "", text);
    link.href = this.place.dataset.row + tilde(id);
    return link;
  }

  listen() {
    const canvas = this.canvas;
    const place = event => [event.offsetX, event.offsetY];
    let drag = null;
    canvas.addEventListener("pointerdown", event => {
      drag = { from: place(event), last: place(event), moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", event => {
      const [x, y] = place(event);
      if (!drag) {
        this.hover(this.nearest(x, y));
        return;
      }
      drag.moved = drag.moved || Math.hypot(x - drag.from[0], y - drag.from[1]) > 4;
      if (drag.moved) {
        const scale = this.unit * this.zoom;
        this.middle = [this.middle[0] - (x - drag.last[0]) / scale, this.middle[1] + (y - drag.last[1]) / scale];
        drag.last = [x, y];
        this.hover(-1);
        this.draw();
      }
    });
    canvas.addEventListener("pointerup", event => {
      const [x, y] = place(event);
      if (drag && !drag.moved) {
        this.choose(this.nearest(x, y));
      }
      drag = null;
    });
    canvas.addEventListener("pointerleave", () => this.hover(-1));
    canvas.addEventListener(
      "wheel",
      event => {
        event.preventDefault();
        this.zoomBy(Math.exp(-event.deltaY / 400), place(event));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", event => {
      if (KEYS[event.key]) {
        event.preventDefault();
        const here = this.order.indexOf(this.hovered);
        const next = (here + KEYS[event.key] + this.order.length) % this.order.length;
        this.hover(this.order[next]);
      } else if (event.key === "Enter" && this.hovered >= 0) {
        this.choose(this.hovered);
      } else if (event.key === "Escape") {
        this.choose(-1);
      } else if (event.key === "+" || event.key === "-") {
        this.zoomBy(event.key === "+" ? 1.3 : 1 / 1.3, [this.width / 2, this.height / 2]);
      }
    });
  }

  zoomBy(factor, [x, y]) {
    const before = this.unit * this.zoom;
    this.zoom = Math.min(200, Math.max(0.5, this.zoom * factor));
    const after = this.unit * this.zoom;
    const dx = x - this.width / 2;
    const dy = y - this.height / 2;
    this.middle = [
      this.middle[0] + dx / before - dx / after,
      this.middle[1] - dy / before + dy / after,
    ];
    this.draw();
  }
}

/** An id as it stands in a path. */
function tilde(id) {
  return [...new TextEncoder().encode(id)]
    .map(byte => {
      const c = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(c) ? c : c === " " ? "+" : "~" + byte.toString(16).toUpperCase().padStart(2, "0");
    })
    .join("");
}
