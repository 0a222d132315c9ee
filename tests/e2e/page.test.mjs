// What people do on the page, and how many clicks it takes them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PASSWORD, stage, until } from "./support.mjs";

// A task that was due while no scheduler was up, in a database that is older than that.
const OVERSLEPT = [
  "UPDATE scheduler_meta SET value = '0' WHERE name = 'adopted_at'",
  `INSERT INTO task (task_key, "desc", execute_func, "trigger", spec, args, is_valid, status, extra, create_at, update_at)
   VALUES ('overslept', '', 'test_date', 'date', '2026-06-01 08:00:00', '', 1, 'ready', '{}',
           '2026-01-01 00:00:00', '2026-01-01 00:00:00')`,
];
const { someone } = stage({ before, after }, { rows: OVERSLEPT });

// ---- 1: logging in ----

test("a link logs in without a click, and only once", someone({}, async (person, scheduler) => {
  const { page } = person;
  const link = await scheduler.link();
  await person.follows(link);
  await person.at("/");
  await person.sees(person.heading(/Everything runs|Something needs you/));
  assert.equal(person.clicks, 0);

  await page.context().clearCookies();
  person.expects(/status of 401/);
  await person.follows(link);
  await person.sees(page.getByRole("alert").filter({ hasText: "This link was followed already" }));
  assert.ok(!page.url().includes("#"), "the code stays in no history");
}));

test("a link that is pasted where the page asks for a login logs in as well", someone({}, async (person, scheduler) => {
  await person.goto("/login");
  await person.follows(await scheduler.link());
  await person.at("/");
}));

test("name and password lead to the page that was asked for", someone({}, async (person) => {
  const { page } = person;
  await person.goto("/executions?status=fail");
  await person.sees(page.getByLabel("Password"));
  await person.at("/login?next=%2Fexecutions%3Fstatus%3Dfail");
  await page.keyboard.type("ann");
  await page.getByLabel("Password").fill("correct horse battery staple");
  await person.click(page.getByRole("button", { name: "Log in" }));
  await person.at("/executions?status=fail");
  await person.sees(page.getByText("ann", { exact: true }));
  assert.equal(person.clicks, 1);
}));

test("a wrong password is said, and the name stays", someone({}, async (person) => {
  const { page } = person;
  person.expects(/status of 401/);
  await person.logsInAs("ann", "incorrect horse");
  await person.sees(page.getByRole("alert").filter({ hasText: "Name or password is wrong." }));
  assert.equal(await page.getByLabel("Name").inputValue(), "ann");
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  await page.getByLabel("Password").fill("correct horse battery staple");
  await person.click(page.getByRole("button", { name: "Log in" }));
  await person.at("/");
}));

// ---- 2 to 4: the list ----

test("a task is found by the keyboard alone", someone({}, async (person, scheduler) => {
  const { page } = person;
  await scheduler.task("found_by_keys");
  await scheduler.task("passed_over");
  await person.logsIn();
  await person.goto("/tasks");
  await page.keyboard.press("/");
  await page.keyboard.type("by_keys");
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]q=by_keys/);
  await person.sees(page.getByRole("link", { name: "found_by_keys" }));
  assert.equal(await page.getByRole("link", { name: "passed_over" }).count(), 0);
  assert.equal(await page.getByRole("searchbox").inputValue(), "by_keys");
  assert.equal(person.clicks, 0);
}));

test("one click shows the tasks of a state, within what was searched", someone({}, async (person, scheduler) => {
  const { page } = person;
  await scheduler.task("state_on");
  await scheduler.task("state_off", { is_valid: 0 });
  await person.logsIn();
  await person.goto("/tasks?q=state_");
  await person.click(page.getByRole("navigation", { name: "State" }).getByRole("link", { name: /^Disabled/ }));
  await page.waitForURL(/state=disabled/);
  await person.sees(page.getByRole("link", { name: "state_off" }));
  assert.equal(await page.getByRole("link", { name: "state_on" }).count(), 0);
  await person.sees(page.locator("[aria-current=true]").filter({ hasText: "Disabled" }));
  assert.equal(person.clicks, 1);
}));

test("a task is switched off and on in the list by a click each", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("switched");
  const isValid = async () => (await scheduler.api("GET", `/tasks/${id}`)).is_valid;
  await person.logsIn();
  await person.goto("/tasks?q=switched");
  await person.click(page.getByRole("button", { name: "Disable switched" }));
  await person.sees(page.getByRole("button", { name: "Enable switched" }));
  await person.sees(person.row("switched").getByText("Disabled", { exact: true }));
  assert.equal(await isValid(), 0);
  await person.click(page.getByRole("button", { name: "Enable switched" }));
  await person.sees(page.getByRole("button", { name: "Disable switched" }));
  assert.equal(await isValid(), 1);
  assert.equal(await person.path(), "/tasks?q=switched", "the search stays");
  assert.equal(person.clicks, 2);
}));

// ---- 5 and 6: runs ----

test("a task is run now after a question, in two clicks", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("run_now");
  await person.logsIn();
  await person.goto(`/tasks/${id}`);
  await page.getByRole("button", { name: "Run now…" }).press("Enter");
  const question = page.getByRole("dialog", { name: "run_now: Run it now?" });
  await person.sees(question);
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  assert.equal((await scheduler.api("GET", `/executions?task_id=${id}`)).items.length, 0);

  await person.click(page.getByRole("button", { name: "Run now…" }));
  await person.click(question.getByRole("button", { name: "Run now" }));
  await person.sees(page.getByText("asked to run"));
  const latest = page.getByRole("table", { name: "Latest executions" });
  await until("the execution is listed", async () => {
    await page.reload();
    return latest.getByText("Success").count();
  });
  await person.sees(latest.getByText("manual"));
  assert.equal(person.clicks, 2);
}));

test("a task is run with other arguments, and again as it was", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("with_args", { args: "first" });
  await person.logsIn();
  await person.goto(`/tasks/${id}`);
  await person.click(page.getByRole("button", { name: "Run now…" }));
  const question = page.getByRole("dialog", { name: "with_args: Run it now?" });
  const args = question.getByRole("textbox", { name: "Arguments" });
  assert.equal(await args.inputValue(), "first");
  await args.fill("second\nline");
  await person.click(question.getByRole("button", { name: "Run now" }));
  const runs = async (count) => until(`${count} runs have ended`, async () => {
    const { items } = await scheduler.api("GET", `/executions?task_id=${id}&status=success`);
    return items.length === count && items;
  });
  const [first] = await runs(1);
  assert.equal(first.extra.with_args, "second\nline");
  await person.goto(`/executions/${first.id}`);
  await person.sees(page.getByText("second").first());
  await person.click(page.getByRole("button", { name: "Run again" }));
  const [again] = await runs(2);
  assert.equal(again.extra.with_args, "second\nline");
}));

test("a task is paused with a reason, and is on again when its time has come", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("paused");
  await person.logsIn();
  await person.goto(`/tasks/${id}`);
  await person.click(page.getByRole("button", { name: "Pause…" }));
  const question = page.getByRole("dialog", { name: "paused: Pause it?" });
  await question.getByLabel(/^Or until/).fill("2999-12-31T18:00");
  await question.getByLabel("Reason").fill("stocktaking");
  await person.click(question.getByRole("button", { name: "Pause" }));
  await person.sees(page.getByText("until 2999-12-31 18:00:00"));
  await person.sees(page.getByText("stocktaking"));
  assert.equal(person.clicks, 2);
  await scheduler.sql(["UPDATE scheduler_pause SET until = 1 WHERE task_id = ?", id]);
  await until("it is on again", async () => (await scheduler.api("GET", `/tasks/${id}`)).state === "enabled");
}));

test("a task is put back to what it was, and saved only when that was seen", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("restored", { spec: "15 4 * * *" });
  await scheduler.sql(["UPDATE task SET spec = '16 4 * * *' WHERE id = ?", id]);
  await person.logsIn();
  await until("the edit by SQL is noticed", async () => {
    await person.goto(`/history?task=${id}`);
    return page.getByRole("link", { name: "Restore…" }).count();
  });
  await person.click(page.getByRole("link", { name: "Restore…" }).first());
  await person.click(page.getByRole("button", { name: "Review changes" }));
  await person.sees(page.getByText("15 4 * * *").first());
  await person.click(page.getByRole("button", { name: "Save" }));
  await person.sees(page.getByRole("status").filter({ hasText: "Saved." }));
  assert.equal((await scheduler.api("GET", `/tasks/${id}`)).spec, "15 4 * * *");
}));

test("the history names a task that was asked to run by its key", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("asked_for");
  await scheduler.api("POST", `/tasks/${id}/run`);
  await person.logsIn();
  await person.goto(`/history?task=${id}`);
  const run = page.getByRole("row").filter({ hasText: "asked to run" });
  await person.sees(run);
  assert.equal(await run.getByRole("link").innerText(), "asked_for");
}));

test("what a run has logged is a click away from its task", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("logged", { args: "first,second" });
  const run = await scheduler.ran(id);
  await person.logsIn();
  await person.goto(`/tasks/${id}`);
  await person.click(page.getByRole("table", { name: "Latest executions" }).getByRole("link").first());
  await person.sees(person.heading(`Execution ${run.id}`));
  const log = page.getByRole("log", { name: "Log" });
  await person.sees(log.filter({ hasText: /INFO\s+jobs::cron::test_cron: test_cron ran/ }));
  await person.sees(log.filter({ hasText: "first,second" }));
  assert.equal(person.clicks, 1);
}));

test("the steps of a run follow each other, within a second as well", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("stepped");
  const at = Date.UTC(2026, 5, 1, 8, 0, 0);
  await scheduler.sql([
    `INSERT INTO execute_task
       (id, task_id, status, trace_id, create_at, scheduled_at, source, node_id, started_at, finished_at)
     VALUES (9000, ?, 'success', 'trace', '2026-06-01 08:00:00', ?, 'manual', 'node', ?, ?)`,
    id, at + 600, at + 700, at + 2_200,
  ]);
  await person.logsIn();
  await person.goto("/executions/9000");
  const timeline = await page.getByRole("region", { name: "Timeline" }).innerText();
  assert.match(timeline, /[+]1[.]5 s/);
  assert.doesNotMatch(timeline, /[+]-/, "no step takes less than no time");
}));

test("a log is looked through by text and by level, and is to be had as a file", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.ran((await scheduler.task("talkative")).id);
  const line = (levelname, msg) => JSON.stringify({ levelname, name: "jobs", msg, timestamp: 5 });
  const lines = [line("WARNING", "the disk is nearly full"), line("ERROR", "the disk is full\nand nothing is written"), line("INFO", "done")];
  await scheduler.sql(["INSERT INTO scheduler_log (execution_id, part, content) VALUES (?, 99, ?)", id, `${lines.join("\n")}\n`]);
  await person.logsIn();
  await person.goto(`/executions/${id}`);
  const log = page.getByRole("log");
  const shown = async () => (await log.innerText()).split("\n").filter((text) => text.trim()).map((text) => text.replace(/.*jobs: /, ""));
  await page.getByLabel("All levels").selectOption("Warnings and errors");
  assert.deepEqual(await shown(), ["the disk is nearly full", "the disk is full", "and nothing is written"]);
  await page.getByLabel("Find in lines").fill("NOTHING");
  assert.deepEqual(await shown(), ["and nothing is written"]);
  const coming = page.waitForEvent("download");
  await person.click(page.getByRole("link", { name: "Download" }));
  assert.equal((await coming).suggestedFilename(), `execution-${id}.log`);
}));

test("the search of tasks is one key away from every page", someone({}, async (person, scheduler) => {
  const { page } = person;
  await scheduler.task("far_away");
  await person.logsIn();
  await person.goto("/nodes");
  await page.keyboard.press("/");
  await page.waitForURL("**/tasks#q");
  await page.keyboard.type("far_aw");
  await page.keyboard.press("Enter");
  await person.sees(page.getByRole("link", { name: "far_away", exact: true }));
}));

test("executions are looked for by the key of a task and before a time", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("looked_for");
  await scheduler.ran(id);
  await person.logsIn();
  await person.goto("/executions");
  await page.getByLabel("Task").fill("looked_for");
  await person.click(page.getByRole("button", { name: "Filter" }));
  await person.sees(page.getByText("Of all tasks"));
  assert.equal(await page.getByRole("rowheader").count(), 1);
  await page.getByLabel(/^Recorded before/).fill("2020-01-01T00:00:00");
  await person.click(page.getByRole("button", { name: "Filter" }));
  await person.sees(page.getByText("No execution matches."));
}));

// ---- 7 to 9: writing a task ----

test("a new task is previewed while it is typed, and reviewed before it is there", someone({}, async (person, scheduler) => {
  const { page } = person;
  await person.logsIn();
  await person.goto("/tasks");
  await person.click(page.getByRole("link", { name: "New task" }));
  await page.getByLabel("Key").fill("written_here");
  await page.getByLabel("Job").selectOption("test_cron");
  const preview = page.getByRole("complementary", { name: "Preview" });
  const firstInstant = preview.getByRole("listitem").first();

  // Half a spec is wrong, and the API says so to the script.
  person.expects(/status of 422/);
  await page.getByLabel("Spec").pressSequentially("30 8 * *");
  await person.sees(preview.getByText(/spec "30 8 \* \*"/));
  await page.getByLabel("Spec").pressSequentially(" *");
  await person.sees(firstInstant.filter({ hasText: "08:30:00" }));
  await page.getByLabel("Extra").fill('{"timezone": "Asia/Shanghai"}');
  await person.sees(preview.getByText("Asia/Shanghai"));
  await person.sees(firstInstant.filter({ hasText: "T00:30:00Z" }));

  await person.click(page.getByRole("button", { name: "Review changes" }));
  await person.sees(person.heading("Review changes"));
  await person.sees(person.row("Key").getByText("written_here"));
  await person.sees(person.row("Spec").getByText("30 8 * * *"));
  assert.deepEqual(await scheduler.keys("written_here"), [], "nothing is there yet");

  await person.click(page.getByRole("button", { name: "Create" }));
  await person.sees(person.heading("written_here"));
  await page.waitForURL(/\/tasks\/\d+$/);
  await person.sees(page.getByText("Asia/Shanghai", { exact: true }));
  assert.deepEqual(await scheduler.keys("written_here"), ["written_here"]);
  assert.equal(person.clicks, 3);
}));

test("a changed spec is shown old and new, and the history says who", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("edited", { spec: "0 9 * * *" });
  await person.logsInAs("ann");
  await person.at("/");
  await person.goto(`/tasks/${id}`);
  person.clicks = 0;
  await person.click(page.getByRole("link", { name: "Edit" }));
  await page.getByLabel("Spec").fill("15 9 * * *");
  const preview = page.getByRole("complementary", { name: "Preview" });
  await person.sees(preview.getByRole("listitem").filter({ hasText: "09:15:00" }));
  await person.click(page.getByRole("button", { name: "Review changes" }));
  const changed = person.row("Spec");
  await person.sees(changed.getByRole("deletion").filter({ hasText: "0 9 * * *" }));
  await person.sees(changed.getByRole("insertion").filter({ hasText: "15 9 * * *" }));
  assert.equal(await page.getByRole("rowheader").count(), 1, "what did not change is not shown");

  await person.click(page.getByRole("button", { name: "Save" }));
  await person.at(`/tasks/${id}`);
  await person.sees(page.getByRole("code").filter({ hasText: "15 9 * * *" }));
  await person.click(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "History" }));
  const edit = page.getByRole("row").filter({ hasText: "edited" }).filter({ hasText: "15 9 * * *" });
  await person.sees(edit.getByRole("cell", { name: "ann", exact: true }));
  await person.sees(edit.getByRole("cell", { name: "page", exact: true }));
  await person.sees(edit.getByRole("deletion").filter({ hasText: "0 9 * * *" }));
  assert.equal(person.clicks, 4);
}));

test("a change can be taken back to the form from its review", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("reconsidered");
  await person.logsIn();
  await person.goto(`/tasks/${id}/edit`);
  await page.getByLabel("Description").fill("a second thought");
  await person.click(page.getByRole("button", { name: "Review changes" }));
  await person.click(page.getByRole("button", { name: "Back to the form" }));
  assert.equal(await page.getByLabel("Description").inputValue(), "a second thought");
  assert.equal((await scheduler.api("GET", `/tasks/${id}`)).desc, "");
  assert.equal(person.clicks, 2);
}));

// Fills the form of a new task with what is hard to keep, and returns what it holds.
async function fillEverything(page, more) {
  const fields = {
    Key: "kept",
    Description: 'with "quotes", <angles> & 中文',
    Job: "test_cron",
    Spec: "0 10 * * *",
    Arguments: "\nfirst line\n  second line",
    Extra: '{\n  "retries": 2\n}',
    ...more,
  };
  await page.goto("/tasks/new");
  const { Job: job, ...texts } = fields;
  // Also one that is not offered: it may have been when the form was filled.
  await page.getByLabel("Job").evaluate((jobs, job) => jobs.add(new Option(job, job, true, true)), job);
  for (const [label, text] of Object.entries(texts)) await page.getByLabel(label).fill(text);
  await page.getByLabel("Enabled").uncheck();
  return fields;
}

async function checkNothingIsLost(page, fields) {
  for (const [label, text] of Object.entries(fields)) {
    assert.equal(await page.getByLabel(label).inputValue(), text, label);
  }
  assert.equal(await page.getByLabel("Enabled").isChecked(), false);
}

// The field is marked, and what is wrong is read out with it.
async function checkIsWrong(person, label, pattern) {
  const field = person.page.getByLabel(label);
  await person.sees(person.page.getByRole("alert").filter({ hasText: "It is not saved." }));
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  const beside = person.page.locator(`#${await field.getAttribute("aria-describedby")}`);
  await person.sees(beside.filter({ hasText: pattern }));
}

test("what is refused when it is saved is shown beside its field, and nothing is lost", someone({}, async (person, scheduler) => {
  const { page } = person;
  await scheduler.task("taken");
  await person.logsIn();
  const fields = await fillEverything(page, { Key: "taken_soon" });
  await person.click(page.getByRole("button", { name: "Review changes" }));
  await person.sees(person.heading("Review changes"));
  // Somebody else is faster.
  await scheduler.task("taken_soon");
  person.expects(/status of 409/);
  await person.click(page.getByRole("button", { name: "Create" }));
  await checkIsWrong(person, "Key", /taken_soon/);
  await checkNothingIsLost(page, fields);
}));

for (const [label, text, pattern] of [
  ["Job", "test_corn", /test_corn.*is not a known job.*test_cron/],
  ["Spec", "61 * * * *", /minute "61" is not valid/],
  ["Extra", '{"retries": "many"}', /retries/],
]) {
  test(`a wrong ${label} is shown beside its field before the review`, someone({}, async (person, scheduler) => {
    const { page } = person;
    await person.logsIn();
    person.expects(/status of 422/);
    const fields = await fillEverything(page, { [label]: text });
    await person.click(page.getByRole("button", { name: "Review changes" }));
    await checkIsWrong(person, label, pattern);
    await checkNothingIsLost(page, fields);
    assert.deepEqual(await scheduler.keys("kept"), []);
    assert.equal(person.clicks, 1);
  }));
}

// ---- 10: several at once ----

test("several tasks are switched off together, and deleted with their number said", someone({}, async (person, scheduler) => {
  const { page } = person;
  for (const name of ["a", "b", "c"]) await scheduler.task(`several_${name}`);
  await person.logsIn();
  await person.goto("/tasks?q=several_");
  const picked = page.getByRole("region", { name: "Selected tasks" });
  assert.equal(await picked.count(), 0, "it is there only when something is picked");
  await person.click(page.getByLabel("Select several_a"));
  await person.click(page.getByLabel("Select several_c"));
  await person.sees(picked);
  assert.match(await person.hears("region", "Selected tasks"), /^2\s+selected/);
  await person.click(picked.getByRole("button", { name: "Disable" }));
  await person.sees(page.getByRole("button", { name: "Enable several_a" }));
  const states = (await scheduler.api("GET", "/tasks?text=several_")).items.map((task) => task.is_valid);
  assert.deepEqual(states, [0, 1, 0]);
  assert.equal(person.clicks, 3);

  await person.click(page.getByLabel("Select all on this page"));
  assert.match(await person.hears("region", "Selected tasks"), /^3\s+selected/);
  await person.click(page.getByLabel("Select several_b"));
  assert.match(await person.hears("region", "Selected tasks"), /^2\s+selected/);
  await person.click(picked.getByRole("button", { name: "Delete…" }));
  await person.sees(person.heading(/Delete.*2/));
  await person.sees(page.getByRole("main").getByRole("link", { name: "several_a" }));
  await person.sees(page.getByRole("main").getByRole("link", { name: "several_c" }));
  assert.equal((await scheduler.keys("several_")).length, 3, "nothing is deleted before it is confirmed");
  await person.click(page.getByRole("button", { name: /^Delete.*2/ }));
  await page.waitForURL(/\/tasks(\?|$)/);
  assert.deepEqual(await scheduler.keys("several_"), ["several_b"]);
  assert.equal(person.clicks, 7);
}));

test("with the shift key all between two are picked, and all pages with one box more", someone({}, async (person, scheduler) => {
  const { page } = person;
  for (let number = 10; number < 40; number += 1) await scheduler.task(`zz_herd_${number}`);
  await person.logsInAs("ann");
  await person.at("/");
  await person.goto("/tasks?q=zz_herd");
  const box = (key) => page.getByRole("checkbox", { name: `Select ${key}`, exact: true });
  await box("zz_herd_12").click();
  await box("zz_herd_15").click({ modifiers: ["Shift"] });
  await person.sees(page.locator("tbody tr:nth-child(4) input:checked"));
  assert.equal(await page.locator("tbody input:checked").count(), 4);
  const every = page.locator("[name=all]");
  assert.equal(await every.isVisible(), false, "not all of the page are picked");
  await page.getByRole("checkbox", { name: "Select all on this page" }).check();
  await person.sees(page.getByText("All that match: 30"));
  await every.check();
  await box("zz_herd_12").uncheck();
  assert.equal(await every.isChecked(), false, "who takes one out means not all");
  await page.getByRole("checkbox", { name: "Select all on this page" }).check();
  await every.check();
  await page.getByRole("region", { name: "Selected tasks" }).getByRole("button", { name: "Disable" }).click();
  await person.sees(person.heading("Disable 30 tasks?"));
  await page.getByRole("button", { name: "Disable 30 tasks" }).click();
  await person.at("/tasks?q=zz_herd");
  await person.sees(page.getByRole("link", { name: "Disabled 30" }));
}));

test("a list is sorted by a click on its column", someone({}, async (person, scheduler) => {
  const { page } = person;
  for (const [key, spec] of [["sorted_a", "2097-01-01 00:00:00"], ["sorted_b", "2096-01-01 00:00:00"]]) {
    await scheduler.task(key, { trigger: "date", spec });
  }
  await person.logsInAs("vic");
  await person.at("/");
  await person.goto("/tasks?q=sorted_");
  const keys = () => page.getByRole("rowheader").getByRole("link").allTextContents();
  assert.deepEqual(await keys(), ["sorted_a", "sorted_b"]);
  await person.click(page.getByRole("columnheader", { name: "Next" }).getByRole("link"));
  await page.waitForURL(/sort=next/);
  assert.deepEqual(await keys(), ["sorted_b", "sorted_a"]);
}));

test("a list that is made anew leaves the focus where it was", someone({}, async (person, scheduler) => {
  const { page } = person;
  await scheduler.task("focused");
  await person.logsInAs("ann");
  await person.at("/");
  await person.goto("/tasks?q=focused");
  const link = page.getByRole("link", { name: "focused", exact: true });
  await link.focus();
  await link.evaluate((element) => (element.dataset.isOld = ""));
  await page.locator("main:not(:has([data-is-old]))").waitFor();
  assert.equal(await link.evaluate((element) => element === document.activeElement), true);
}));

test("a pause that is refused stands in its dialog as it was typed", someone({}, async (person, scheduler) => {
  const { page } = person;
  person.expects(/422/);
  const { id } = await scheduler.task("refused_pause");
  await person.logsInAs("olga");
  await person.at("/");
  await person.goto(`/tasks/${id}`);
  await page.getByRole("button", { name: "Pause…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Or until").fill("1999-01-01T10:00");
  await dialog.getByLabel("Reason").fill("stocktaking");
  await dialog.getByRole("button", { name: "Pause", exact: true }).click();
  await person.sees(dialog.getByRole("alert").filter({ hasText: "has passed" }));
  assert.equal(await dialog.getByLabel("Reason").inputValue(), "stocktaking");
  await dialog.getByLabel("Or until").fill("2099-01-01T10:00");
  await dialog.getByRole("button", { name: "Pause", exact: true }).click();
  await person.sees(page.getByText("Paused").first());
}));

test("what could not be done with some of them is said of each", someone({}, async (person, scheduler) => {
  const { page } = person;
  person.expects(/status of 409/);
  await scheduler.task("partly_on");
  await scheduler.task("partly_off", { is_valid: 0 });
  await person.logsIn();
  await person.goto("/tasks?q=partly_");
  await person.click(page.getByLabel("Select all on this page"));
  await person.click(page.getByRole("region", { name: "Selected tasks" }).getByRole("button", { name: "Run" }));
  await person.click(page.getByRole("button", { name: "Run 2 tasks" }));
  await person.sees(page.getByRole("alert").filter({ hasText: /"partly_off".* is disabled/ }));
  assert.equal(await page.getByRole("alert").count(), 1);
  await person.click(page.getByRole("link", { name: "Tasks", exact: true }).last());
  await person.at("/tasks?q=partly_");
}));

// ---- 11: why ----

test("why an instant did not run is a click away from where it is missed", someone({}, async (person, scheduler) => {
  const { page } = person;
  const missed = await until("the instant is recorded", async () => {
    const [run] = (await scheduler.api("GET", "/executions?status=missed")).items;
    return run;
  });
  await person.logsIn();
  await person.goto("/executions?status=missed");
  const row = page.getByRole("row").filter({ hasText: "overslept" });
  await person.click(row.getByRole("link", { name: "Why?" }));
  await person.sees(person.heading("Why"));
  await person.sees(page.getByRole("heading", { level: 2, name: "2026-06-01 08:00:00" }));
  await person.sees(page.getByText("Missed", { exact: true }));
  await person.sees(page.getByRole("listitem").filter({ hasText: "misfire_grace_time" }));
  assert.equal(person.clicks, 1);

  await person.click(page.getByRole("link", { name: `Execution ${missed.id}` }));
  await person.click(page.getByRole("link", { name: "Why?" }));
  await person.sees(person.heading("Why"));
}));

test("why an instant did not run is asked with its time", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("asked_why", { trigger: "date", spec: "2099-01-01 10:00:00" });
  await person.logsInAs("vic");
  await person.at("/");
  await person.goto(`/tasks/${id}`);
  await person.click(page.getByRole("link", { name: "Why did it not run at …?" }));
  await page.getByLabel("Instant").fill("2099-01-01T10:00:00");
  await person.click(page.getByRole("button", { name: "Why?" }));
  await person.sees(page.getByText("Not yet"));
  await page.getByLabel("Instant").fill("2099-01-01T10:00:01");
  await person.click(page.getByRole("button", { name: "Why?" }));
  await person.sees(page.getByText("has no such instant"));
}));

test("whoever is logged out while he writes loses nothing of it", someone({}, async (person, scheduler) => {
  const { page } = person;
  person.expects(/401/);
  const { id } = await scheduler.task("kept_form");
  await person.logsInAs("ann");
  await person.at("/");
  await person.goto(`/tasks/${id}/edit`);
  await page.getByLabel("Description").fill("much to write");
  await scheduler.sql("DELETE FROM scheduler_session");
  await page.getByRole("button", { name: "Review changes" }).click();
  await person.sees(page.getByRole("alert").filter({ hasText: "nothing you wrote is lost" }));
  const beside = await person.context.newPage();
  await beside.goto("/login?next=%2Fnodes");
  await beside.getByLabel("Name").fill("ann");
  await beside.getByLabel("Password").fill(PASSWORD);
  await beside.getByRole("button", { name: "Log in" }).click();
  await beside.waitForURL("**/nodes");
  await page.getByRole("button", { name: "Review changes" }).click();
  await page.waitForURL("**/tasks/review");
  await person.sees(page.getByRole("insertion").filter({ hasText: "much to write" }));
}));

test("why an instant that is none did not run is said with those around it", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("yearly");
  await person.logsIn();
  await person.goto(`/tasks/${id}/why?at=2030-05-05T05:05:00Z`);
  await person.sees(person.heading("Why"));
  await person.sees(page.getByRole("listitem").filter({ hasText: /2031-01-01.08:00:00/ }));
}));

// ---- 12: language, theme, leaving ----

test("language and theme stay after a reload", someone({}, async (person) => {
  const { page } = person;
  await person.logsIn();
  await person.goto("/executions?status=fail");
  await person.click(page.getByRole("button", { name: "中文" }));
  await person.sees(person.heading("执行记录"));
  await person.click(page.getByRole("button", { name: "切换明暗" }));
  for (const isReloaded of [false, true]) {
    if (isReloaded) await page.reload();
    await person.sees(person.heading("执行记录"));
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
    assert.equal(await person.path(), "/executions?status=fail");
  }
  assert.equal(person.clicks, 2);
}));

test("who logs out is out, also by the browser's way back", someone({}, async (person) => {
  const { page } = person;
  await person.logsInAs("ann");
  await person.at("/");
  person.clicks = 0;
  await person.goto("/history");
  await person.click(page.getByText("ann", { exact: true }).first());
  await person.click(page.getByRole("button", { name: "Log out" }));
  await person.at("/login");
  assert.equal(person.clicks, 2);
  await page.goBack();
  await person.sees(page.getByLabel("Password"));
  await person.goto("/tasks");
  await person.at("/login?next=%2Ftasks");
}));

test("a viewer sees everything and is offered nothing to change", someone({}, async (person, scheduler) => {
  const { page } = person;
  const { id } = await scheduler.task("looked_at");
  await person.logsInAs("vic");
  await person.at("/");
  for (const path of ["/tasks", `/tasks/${id}`]) {
    await person.goto(path);
    await person.sees(page.getByText("looked_at").first());
    assert.equal(await page.getByRole("main").getByRole("button").count(), 0, path);
    assert.equal(await page.getByRole("main").getByRole("checkbox").count(), 0, path);
  }
  person.expects(/status of 403/);
  await person.goto("/tasks/new");
  await person.sees(page.getByRole("alert").filter({ hasText: "role admin" }));
}));
