// The web chat: one conversation, one queue of messages on their way, one log.
// Everything said is put on the page with textContent; the page's own words come from /chat/labels.json.

const MESSAGES = "/api/chat/messages";
const LABELS = "/chat/labels.json";
const CONVERSATION_KEY = "rafiq.conversation";
const QUEUE_KEY = "rafiq.unsent";
const FIRST_CHOICE = "greet"; // sent by the page itself, so that the bot speaks first
const MOST_QUICK_REPLIES = 6;

const POLL_MS = 20_000;
const ANSWER_MS = 45_000; // longer than the server holds a request open
const PENDING_MS = 1_500;
const TYPING_AFTER_MS = 400;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

const VARIETIES = {
  "fr": { lang: "fr", dir: "ltr" },
  "ary-Arab": { lang: "ary", dir: "rtl" },
  "ary-Latn": { lang: "ary-Latn", dir: "ltr" },
};

const byId = (id) => document.getElementById(id);
const scroller = byId("scroller");
const log = byId("log");
const typing = byId("typing");
const connection = byId("status");
const composer = byId("composer");
const box = byId("message");
const newButton = byId("new");
const newPanel = byId("new-panel");
const down = byId("down");

let labels = {};
let language = "fr"; // the page's, that is the last message's
let current = null; // the conversation on the page

// ---- what the browser keeps

function keep(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // Storage may be full or forbidden: the conversation then lasts as long as the page.
  }
}

function kept(storage, key) {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

function newId() {
  // randomUUID is missing on plain http and in old browsers.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- words

function label(key, variety = language) {
  return labels[key]?.[variety] ?? labels[key]?.fr ?? "";
}

function speak(variety) {
  language = variety;
  const { lang, dir } = VARIETIES[variety];
  document.documentElement.lang = lang;
  document.documentElement.dir = dir;
  document.title = label("page_title") || document.title;
  for (const element of document.querySelectorAll("[data-label]")) element.textContent = label(element.dataset.label);
  for (const name of ["aria-label", "placeholder", "title"]) {
    for (const element of document.querySelectorAll(`[data-label-${name}]`)) {
      element.setAttribute(name, label(element.getAttribute(`data-label-${name}`)));
    }
  }
  showConnection(current?.offline ?? false);
  fitBox();
}

// ---- the log

function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

const ARABIC = /\p{Script=Arabic}/u;
const LATIN = /\p{Script=Latin}/u;

/** Return the direction of a line that is wholly in one script, "" for a mixed one: it follows its message. */
function ownDirection(line) {
  if (ARABIC.test(line) === LATIN.test(line)) return "";
  return ARABIC.test(line) ? "rtl" : "ltr";
}

/** Return a paragraph; a line in the other script (a greeting in all varieties) runs its own way. */
function paragraph(text, variety) {
  const element = document.createElement("p");
  element.className = "text";
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    const span = document.createElement("span");
    const direction = ownDirection(line);
    if (direction && direction !== VARIETIES[variety].dir) {
      span.dir = direction;
      if (direction === "rtl") span.lang = VARIETIES["ary-Arab"].lang;
    }
    span.textContent = index < lines.length - 1 ? `${line}\n` : line;
    element.append(span);
  });
  return element;
}

/** Return the address if it is of this origin, else null: nothing foreign is ever loaded or opened. */
function ownAddress(path) {
  try {
    const url = new URL(path, location.origin);
    return url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}

function picture(path, text, variety) {
  const link = fromTemplate("picture");
  const image = link.querySelector("img");
  link.href = path;
  link.setAttribute("aria-label", label("page_picture", variety));
  image.alt = text || label("page_picture", variety);
  image.src = path;
  return link;
}

function documentLink(path, variety) {
  const link = fromTemplate("document");
  link.href = path;
  link.querySelector("span").textContent = label("page_document", variety);
  return link;
}

function quickReplies(buttons, variety) {
  const group = fromTemplate("quick-replies");
  group.setAttribute("aria-label", label("page_choose", variety));
  for (const { title, choice } of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.dir = "auto";
    button.dataset.choice = choice;
    button.textContent = title;
    group.append(button);
  }
  return group;
}

function list(buttons, variety) {
  const group = fromTemplate("list");
  group.querySelector("summary span").textContent = label("page_choose", variety);
  buttons.forEach(({ title, description, choice }, index) => {
    const row = fromTemplate("row");
    row.querySelector("button").dataset.choice = choice;
    row.querySelector(".number").textContent = index + 1; // owners also type the number
    row.querySelector(".title").textContent = title;
    if (description) row.querySelector(".description").textContent = description;
    else row.querySelector(".description").remove();
    group.querySelector("ol").append(row);
  });
  return group;
}

function choices(buttons, variety) {
  const asList = buttons.length > MOST_QUICK_REPLIES || buttons.some((button) => button.description);
  return asList ? list(buttons, variety) : quickReplies(buttons, variety);
}

/** Make the choices shown so far quiet: still there, no longer the thing to press. */
function quieten() {
  for (const group of log.querySelectorAll(".choices")) {
    const hadFocus = group.contains(document.activeElement);
    group.classList.add("quiet");
    if (group.open) {
      group.open = false;
      if (hadFocus) group.querySelector("summary").focus({ preventScroll: true });
    }
  }
}

function showRafiq(message) {
  const variety = message.language in VARIETIES ? message.language : language;
  const text = message.text ?? "";
  const image = message.image && ownAddress(message.image);
  const file = message.document && ownAddress(message.document);
  const entry = fromTemplate("from-rafiq");
  const bubble = entry.querySelector(".bubble");
  entry.lang = VARIETIES[variety].lang;
  entry.dir = VARIETIES[variety].dir;
  entry.dataset.id = message.id;
  if (image) {
    bubble.classList.add("with-picture");
    bubble.append(picture(image, text, variety));
  }
  if (text) bubble.append(paragraph(text, variety));
  if (file) bubble.append(documentLink(file, variety));
  if (!bubble.hasChildNodes()) bubble.remove();
  if (message.buttons?.length) {
    quieten();
    entry.append(choices(message.buttons, variety));
  }
  log.append(entry);
  if (variety !== language) speak(variety);
  return entry;
}

function showOwner(text, state) {
  quieten();
  const entry = fromTemplate("from-owner");
  entry.querySelector(".author").textContent = label("page_you");
  entry.querySelector(".text").textContent = text;
  entry.dataset.state = state;
  log.append(entry);
  return entry;
}

function showRefused(entry) {
  entry.dataset.state = "refused";
  const note = document.createElement("p");
  note.className = "refused";
  note.textContent = label("page_refused");
  entry.append(note);
}

function showConnection(offline) {
  const text = offline ? label("page_offline") : "";
  if (connection.textContent !== text) connection.textContent = text;
}

/** Show that Rafiq is at it; without a connection nobody can know. */
function showTyping() {
  const shown = current.awaited && !current.offline;
  if (typing.hidden !== shown) return;
  typing.hidden = !shown;
  typing.querySelector(".unseen").textContent = shown ? label("page_typing") : "";
  reveal();
}

// ---- where the reader is

let following = true; // until the reader scrolls up
let newest = null; // the start of what was said last: never pushed out at the top
let lastTop = 0;

const hiddenBelow = () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;

/** Scroll down to the end, but not past the start of what is new; never up. */
function reveal() {
  if (following) {
    const start = newest?.isConnected ? newest.offsetTop - scroller.offsetTop - 8 : Infinity;
    const target = Math.min(scroller.scrollHeight - scroller.clientHeight, start);
    if (target > scroller.scrollTop) scroller.scrollTop = target;
    lastTop = scroller.scrollTop; // a list that closed may have moved it up: that was not the reader
  }
  down.hidden = hiddenBelow() < 24;
}

scroller.addEventListener("scroll", () => {
  if (hiddenBelow() < 60) following = true;
  else if (scroller.scrollTop < lastTop - 2) following = false;
  lastTop = scroller.scrollTop;
  down.hidden = hiddenBelow() < 24;
}, { passive: true });

const resized = new ResizeObserver(reveal); // pictures load late, keyboards open
resized.observe(scroller);
resized.observe(log);

down.addEventListener("click", () => {
  following = true;
  newest = null;
  reveal();
});

// ---- the network

const wakers = new Set();

/** Wait; the browser coming back online or into view cuts the wait short. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      wakers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    wakers.add(wake);
  });
}

function wakeAll() {
  if (!document.hidden) for (const wake of [...wakers]) wake();
}

window.addEventListener("online", wakeAll);
document.addEventListener("visibilitychange", wakeAll);

/** Ask once. Throws when there is no usable answer and the same request is worth repeating. */
async function ask(address, body, signal) {
  const attempt = new AbortController();
  const stop = () => attempt.abort();
  const timer = setTimeout(stop, ANSWER_MS);
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) throw signal.reason;
    const response = await fetch(address, {
      method: body ? "POST" : "GET",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: attempt.signal,
    });
    if (response.status >= 500 || response.status === 408 || response.status === 429) {
      throw new Error(`the server answered ${response.status}`);
    }
    return { status: response.status, body: response.ok ? await response.json() : {} };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Ask until there is an answer, saying meanwhile that there is none; throws only when the conversation is left. */
async function askUntilAnswered(conversation, address, body) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await ask(address, body, conversation.left.signal);
      setOffline(conversation, false);
      return answer;
    } catch (error) {
      if (conversation.left.signal.aborted) throw error;
      setOffline(conversation, true);
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
      if (conversation.left.signal.aborted) throw error;
    }
  }
}

function setOffline(conversation, offline) {
  conversation.offline = offline;
  if (conversation !== current) return;
  showConnection(offline);
  showTyping();
}

function setAwaited(conversation, awaited) {
  conversation.awaited = awaited;
  if (conversation === current) showTyping();
}

// ---- a conversation

function makeConversation(id) {
  return {
    id,
    left: new AbortController(), // aborted when the owner starts another one
    offline: false,
    ready: false, // its history is on the page
    sending: false,
    awaited: false, // an answer takes long enough to say so
    queue: savedQueue(id), // {message_id, text | choice, title}, with its bubble as `entry`
    seen: new Set(),
    cursor: 0, // the last id that polling returned
  };
}

const historyAddress = (conversation, after) =>
  `${MESSAGES}?${new URLSearchParams({ conversation: conversation.id, after })}`;

/** Put replies on the page that are not there yet; return their elements. */
function showReplies(conversation, messages) {
  const entries = [];
  for (const message of messages) {
    // The text is part of the key: a server whose owner erased everything may count from 1 again.
    const key = `${message.id} ${message.text}`;
    if (message.from === "owner" || conversation.seen.has(key)) continue;
    conversation.seen.add(key);
    entries.push(showRafiq(message));
  }
  return entries;
}

/** Put replies that have just come on the page, where the reader sees them. */
function announce(conversation, messages) {
  const entries = showReplies(conversation, messages);
  for (const entry of entries) entry.classList.add("new");
  if (entries.length) newest = entries[0];
  reveal();
  return entries;
}

/** Put what was said before on the page, then what an earlier page of this tab could not get answered. */
function showHistory(conversation, messages, unsent) {
  log.setAttribute("aria-live", "off"); // nobody wants the whole past read out
  const typedMeanwhile = [...log.children];
  let lastOwner = null;
  for (const message of messages) {
    if (message.from === "owner") lastOwner = showOwner(message.text, "sent");
    else showReplies(conversation, [message]);
  }
  for (const item of unsent) {
    // The first may have arrived before the page was left: history shows it then.
    const arrived = item === unsent[0] && lastOwner?.querySelector(".text").textContent === item.title;
    if (item.title) item.entry = arrived ? lastOwner : showOwner(item.title, "waiting");
  }
  log.append(...typedMeanwhile);
  if (typedMeanwhile.length) quieten();
  newest = log.lastElementChild;
  reveal();
  setTimeout(() => log.setAttribute("aria-live", "polite"), 100);
}

function saveQueue(conversation) {
  const items = conversation.queue.map(({ message_id, text, choice, title }) => ({ message_id, text, choice, title }));
  keep("sessionStorage", QUEUE_KEY, JSON.stringify({ conversation: conversation.id, items }));
}

/** Return what this tab could not get answered: the same ids, so that nothing counts twice. */
function savedQueue(conversationId) {
  try {
    const saved = JSON.parse(kept("sessionStorage", QUEUE_KEY));
    return saved.conversation === conversationId ? saved.items : [];
  } catch {
    return [];
  }
}

function queueMessage(conversation, content, title) {
  const item = { message_id: newId(), ...content, title };
  if (title) {
    item.entry = showOwner(title, "waiting");
    item.entry.classList.add("new");
    following = true;
    newest = item.entry;
    reveal();
  }
  conversation.queue.push(item);
  saveQueue(conversation);
  sendQueue(conversation);
}

/** Post one message until the server has answered it; 202 means that its turn is still under way. */
async function deliver(conversation, { message_id, text, choice, entry }) {
  const body = { conversation: conversation.id, message_id, ...(choice ? { choice } : { text }) };
  for (;;) {
    const answer = await askUntilAnswered(conversation, MESSAGES, body);
    if (answer.status >= 400) {
      if (entry) showRefused(entry);
      if (text && !box.value) writeInBox(text);
      return;
    }
    if (entry) entry.dataset.state = "sent";
    if (answer.status === 200) {
      setAwaited(conversation, false);
      const entries = announce(conversation, answer.body.messages);
      // Ids that go back: everything was erased meanwhile, and they count from the start again.
      if (entries.some((shown) => Number(shown.dataset.id) <= conversation.cursor)) conversation.cursor = 0;
      return;
    }
    await pause(PENDING_MS);
  }
}

/** Send what is queued, one message after the other: the order is the owner's. */
async function sendQueue(conversation) {
  if (conversation.sending || !conversation.ready) return;
  conversation.sending = true;
  while (conversation.queue.length) {
    const timer = setTimeout(() => setAwaited(conversation, true), TYPING_AFTER_MS);
    try {
      await deliver(conversation, conversation.queue[0]);
    } catch (error) {
      if (conversation.left.signal.aborted) return;
      console.error(error); // an answer this page cannot show must not hold up the next message
    } finally {
      clearTimeout(timer);
      setAwaited(conversation, false);
    }
    conversation.queue.shift();
    saveQueue(conversation);
  }
  conversation.sending = false;
}

/** Fetch what came by itself, such as an adviser's answer. */
async function poll(conversation) {
  const { status, body } = await askUntilAnswered(conversation, historyAddress(conversation, conversation.cursor));
  if (status === 404) {
    // Nothing said yet, or the owner had everything erased and ids may start again.
    conversation.cursor = 0;
    conversation.seen.clear();
    return;
  }
  if (status !== 200) return;
  announce(conversation, body.messages);
  advance(conversation, body.messages);
}

/** Move the cursor by what polling returned only: a reply to a post may overtake an adviser's message. */
function advance(conversation, messages) {
  for (const { id } of messages) if (Number.isInteger(id)) conversation.cursor = Math.max(conversation.cursor, id);
}

async function keepPolling(conversation) {
  while (!conversation.left.signal.aborted) {
    await pause(POLL_MS);
    if (document.hidden || conversation.left.signal.aborted) continue;
    try {
      await poll(conversation);
    } catch (error) {
      if (!conversation.left.signal.aborted) console.error(error);
    }
  }
}

async function fetchHistory(conversation) {
  const { status, body } = await askUntilAnswered(conversation, historyAddress(conversation, 0));
  return status === 200 ? body.messages : [];
}

async function open(id, { isNew = false } = {}) {
  current?.left.abort();
  const conversation = makeConversation(id);
  current = conversation;
  log.replaceChildren();
  showTyping();
  showConnection(false);
  try {
    const unsent = [...conversation.queue];
    const [history] = await Promise.all([isNew ? [] : fetchHistory(conversation), words]);
    if (conversation !== current) return;
    showHistory(conversation, history, unsent);
    advance(conversation, history);
    conversation.ready = true;
    if (!history.length && !conversation.queue.length) queueMessage(conversation, { choice: FIRST_CHOICE }, "");
    sendQueue(conversation);
    keepPolling(conversation);
  } catch (error) {
    if (!conversation.left.signal.aborted) throw error;
  }
}

function openNew() {
  const id = newId();
  keep("localStorage", CONVERSATION_KEY, id);
  open(id, { isNew: true });
}

// ---- the owner's hands

function writeInBox(text) {
  box.value = text;
  fitBox();
}

function fitBox() {
  // A number or nothing has no direction of its own: the page's holds.
  box.dir = /\p{L}/u.test(box.value) ? "auto" : document.documentElement.dir;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

box.addEventListener("input", fitBox);

box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = box.value.trim();
  if (!text || !current) return;
  writeInBox("");
  queueMessage(current, { text }, text);
  box.focus();
});

log.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-choice]");
  if (!button) return;
  const choice = button.dataset.choice;
  if (current.queue.some((item) => item.choice === choice)) return; // a second tap on a slow line
  const title = (button.querySelector(".title") ?? button).textContent;
  for (const sibling of button.closest(".choices").querySelectorAll(".pressed")) sibling.classList.remove("pressed");
  button.classList.add("pressed");
  queueMessage(current, { choice }, title);
});

function showNewPanel(shown) {
  newPanel.hidden = !shown;
  newButton.setAttribute("aria-expanded", String(shown));
}

newButton.addEventListener("click", () => showNewPanel(newPanel.hidden));

byId("new-confirm").addEventListener("click", () => {
  showNewPanel(false);
  openNew();
  newButton.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || newPanel.hidden) return;
  showNewPanel(false);
  newButton.focus();
});

document.addEventListener("click", (event) => {
  if (!newPanel.hidden && !event.target.closest(".menu")) showNewPanel(false);
});

window.addEventListener("storage", (event) => {
  // Another tab started a new conversation: this one follows.
  if (event.key === CONVERSATION_KEY && event.newValue && event.newValue !== current?.id) open(event.newValue);
});

// ---- start

async function loadLabels() {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { body } = await ask(LABELS, null, new AbortController().signal);
      labels = body;
      speak(language);
      return;
    } catch {
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    }
  }
}

const words = loadLabels();
const knownId = kept("localStorage", CONVERSATION_KEY);
if (knownId) open(knownId);
else openNew();
