/* Licensed under the Apache License, Version 2.0; see LICENSE. */
// The editor of a statement: CodeMirror in place of the text area, with completion of names.

import { EditorState } from "./codemirror__state.js";
import { EditorView, keymap, drawSelection, placeholder } from "./codemirror__view.js";
import { StreamLanguage, HighlightStyle, syntaxHighlighting, bracketMatching } from "./codemirror__language.js";
import { history, historyKeymap, defaultKeymap } from "./codemirror__commands.js";
import { autocompletion, completionKeymap, closeBrackets, closeBracketsKeymap } from "./codemirror__autocomplete.js";
import { tags } from "./lezer__highlight.js";
import { sqlite } from "./codemirror__legacy-modes.js";

const NAME = /[\w$]*/;
const PARAMETER = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|::|[:@$]([A-Za-z0-9_]+)/g;

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "14px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px", borderRadius: "5px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", minHeight: "8.4rem", maxHeight: "24rem" },
  ".cm-content": { caretColor: "var(--text)", padding: "6px 4px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)",
  },
  ".cm-tooltip": { background: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    background: "var(--accent)", color: "var(--on-accent)",
  },
  ".cm-completionInfo": { maxWidth: "24rem", fontFamily: "var(--sans)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: ".75" },
  ".cm-placeholder": { color: "var(--soft)" },
});

/** Puts the editor in place of a form's text area, which goes on to carry its text. */
export function start(form) {
  const area = form.elements.sql;
  const place = document.createElement("div");
  place.className = "editor";
  // In a shadow tree CodeMirror's styles are style sheet objects, which the content-security-policy
  // allows; in the page they would be style elements.
  const root = place.attachShadow({ mode: "open" });
  const parent = document.createElement("div");
  root.append(parent);
  area.before(place);
  const names = complete(form.dataset.completion);
  const run = () => {
    form.requestSubmit();
    return true;
  };
  const view = new EditorView({
    parent,
    root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        keymap.of([{ key: "Mod-Enter", run }]),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        placeholder(area.placeholder),
        StreamLanguage.define(sqlite),
        syntaxHighlighting(colours),
        autocompletion({ override: [names] }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "SQL", spellcheck: "false" }),
        EditorView.updateListener.of(update => {
          if (update.docChanged) {
            area.value = view.state.doc.toString();
            fields(form, area.value);
          }
        }),
        look,
      ],
    }),
  });
  area.hidden = true;
  if (!area.value && matchMedia("(min-width: 46rem)").matches) {
    view.focus();
  }
  window.editor = view;
}

/** A field for each parameter that the text has. */
function fields(form, sql) {
  const place = form.querySelector(".parameters");
  const wanted = new Set();
  for (const match of sql.matchAll(PARAMETER)) {
    if (match[1]) {
      wanted.add(match[1]);
    }
  }
  const there = new Map([...place.querySelectorAll("input")].map(input => [input.name, input]));
  for (const [name, input] of there) {
    if (!wanted.has(name) && !input.value) {
      input.closest("label").remove();
    }
    if (input.value) {
      input.disabled = !wanted.has(name);
      input.closest("label").hidden = !wanted.has(name);
    }
  }
  for (const name of wanted) {
    if (!there.has(name)) {
      const label = document.createElement("label");
      const text = document.createElement("span");
      const input = document.createElement("input");
      text.textContent = ":" + name;
      input.name = name;
      label.append(text, input);
      place.append(label);
    }
  }
}

/** Completes tables, columns and functions, with their help. */
function complete(address) {
  let options = null;
  return async context => {
    const word = context.matchBefore(NAME);
    if (!context.explicit && (!word || word.from === word.to)) {
      return null;
    }
    if (!options) {
      const answer = await fetch(address);
      options = answer.ok ? await answer.json() : [];
    }
    const before = context.state.sliceDoc(Math.max(0, word.from - 80), word.from);
    const table = /("?)([\w$]+)\1\.$/.exec(before);
    const fitting = table
      ? options.filter(option => option.table && option.table.toLowerCase() === table[2].toLowerCase())
      : options;
    return { from: word.from, options: fitting.length ? fitting : options, validFor: /^[\w$]*$/ };
  };
}
