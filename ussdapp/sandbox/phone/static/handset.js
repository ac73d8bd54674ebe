// The handset: what its screen shows, and what its keys do.

import { Dialogue } from "./aggregator.js";
import { septets } from "./gsm7.js";

const at = (id) => document.getElementById(id);
const idle = (code) => `Piga ${code} kwa kitufe cha kijani.\nDial ${code} with the green key.`;
const NO_SERVICE = "Msimbo huu hautumiki hapa.\nThis code is not served here.";
const NO_NETWORK = "Tatizo la mtandao.\nConnection problem";

export class Handset {
  constructor({ callbacks, serviceCode, budget, msisdn }) {
    Object.assign(this, { callbacks, serviceCode, budget, msisdn });
    this.dialogue = null;
    this.waiting = false;
    this.over = false;
    this.listen();
    this.idle();
  }

  listen() {
    at("call").addEventListener("click", () => this.call());
    at("end").addEventListener("click", () => this.hangUp());
    at("erase").addEventListener("click", () => this.write(at("entry").value.slice(0, -1)));
    at("entry-form").addEventListener("submit", (event) => event.preventDefault());
    at("entry").addEventListener("input", () => this.fit());
    at("entry").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.call();
    });
    for (const key of document.querySelectorAll("[data-key]")) {
      key.addEventListener("click", () => this.write(at("entry").value + key.dataset.key));
    }
  }

  write(text) {
    if (this.waiting || this.over) return;
    at("entry").value = text.slice(0, at("entry").maxLength);
    this.fit();
  }

  fit() {
    const entry = at("entry");
    entry.style.height = "auto";
    entry.style.height = `${entry.scrollHeight}px`;
    entry.scrollTop = entry.scrollHeight;
  }

  idle() {
    this.dialogue = null;
    this.over = false;
    this.show(idle(this.serviceCode), "Piga · Dial", "Futa · Clear");
    this.write(this.serviceCode);
    for (const fact of ["septets", "took", "screen", "version"]) at(fact).textContent = "–";
    at("session").textContent = at("history").textContent = "–";
  }

  show(text, left, right) {
    at("shown").textContent = text;
    at("shown").scrollTop = 0;
    at("soft-left").textContent = left;
    at("soft-right").textContent = right;
    at("entry-form").hidden = this.waiting || this.over;
  }

  async call() {
    if (this.waiting) return;
    if (this.over) return this.idle();
    const keyed = at("entry").value;
    if (this.dialogue === null) return this.dial(keyed.replace(/\s/g, ""));
    if (keyed === "") return;
    await this.turn(() => this.dialogue.key(keyed));
  }

  async dial(dialled) {
    // what is dialled beyond the service code is keyed at once: *152*00*9*2#
    const stem = this.serviceCode.slice(0, -1);
    const rest = dialled.slice(stem.length, -1);
    const served = dialled.startsWith(stem) && dialled.endsWith("#") && /^(\*[^*]+)*$/.test(rest);
    const msisdn = this.msisdn();
    if (msisdn === null) return;
    if (!served) return this.close(NO_SERVICE);
    const keyed = rest === "" ? [] : rest.slice(1).split("*");
    this.dialogue = new Dialogue(this.callbacks, msisdn, this.serviceCode, keyed);
    await this.turn(() => this.dialogue.ask());
  }

  async turn(asks) {
    const dialogue = this.dialogue;
    this.waiting = true;
    document.body.classList.add("waiting");
    this.show("Subiri …\nPlease wait …", "", "Kata · End");
    const answer = await asks();
    this.waiting = false;
    document.body.classList.remove("waiting");
    if (this.dialogue !== dialogue) return; // hung up meanwhile
    this.tell(answer);
    if (!answer.understood) return this.close(`${NO_NETWORK} (${answer.status})`, "Failed");
    if (answer.ends) return this.close(answer.text, "Success");
    this.show(answer.text, "Tuma · Send", "Kata · End");
    this.write("");
    if (matchMedia("(hover: hover)").matches) at("entry").focus();
  }

  tell(answer) {
    const used = septets(answer.text);
    at("septets").textContent = used === null ? "UCS-2" : `${used} / ${this.budget}`;
    at("septets").classList.toggle("over", used === null || used > this.budget);
    at("took").textContent = `${answer.ms} ms`;
    const [screen, version] = answer.step.split("@");
    at("screen").textContent = screen || "–";
    at("version").textContent = version || "–";
    at("session").textContent = this.dialogue.id;
    at("history").textContent = this.dialogue.text || "(tupu · empty)";
  }

  close(text, status) {
    if (status) this.dialogue.end(status);
    this.dialogue = null;
    this.over = true;
    this.show(text, "Sawa · OK", "");
    at("call").focus({ preventScroll: true }); // Enter closes it
  }

  hangUp() {
    if (this.dialogue === null && !this.over && !this.waiting) return this.write(this.serviceCode);
    if (this.dialogue !== null) this.dialogue.end("Incomplete");
    this.dialogue = null;
    this.waiting = false;
    document.body.classList.remove("waiting");
    this.idle();
  }
}
