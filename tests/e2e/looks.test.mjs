// How the pages look: each in two sizes, two themes and two languages, with data that is long, failed and refused.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { AxeBuilder } from "@axe-core/playwright";

import { DESKTOP, PHONE, stage } from "./support.mjs";

const HOUR = 3_600_000;
const LONG = "a_key_as_long_as_they_get_when_a_team_puts_everything_into_it_" + "x".repeat(90);

// What is looked at: every state of a task, and every outcome of a run.
let ids;
async function prepare(scheduler) {
  const plain = await scheduler.task("daily_report", {
    desc: "Daily report 每日报表，" + "描述比键名多说一些，并且超出行尾，".repeat(4),
    spec: "30 1 * * *",
    args: '{"to": "team", "text": "' + "long-and-longer ".repeat(10) + '"}',
    extra: { timezone: "Europe/London" },
  });
  await scheduler.task("switched_off", { is_valid: 0 });
  await scheduler.task(LONG, { desc: "长".repeat(120) });
  await scheduler.task("often", { execute_func: "test_interval", trigger: "interval", spec: "90s" });
  await scheduler.sql(
    `INSERT INTO task (task_key, "desc", execute_func, "trigger", spec, args, is_valid, status, extra)
     VALUES ('rejected', '', 'test_corn', 'cron', '61 * * * *', '', 1, 'ready', '{}')`,
  );
  const ran = await scheduler.ran(plain.id);
  const now = Date.now();
  const statuses = ["success", "fail", "timeout", "lost", "cancelled", "missed", "skipped", "success"];
  const runs = Array.from({ length: 64 }, (_, place) => {
    const [status, at] = [statuses[place % statuses.length], now - (64 - place) * HOUR];
    const isRun = !["missed", "skipped"].includes(status);
    const reasons = {
      fail: { err: "connection refused: ".repeat(3) + "连接不到名称很长的主机，".repeat(6) },
      timeout: { reason: "had not ended after its timeout of 5 s" },
      lost: { reason: "the node did not renew its lease for 30 s" },
      cancelled: { reason: 'cancelled by "ann"' },
      missed: { reason: "found at 2026-11-01T00:00:00Z, later than misfire_grace_time of 60 s" },
      skipped: { reason: "an earlier run of the task is still open" },
    };
    const why = reasons[status] ?? {};
    return [
      `INSERT INTO execute_task (task_id, status, extra, trace_id, scheduled_at, source, node_id, started_at, finished_at)
       VALUES (?, ?, ?, 'trace', ?, 'schedule', 'node-with-a-long-name:4711:be67d897', ?, ?)`,
      plain.id, status, JSON.stringify(why), at, isRun ? at + 5 : null, isRun ? at + 5 + place * 977 : null,
    ];
  });
  await scheduler.sql(
    ...runs,
    [`INSERT INTO scheduler_node (node_id, started_at, heartbeat_at, left_at)
      VALUES ('gone:1:0', ?, ?, NULL), ('left:1:0', ?, ?, ?)`,
      now - 9 * HOUR, now - 8 * HOUR, now - 9 * HOUR, now - 8 * HOUR, now - 8 * HOUR],
  );
  const alarm = (node, rule, about, end, text) => [
    `INSERT INTO scheduler_alarm (node_id, rule, about, began_at, last_at, ended_at, count, content)
     VALUES (?, ?, ?, ?, ?, ?, 12, ?)`,
    node, rule, about, now - 2 * HOUR, now - HOUR, end, text,
  ];
  const living = (await scheduler.api("GET", "/nodes")).find((node) => node.state === "alive").node_id;
  await scheduler.sql(
    alarm(living, "failing", LONG, null, `12 times in a row, at last execution 5: fail: ${"连接不到名称很长的主机，".repeat(8)} (trace 0f)`),
    alarm(living, "overdue", "daily_report", now - HOUR, "the fire of 2026-11-01T00:00:00Z is not accounted for yet"),
    alarm("gone:1:0", "clock", "gone:1:0", null, "5000 ms ahead of the database's: nothing is claimed"),
  );
  const failed = (await scheduler.api("GET", `/executions?task_id=${plain.id}&status=fail`)).items[0];
  ids = { task: plain.id, ran: ran.id, failed: failed.id };
}
const { someone } = stage({ before, after }, { prepare });

// Each page: its path, and what is done there before it is looked at.
const PAGES = {
  overview: () => ["/"],
  tasks: () => ["/tasks"],
  task: () => [`/tasks/${ids.task}`],
  edit: () => [`/tasks/${ids.task}/edit`, (page) => page.locator("#preview li").first().waitFor()],
  review: () => [
    `/tasks/${ids.task}/edit`,
    async (page) => {
      await page.locator("#f-spec").fill("45 1 * * *");
      await page.locator("#f-args").fill("");
      await page.locator(".form-end button").first().click();
      await page.waitForURL("**/tasks/review");
    },
  ],
  executions: () => ["/executions"],
  execution: () => [`/executions/${ids.ran}`],
  forecast: () => ["/forecast"],
  reference: () => ["/docs"],
  nodes: () => ["/nodes"],
  alarms: () => ["/alarms"],
  history: () => ["/history"],
  login: () => ["/login", (page) => page.locator("#password").waitFor()],
};

// States of them, and pages that are made of the same.
const STATES = {
  "tasks, some picked": () => ["/tasks", (page) => page.getByRole("checkbox").nth(1).check()],
  "tasks, none found": () => ["/tasks?q=nothing-has-this-key"],
  "task, asked whether to run": () => [`/tasks/${ids.task}`, (page) => page.locator("[data-opens=dlg-run]").click()],
  "new task": () => ["/tasks/new"],
  "execution, failed": () => [`/executions/${ids.failed}`],
  why: () => [`/tasks/${ids.task}/why?at=2020-01-01T00:00:00Z`],
};

// What axe finds, in a line each.
async function violations(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary.split("\n")[1]?.trim()}`));
}

// What stands out of the window to its right, the innermost first.
const standingOut = (width) =>
  [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => `<${element.localName} class="${element.className}">`)
    .reverse()
    .slice(0, 3);

// Sentences in English on a page that is in another language. What people and jobs wrote is theirs.
const inEnglish = () => {
  const words = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (words.nextNode()) {
    const { textContent, parentElement } = words.currentNode;
    const isTheirs = parentElement.closest("code, pre, kbd, .key, .clamped:not(.error-text), dialog [hidden], [lang=en], textarea");
    if (!isTheirs && /(\b[a-z]+\b[ ,]+){3}\b[a-z]+\b/.test(textContent)) found.push(textContent.trim());
  }
  return found;
};

async function check({ page, viewport }, language) {
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  const faults = await violations(page);
  if (width > viewport.width) {
    faults.push(`scrolls sideways: ${width} px of ${viewport.width}, ${await page.evaluate(standingOut, viewport.width)}`);
  }
  if (viewport.width >= DESKTOP.width) {
    const wraps = page.locator(".table-wrap");
    const cut = await wraps.evaluateAll((all) => all.filter((wrap) => wrap.scrollWidth > wrap.clientWidth + 1).length);
    if (cut > 0) faults.push(`${cut} tables scroll sideways in their panels`);
  }
  const headings = await page.getByRole("heading", { level: 1, includeHidden: true }).count();
  if (headings !== 1) faults.push(`${headings} h1, expected one`);
  const said = await page.locator("html").getAttribute("lang");
  const foreign = language === "en" ? [] : await page.evaluate(inEnglish);
  faults.push(...foreign.map((words) => `is English: ${words}`));
  if (said !== language) faults.push(`lang is ${said}, expected ${language}`);
  const untitled = (await page.title()).startsWith(" ·");
  if (untitled) faults.push("the page has no title");
  assert.deepEqual(faults, []);
}

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  for (const scheme of ["light", "dark"]) {
    for (const language of ["en", "zh-CN"]) {
      const looks = { viewport, scheme, language };
      test(`pages on a ${size}, ${scheme}, in ${language}`, someone(looks, async (person, _, test) => {
        await person.logsIn();
        const looked = { ...STATES, ...PAGES };
        for (const [name, shown] of Object.entries(looked)) {
          await test.test(name, async () => {
            const [path, does] = shown();
            if (name === "login") await person.context.clearCookies();
            await person.goto(path);
            await does?.(person.page);
            await check(person, language);
          });
        }
      }));
    }
  }
}
