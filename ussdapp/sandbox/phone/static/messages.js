// The SMS of one handset: what came, from the simulated SMSC; what was written, from this page.

import { writeSms } from "./aggregator.js";
import { cost } from "./gsm7.js";

const at = (id) => document.getElementById(id);
const EVERY = 1500; // milliseconds
const MOST_WRITTEN = 50;

export class Messages {
  constructor({ callbacks, shortCode, msisdn }) {
    Object.assign(this, { callbacks, shortCode, msisdn });
    this.written = new Map(); // MSISDN to what it wrote while the page is open
    this.drawn = "";
    this.seen = null; // how many had come when they were last looked at
    at("compose").addEventListener("submit", (event) => this.submit(event));
    at("words").addEventListener("input", () => this.count());
    at("words").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
    });
    for (const sample of document.querySelectorAll("[data-sample]")) {
      sample.addEventListener("click", () => this.take(sample.dataset.sample));
    }
    at("unread").addEventListener("click", () => this.look());
    at("messages").addEventListener("pointerenter", () => this.look());
    at("words").addEventListener("focus", () => this.look());
    this.count();
    this.poll();
  }

  changed() {
    this.seen = null;
    this.drawn = "";
    this.refresh();
  }

  take(sample) {
    at("words").value = sample;
    at("words").focus();
    this.count();
  }

  count() {
    const { units, room, parts, ucs2 } = cost(at("words").value);
    at("counted").textContent = `${units} / ${room} · ${parts} SMS${ucs2 ? " · UCS-2" : ""}`;
  }

  async submit(event) {
    event.preventDefault();
    const [text, msisdn] = [at("words").value, this.msisdn()];
    if (text.trim() === "" || msisdn === null) return;
    const wrote = new Date().toISOString(); // before it is answered, so that it stands above
    const status = await writeSms(this.callbacks, msisdn, this.shortCode, text);
    at("sms-wrong").hidden = status === 200;
    at("sms-wrong").textContent = `Haikutumwa, jaribu tena. Not sent, try again. (${status})`;
    if (status !== 200) return;
    this.kept(msisdn).push({ at: wrote, text, own: true });
    at("words").value = "";
    this.count();
    this.look();
    await this.refresh();
  }

  kept(msisdn) {
    if (!this.written.has(msisdn)) this.written.set(msisdn, []);
    const kept = this.written.get(msisdn);
    kept.splice(0, kept.length - MOST_WRITTEN);
    return kept;
  }

  async poll() {
    if (!document.hidden) await this.refresh();
    setTimeout(() => this.poll(), EVERY);
  }

  async refresh() {
    const msisdn = this.msisdn();
    if (msisdn === null) return;
    try {
      const answer = await fetch(`inbox?msisdn=${msisdn}`);
      if (answer.ok) this.draw(msisdn, (await answer.json()).texts);
    } catch {
      // the next look tells
    }
  }

  draw(msisdn, came) {
    if (msisdn !== this.msisdn()) return;
    this.seen ??= came.length;
    this.came = came.length;
    this.tellUnread();
    const all = [...came, ...this.kept(msisdn)].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    const drawing = JSON.stringify(all);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    at("empty").hidden = all.length > 0;
    at("thread").replaceChildren(...all.map(bubble));
    at("thread").scrollTop = at("thread").scrollHeight;
  }

  look() {
    this.seen = this.came ?? null;
    this.tellUnread();
  }

  tellUnread() {
    const unread = Math.max(0, (this.came ?? 0) - (this.seen ?? 0));
    at("unread").hidden = unread === 0;
    at("unread").textContent = `SMS mpya: ${unread}`;
  }
}

function bubble(text) {
  const item = document.createElement("li");
  item.className = text.own ? "own" : "came";
  const words = document.createElement("p");
  words.textContent = text.text;
  const about = document.createElement("span");
  about.textContent = text.own ? time(text.at) : `${text.source} · ${time(text.at)}${parts(text)}`;
  item.append(words, about);
  return item;
}

function parts({ parts, total }) {
  if (total === 1) return "";
  return parts === total ? ` · SMS ${total}` : ` · SMS ${parts} / ${total}`;
}

function time(at) {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  return new Date(at).toLocaleTimeString("sw-TZ", { ...options, timeZone: "Africa/Dar_es_Salaam" });
}
