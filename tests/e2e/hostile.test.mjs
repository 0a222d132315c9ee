// Whatever stands in a row is text on every page: it runs nothing, leads nowhere and turns nothing round.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { stage } from "./support.mjs";

const RIGHT_TO_LEFT = "\u202Eesrever";
const PAYLOADS = [
  `"><img src=x onerror=window.__xss=1>`,
  `<script>window.__xss=1</script>`,
  `</textarea></title></pre><script>window.__xss=1</script>`,
  `' autofocus onfocus='window.__xss=1' x='`,
  `{{7*191}}\${7*191}<%= 7*191 %>`,
  `javascript:window.__xss=1//`,
  `]]><!--<svg onload=window.__xss=1>`,
  RIGHT_TO_LEFT,
];

// Of these the pages are looked at, and nothing is clicked.
const MORE = [
  `<img src="/nowhere" onerror="window.__xss=1">`,
  `<iframe srcdoc="<script>parent.__xss=1</script>"></iframe>`,
  `<svg><script>window.__xss=1</script></svg>`,
  `<math><mtext></form><form><mglyph><style></math><img src onerror=window.__xss=1>`,
  `<details open ontoggle=window.__xss=1>`,
  `<body onload=window.__xss=1>`,
  `<a href="javascript:window.__xss=1">x</a>`,
  `<base href="https://example.org/">`,
  `<meta http-equiv="refresh" content="0;url=https://example.org/">`,
  `<link rel="stylesheet" href="https://example.org/x.css">`,
  `<style>*{display:none}</style>`,
  `<form action="https://example.org/"><button>x</button></form>`,
  `<object data="data:text/html,<script>window.__xss=1</script>"></object>`,
  `</script><script>window.__xss=1</script>`,
  `</style></textarea></select></option><img src=x onerror=window.__xss=1>`,
  `--><img src=x onerror=window.__xss=1>`,
  `" onmouseover="window.__xss=1" data-x="`,
  `\` onclick=window.__xss=1 \``,
  `&lt;script&gt;window.__xss=1&lt;/script&gt;`,
  `&#60;img src=x onerror=window.__xss=1&#62;`,
  `\\u003cimg src=x onerror=window.__xss=1\\u003e`,
  `\\x3cscript\\x3ewindow.__xss=1`,
  `%3Cscript%3Ewindow.__xss=1%3C/script%3E`,
  `data:text/html,<script>window.__xss=1</script>`,
  `//example.org/x`,
  `'; window.__xss=1; '`,
  `\${window.__xss=1}`,
  `{% raw %}<script>window.__xss=1</script>{% endraw %}`,
  `{"__proto__":{"__xss":1}}`,
  `x\u2028window.__xss=1\u2029`,
  `\u0000<script>window.__xss=1</script>`,
  `\u{1F469}\u200D\u{1F4BB}\uFEFF\u200B<b>ｘ`,
];

// Two tasks of each payload, one whose every column is hostile and one that is well but for its texts; and of each all
// that is kept beside them.
function rowsOf(payload, place) {
  const [bad, fair] = [100 + 2 * place, 101 + 2 * place];
  const now = Date.now() - place * 60_000;
  const json = JSON.stringify({ reason: payload, error: payload, [payload]: payload });
  const row = JSON.stringify({ task_key: payload, desc: payload, spec: payload, args: payload, extra: payload });
  const task = `INSERT INTO task (id, task_key, "desc", execute_func, "trigger", spec, args, is_valid, status, extra)`;
  const execution = `INSERT INTO execute_task
    (id, task_id, status, extra, trace_id, scheduled_at, attempt, source, node_id, started_at, finished_at)
    VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)`;
  const log = "INSERT INTO scheduler_log (execution_id, part, content)";
  const edit = "INSERT INTO scheduler_edit (task_id, edited_at, author, via, action, row_before, row_after)";
  const alarm = "INSERT INTO scheduler_alarm (node_id, rule, about, began_at, last_at, ended_at, count, content)";
  const card = JSON.stringify({ version: payload, jobs: [payload], obstacles: [payload] });
  const line = { msg: payload, name: payload, levelname: payload, time_fmt: payload, [payload]: payload };
  return [
    [`${task} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, bad, ...Array(9).fill(payload)],
    [
      `${task} VALUES (?, ?, ?, 'test_cron', 'cron', '0 8 1 1 *', ?, 1, 'ready', ?)`,
      fair, `fair ${payload}`, payload, payload, json,
    ],
    [execution, bad, bad, payload, payload, payload, now, payload, payload, now, now + 5],
    [execution, fair, fair, "fail", json, payload, now, payload, payload, now, now + 5],
    [execution, 500 + place, fair, "missed", json, payload, now - 1, payload, payload, null, null],
    [`${log} VALUES (?, 1, ?)`, bad, `${payload}\n`],
    [`${log} VALUES (?, 1, ?)`, fair, `${JSON.stringify(line)}\n`],
    ["INSERT INTO scheduler_node (node_id, started_at, heartbeat_at) VALUES (?, ?, ?)", payload, now, now],
    ["INSERT INTO scheduler_node_card (node_id, content) VALUES (?, ?)", payload, card],
    [`${alarm} VALUES (?, ?, ?, 1, 1, NULL, 1, ?)`, payload, payload, payload, payload],
    [`${alarm} VALUES (?, 'failing', ?, 2, 2, 2, 1, ?)`, payload, `fair ${payload}`, payload],
    [`${alarm} VALUES (?, 'rejected', ?, 3, 3, 3, 1, ?)`, payload, `task ${bad}`, payload],
    ["INSERT INTO scheduler_pause (task_id, paused_at, reason, author) VALUES (?, 1, ?, ?)", bad, payload, payload],
    [`${edit} VALUES (?, ?, ?, ?, ?, ?, ?)`, bad, now, payload, payload, payload, row, row],
    [`${edit} VALUES (?, ?, ?, ?, ?, ?, ?)`, fair, now, payload, payload, "change", row, row.replace(/"spec":/, '"specs":')],
    [`${edit} VALUES (?, ?, ?, ?, ?, ?, ?)`, fair, now, payload, payload, "create", null, payload],
  ];
}

const { someone } = stage({ before, after }, { rows: [...PAYLOADS, ...MORE].flatMap(rowsOf) });

// What of the page is not ours.
function strangers() {
  const found = "__xss" in globalThis ? ["a payload ran"] : [];
  const foreign = "img, iframe, object, embed, base, style, [style], [autofocus]:not(#name), script:not([src='/app.js'])";
  for (const element of document.querySelectorAll(foreign)) found.push(element.outerHTML.slice(0, 200));
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) found.push(`${name}=${value}`);
      if (!["href", "action", "src"].includes(name) || new URL(value, location).origin === location.origin) continue;
      found.push(`${name} leads to ${value}`);
    }
  }
  if (document.documentElement.textContent.includes(String(7 * 191))) found.push("a template was computed");
  return found;
}

// Our words that a value beside them has turned round, as sight has them: their second letter stands before their first.
function turned(value) {
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    // Here all is the row's own, or nothing is seen.
    const isLeftOut = "script, code, pre, textarea, del, ins, .visually-hidden, svg, datalist, option";
    if (text.parentElement.closest(isLeftOut)) continue;
    // What stands behind a value in the same text is ours again.
    const end = text.data.lastIndexOf(value);
    const from = end < 0 ? 0 : end + value.length;
    const word = text.data.slice(from).match(/[A-Za-z]{2,}/);
    if (!word) continue;
    const [first, second] = [0, 1].map((letter) => {
      const range = document.createRange();
      range.setStart(text, from + word.index + letter);
      range.setEnd(text, from + word.index + letter + 1);
      return range.getBoundingClientRect();
    });
    if (first.width > 0 && Math.abs(first.top - second.top) < 2 && second.left < first.left) {
      found.add(`"${word[0]}" is turned round in <${text.parentElement.localName}> "${text.data.trim()}"`);
    }
  }
  return [...found];
}

async function check(person, where, looked = [strangers, turned]) {
  await person.page.waitForLoadState();
  for (const look of looked) {
    for (const what of await person.page.evaluate(look, RIGHT_TO_LEFT)) person.complains(`${where}: ${what}`);
  }
}

test("pages that show all rows run none of them", someone({}, async (person) => {
  await person.logsIn();
  await lookAt(person, ["/", "/tasks", "/tasks?state=rejected", "/tasks?state=enabled", "/tasks/new", "/executions",
    "/executions?status=fail", "/executions?status=missed", "/nodes", "/alarms", "/history", "/forecast", "/docs"]);
}));

// The pages of both tasks of a payload.
function pathsOf(place) {
  const [bad, fair] = [100 + 2 * place, 101 + 2 * place];
  const paths = [bad, fair].flatMap((id) => [`/tasks/${id}`, `/tasks/${id}/edit`, `/history?task=${id}`,
    `/executions?task=${id}`, `/executions/${id}`, `/tasks/${id}/why?at=2030-01-01T00:00:00Z`]);
  return [...paths, `/executions/${500 + place}`];
}

async function lookAt(person, paths) {
  for (const path of paths) {
    await person.goto(path);
    await check(person, path);
  }
}

test("pages of rows run nothing of many more", someone({}, async (person) => {
  await person.logsIn();
  // Of a hostile spec the preview says that it is wrong.
  person.expects(/status of 4\d\d/);
  for (const place of MORE.keys()) await lookAt(person, pathsOf(PAYLOADS.length + place));
}));

for (const [place, payload] of PAYLOADS.entries()) {
  test(`pages of a row run nothing of it: ${JSON.stringify(payload)}`, someone({}, async (person) => {
    const { page } = person;
    const [bad, fair] = [100 + 2 * place, 101 + 2 * place];
    await person.logsIn();
    // Of a hostile spec the preview says that it is wrong.
    person.expects(/status of 4\d\d/);
    await lookAt(person, pathsOf(place));

    // The rejected row shows its values, and not what they would do.
    await person.goto(`/tasks/${bad}`);
    await person.sees(person.heading(payload));

    // Both questions, and the list of what is to be deleted.
    await person.goto(`/tasks/${fair}`);
    for (const name of ["Run now…", "Delete…"]) {
      await page.getByRole("button", { name }).click();
      await check(person, name);
      await page.keyboard.press("Escape");
    }
    await person.goto(`/tasks?q=${encodeURIComponent(payload)}`);
    await page.getByLabel("Select all on this page").check();
    await check(person, "the search");
    await page.getByRole("button", { name: "Delete…" }).click();
    await check(person, "what is to be deleted");

    // A form of it: preview, review, refused.
    await person.goto("/tasks/new");
    const preview = page.getByRole("complementary", { name: "Preview" });
    for (const label of ["Key", "Description", "Spec", "Arguments"]) {
      await page.getByLabel(label).fill(payload);
    }
    const choose = (jobs, job) => jobs.add(new Option(job, job, true, true));
    await page.getByLabel("Job").evaluate(choose, payload);
    await person.sees(preview.getByText(/spec/));
    await check(person, "the preview of a spec");
    await page.getByLabel("Extra").fill(payload);
    await person.sees(preview.getByText("Extra is no JSON object."));
    await check(person, "the preview of what is no JSON");
    await page.getByRole("button", { name: "Review changes" }).click();
    await page.waitForURL("**/tasks/review");
    await page.waitForLoadState();
    await check(person, "the review");
  }));
}

test("an address leads to no other site, and shows what was asked for as text", someone({}, async (person) => {
  const { page } = person;
  person.expects(/status of 4\d\d/);
  for (const payload of [...PAYLOADS, "//example.org/", "https://example.org/", "/\\example.org"]) {
    const asked = encodeURIComponent(payload);
    await page.context().clearCookies();
    await person.goto(`/login?next=${asked}`);
    await check(person, `next=${payload}`, [strangers]);
    await person.goto("about:blank");
    await person.follows((await person.scheduler.link()).replace("#", `?next=${asked}#`));
    await page.waitForLoadState();
    assert.equal(new URL(page.url()).origin, person.scheduler.url, payload);
    for (const path of [`/tasks?q=${asked}&state=${asked}&job=${asked}&after=${asked}`, `/executions?status=${asked}`,
      `/tasks/101/why?at=${asked}`, `/tasks/${asked}`, `/${asked}`]) {
      const answer = await page.goto(path);
      assert.ok(answer.status() < 500, path);
      const isPage = answer.headers()["content-type"]?.startsWith("text/html");
      if (isPage) await check(person, decodeURIComponent(path), [strangers]);
    }
  }
}));
