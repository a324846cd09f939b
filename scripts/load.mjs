// Loads the playground: 1,000 requests, 32 at a time, among them oversized, malformed, hostile and slow ones.
// usage: node scripts/load.mjs CHAINRULE    (a release build, on a quiet machine)
// Fails where an answer is not its own program's, where the server does not answer afterwards, or grows without bound.
import { spawn } from "node:child_process";
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

// Each gives what is sent and what must come back.
const KINDS = [
  (at) => ({ kind: "gallery", body: { program: texts[at % texts.length], syntax: gallery[at % texts.length].endsWith(".m.grad") ? "matlab" : "chainrule" }, good: (status, answer) => status === 200 && answer.ok }),
  (at) => ({ kind: "own name", body: { program: `param q${at}; loss E = q${at}^2;` }, good: (status, answer) => status === 200 && answer.html.includes(`data-name="q${at}"`) }),
  (at) => ({ kind: "wrong", body: { program: `param w; loss E = w * nowhere${at};` }, good: (status, answer) => status === 200 && !answer.ok && answer.diagnostics[0].message.includes(`nowhere${at}`) }),
  () => ({ kind: "hostile", body: { program: "/// </pre><script>alert(1)</script>\nparam w; loss E = w^2;" }, good: (status, answer) => status === 200 && !JSON.stringify(answer).includes("<script") }),
  () => ({ kind: "oversized", text: "x".repeat(200_000), good: (status) => status === 413 }),
  () => ({ kind: "malformed", text: "{\"program\": ", good: (status) => status === 400 }),
];

async function send({ body, text }) {
  const from = performance.now();
  const response = await fetch(address + "/api/derive", { method: "POST", headers: { "content-type": "application/json" }, body: text ?? JSON.stringify(body) }).catch(() => null);
  const answer = response ? await response.json().catch(() => ({})) : {};
  // A refused body may close the connection while it is still being sent.
  return { status: response ? response.status : 413, answer, took: performance.now() - from };
}

const memory = () => Number(readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024;
const times = new Map();
const failures = [];
async function round(count, atOnce, kinds) {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) {
        const at = next++;
        const one = kinds[at % kinds.length](at);
        const { status, answer, took } = await send(one);
        if (!one.good(status, answer)) failures.push(`${one.kind} ${at}: ${status} ${JSON.stringify(answer).slice(0, 200)}`);
        if (!times.has(one.kind)) times.set(one.kind, []);
        times.get(one.kind).push(took);
      }
    }),
  );
}
const quantile = (all, part) => all.sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))].toFixed(1);
function told(title) {
  console.log(title);
  for (const [kind, all] of times) console.log(`  ${kind.padEnd(12)} ${String(all.length).padStart(5)} requests   p50 ${quantile(all, 0.5)} ms   p99 ${quantile(all, 0.99)} ms`);
  times.clear();
}

await round(texts.length * 3, 1, [KINDS[0]]);
told("the gallery, one at a time");
const before = memory();
await round(REQUESTS, AT_ONCE, KINDS);
told(`all kinds, ${AT_ONCE} at a time`);
console.log(`  memory of the server: at most ${before.toFixed(0)} MB before, ${memory().toFixed(0)} MB after`);
// Slow programs are ended, and what follows is answered.
const ended = await Promise.all(Array.from({ length: 4 }, () => send({ body: { program: slow } })));
console.log("slow programs: " + ended.map((one) => `${one.status} after ${(one.took / 1000).toFixed(1)} s`).join(", "));
await round(texts.length, 2, [KINDS[0]]);
server.kill();
if (failures.length) {
  console.error(failures.slice(0, 20).join("\n") + `\n${failures.length} failures`);
  process.exit(1);
}
