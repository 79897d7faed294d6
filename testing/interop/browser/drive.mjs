// drive.mjs BUNDLE: a headless Chromium with the bundle in a page for each name it is told. A line of
// standard input is one call, {"id", "page", "call", ...}; a line of standard output its answer,
// {"id", "value"} or {"id", "error"}.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const bundle = await readFile(process.argv[2], "utf8");
const server = createServer((request, response) => {
  const script = request.url === "/page.js";
  response.setHeader("content-type", script ? "text/javascript" : "text/html");
  response.end(script ? bundle : "<!doctype html><script type=module src=/page.js></script>");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
});
const pages = new Map();

async function page(name) {
  if (!pages.has(name)) {
    const opened = await browser.newPage();
    const log = [];
    opened.on("console", (message) => log.push(message.text()));
    opened.on("pageerror", (error) => log.push(String(error)));
    await opened.goto(`http://127.0.0.1:${server.address().port}/`);
    await opened.waitForFunction("globalThis.peer");
    pages.set(name, { opened, log });
  }
  return pages.get(name);
}

async function answer(line) {
  const { id, ...call } = JSON.parse(line);
  let answer;
  let log = [];
  try {
    const target = await page(call.page);
    log = target.log;
    const value = await target.opened.evaluate((call) => globalThis.peer[call.call](call), call);
    answer = { id, value: value ?? null };
  } catch (error) {
    answer = { id, error: `${error}; console: ${log.slice(-8).join(" | ")}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

process.stdout.write(`${JSON.stringify({ id: 0, value: browser.version() })}\n`);
for await (const line of createInterface({ input: process.stdin })) void answer(line);
await browser.close();
server.close();
