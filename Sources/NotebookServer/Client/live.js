// Keeps the page of a watched notebook up to date. The messages are made by LiveMessage.swift.
"use strict";

const body = document.body;
const notebook = document.getElementById("notebook");
const bar = document.querySelector(".bar");
const note = document.querySelector("body > .message");
let state = {};
let stateTime = 0;

const fragment = (id) => notebook.querySelector(`[data-fragment="${CSS.escape(id)}"]`);
const cellOf = (id) => notebook.querySelector(`[data-cell="${CSS.escape(id)}"]`);

// MARK: Messages

function receive(message) {
  switch (message.act) {
    case "state":
      showState(message.state);
      break;
    case "fragment":
      replaceFragment(message.id, message.html, message.style || "");
      break;
    case "page":
      keepingDetails(notebook, () => (notebook.innerHTML = message.html));
      decorate(notebook);
      break;
    case "part": {
      const parts = fragment(message.id)?.querySelector(".parts");
      if (!parts) break;
      parts.insertAdjacentHTML("beforeend", message.html);
      break;
    }
    case "text":
      addText(message.id, message.kind, message.text);
      break;
    case "tail":
      showTail(message);
      break;
    case "reload":
      location.reload();
      break;
    case "end":
      source.close();
      end("The notebook is no longer watched. To go on, watch it again.");
      break;
  }
}

function replaceFragment(id, html, style) {
  const element = fragment(id);
  if (!element) return;
  // A form that is being filled in stays.
  if (id === "parameters" && element.contains(document.activeElement)
    && document.activeElement.closest("form")) {
    element.dataset.later = html;
    return;
  }
  keepingDetails(element, () => (element.innerHTML = html));
  const cell = element.closest(".live-cell");
  if (cell) cell.className = `live-cell ${style}`;
  decorate(element);
}

/** Keeps open what the reader has opened. */
function keepingDetails(element, change) {
  const open = (details) => Array.from(details, (item) => item.open);
  const before = open(element.querySelectorAll("details"));
  change();
  const after = element.querySelectorAll("details");
  if (after.length === before.length) after.forEach((item, index) => (item.open ||= before[index]));
}

function addText(id, kind, text) {
  const parts = fragment(id)?.querySelectorAll(`.parts > [data-kind="${kind}"]`);
  const boxes = parts?.length ? parts[parts.length - 1].querySelectorAll("pre") : [];
  const box = boxes[boxes.length - 1];
  if (!box) return;
  const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 40;
  // Line breaks at the end are not shown, and not sent with the first part.
  const last = box.lastChild?.data ?? "\n";
  box.append((last.endsWith("\n") ? "" : "\n") + text);
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

function showTail(message) {
  const tail = cellOf(message.id)?.querySelector(":scope > .tail");
  if (!tail) return;
  tail.replaceChildren();
  if (message.label !== undefined) {
    const label = document.createElement("p");
    label.className = "progress-label";
    label.textContent = message.label;
    const progress = document.createElement("progress");
    progress.setAttribute("aria-label", "Progress");
    if (message.fraction !== undefined) progress.value = message.fraction;
    tail.append(progress, label);
  } else if (message.text) {
    const line = document.createElement("pre");
    line.className = "output";
    line.textContent = message.text;
    tail.append(line);
  }
}

// MARK: The state line

const words = {
  building: "Building", running: "Running", waiting: "Waiting", passed: "Passed",
  failed: "Failed", stopped: "Stopped",
};

function showState(next) {
  state = next;
  stateTime = performance.now();
  bar.dataset.kind = next.kind;
  bar.querySelector(".label").textContent = words[next.kind] ?? "";
  const what = bar.querySelector(".what");
  const word = words[next.kind] ?? "";
  // The label says the first word already.
  let text = next.text.startsWith(word) ? next.text.slice(word.length).trim() : next.text;
  what.textContent = text.charAt(0).toUpperCase() + text.slice(1);
  if (next.cell) what.href = `#${next.cell.replace(/^cell-/, "")}`;
  else what.removeAttribute("href");
  const cells = bar.querySelector("progress");
  cells.max = Math.max(1, next.count);
  cells.value = next.done;
  const [nextCell, runAll, stop] = bar.querySelectorAll("button");
  stop.disabled = !next.canStop;
  nextCell.disabled = next.kind === "building";
  runAll.disabled = next.kind === "building";
  document.title = `${{ passed: "✓ ", failed: "✗ ", running: "… ", building: "… " }[next.kind] ?? ""}${next.title}`;
  showClock();
}

function showClock() {
  const clock = bar.querySelector(".clock");
  if (state.seconds === undefined || state.seconds === null) {
    clock.textContent = "";
    return;
  }
  const seconds = Math.floor(state.seconds + (performance.now() - stateTime) / 1000);
  clock.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

setInterval(showClock, 500);

// MARK: What the reader does

async function send(request) {
  try {
    const answer = await fetch("actions", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request),
    });
    say(answer.ok ? "" : await answer.text());
  } catch {
    say("The notebook cannot be reached; is it still watched?");
  }
}

function say(text) {
  note.textContent = text;
  note.hidden = !text;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.action) send({ action: button.dataset.action, cell: button.dataset.id });
  if (button.dataset.defaults !== undefined) {
    for (const field of button.form.elements) {
      if (field.type === "checkbox") field.checked = field.dataset.default === "true";
      else if (field.name) field.value = field.dataset.default ?? "";
    }
  }
  if (button.classList.contains("copy")) copy(button);
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const parameters = {};
  for (const field of event.target.elements) {
    if (field.name) parameters[field.name] = field.type === "checkbox" ? `${field.checked}` : field.value;
  }
  document.activeElement?.blur();
  send({ action: "run", parameters });
});

document.addEventListener("focusout", (event) => {
  const element = event.target.closest?.('[data-fragment="parameters"]');
  setTimeout(() => {
    if (!element?.dataset.later || element.contains(document.activeElement)) return;
    const html = element.dataset.later;
    delete element.dataset.later;
    replaceFragment("parameters", html, "");
  });
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const action = { n: "nextCell", a: "runAll", s: "stop" }[event.key];
  if (action) bar.querySelector(`[data-action="${action}"]:not(:disabled)`)?.click();
});

// MARK: Copy buttons

function decorate(element) {
  for (const box of element.querySelectorAll(".code-box:not(:has(.copy))")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the code");
    box.prepend(button);
  }
}

async function copy(button) {
  const code = Array.from(button.parentElement.querySelectorAll("pre"), (box) => box.textContent);
  try {
    await navigator.clipboard.writeText(code.join("\n") + "\n");
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

// MARK: The connection

function end(text) {
  bar.dataset.kind = "ended";
  bar.querySelector(".label").textContent = "Ended";
  bar.querySelector(".what").textContent = text;
  bar.querySelector(".clock").textContent = "";
  state = {};
  for (const button of document.querySelectorAll("button[data-action]")) button.disabled = true;
}

const source = new EventSource(`events?since=${body.dataset.since}`);
source.onmessage = (event) => receive(JSON.parse(event.data));
let lost = 0;
source.onopen = () => {
  clearTimeout(lost);
  lost = 0;
};
source.onerror = () => {
  // The browser connects again by itself.
  lost ||= setTimeout(() => end("The connection is lost; is the notebook still watched?"), 5000);
};

receive(JSON.parse(body.dataset.state));
decorate(notebook);
