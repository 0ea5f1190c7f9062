"use strict";
(() => {
  const PAGE = 100, FOLLOW_MS = 10000, TYPING_MS = 200;
  const REASONS = {
    update: ["news", "another tag was chosen"],
    up_to_date: ["good", "it runs what its rule chooses"],
    already_set: ["good", "the spec holds the wanted tag, the cluster has not followed yet"],
    overridden: ["calm", "a later entry of the image list writes to the same place"],
    not_live: ["calm", "the image does not run in this Application"],
    invalid_reference: ["warn", "the entry is no image reference"],
    no_tags: ["warn", "the registry lists no tag"],
    nothing_fits: ["warn", "no tag passes the filters and the strategy"],
    outside_constraint: ["calm", "there are tags, none inside the constraint"],
    invalid_constraint: ["bad", "the constraint cannot be read"],
    invalid_settings: ["bad", "an annotation or rule cannot be followed"],
    endpoint_unknown: ["bad", "the registry cannot be told"],
    credentials_failed: ["bad", "credentials could not be had, or were refused"],
    tags_unavailable: ["bad", "the registry could not be asked, so nothing was changed"],
    metadata_unknown: ["bad", "what the tags point to could not be found out, so nothing was changed"],
    spec_unreadable: ["bad", "the tag that the spec sets now cannot be told"],
    pending: ["calm", "it was not looked at yet"],
    write_failed: ["bad", "the change could not be written"],
    application_failed: ["bad", "the Application as a whole could not be handled"],
  };
  const WINNERS = {
    semver: "the highest version",
    "newest-build": "the most recently built image",
    alphabetical: "the last tag in alphabetical order",
    digest: "what the tag points to now",
  };
  const OUTCOMES = {
    written: "The change was written", unchanged: "The target already held every wanted value",
    dry_run: "Dry run: the change was not written", failed: "The change could not be written",
    superseded: "Somebody else changed the same fields meanwhile; it is left for the next round",
  };
  const state = { view: "applications", reason: "", search: "", open: new Set(), shown: PAGE, following: true };
  const byId = (id) => document.getElementById(id);
  const folds = new Map();
  let skew = 0, request = null, asked = 0, shownText = "";

  /* Texts from outside only ever become text nodes. */
  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "click") element.addEventListener("click", value);
      else if (value !== null && value !== undefined) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }
  const words = (reason) => reason.replaceAll("_", " ");
  const badge = (reason, count) => make("span",
    { class: "badge " + (REASONS[reason] || ["calm"])[0], title: (REASONS[reason] || ["", ""])[1] },
    count ? words(reason) + " " + count : words(reason));

  function span(seconds) {
    const steps = [[86400, "d"], [3600, "h"], [60, "min"]];
    for (const [size, unit] of steps) if (seconds >= size) return Math.round(seconds / size) + " " + unit;
    return Math.round(seconds) + " s";
  }
  function distance(text, isDue) {
    const seconds = (Date.parse(text) - Date.now() - skew) / 1000;
    if (isDue && seconds <= 0) return "due";
    return Math.abs(seconds) < 1 ? "now" : seconds < 0 ? span(-seconds) + " ago" : "in " + span(seconds);
  }
  const when = (text, isDue) => text
    ? make("time", { datetime: text, title: text, "data-due": isDue ? "" : null }, distance(text, isDue))
    : make("span", { class: "muted" }, "–");
  function retime() {
    for (const element of document.querySelectorAll("time")) element.textContent = distance(element.dateTime, "due" in element.dataset);
  }

  async function load(path) {
    const answer = await fetch(path, { cache: "no-cache", signal: request.signal });
    const date = Date.parse(answer.headers.get("Date") || "");
    if (date) skew = Math.round((date - Date.now()) / 1000) * 1000;
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error("the updater answered with status " + answer.status);
    return answer.json();
  }

  async function loadApplications() {
    let found = null, after = "";
    do {
      const limit = Math.min(500, state.shown - (found ? found.items.length : 0));
      const query = new URLSearchParams({ limit: String(limit), reason: state.reason, search: state.search, continue: after });
      const page = await load("/api/v1/applications?" + query);
      if (found) page.items.unshift(...found.items);
      found = page;
      after = page.continue || "";
    } while (after && found.items.length < state.shown);
    const details = new Map();
    for (const item of found.items) {
      const key = item.namespace + "/" + item.name;
      if (state.open.has(key)) details.set(key, await load("/api/v1/applications/" + encodeURIComponent(item.namespace) + "/" + encodeURIComponent(item.name)));
    }
    return { found, details };
  }

  async function refresh() {
    if (request) request.abort();
    request = new AbortController();
    const number = ++asked;
    try {
      if (state.view === "cycles") {
        const cycles = await load("/api/v1/cycles");
        if (number === asked && isNews(["cycles", cycles])) { showFrame(cycles); showCycles(cycles.items); }
      } else {
        const { found, details } = await loadApplications();
        if (number === asked && isNews([found, ...details])) { showFrame(found); showApplications(found, details); }
      }
      retime();
      byId("notice").hidden = true;
      byId("freshness").textContent = "as of " + new Date().toLocaleTimeString();
    } catch (error) {
      if (number !== asked || error.name === "AbortError") return;
      byId("notice").hidden = false;
      byId("notice").textContent = "What is shown may be old: " + error.message;
    }
  }

  /* What did not change is left alone, with the place where somebody reads. */
  function isNews(facts) {
    const text = JSON.stringify(facts);
    if (text === shownText) return false;
    shownText = text;
    return true;
  }

  function showFrame(found) {
    const interval = found.intervalSeconds;
    const often = interval ? (found.mode === "continuous" ? "each Application every " : "a cycle every ") + span(interval) : "one round";
    byId("rhythm").textContent = often + (found.dryRun ? " · dry run, nothing is written" : "");
    byId("trouble").hidden = !found.trouble;
    if (found.trouble) byId("trouble").replaceChildren("What is shown may be old, because the Applications cannot be listed (first failure ", when(found.trouble.since), "): " + found.trouble.text);
  }

  function showApplications(found, details) {
    const focused = document.activeElement && document.activeElement.id;
    showReasons(found);
    const filtered = state.reason || state.search;
    byId("count").textContent = filtered ? found.matching + " of " + found.total + " Applications" : found.total + " Applications";
    const scrolled = new Map([...document.querySelectorAll(".candidates")].map((part) => [part.dataset.key, part.scrollTop]));
    byId("rows").replaceChildren(...found.items.flatMap((item) => applicationRows(item, details)));
    for (const part of document.querySelectorAll(".candidates")) part.scrollTop = scrolled.get(part.dataset.key) || 0;
    byId("empty").hidden = found.items.length > 0;
    byId("empty").textContent = filtered ? "No Application fits." : "No Application is looked after yet: it needs the annotation image-list, or a rule that matches it.";
    byId("more").hidden = !found.continue;
    if (focused && byId(focused)) byId(focused).focus();
  }

  function showReasons(found) {
    const names = Object.keys(found.reasons);
    if (state.reason && !names.includes(state.reason)) names.push(state.reason);
    const order = ["bad", "warn", "news", "calm", "good"];
    const rank = (name) => order.indexOf((REASONS[name] || ["calm"])[0]);
    names.sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
    byId("reasons").replaceChildren(...names.map((name) => make("button", {
      type: "button", id: "reason-" + name, "aria-pressed": String(state.reason === name), title: (REASONS[name] || ["", ""])[1],
      click: () => change({ reason: state.reason === name ? "" : name, shown: PAGE }),
    }, words(name) + " " + (found.reasons[name] || 0))));
  }

  function applicationRows(item, details) {
    const key = item.namespace + "/" + item.name, isOpen = state.open.has(key);
    const id = "app-" + key;
    const toggle = make("button", { type: "button", class: "name", id, "aria-expanded": String(isOpen), click: () => toggleOpen(key) }, item.name);
    const row = make("tr", {},
      make("td", {}, toggle, make("span", { class: "namespace" }, item.namespace)),
      make("td", { "data-label": "Images" }, ...item.images.map(imageLine)),
      make("td", { "data-label": "Why" }, ...item.reasons.map((reason) => badge(reason)), item.error ? make("span", { class: "line problem" }, item.error.text) : null),
      make("td", { class: "when", "data-label": "Last attempt" }, when(item.lastAttempt)),
      make("td", { class: "when", "data-label": "Last success" }, when(item.lastSuccess)),
      make("td", { class: "when", "data-label": "Next" }, when(item.nextDue, true)));
    if (!isOpen) return [row];
    const detail = details.get(key);
    const cell = make("td", { colspan: "6" }, ...(detail ? detailParts(detail) : ["It is not looked after any more."]));
    return [row, make("tr", { class: "detail" }, cell)];
  }

  const versions = (image) => (image.current || "not running") + (image.wanted ? " → " + image.wanted : "");
  const imageLine = (image) => make("span", { class: "line" }, (image.alias || image.image) + " ", make("span", { class: "tag" }, versions(image)));

  function detailParts(detail) {
    const key = detail.namespace + "/" + detail.name;
    const parts = detail.images.map((image, number) => imageCard(image, key + "#" + number));
    if (detail.write) parts.push(writeLine(detail.write));
    if (detail.lastUpdate) parts.push(updateLine(detail.lastUpdate));
    for (const text of detail.warnings) parts.push(make("p", { class: "muted" }, "Remark: " + text));
    return parts.length ? parts : [make("p", { class: "muted" }, "It was not looked at yet.")];
  }

  /* Where a change can be looked up; an address is a link only if it is one of the web. */
  function places(write) {
    const parts = [];
    if (write.commit) parts.push(", commit ", make("code", {}, write.commit.slice(0, 12)));
    if (write.pullRequest) parts.push(", ", /^https?:\/\//.test(write.pullRequest)
      ? make("a", { href: write.pullRequest, rel: "noopener noreferrer" }, "pull request") : write.pullRequest);
    return parts;
  }

  function writeLine(write) {
    const text = OUTCOMES[write.outcome] || words(write.outcome);
    const trouble = write.error ? write.error.text : write.warning;
    return make("p", { class: trouble ? "problem" : null }, text, ...places(write), trouble ? ": " + trouble : ".");
  }

  function updateLine(update) {
    const changes = update.images.map((each) => each.image + " " + (each.from || "?") + " → " + each.to).join(", ");
    return make("p", { class: "muted" }, "Last update ", when(update.at), ": " + changes, ...places(update), ".");
  }

  function imageCard(image, key) {
    return make("div", { class: "image" },
      make("h3", {}, image.image, " ", badge(image.reason)),
      make("p", {}, make("code", {}, versions(image)), " — ", (REASONS[image.reason] || ["", words(image.reason)])[1] + "."),
      make("p", { class: "muted" }, rule(image)),
      image.problem ? make("p", { class: "problem" }, image.problem.text) : null,
      ...candidateParts(image, key));
  }

  function rule(image) {
    const limit = image.constraint ? (image.strategy === "digest" ? ": " : " allowed by ") + image.constraint : "";
    const looked = image.tagsConsidered === null ? "" : ", out of " + image.tagsConsidered + (image.tagsConsidered === 1 ? " tag" : " tags");
    return "Strategy " + image.strategy + ": " + (WINNERS[image.strategy] || "") + limit + looked + ".";
  }

  function candidateParts(image, key) {
    if (image.tagsConsidered === null) return [];
    if (!image.candidates) return [make("p", { class: "muted" }, "Its candidates are not held in memory any more; the command 'test' lists them.")];
    const found = image.candidates;
    const losses = Object.entries(found.losses).map(([loss, count]) => count + " " + loss).join(", ");
    const chosen = found.rows.find((row) => row.isChosen);
    const verdict = chosen ? chosen.tag + " was chosen" : "no tag was chosen";
    const hasDates = found.rows.some((row) => row.created), hasDigests = found.rows.some((row) => row.digest);
    const table = make("table", { class: "candidate-table" },
      make("thead", {}, make("tr", {}, ...["Tag", "Result", hasDates && "Created", hasDigests && "Digest"].filter(Boolean).map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...found.rows.map((row) => make("tr", { class: row.isChosen ? "chosen" : null },
        make("td", { class: "tag" }, row.tag), make("td", {}, row.isChosen ? "chosen" : row.reason),
        hasDates ? make("td", {}, row.created || "") : null, hasDigests ? make("td", { class: "tag" }, row.digest || "") : null))));
    const isOpen = folds.has(key) ? folds.get(key) : found.rows.length <= 30;
    const details = make("details", { open: isOpen ? "" : null },
      make("summary", {}, "Candidates: " + verdict + (losses ? "; of the others " + losses : "")),
      make("div", { class: "candidates", "data-key": key, tabindex: "0", role: "region", "aria-label": "Candidates of " + image.image }, table,
        found.leftOut ? make("p", { class: "muted" }, found.leftOut + " more are not shown; the command 'test' lists them.") : null));
    details.addEventListener("toggle", () => folds.set(key, details.open));
    return [details];
  }

  function showCycles(items) {
    byId("no-cycles").hidden = items.length > 0;
    const number = (value) => make("td", { class: "number" }, String(value));
    byId("cycle-rows").replaceChildren(...items.map((cycle) => make("tr", {},
      make("td", { class: "when" }, when(cycle.ended), cycle.dryRun ? " (dry run)" : ""),
      make("td", { class: "when" }, cycle.durationSeconds < 10 ? cycle.durationSeconds.toFixed(1) + " s" : span(cycle.durationSeconds)),
      number(cycle.applications), number(cycle.counters.considered), number(cycle.counters.skipped),
      number(cycle.counters.updated), number(cycle.counters.errors),
      make("td", {}, ...Object.entries(cycle.reasons).map(([reason, count]) => badge(reason, count))))));
  }

  function toggleOpen(key) {
    if (!state.open.delete(key)) state.open.add(key);
    change({});
  }

  function change(changes) {
    Object.assign(state, changes);
    const query = new URLSearchParams();
    if (state.view !== "applications") query.set("view", state.view);
    if (state.reason) query.set("reason", state.reason);
    if (state.search) query.set("search", state.search);
    for (const key of state.open) query.append("open", key);
    history.replaceState(null, "", "#" + query);
    show();
  }

  function readAddress() {
    const query = new URLSearchParams(location.hash.slice(1));
    state.view = query.get("view") === "cycles" ? "cycles" : "applications";
    state.reason = query.get("reason") || "";
    state.search = query.get("search") || "";
    state.open = new Set(query.getAll("open").slice(0, 50));
    byId("search").value = state.search;
    show();
  }

  function show() {
    for (const view of ["applications", "cycles"]) {
      byId(view).hidden = state.view !== view;
      const link = byId("show-" + view);
      if (state.view === view) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
    refresh();
  }

  let typing = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => change({ search: event.target.value.trim().slice(0, 200), shown: PAGE }), TYPING_MS);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", () => change({ shown: state.shown + PAGE }));
  byId("live").addEventListener("click", (event) => {
    state.following = !state.following;
    event.target.setAttribute("aria-pressed", String(state.following));
    if (state.following) refresh();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== byId("search")) { event.preventDefault(); byId("search").focus(); }
  });
  document.addEventListener("visibilitychange", () => { if (state.following && !document.hidden) refresh(); });
  window.addEventListener("hashchange", readAddress);
  setInterval(() => { if (state.following && !document.hidden) refresh(); }, FOLLOW_MS);
  readAddress();
})();
