// Keeps a live page up to date: carries out the messages of the server, and passes on what the reader
// asks for. Without it the page shows the state of when it was loaded.
"use strict"

const element = id => document.getElementById(id)
const fragment = id => document.querySelector(`[data-fragment="${CSS.escape(id)}"]`)
const cell = id => document.querySelector(`[data-cell="${CSS.escape(id)}"]`)

/** The words of the interface, in the language of the page. */
const words = JSON.parse(document.body.dataset.words)
let since = Number(document.body.dataset.since)
let state = {}
/** When the phase of the state began, on the clock of the page. */
let began = 0
let source = null
let hasEnded = false
/** Whether the reader has changed the form of the parameters. */
let isEdited = false
/** Whether to scroll to the cell that runs next: the reader has asked for it in this window. */
let follows = false

// Messages

const acts = {
  state(message) { show(message.state) },

  fragment({ id, html, style }) {
    if (id === "parameters" && isEdited) return
    const place = fragment(id)
    if (!place) return location.reload()
    replace(place, html)
    const box = cell(id)
    if (box) box.className = `live-cell ${style}`
  },

  page({ html }) {
    isEdited = false
    replace(element("page"), html)
  },

  part({ id, html }) {
    const parts = cell(id)?.querySelector(".parts")
    parts?.insertAdjacentHTML("beforeend", html)
  },

  // Each piece is a block of its own: the browser need not lay out again what is there already.
  text({ id, kind, text }) {
    const boxes = cell(id)?.querySelectorAll(`.part[data-kind="${kind}"] pre`)
    const box = boxes?.[boxes.length - 1]
    if (!box) return
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40
    let last = box.lastElementChild
    if (!last?.classList.contains("piece") || last.textContent.length > 10000) {
      last = document.createElement("span")
      last.className = "piece"
      last.textContent = ""
      box.append(last)
    }
    last.append(text)
    if (isAtEnd) box.scrollTop = box.scrollHeight
  },

  tail({ id, text, label, fraction }) {
    const place = cell(id)?.querySelector(".tail")
    if (!place) return
    if (text === undefined) place.querySelector("pre")?.remove()
    else {
      const line = place.querySelector("pre") ?? create("pre", "output")
      line.textContent = text
      place.prepend(line)
    }
    if (label === undefined) return place.querySelector(".bar")?.remove()
    let bar = place.querySelector(".bar")
    if (!bar) {
      bar = create("div", "bar")
      bar.append(create("progress"), create("span"))
      place.append(bar)
    }
    const progress = bar.firstElementChild
    if (fraction === undefined) progress.removeAttribute("value")
    else progress.value = fraction
    progress.setAttribute("aria-label", words.progress)
    bar.lastElementChild.textContent = label
  },

  reload() { location.reload() },

  end() {
    hasEnded = true
    source?.close()
    document.body.classList.add("ended")
    show({ ...state, kind: "ended", text: words.ended, seconds: undefined, canStop: false })
    notice(words.startAgain)
  },
}

function create(name, style) {
  const made = document.createElement(name)
  if (style) made.className = style
  return made
}

/** Replaces what is in an element. What the reader has opened and scrolled stays so. */
function replace(place, html) {
  const opened = [...place.querySelectorAll("details")].map(one => one.open)
  const scrolled = [...place.querySelectorAll("pre")].map(one => one.scrollTop)
  place.innerHTML = html
  place.querySelectorAll("details").forEach((one, index) => { if (opened[index]) one.open = true })
  place.querySelectorAll("pre").forEach((one, index) => {
    if (scrolled[index]) one.scrollTop = scrolled[index]
  })
  decorate(place)
}

/** Carries out messages without moving what the reader looks at. */
function carryOut(messages) {
  const top = element("bar").getBoundingClientRect().bottom
  const boxes = document.querySelectorAll("main [data-fragment], main [data-cell], header")
  const anchor = scrollY > 0
    ? [...boxes].find(box => box.getBoundingClientRect().bottom > top + 1) : undefined
  const name = anchor?.dataset.fragment
  const before = anchor?.getBoundingClientRect().top
  for (const message of messages) acts[message.act]?.(message)
  const after = anchor?.isConnected ? anchor : name && fragment(name)
  if (after) {
    const shift = after.getBoundingClientRect().top - before
    if (Math.abs(shift) >= 1) scrollBy({ top: shift, behavior: "instant" })
  }
  if (follows && state.cell && ["running", "waiting"].includes(state.kind)) {
    follows = false
    cell(state.cell)?.scrollIntoView({ behavior: "smooth", block: "start" })
  }
}

let queue = []

function receive(event) {
  if (event.lastEventId) since = Number(event.lastEventId)
  queue.push(JSON.parse(event.data))
  if (queue.length > 1) return
  const work = () => {
    clearTimeout(timer)
    if (queue.length === 0) return
    const messages = queue
    queue = []
    carryOut(messages)
  }
  // A window that is not visible, or behind others, draws nothing.
  const timer = setTimeout(work, document.hidden ? 0 : 200)
  if (!document.hidden) requestAnimationFrame(work)
}

// The state line

const marks = { building: "⋯", running: "▶", waiting: "⏸", passed: "✓", failed: "✗", stopped: "■", ended: "■" }

function show(next) {
  state = next
  began = performance.now() - (next.seconds ?? 0) * 1000
  document.body.dataset.kind = next.kind
  const line = element("state")
  line.textContent = next.text
  if (next.cell) line.href = `#${next.cell.replace(/^cell-/, "")}`
  else line.removeAttribute("href")
  document.title = `${marks[next.kind] ?? ""} ${next.title}`
  element("done").style.width = `${next.count ? (100 * next.done) / next.count : 0}%`
  for (const button of document.querySelectorAll("[data-action]")) {
    button.disabled = hasEnded || (button.dataset.action === "stop" && !next.canStop)
  }
  const isRunning = next.kind === "running"
  document.querySelector('[data-action="nextCell"]').textContent =
    isRunning ? words.pause : words.nextCell
  tick()
}

function tick() {
  const seconds = Math.floor((performance.now() - began) / 1000)
  const minutes = Math.floor(seconds / 60)
  element("clock").textContent = state.seconds === undefined || seconds < 1
    ? "" : `${minutes}:${String(seconds % 60).padStart(2, "0")}`
}

function notice(text) {
  element("notice").textContent = text
  element("notice").hidden = !text
}

// The connection

let lost = 0

function connect() {
  if (hasEnded || source) return
  source = new EventSource(`events?since=${since}`)
  source.onmessage = receive
  source.onopen = () => {
    clearTimeout(lost)
    lost = 0
    document.body.classList.remove("lost")
    notice("")
  }
  source.onerror = () => {
    if (hasEnded) return
    lost ||= setTimeout(() => {
      document.body.classList.add("lost")
      notice(words.lost)
    }, 2500)
    // The browser itself tries again, but not after every error.
    if (source?.readyState === EventSource.CLOSED) {
      disconnect()
      setTimeout(connect, 2000)
    }
  }
}

function disconnect() {
  source?.close()
  source = null
}

// A browser has few connections for all its windows together: those that are looked at need them.
const others = new BroadcastChannel(location.pathname)
others.onmessage = () => { if (document.hidden) disconnect() }
document.addEventListener("visibilitychange", () => { if (!document.hidden) look() })
addEventListener("pagehide", disconnect)
addEventListener("pageshow", event => { if (event.persisted) look() })

function look() {
  others.postMessage("look")
  connect()
}

// What the reader asks for

async function ask(request) {
  try {
    const response = await fetch("actions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
    })
    notice(response.ok ? "" : await response.text())
  } catch {
    notice(words.noAnswer)
  }
}

function act(action, id) {
  if (hasEnded) return
  if (action === "nextCell" && state.kind === "waiting") {
    cell(state.cell)?.scrollIntoView({ behavior: "smooth", block: "start" })
  } else if (action === "nextCell" && state.kind !== "running") {
    follows = true
  }
  ask(id === undefined ? { action } : { action, cell: id })
}

document.addEventListener("click", event => {
  const button = event.target.closest("button")
  if (!button) return
  if (button.dataset.action) act(button.dataset.action, button.dataset.id)
  else if (button.classList.contains("copy")) copy(button)
  else if ("defaults" in button.dataset) {
    isEdited = true
    for (const input of button.form.elements) {
      if (!("default" in input.dataset)) continue
      if (input.type === "checkbox") input.checked = input.dataset.default === "true"
      else input.value = input.dataset.default
    }
  }
})

document.addEventListener("input", event => {
  if (event.target.closest(".parameter-form")) isEdited = true
})

document.addEventListener("submit", event => {
  event.preventDefault()
  isEdited = false
  const parameters = {}
  for (const input of event.target.elements) {
    if (input.name) parameters[input.name] = input.type === "checkbox" ? `${input.checked}` : input.value
  }
  ask({ action: "run", parameters })
})

document.addEventListener("keydown", event => {
  if (event.key !== "Enter" || !event.shiftKey || event.target.closest("input, select, textarea")) return
  event.preventDefault()
  act("nextCell")
})

// Copying

function decorate(place) {
  for (const code of place.querySelectorAll(".code-box")) {
    if (code.querySelector(".copy")) continue
    const button = create("button", "copy plain")
    button.type = "button"
    button.textContent = words.copy
    code.prepend(button)
  }
}

async function copy(button) {
  try {
    const parts = [...button.parentElement.querySelectorAll("pre code")]
    await navigator.clipboard.writeText(parts.map(part => part.textContent).join("\n") + "\n")
    button.textContent = words.copied
  } catch {
    button.textContent = words.notCopied
  }
  setTimeout(() => { button.textContent = words.copy }, 1500)
}

decorate(document)
show(JSON.parse(document.body.dataset.state).state)
setInterval(tick, 500)
look()
