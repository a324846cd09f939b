// Drives the playground as a person would: type, see the formula, switch notation, break it, see the error under the token, mend it,
// copy; by keyboard too. Then a report. Nothing may be asked of another host, and no page may complain.
// usage: node drive.mjs CHAINRULE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [program, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });

async function served() {
  const server = spawn(program, ["serve", "--port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((found, failed) => {
    let said = "";
    server.stderr.on("data", (text) => {
      said += text;
      const match = said.match(/http:\/\/[^/]+\//);
      if (match) found(match[0]);
    });
    server.on("exit", () => failed(new Error("the server ended: " + said)));
  });
  return { server, address };
}

async function watched(context, own) {
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(own) && !url.startsWith("data:")) page.complaints.push("asks for " + url);
  });
  return page;
}

const picture = async (page, name) => pictures && page.screenshot({ path: join(pictures, name + ".png"), fullPage: true });
const status = (page, text) => page.waitForFunction((text) => document.getElementById("status").textContent.includes(text), text);

async function playground(browser, address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(address).origin });
  const page = await watched(context, address);
  await page.goto(address);
  await page.waitForSelector("#panel-derive math");
  await picture(page, "playground-1280-light");

  // Type, and see the formula.
  const layer = "dim N;\ninput x: [N];\nparam w: [N];\nz = x * w;\nloss E = sum(z^2);";
  await page.fill("#program", "");
  await page.click("#program");
  await page.keyboard.type(layer);
  await page.waitForFunction(() => document.querySelectorAll("#panel-derive article").length === 1);
  await status(page, "No errors");
  assert.match(await page.textContent("#panel-derive h3"), /∂.*E.*∂.*w/);

  // Switch the notation: entries with index letters appear.
  const before = await page.innerHTML("#panel-derive");
  await page.selectOption("#notation", "index");
  await page.waitForFunction((before) => document.getElementById("panel-derive").innerHTML !== before, before);
  assert.match(await page.innerHTML("#panel-derive"), /<msub>/);
  await page.selectOption("#lang", "zh");
  await page.waitForFunction(() => document.getElementById("panel-derive").textContent.includes("约定"));
  await page.selectOption("#lang", "en");

  // Break it: the error stands under its token, and leads to it.
  const broken = layer.replace("sum(z^2)", "sum(zz^2)");
  await page.fill("#program", broken);
  await page.waitForSelector("#marks mark.error");
  const place = await page.evaluate(() => {
    const [token, under] = ["token", "under"].map((kind) => document.querySelector("#marks ." + kind).getBoundingClientRect());
    return { text: document.querySelector("#marks .token").textContent, below: under.top - token.top, left: under.left - token.left };
  });
  assert.equal(place.text, "zz");
  assert.ok(place.below > 5 && place.below < 40 && Math.abs(place.left) < 2, JSON.stringify(place));
  assert.equal(await page.getAttribute("#program", "aria-invalid"), "true");
  await status(page, "1 error");
  await page.click("#findings button");
  const chosen = await page.evaluate(() => {
    const editor = document.getElementById("program");
    return editor.value.slice(editor.selectionStart, editor.selectionEnd);
  });
  assert.equal(chosen, "zz");
  await picture(page, "playground-error-1280-light");

  // Mend it by typing over what is selected.
  await page.keyboard.type("z");
  await status(page, "No errors");
  assert.equal(await page.locator("#marks mark").count(), 0);

  // The other views, by keyboard.
  await page.focus("#tab-derive");
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector("#panel-graph svg");
  assert.match(await page.textContent("#panel-graph svg"), /parameter · \[N\]/);
  await picture(page, "playground-graph-1280-light");
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector("#panel-check table");
  await status(page, "All derivatives hold");
  await picture(page, "playground-check-1280-light");
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.getElementById("code").textContent.includes("\\frac"));

  // Copy, in several formats.
  for (const [format, part] of [["latex", "\\frac"], ["numpy", "import numpy"], ["rust", "struct Params"]]) {
    if ((await page.inputValue("#format")) !== format) await page.selectOption("#format", format);
    await page.waitForFunction((part) => document.getElementById("code").textContent.includes(part), part);
    await page.click("#copy");
    await status(page, "copied");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.includes(part), format);
  }

  // A link holds the program and the switches.
  await page.click("#link");
  await status(page, "Link copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await watched(context, address);
  await other.goto(link);
  await other.waitForSelector("#panel-derive math");
  assert.equal(await other.inputValue("#program"), layer);
  assert.equal(await other.inputValue("#notation"), "index");

  // Hostile text runs nothing.
  await other.fill("#program", "/// <img src=x onerror=\"document.title='bad'\"><script>document.title='bad'</script>\nparam w; loss E = <b>w</b>;");
  await other.waitForSelector("#marks mark.error");
  await other.fill("#program", "/// <img src=x onerror=\"document.title='bad'\"><script>document.title='bad'</script>\nparam w; loss E = w^2;");
  await status(other, "No errors");
  assert.equal(await other.title(), "chainrule playground");
  assert.equal(await other.locator("img, main script").count(), 0);

  // An example of the gallery, on a narrow dark page; nothing is wider than the page.
  await other.setViewportSize({ width: 400, height: 800 });
  await other.emulateMedia({ colorScheme: "dark" });
  await other.selectOption("#example", "digits_mlp");
  await other.waitForFunction(() => document.querySelectorAll("#panel-derive article").length === 6);
  const wide = await other.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 400, "the page is " + wide + " pixels wide");
  await picture(other, "playground-400-dark");
  assert.deepEqual([...page.complaints, ...other.complaints], []);
  await context.close();
}

async function report(browser) {
  const folder = pictures || mkdtempSync(join(tmpdir(), "chainrule-report-"));
  const path = join(folder, "report.html");
  execFileSync(program, ["derive", "examples/softmax_regression.grad", "-o", path]);
  const url = pathToFileURL(path).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await watched(context, url);
  await page.goto(url);
  await page.evaluate(() => document.fonts.ready);
  assert.ok(await page.evaluate(() => document.fonts.check("16px 'STIX Two Math'")));
  await picture(page, "report-1280-light");
  // A name lights up in formulas and in the graph.
  const ground = (at) => page.evaluate((at) => getComputedStyle(document.querySelector(at)).backgroundColor, at);
  const fill = () => page.evaluate(() => getComputedStyle(document.querySelector(".cg [data-name=W] rect")).fill);
  const [dark, plain] = [await ground("article math [data-name=W]"), await fill()];
  await page.hover(".cg [data-name=W]");
  assert.notEqual(await ground("article math [data-name=W]"), dark);
  await page.hover("article math [data-name=W]");
  assert.notEqual(await fill(), plain);
  // A variable leads to its derivation.
  await page.click(".cg a");
  assert.match(page.url(), /#d\d$/);
  for (const [width, colorScheme] of [[1280, "dark"], [400, "light"], [400, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, "the report is " + wide + " pixels wide at " + width);
    await picture(page, `report-${width}-${colorScheme}`);
  }
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  await picture(page, "report-print");
  assert.deepEqual(page.complaints, []);
  await context.close();
}

const started = Date.now();
const { server, address } = await served();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
try {
  await playground(browser, address);
  await report(browser);
  console.log("the playground and the report do what they should, in " + ((Date.now() - started) / 1000).toFixed(1) + " s");
} finally {
  await browser.close();
  server.kill();
}
