"use strict";
// What must be live. Every page works without it.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);

// The theme is the reader's own: it never leaves the browser.
const theme = {
  apply(name) {
    if (name) document.documentElement.dataset.theme = name;
  },
  toggle() {
    const isDark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    const name = isDark ? "light" : "dark";
    localStorage.setItem("theme", name);
    theme.apply(name);
  },
};
theme.apply(localStorage.getItem("theme"));
one(".nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
for (const button of all("[data-theme-toggle]")) button.addEventListener("click", theme.toggle);

// "/" leads to the search of tasks, from every page.
const find = () => {
  const search = one("input[name=q]");
  search?.focus();
  search?.select();
  return search;
};
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || one("dialog[open]")) return;
  event.preventDefault();
  if (!find() && one(".nav")) location.assign("/tasks#q");
});
if (location.hash === "#q") find();

// What is listened to for the whole document goes on when a part of it is made anew.
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-submits]")) target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-opens]");
  if (button) document.getElementById(button.dataset.opens).showModal();
});

// One in which something was refused comes open.
for (const dialog of all("dialog[open]")) {
  dialog.close();
  dialog.showModal();
}

// What is wrong is where one goes on.
one("main [aria-invalid=true]")?.focus();

// What was done is said once, and what comes next begins there.
const here = new URL(location);
if (here.searchParams.has("done")) {
  const rest = here.search.slice(1).split("&").filter((part) => !part.startsWith("done=")).join("&");
  history.replaceState(null, "", here.pathname + (rest && `?${rest}`) + here.hash);
  one("main > .told")?.focus({ preventScroll: true });
  const { path, top } = JSON.parse(sessionStorage.getItem("place") ?? "{}");
  if (path === here.pathname) scrollTo(0, top);
}
// Who does something in the middle of a page finds himself there again.
addEventListener("submit", () => {
  sessionStorage.setItem("place", JSON.stringify({ path: location.pathname, top: scrollY }));
});

// A form that took its time is sent only while somebody is logged in: what was typed would be lost.
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (!("keeps" in form.dataset) || "isKnown" in form.dataset) return;
  event.preventDefault();
  const answer = await fetch("/api/v1/whoami").catch(() => undefined);
  if (answer?.ok) {
    form.dataset.isKnown = "";
    form.requestSubmit(submitter);
    delete form.dataset.isKnown;
    return;
  }
  one("[data-is-lost]", form)?.remove();
  const words = answer?.status === 401 ? form.dataset.keeps : form.dataset.silent;
  const notice = Object.assign(document.createElement("p"), { className: "notice", role: "alert", textContent: words });
  notice.dataset.kind = "bad";
  notice.dataset.isLost = "";
  submitter.closest(".form-end").prepend(notice);
});

// One box for all of them; with the shift key all up to the one that was picked before.
let picked_last;
document.addEventListener("click", ({ target, shiftKey }) => {
  if (!target.matches(".bulk-form tbody input[name=id]")) return;
  const boxes = all(".bulk-form tbody input[name=id]");
  const [from, to] = [boxes.indexOf(picked_last), boxes.indexOf(target)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) for (const box of boxes.slice(from, to)) box.checked = target.checked;
  picked_last = target;
});
document.addEventListener("change", ({ target }) => {
  const form = target.closest(".bulk-form");
  const every = form && one("[data-pick-all]", form);
  if (!every) return;
  const boxes = all("input[name=id]", form);
  if (target === every) for (const box of boxes) box.checked = every.checked;
  const picked = boxes.filter((box) => box.checked).length;
  every.checked = picked === boxes.length;
  every.indeterminate = picked > 0 && picked < boxes.length;
  const all_pages = one("[name=all]", form);
  if (all_pages && !every.checked) all_pages.checked = false;
});

// A link to log in carries its code behind "#", which browsers send to nobody: it is sent on from here, once.
const login = one("[data-login]");
const follow_link = () => {
  if (location.hash.length > 1) {
    login.elements.code.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname + location.search);
    login.submit();
  } else if ("isIn" in login.dataset) {
    location.replace(login.elements.next.value);
  }
};
if (login) {
  follow_link();
  // A link that is pasted where the page is shown already loads nothing anew.
  addEventListener("hashchange", follow_link);
}

// The same instant by the reader's own clock, where that shows something else.
const pad = (number) => String(number).padStart(2, "0");
const own_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const by_own_clock = (utc) => {
  const at = new Date(utc);
  const day = [at.getFullYear(), pad(at.getMonth() + 1), pad(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(pad).join(":")}`;
};
const add_own_clock = (time) => {
  const own = by_own_clock(time.dateTime);
  const is_shown = time.parentElement.textContent.replaceAll("T", " ").includes(own);
  if (is_shown) return;
  const sub = Object.assign(document.createElement("span"), { className: "sub", textContent: `${own} ${own_zone}` });
  time.parentElement.append(sub);
};
all("time[data-own]").forEach(add_own_clock);

// What goes on is shown as it does, unless somebody is in the middle of something.
const isBusy = (main) =>
  document.hidden || one("dialog[open]") || one("input:checked", main) || !getSelection().isCollapsed ||
  all("input:not([type=checkbox])", main).some((input) => input.value !== input.defaultValue) ||
  document.activeElement.matches("input, textarea, select");
// The link or button of the same name and place, which keeps the focus.
const find_again = (element) => {
  const { localName, textContent } = element;
  const alike = (within) => all(localName, within).filter((other) => other.textContent === textContent);
  const place = alike(document).indexOf(element);
  return () => alike(document)[place];
};
const refresh = async () => {
  const main = one("main[data-refreshes]");
  if (!main) return;
  if (!isBusy(main)) {
    const fresh = await page_now().catch(() => undefined);
    if (!fresh) tell_stale(main);
    else if (!isBusy(main)) {
      const told = one("main > .told");
      const again = main.contains(document.activeElement) ? find_again(document.activeElement) : undefined;
      // Of a page that follows something by itself some parts are made anew.
      const parts = all("[data-part]", main).map((part) => `#${part.id}`);
      for (const part of [...(parts.length ? parts : ["main"]), ".footer"]) {
        const made = one(part, fresh);
        if (made) one(part).replaceWith(made);
      }
      all("main time[data-own]").forEach(add_own_clock);
      // What was done stays to be read for a while.
      if (told && !told.isConnected && performance.now() < 15_000) one("main").prepend(told);
      again?.()?.focus({ preventScroll: true });
    }
  }
  refresh_later();
};
const page_now = async () => {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  return answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : undefined;
};
const tell_stale = (main) => {
  if (one("[data-is-stale]", main)) return;
  const notice = Object.assign(document.createElement("p"), { className: "notice", role: "alert" });
  notice.dataset.kind = "bad";
  notice.dataset.isStale = "";
  notice.textContent = `${main.dataset.stale} ${one(".footer time").textContent}`;
  main.prepend(notice);
};
// In milliseconds: the page says how soon something is expected.
const refresh_later = () => setTimeout(refresh, Number(one("main").dataset.refreshes ?? 5000));
refresh_later();

// What the job takes that is chosen.
const takes = one("[data-takes]");
if (takes) {
  const { execute_func: chosen } = takes.closest("form").elements;
  chosen.addEventListener("input", () => {
    takes.textContent = chosen.selectedOptions[0]?.dataset.args ?? "";
    takes.parentElement.hidden = takes.textContent === "";
  });
}

// When it would fire, while it is typed.
const preview = document.getElementById("preview");
if (preview) {
  const { trigger, spec, extra } = preview.closest("form").elements;
  let asked = 0;
  let waiting;
  let isTyped = false;
  const element = (name, text, attributes = {}) => {
    const made = Object.assign(document.createElement(name), { textContent: text });
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const line = (instant) => {
    const item = document.createElement("li");
    const local = instant.local.slice(0, 19).replace("T", " ");
    const time = element("time", local, { datetime: instant.utc });
    item.append(time, element("span", instant.utc, { class: "sub" }));
    if (instant.moved_from) {
      const words = `${preview.dataset.moved} ${instant.moved_from}`;
      item.append(element("span", words, { class: "tag", "data-kind": "warn" }));
    }
    add_own_clock(time);
    return item;
  };
  // What is wrong is marked where it was typed.
  const mark = (name, words) => {
    for (const field of [trigger, spec, extra]) {
      const isWrong = field.name === name;
      document.getElementById(`e-${field.name}`)?.remove();
      if (isWrong) field.after(element("span", words, { class: "error", id: `e-${name}` }));
      for (const [attribute, value] of [["aria-invalid", "true"], ["aria-describedby", `e-${name}`]]) {
        if (isWrong) field.setAttribute(attribute, value);
        else field.removeAttribute(attribute);
      }
    }
  };
  const show = async () => {
    const mine = ++asked;
    let settings;
    try {
      settings = extra.value.trim() ? JSON.parse(extra.value) : {};
    } catch {
      settings = undefined;
    }
    if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
      mark("extra", preview.dataset.broken);
      one("[data-soon]").textContent = "";
      preview.replaceChildren(element("p", preview.dataset.broken, { class: "notice", "data-kind": "bad" }));
      return;
    }
    const answer = await fetch("/api/v1/preview", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ trigger: trigger.value, spec: spec.value, extra: settings }),
    });
    const said = await answer.json();
    if (mine !== asked) return;
    const [first] = said.instants ?? [];
    one("[data-soon]").textContent = first ? [said.words, line(first).firstChild.textContent].filter(Boolean).join(" · ") : "";
    if (isTyped) mark(said.field, said.detail);
    if (!answer.ok) {
      preview.replaceChildren(element("p", said.detail, { class: "notice", "data-kind": "bad" }));
    } else if (said.instants.length === 0) {
      preview.replaceChildren(element("p", preview.dataset.never));
    } else {
      const list = element("ol", "", { class: "instants" });
      list.append(...said.instants.map(line));
      const words = said.words ? [element("p", said.words)] : [];
      preview.replaceChildren(...words, element("p", said.zone, { class: "sub" }), list);
    }
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => spec.value && show().catch(() => {}), 150);
  };
  const typed = () => {
    isTyped = true;
    soon();
  };
  for (const field of [trigger, spec, extra]) field.addEventListener("input", typed);
  soon();
}

// The lines of a log, each by its level, and those of them that are looked for.
const LEVELS = { WARNING: 1, ERROR: 2, CRITICAL: 2 };
const log_lines = (log) => {
  const tools = one("[data-log-tools]");
  const [text, level] = [one("input", tools), one("select", tools)];
  let last = 0;
  const sift = (line) => {
    const isFound = line.textContent.toLowerCase().includes(text.value.toLowerCase());
    line.hidden = !isFound || Number(line.dataset.level) < Number(level.value);
  };
  const add = (lines) => {
    for (const words of lines.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      const line = Object.assign(document.createElement("span"), { textContent: words });
      // A line that does not begin with an instant goes on with the one before.
      const begun = /^\d{4}-\d\d-\d\dT\S+ +([A-Z]+) /.exec(words);
      if (begun) last = LEVELS[begun[1]] ?? 0;
      line.dataset.level = last;
      sift(line);
      log.append(line);
    }
    tools.hidden = log.childElementCount < 2;
    tell_none();
  };
  const tell_none = () => {
    const lines = all("span", log);
    one("[data-none]").hidden = lines.length === 0 || lines.some((line) => !line.hidden);
  };
  const all_lines = log.textContent;
  log.replaceChildren();
  add(all_lines);
  const sift_all = () => {
    all("span", log).forEach(sift);
    tell_none();
  };
  for (const tool of [text, level]) tool.addEventListener("input", sift_all);
  return add;
};

// The log of a run that goes on; when it has ended the page of one that ran is read anew. A page that nobody sees
// follows nothing: a browser has few connections to a server.
for (const log of all("pre.log")) {
  const add = log_lines(log);
  if ("tail" in log.dataset) log.scrollTop = log.scrollHeight;
  if (!log.dataset.follows) continue;
  let after = Number(log.dataset.after);
  let source;
  const take = (event) => {
    const said = JSON.parse(event.data);
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    add(said.text);
    one("[data-empty]")?.remove();
    after = said.next;
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  };
  const end = (event) => {
    take(event);
    stop();
    document.removeEventListener("visibilitychange", turn);
  };
  // Its last lines may come a little after its end.
  const reload_when_ended = async () => {
    const answer = document.hidden ? undefined : await fetch(log.dataset.reloads).catch(() => undefined);
    const said = answer?.ok ? await answer.json() : { status: "todo" };
    if (said.status === "todo") setTimeout(reload_when_ended, 1000);
    else location.reload();
  };
  if ("reloads" in log.dataset) setTimeout(reload_when_ended, 1000);
  const stop = () => source?.close();
  const turn = () => {
    stop();
    if (document.hidden) return;
    source = new EventSource(`${log.dataset.follows}/stream?after=${after}`);
    source.addEventListener("log", take);
    source.addEventListener("end", end);
    // What is refused is not asked for again by itself.
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && setTimeout(turn, 5000));
  };
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", stop);
  turn();
}
