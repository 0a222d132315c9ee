// A scheduler of its own for each file of tests, and people who look at its page with a browser.
//
// Whoever looks complains by himself: an error in the console, an exception of a script or something that the policy of
// the page forbids fails the test, unless the test has said that it will come.
//
//     cargo build -p scheduler && cd tests/e2e && npm ci && npm test
//
// needs Node 20, Python 3 and Chromium. SCHEDULER_BIN and CHROMIUM_BIN name other programs; with E2E_PICTURES=DIR each
// page on which a test fails leaves a picture there.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const HERE = import.meta.dirname;
const PROGRAM = resolve(HERE, process.env.SCHEDULER_BIN ?? "../../target/debug/scheduler");
const BROWSER = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const PICTURES = process.env.E2E_PICTURES;

// What a test waits for at most, in milliseconds. Nothing here takes a second on a machine that is free.
const PATIENCE = 10_000;

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

// Who may log in by name, and as what.
export const PASSWORD = "correct horse battery staple";
const USERS = { ann: "admin", olga: "operator", vic: "viewer" };
const TOKEN = "of-the-tests-0123456789";

// Waits for what no event tells of, such as a row that a node writes.
export async function until(what, isSo) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const answer = await isSo();
    if (answer) return answer;
    assert.ok(performance.now() < end, `${what}: not within ${PATIENCE / 1000} s`);
    await pause(50);
  }
}

// ---- the scheduler ----

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

class Scheduler {
  #folder;
  #environment;
  #process;
  #said = "";

  static async start(rows) {
    const scheduler = new Scheduler();
    scheduler.#folder = await mkdtemp(join(tmpdir(), "scheduler-e2e-"));
    const port = await freePort();
    scheduler.url = `http://127.0.0.1:${port}`;
    scheduler.#environment = {
      ...process.env,
      APP_ENV: "local",
      SCHEDULER__COMMON__DEMO_ROWS: "false",
      // A run that is asked for by the page, or the API, begins with the next reading.
      SCHEDULER__COMMON__SYNC_INTERVAL: "300ms",
      SCHEDULER__COMMON__HTTP__LISTEN: `127.0.0.1:${port}`,
    };
    await cp(resolve(HERE, "../../conf"), join(scheduler.#folder, "conf"), { recursive: true });
    await scheduler.#admit();
    if (rows.length > 0) {
      await scheduler.run("migrate");
      await scheduler.sql(...rows);
    }
    await scheduler.#begin();
    return scheduler;
  }

  // Writes who may log in, and the token of the tests, into the configuration.
  async #admit() {
    const hash = (await this.run("password", { input: `${PASSWORD}\n` })).trim();
    const users = Object.entries(USERS).map(
      ([name, role]) => `[http.users.${name}]\npassword_hash = "${hash}"\nrole = "${role}"\n`,
    );
    const token = `[http.tokens.tests]\ntoken = "${TOKEN}"\nrole = "admin"\n`;
    await appendFile(join(this.#folder, "conf/local/common.toml"), ["", ...users, token].join("\n"));
  }

  async #begin() {
    const options = { cwd: this.#folder, env: this.#environment, stdio: ["ignore", "ignore", "pipe"] };
    this.#process = spawn(PROGRAM, [], options);
    this.#process.stderr.on("data", (text) => (this.#said += text));
    await until("the scheduler answers", async () => {
      assert.equal(this.#process.exitCode, null, `the scheduler ended: ${this.#said}`);
      return fetch(`${this.url}/healthz`).then((answer) => answer.ok, () => false);
    });
  }

  // Stops it as an operator does; it must end in order.
  async stop() {
    const ended = new Promise((done) => this.#process.once("exit", done));
    this.#process.kill("SIGTERM");
    const code = await ended;
    await rm(this.#folder, { recursive: true });
    assert.equal(code, 0, this.#said);
    assert.doesNotMatch(this.#said, /bug:|panicked/);
  }

  // What a verb of the command line prints.
  async run(...parts) {
    const options = typeof parts.at(-1) === "object" ? parts.pop() : {};
    const running = promisify(execFile)(PROGRAM, parts, { cwd: this.#folder, env: this.#environment });
    if (options.input) running.child.stdin.end(options.input);
    return (await running).stdout;
  }

  // A link with which a browser logs in once.
  async link() {
    return (await this.run("login")).trim();
  }

  // Statements by SQL, each a text or [text, ...values].
  async sql(...statements) {
    const program =
      "import json, sqlite3, sys\n" +
      "with sqlite3.connect('data/scheduler.db', timeout=20) as db:\n" +
      "    for text, *values in json.load(sys.stdin): db.execute(text, values)\n";
    const running = promisify(execFile)("python3", ["-c", program], { cwd: this.#folder });
    running.child.stdin.end(JSON.stringify(statements.map((each) => [each].flat())));
    await running;
  }

  // What the API answers; the page is held against it.
  async api(method, path, body) {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const request = { method, headers, body: body && JSON.stringify(body) };
    const answer = await fetch(`${this.url}/api/v1${path}`, request);
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  // A task that fires once a year unless something else is said.
  async task(task_key, more = {}) {
    const row = { task_key, execute_func: "test_cron", trigger: "cron", spec: "0 8 1 1 *", args: "" };
    return this.api("POST", "/tasks", { ...row, ...more });
  }

  // The keys of all tasks that contain `text`.
  async keys(text) {
    const found = await this.api("GET", `/tasks?text=${encodeURIComponent(text)}`);
    return found.items.map((task) => task.task_key).sort();
  }

  // Runs a task now and waits for the end of it.
  async ran(id) {
    await this.api("POST", `/tasks/${id}/run`);
    return until(`task ${id} ran`, async () => {
      const [run] = (await this.api("GET", `/executions?task_id=${id}`)).items;
      return run?.finished_at && run;
    });
  }
}

// ---- who looks ----

class Person {
  complaints = [];
  clicks = 0;
  #expected = [];

  static async of(browser, scheduler, { viewport = DESKTOP, scheme = "light", language = "en" } = {}) {
    const person = new Person();
    person.scheduler = scheduler;
    person.viewport = viewport;
    person.context = await browser.newContext({
      baseURL: scheduler.url,
      viewport,
      isMobile: viewport === PHONE,
      hasTouch: viewport === PHONE,
      colorScheme: scheme,
      locale: language,
    });
    person.context.setDefaultTimeout(PATIENCE);
    person.page = await person.context.newPage();
    await person.#listen();
    return person;
  }

  async #listen() {
    const { page } = this;
    const complain = (text) => {
      if (!this.#expected.some((pattern) => pattern.test(text))) this.complains(`${page.url()}: ${text}`);
    };
    page.on("console", (message) => message.type() === "error" && complain(message.text()));
    page.on("pageerror", (error) => complain(String(error)));
    page.on("response", (answer) => answer.status() >= 500 && complain(`${answer.status()} ${answer.url()}`));
    await page.exposeFunction("__forbidden", complain);
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) =>
        globalThis.__forbidden(`${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`));
    });
  }

  // Says what is wrong, and goes on: the test fails at its end, with all of it.
  complains(text) {
    this.complaints.push(text);
  }

  // The browser will complain of this, and rightly.
  expects(pattern) {
    this.#expected.push(pattern);
  }

  // Every click is counted: what a test says of their number is the price of what the person wanted.
  async click(locator) {
    this.clicks += 1;
    await locator.click();
  }

  async goto(path) {
    await this.page.goto(path);
  }

  async path() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  async at(path) {
    await this.page.waitForURL((url) => url.pathname + url.search === path);
  }

  async sees(locator) {
    await locator.first().waitFor({ state: "visible" });
  }

  heading(name) {
    return this.page.getByRole("heading", { level: 1, name });
  }

  // By a link; the script of the page sends its code on.
  async follows(link) {
    await this.page.goto(link, { waitUntil: "commit" });
    await this.page.waitForURL((url) => url.hash === "");
  }

  async logsIn() {
    await this.follows(await this.scheduler.link());
    await this.at("/");
  }

  async logsInAs(name, password = PASSWORD) {
    await this.page.goto("/login");
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Password").fill(password);
    await this.click(this.page.getByRole("button", { name: "Log in" }));
  }

  // The row of a table in which this is the head.
  row(name) {
    const head = this.page.getByRole("rowheader", { name });
    return this.page.getByRole("row").filter({ has: head });
  }

  // All that a screen reader says of a region, signs that only the style sheet writes included.
  async hears(role, name) {
    const session = await this.context.newCDPSession(this.page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    await session.detach();
    const by = new Map(nodes.map((node) => [node.nodeId, node]));
    const said = (node) =>
      node.role?.value === "StaticText"
        ? [node.name.value]
        : (node.childIds ?? []).flatMap((id) => (by.has(id) ? said(by.get(id)) : []));
    const region = nodes.find((node) => node.role?.value === role && node.name?.value === name);
    return region ? said(region).join("").trim() : "";
  }

  async leaves(isWell, named) {
    if (!isWell && PICTURES) {
      await mkdir(PICTURES, { recursive: true });
      const path = join(PICTURES, `${named.replace(/\W+/g, "_")}.png`);
      await this.page.screenshot({ path, fullPage: true }).catch(() => {});
    }
    await this.context.close();
  }
}

// ---- a file of tests ----

// What the tests of a file share: a scheduler that starts on a database with `rows`, statements by SQL, and is made
// ready by `prepare`; and a browser. `before` and `after` are those of the file. `someone(looks, does)` is the body of a
// test in which a person looks at the page.
export function stage({ before, after }, { rows = [], prepare } = {}) {
  const shared = {};
  before(async () => {
    // A container of CI is a sandbox, and has none within it.
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    [shared.scheduler, shared.browser] = await Promise.all([
      Scheduler.start(rows),
      chromium.launch({ executablePath: BROWSER, args }),
    ]);
    await prepare?.(shared.scheduler);
  });
  after(async () => {
    await shared.browser?.close();
    await shared.scheduler?.stop();
  });
  shared.someone = (looks, does) => async (test) => {
    const person = await Person.of(shared.browser, shared.scheduler, looks);
    let isWell = false;
    try {
      await does(person, shared.scheduler, test);
      isWell = person.complaints.length === 0;
    } finally {
      await person.leaves(isWell, test.name);
    }
    assert.deepEqual(person.complaints, [], "nothing to complain of");
  };
  return shared;
}
