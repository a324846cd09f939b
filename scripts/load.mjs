// Loads the playground: 1,000 requests, 32 at a time, among them oversized, malformed, hostile and slow ones.
// usage: node scripts/load.mjs CHAINRULE    (a release build, on a quiet machine)
// Fails where an answer is not its own program's, where the server does not answer afterwards, or grows without bound.
import { spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { readFileSync, readdirSync } from "node:fs";

const [program] = process.argv.slice(2);
const REQUESTS = 1000;
const AT_ONCE = 32;
const server = spawn(program, ["serve", "--port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
const address = await new Promise((found) => {
  server.stderr.on("data", (text) => {
    const match = String(text).match(/http:\/\/[^/]+/);
    if (match) found(match[0]);
  });
});

const folder = new URL("../examples/", import.meta.url);
const gallery = readdirSync(folder).filter((name) => name.endsWith(".grad")).sort();
const texts = gallery.map((name) => readFileSync(new URL(name, folder), "utf8"));
const slow = "param w; loss E = " + Array.from({ length: 400 }, (_, at) => `(w+${at})`).join("*") + ";";

const shown = (at, text) => ({ program: text, syntax: gallery[at % texts.length].endsWith(".m.grad") ? "matlab" : "chainrule" });
const right = (status, answer) => status === 200 && answer.ok;

// Each gives what is sent and what must come back. The gallery as it is is remembered; with a remark of its own, each program is worked out.
const KINDS = [
  (at) => ({ kind: "gallery", body: shown(at, texts[at % texts.length]), good: right }),
  (at) => ({ kind: "changed", body: shown(at, `${texts[at % texts.length]}// ${at}`), good: right }),
  (at) => ({ kind: "own name", body: { program: `param q${at}; loss E = q${at}^2;` }, good: (status, answer) => status === 200 && answer.html.includes(`data-name="q${at}"`) }),
  (at) => ({ kind: "wrong", body: { program: `param w; loss E = w * nowhere${at};` }, good: (status, answer) => status === 200 && !answer.ok && answer.diagnostics[0].message.includes(`nowhere${at}`) }),
  () => ({ kind: "hostile", body: { program: "/// </pre><script>alert(1)</script>\nparam w; loss E = w^2;" }, good: (status, answer) => status === 200 && !JSON.stringify(answer).includes("<script") }),
  () => ({ kind: "oversized", text: "x".repeat(200_000), good: (status) => status === 413 }),
  () => ({ kind: "malformed", text: "{\"program\": ", good: (status) => status === 400 }),
];

// What this side does takes time of the same processors: connections are kept, and answers are read after the round.
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const send = ({ body, text }) =>
  new Promise((done) => {
    const bytes = Buffer.from(text ?? JSON.stringify(body));
    const from = performance.now();
    const end = (status, chunks) => done({ status, text: () => Buffer.concat(chunks).toString(), took: performance.now() - from });
    const headers = { "content-type": "application/json", "content-length": bytes.length };
    const own = bytes.length > 65536 ? false : agent;
    const sent = request(address + "/api/derive", { method: "POST", agent: own, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk)).on("end", () => end(response.statusCode, chunks));
    });
    // What is too large has a connection of its own, which may be closed while the request is still being sent.
    sent.on("error", () => end(413, []));
    sent.end(bytes);
  });
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const memory = () => Number(readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024;
const times = new Map();
const failures = [];
async function round(count, atOnce, kinds) {
  const all = Array.from({ length: count }, (_, at) => ({ at, ...kinds[at % kinds.length](at) }));
  const waiting = all.slice();
  const one = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) Object.assign(next, await send(next));
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  for (const { kind, at, good, status, text, took } of all) {
    const said = text();
    if (!good(status, read(said))) failures.push(`${kind} ${at}: ${status} ${said.slice(0, 200)}`);
    if (!times.has(kind)) times.set(kind, []);
    times.get(kind).push(took);
  }
}
const quantile = (all, part) => all.sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))].toFixed(1);
function told(title) {
  console.log(title);
  for (const [kind, all] of times) console.log(`  ${kind.padEnd(12)} ${String(all.length).padStart(5)} requests   p50 ${quantile(all, 0.5)} ms   p99 ${quantile(all, 0.99)} ms`);
  times.clear();
}

await round(texts.length, 1, [KINDS[1]]);
await round(texts.length * 3, 1, [KINDS[0]]);
told("one at a time");
const before = memory();
await round(REQUESTS, AT_ONCE, KINDS);
told(`all kinds, ${AT_ONCE} at a time`);
console.log(`  memory of the server: at most ${before.toFixed(0)} MB before, ${memory().toFixed(0)} MB after`);
// Slow programs are ended, and what follows is answered.
const ended = await Promise.all(Array.from({ length: 4 }, () => send({ body: { program: slow } })));
console.log("slow programs: " + ended.map((one) => `${one.status} after ${(one.took / 1000).toFixed(1)} s`).join(", "));
await round(texts.length, 2, [KINDS[0]]);
server.kill();
agent.destroy();
if (failures.length) {
  console.error(failures.slice(0, 20).join("\n") + `\n${failures.length} failures`);
  process.exit(1);
}
