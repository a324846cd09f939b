// The playground's only script. It sends the program to the server that it came from, and shows the answer. Text of a program is
// only ever put into the page as text; markup comes from the server, which has escaped it.
"use strict";

const by = (id) => document.getElementById(id);
const CHOICES = ["syntax", "notation", "steps", "style", "lang"];
const VIEWS = ["derive", "graph", "check", "code"];
const PAUSE = 250;

let view = "derive";
let examples = [];
let timer = 0;
let running = null;
let found = [];

// ---- asking ----------------------------------------------------------------------------------------------------

function asked() {
  const request = { program: by("program").value, format: by("format").value };
  for (const choice of CHOICES) request[choice] = by(choice).value;
  return request;
}

async function ask() {
  if (running) running.abort();
  const own = (running = new AbortController());
  const request = asked();
  remember(request);
  if (request.program.trim() === "") {
    showFindings([]);
    say("Write a program, or choose an example.");
    return;
  }
  let answer;
  try {
    const response = await fetch("/api/" + view, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
      signal: own.signal,
    });
    answer = await response.json();
  } catch (error) {
    if (error.name === "AbortError") return;
    answer = { problem: "the server does not answer; is `chainrule serve` still running?" };
  }
  if (running === own) show(view, answer);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
}

// ---- showing ---------------------------------------------------------------------------------------------------

function show(what, answer) {
  showFindings(answer.diagnostics || []);
  const good = answer.ok === true;
  by("stale").hidden = good;
  by("result").classList.toggle("old", !good);
  by("program").setAttribute("aria-invalid", String(!good));
  if (answer.problem) return say(sentence(answer.problem));
  if (!good) return say(counted(found.filter((one) => one.level === "error").length, "error"));
  if (what === "derive") by("panel-derive").innerHTML = answer.html;
  if (what === "graph") by("panel-graph").innerHTML = answer.svg;
  if (what === "check") by("panel-check").innerHTML = answer.html;
  if (what === "code") by("code").textContent = answer.code;
  const warnings = found.length ? ", " + counted(found.length, "warning") : "";
  if (what === "check") say(answer.holds ? "All derivatives hold" + warnings + "." : "Not every derivative holds.");
  else say("No errors" + warnings + ".");
}

function say(text) {
  if (by("status").textContent !== text) by("status").textContent = text;
}

function counted(count, what) {
  return count + " " + what + (count === 1 ? "" : "s");
}

function sentence(text) {
  const end = /[.?!]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// ---- findings --------------------------------------------------------------------------------------------------

function showFindings(diagnostics) {
  found = diagnostics;
  const list = by("findings");
  list.replaceChildren();
  for (const one of diagnostics) {
    const item = element("li", "", one.level);
    const place = one.labels[0];
    const where = place ? "line " + place.line + ", column " + place.column + ": " : "";
    const button = element("button", where + one.message);
    button.type = "button";
    button.addEventListener("click", () => place && select(place));
    const code = element("code", one.code);
    code.title = one.title;
    item.append(code, " ", button);
    for (const label of one.labels) if (label.text) item.append(element("div", "line " + label.line + ": " + label.text, "label"));
    if (one.help) item.append(element("div", "help: " + one.help, "help"));
    const more = element("details", "", "more");
    more.append(element("summary", "what this means"), element("p", one.explanation));
    item.append(more);
    list.append(item);
  }
  paint();
}

function select(place) {
  const program = by("program");
  program.focus();
  program.setSelectionRange(place.start, Math.max(place.end, place.start));
}

// The text behind the transparent letters of the editor: coloured words, and each error under its token.
const WORDS = /(\/\/[^\n]*|\/\*[^]*?\*\/)|\b(dim|input|target|param|const|loss|output|fn|net|grad|jacobian|hessian|hvp|jvp|wrt|one_hot|simplex|symmetric|positive|nonnegative|spd|orthogonal|diagonal|triangular|unit)\b|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)/g;

function paint() {
  const text = by("program").value;
  const marks = found
    .filter((one) => one.labels.length)
    .map((one) => ({ start: one.labels[0].start, end: one.labels[0].end, kind: one.level, text: one.message }))
    .map((one) => ({ ...one, end: Math.max(one.end, one.start + 1) }))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const out = document.createDocumentFragment();
  let at = 0;
  for (const mark of marks) {
    if (mark.start < at) continue;
    coloured(out, text.slice(at, mark.start));
    // Only the first line of what is marked, so that the message stands right under it.
    const whole = text.slice(mark.start, mark.end);
    const first = whole.split("\n", 1)[0];
    const node = element("mark", "", mark.kind);
    node.append(element("span", first === "" ? " " : first, "token"), element("span", mark.text, "under"));
    out.append(node);
    at = mark.start + first.length;
  }
  coloured(out, text.slice(at));
  out.append("\n");
  by("marks").replaceChildren(out);
  fit();
}

function coloured(out, text) {
  let at = 0;
  for (const match of text.matchAll(WORDS)) {
    out.append(text.slice(at, match.index));
    out.append(element("span", match[0], match[1] ? "comment" : match[2] ? "word" : "number"));
    at = match.index + match[0].length;
  }
  out.append(text.slice(at));
}

// The editor is as large as its text, and the frame around it scrolls both layers as one.
function fit() {
  const program = by("program");
  program.style.height = program.style.width = "0";
  program.style.height = program.scrollHeight + "px";
  program.style.width = program.scrollWidth + "px";
}

// ---- views, switches, links ------------------------------------------------------------------------------------

function turnTo(next, focus) {
  view = next;
  for (const one of VIEWS) {
    const chosen = one === next;
    by("tab-" + one).setAttribute("aria-selected", String(chosen));
    by("tab-" + one).tabIndex = chosen ? 0 : -1;
    by("panel-" + one).hidden = !chosen;
    if (chosen && focus) by("tab-" + one).focus();
  }
  ask();
}

function tabKey(event) {
  const at = VIEWS.indexOf(view);
  const last = VIEWS.length - 1;
  const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  turnTo(VIEWS[to], true);
}

// The program in the address: after `#`, which no browser sends anywhere.
function remember(request) {
  const kept = { v: 1, program: request.program };
  for (const choice of CHOICES) if (by(choice).selectedIndex > 0) kept[choice] = request[choice];
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const text = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  history.replaceState(null, "", "#" + text);
}

function remembered() {
  const text = location.hash.slice(1).replaceAll("-", "+").replaceAll("_", "/");
  if (text === "") return null;
  try {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const kept = JSON.parse(new TextDecoder().decode(bytes));
    return typeof kept.program === "string" ? kept : null;
  } catch {
    return null;
  }
}

function restore(kept) {
  by("program").value = kept.program;
  for (const choice of CHOICES) {
    const known = [...by(choice).options].some((option) => option.value === kept[choice]);
    if (known) by(choice).value = kept[choice];
    else by(choice).selectedIndex = 0;
  }
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(what + " copied.");
  } catch {
    say("The browser does not allow copying here.");
  }
}

// A name in a formula and its box in the graph light up together.
function light(event) {
  const at = event.target.closest && event.target.closest("[data-name]");
  const name = at ? at.getAttribute("data-name") : null;
  for (const one of document.querySelectorAll("[data-name]")) {
    one.classList.toggle("lit", name !== null && one.getAttribute("data-name") === name);
  }
}

// ---- start -----------------------------------------------------------------------------------------------------

async function start() {
  let gallery = { programs: [], formats: [] };
  try {
    gallery = await (await fetch("/api/gallery")).json();
  } catch {
    say("The gallery could not be read.");
  }
  examples = gallery.programs;
  for (const one of examples) {
    const option = element("option", one.name.replaceAll("_", " "));
    option.value = one.name;
    option.title = one.title;
    by("example").append(option);
  }
  for (const one of gallery.formats) {
    const option = element("option", one.title);
    option.value = one.id;
    by("format").append(option);
  }
  by("example").addEventListener("change", (event) => {
    const chosen = examples.find((one) => one.name === event.target.value);
    if (!chosen) return;
    by("program").value = chosen.program;
    by("syntax").value = chosen.syntax;
    paint();
    ask();
  });
  by("program").addEventListener("input", () => {
    // Places move while one types: marks are taken away until the answer has new ones.
    found = [];
    by("example").selectedIndex = 0;
    paint();
    soon();
  });
  for (const choice of CHOICES) by(choice).addEventListener("change", ask);
  by("format").addEventListener("change", ask);
  for (const one of VIEWS) {
    by("tab-" + one).addEventListener("click", () => turnTo(one, false));
    by("tab-" + one).addEventListener("keydown", tabKey);
  }
  by("copy").addEventListener("click", () => copy(by("code").textContent, by("format").selectedOptions[0].text));
  by("link").addEventListener("click", () => {
    remember(asked());
    copy(location.href, "Link");
  });
  by("result").addEventListener("pointerover", light);
  by("result").addEventListener("pointerleave", light);
  addEventListener("hashchange", () => {
    const kept = remembered();
    if (!kept || kept.program === by("program").value) return;
    restore(kept);
    paint();
    ask();
  });
  const kept = remembered();
  if (kept) restore(kept);
  else if (examples.length) {
    const first = examples.find((one) => one.name === "softmax_regression") || examples[0];
    by("example").value = first.name;
    by("program").value = first.program;
  }
  paint();
  ask();
}

start();
