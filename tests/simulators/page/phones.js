// Four phones on one page. Everything said is put on the page with textContent; nothing is loaded from elsewhere.

const NAMES = { whatsapp: "WhatsApp", sms: "SMS", telegram: "Telegram", web: "Web chat" };
const FILES = { whatsapp: true, telegram: true, web: true };
const PLACES = { "Casablanca": [33.5731, -7.5898], "Fès": [34.0331, -5.0003], "Dakhla": [23.6848, -15.958], "Paris (abroad)": [48.8566, 2.3522] };
const TICKS = { queued: "…", sent: "✓", delivered: "✓✓", read: "✓✓" };
// A picture that is one; of the other files only the type counts.
function photo() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [240, 160];
  const paint = canvas.getContext("2d");
  const boxes = [["#bcd7e8", 0, 0, 240, 160], ["#d9a15b", 30, 50, 180, 110], ["#b3432f", 20, 40, 200, 24], ["#4a3527", 100, 90, 40, 70]];
  for (const [colour, ...box] of boxes) {
    paint.fillStyle = colour;
    paint.fillRect(...box);
  }
  return canvas.toDataURL("image/jpeg").split(",")[1];
}
const PDF = btoa("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
const VOICE = btoa("OggS\0\x02\0\0\0\0\0\0\0\0OpusHead");
const ATTACHMENTS = {
  "Photo": { file: { type: "image/jpeg", name: "boutique.jpg", data: photo() } },
  "Voice note": { file: { type: "audio/ogg", name: "", data: VOICE } },
  "PDF": { file: { type: "application/pdf", name: "facture.pdf", data: PDF } },
  "Unknown file": { file: { type: "application/x-msdownload", name: "cadeau.exe", data: btoa("MZ") } },
};

const phones = new Map(); // by channel
const state = document.getElementById("state");
let last = 0;
const history = [];

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  return answer.json();
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function national(number) {
  return number.replace(/^\+212/, "0");
}

class Phone {
  constructor({ channel, number, carrier }) {
    this.channel = channel;
    this.root = document.getElementById("phone").content.firstElementChild.cloneNode(true);
    this.root.classList.add(channel);
    this.root.dataset.channel = channel;
    this.find(".name").textContent = NAMES[channel] ?? channel;
    this.find(".carrier").textContent = carrier;
    this.log = this.find(".log");
    this.find(".new").addEventListener("click", () => this.change(""));
    this.find(".number").addEventListener("change", (event) => this.change(event.target.value.trim()));
    this.find(".national").hidden = channel !== "sms";
    this.find(".day").hidden = channel !== "whatsapp";
    this.find(".day").addEventListener("click", () => post(`/phones/${channel}/day`, {}));
    this.find("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.type();
    });
    this.find("textarea").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.type();
      }
    });
    if (FILES[channel]) this.offerFiles();
    this.use(number);
    document.getElementById("phones").append(this.root);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  offerFiles() {
    const attach = this.find(".attach");
    attach.hidden = false;
    const offer = (name, body) => {
      const button = element("button", "", name);
      button.type = "button";
      button.addEventListener("click", () => {
        attach.open = false;
        this.send(body);
      });
      this.find(".menu").append(button);
    };
    for (const [name, body] of Object.entries(ATTACHMENTS)) offer(name, body);
    if (this.channel === "web") return;
    for (const [name, place] of Object.entries(PLACES)) offer(`Place: ${name}`, { place });
  }

  use(number) {
    this.number = number;
    this.find(".number").value = number;
    this.log.replaceChildren();
    this.bubbles = new Map();
    this.received = 0;
    this.segments = 0;
    this.count();
    for (const event of history) this.show(event);
    if (this.channel === "telegram" && !this.log.childElementCount) this.offerStart();
  }

  async change(number) {
    const answer = await post(`/phones/${this.channel}/number`, { number });
    this.use(answer.number);
    // The real page speaks first, too.
    if (this.channel === "web" && !this.log.childElementCount) this.send({ pressed: { id: "greet", title: "(page opened)" } });
  }

  offerStart() {
    const group = element("div", "choices start");
    const button = element("button", "", "START");
    button.type = "button";
    button.addEventListener("click", () => {
      group.remove();
      this.send({ text: "/start" });
    });
    group.append(button);
    this.log.append(group);
  }

  type() {
    const box = this.find("textarea");
    const text = box.value;
    if (!text.trim()) return;
    box.value = "";
    this.send({ text });
  }

  send(body) {
    const asNumber = this.find(".national input").checked ? national(this.number) : "";
    return post(`/phones/${this.channel}/messages`, { number: this.number, as_number: asNumber, ...body });
  }

  // ---- what happens

  show(event) {
    if (event.channel !== this.channel || event.number !== this.number) return;
    const atEnd = this.atEnd();
    switch (event.what) {
      case "owner": this.showOwner(event); break;
      case "accepted": this.showBot(event); break;
      case "edited": this.edit(event); break;
      case "status": this.showStatus(event); break;
      case "refused": this.between("refused", `refused ${event.code}: ${event.text}`); break;
      case "webhook": this.between("refused", `the bot did not take it: ${event.status} ${event.code}`); break;
      case "note": this.between("between", event.text); break;
      default: break;
    }
    if (atEnd || event.what === "owner") this.toEnd();
  }

  atEnd() {
    const screen = this.log.parentElement;
    return screen.scrollHeight - screen.scrollTop - screen.clientHeight < 60;
  }

  toEnd() {
    const screen = this.log.parentElement;
    screen.scrollTop = screen.scrollHeight;
  }

  between(className, text) {
    this.log.append(element("div", className, text));
  }

  showOwner(event) {
    this.find(".start")?.remove();
    const message = element("div", "message owner");
    const bubble = element("div", "bubble");
    if (event.place) {
      bubble.append(element("span", "pin"));
      bubble.append(element("p", "", event.place.join(", ")));
    }
    if (event.file) bubble.append(this.file(event.file));
    if (event.text) bubble.append(element("p", "", event.text));
    message.append(bubble);
    this.log.append(message);
  }

  showBot(event) {
    for (const old of this.log.querySelectorAll(".message.bot")) old.classList.add("old");
    const message = element("div", "message bot");
    message.dataset.id = event.id;
    this.bubbles.set(event.id, message);
    this.received += 1;
    this.segments += event.segments ?? 1;
    this.fill(message, event);
    this.log.append(message);
    this.count();
  }

  edit(event) {
    const message = this.bubbles.get(event.id);
    if (message) this.fill(message, event);
  }

  fill(message, event) {
    message.replaceChildren();
    const bubble = element("div", "bubble");
    if (event.file) bubble.append(this.file(event.file));
    else if (event.kind === "media") bubble.append(element("p", "", "… a picture or document is on its way"));
    if (event.text) bubble.append(element("p", "", event.text));
    const meta = element("div", "meta");
    if (event.kind === "template") meta.append(element("span", "", "template"));
    if (event.encoding) meta.append(element("span", "", `${event.text.length} chars · ${event.segments} × ${event.encoding}`));
    meta.append(element("span", "", new Date(event.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })));
    meta.append(element("span", `ticks ${message.dataset.status ?? ""}`, TICKS[message.dataset.status] ?? ""));
    bubble.append(meta);
    if (event.text || event.file || event.kind === "media") message.append(bubble);
    if (event.choices?.length) message.append(this.choices(event));
  }

  file({ url, type, name, size }) {
    if (type.startsWith("image/")) {
      const link = element("a");
      link.href = url;
      link.target = "_blank";
      const image = element("img");
      image.src = url;
      image.alt = name || "picture";
      image.addEventListener("load", () => this.toEnd());
      link.append(image);
      return link;
    }
    if (type.startsWith("audio/")) {
      const note = element("div", "note", "▶ ");
      note.append(element("i"), "0:04");
      return note;
    }
    const link = element("a", "file");
    link.href = url;
    link.target = "_blank";
    link.append(element("span", "kind", type.split("/")[1].slice(0, 4)), element("span", "", name || type), element("small", "", `${Math.ceil(size / 1024)} kB`));
    return link;
  }

  choices(event) {
    const press = ({ id, title, description }) => this.send({ pressed: { id, title, description, on: event.id } });
    const buttons = event.choices.map((choice) => {
      const button = element("button", "", choice.title);
      button.type = "button";
      button.dir = "auto";
      button.dataset.choice = choice.id;
      if (choice.description) button.append(element("small", "", choice.description));
      button.addEventListener("click", () => press(choice));
      return button;
    });
    const long = event.kind === "list" || (this.channel === "web" && (buttons.length > 6 || event.choices.some((c) => c.description)));
    if (!long) {
      const group = element("div", event.kind === "inline" ? "choices inline" : "choices");
      group.append(...buttons);
      return group;
    }
    const list = element("details", "list");
    list.open = true;
    const rows = element("div");
    rows.append(...buttons);
    list.append(element("summary", "", event.label || `${buttons.length}`), rows);
    return list;
  }

  showStatus(event) {
    const message = this.bubbles.get(event.id);
    if (!message) return;
    const ranks = ["queued", "sent", "delivered", "read"];
    if (ranks.indexOf(event.status) >= 0 && ranks.indexOf(event.status) < ranks.indexOf(message.dataset.status)) return;
    message.dataset.status = event.status;
    const ticks = message.querySelector(".ticks");
    if (event.status in TICKS && ticks) {
      ticks.textContent = TICKS[event.status];
      ticks.className = `ticks ${event.status}`;
    } else if (!(event.status in TICKS)) {
      message.append(element("span", "failed", `${event.status} ${event.code}`));
    }
  }

  count() {
    const messages = `got ${this.received} message${this.received === 1 ? "" : "s"}`;
    this.find(".count").textContent = this.channel === "sms" ? `${messages}, ${this.segments} segments` : messages;
  }
}

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`/events?after=${last}`);
      const { events, last: newest } = await answer.json();
      if (newest < last) location.reload(); // the simulator has started anew
      last = newest;
      state.textContent = "";
      for (const event of events) {
        history.push(event);
        phones.get(event.channel)?.show(event);
      }
    } catch {
      state.textContent = "the simulator does not answer";
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

const answer = await (await fetch("/phones")).json();
const badDay = document.getElementById("bad-day");
badDay.checked = answer.bad_day;
badDay.addEventListener("change", () => post("/weather", { bad: badDay.checked }));
const before = await (await fetch("/events?after=0&wait=no")).json();
history.push(...before.events);
last = before.last;
state.textContent = "";
for (const phone of answer.phones) phones.set(phone.channel, new Phone(phone));
for (const phone of phones.values()) phone.toEnd();
const web = phones.get("web");
if (web && !web.log.childElementCount) web.send({ pressed: { id: "greet", title: "(page opened)" } });
follow();
