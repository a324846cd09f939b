// Every formula that chainrule prints for the gallery and for the cases of matrix calculus, through KaTeX in strict mode, and
// into one LaTeX document. Usage: node formulas.mjs CHAINRULE FOLDER [short]. KaTeX is looked for in FOLDER/node_modules.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [chainrule, folder, mode] = process.argv.slice(2);
const root = path.resolve(import.meta.dirname, "..");
const katex = createRequire(path.resolve(folder, "index.js"))("katex");

function derive(args) {
  const flags = { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "pipe"] };
  return execFileSync(chainrule, ["derive", ...args], flags);
}

// What is derived: a name and arguments for each.
function jobs() {
  const list = [];
  const gallery = readdirSync(path.join(root, "examples")).filter((name) => name.endsWith(".grad"));
  for (const name of gallery.sort()) {
    for (const notation of mode ? ["index"] : ["index", "matrix"]) {
      list.push([`${name}, ${notation}`, [path.join(root, "examples", name), "--notation", notation]]);
    }
  }
  const cases = JSON.parse(readFileSync(path.join(root, "core/tests/matrix_calculus/cases.json"), "utf8"));
  cases.forEach((one, at) => {
    if (mode && at % 8 !== 0) return;
    const fixed = one.expr.includes("svd");
    const size = (dim) => (fixed && one.dims && dim in one.dims ? one.dims[dim] : dim);
    const vars = Object.entries(one.vars).flatMap(([name, sizes]) => {
      return ["--var", sizes.length ? `${name}:${sizes.map(size).join(",")}` : `${name}:1,1`];
    });
    const order = one.kind === "hessian" ? ["--order", "2"] : [];
    list.push([one.id, ["--syntax", "matlab", "-e", one.expr, ...vars, "--wrt", one.wrt, ...order]]);
  });
  return list;
}

const blocks = (latex) => latex.match(/\\begin\{align\*\}[^]*?\\end\{align\*\}/g) ?? [];
const inline = (latex) => [...latex.replace(/\\begin\{align\*\}[^]*?\\end\{align\*\}/g, "").matchAll(/\$([^$]+)\$/g)];
const displayed = (markdown) => [...markdown.matchAll(/\$\$\n([^]*?)\n\$\$/g)].map((found) => found[1]);

let count = 0;
const wrong = [];
function check(name, formula, displayMode) {
  count += 1;
  try {
    katex.renderToString(formula, { displayMode, strict: "error", throwOnError: true });
  } catch (error) {
    wrong.push(`${name}: ${error.message}\n    ${formula}`);
  }
}

const parts = [];
const refused = [];
for (const [name, args] of jobs()) {
  let latex;
  try {
    latex = derive([...args, "--format", "latex", "--lang", "en"]);
  } catch (error) {
    refused.push(`${name}: ${String(error.stderr).split("\n")[0]}`);
    continue;
  }
  parts.push(`\\subsection*{${name.replaceAll("_", "\\_")}}\n${latex}`);
  const forms = [latex];
  if (!mode) forms.push(derive([...args, "--format", "latex", "--lang", "zh"]));
  for (const form of forms) {
    blocks(form).forEach((block) => check(name, block, true));
    inline(form).forEach((found) => check(name, found[1], false));
  }
  if (!mode) displayed(derive([...args, "--format", "markdown"])).forEach((block) => check(name, block, true));
}
writeFileSync(
  path.join(folder, "formulas.tex"),
  "\\documentclass[a4paper]{article}\n\\usepackage[margin=2cm]{geometry}\n\\usepackage{amsmath,amssymb}\n" +
    `\\allowdisplaybreaks\n\\begin{document}\n${parts.join("\n")}\n\\end{document}\n`,
);
refused.forEach((line) => console.log(`no derivative: ${line}`));
wrong.forEach((line) => console.log(line));
console.log(`KaTeX ${katex.version}: ${count} formulas of ${parts.length} programs, ${wrong.length} refused`);
process.exitCode = wrong.length > 0 || parts.length === 0 ? 1 : 0;
