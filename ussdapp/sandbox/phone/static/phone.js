// Joins the handset and its messages, and reads which number they belong to.

import { Handset } from "./handset.js";
import { Messages } from "./messages.js";

const at = (id) => document.getElementById(id);
const { callbacks, serviceCode, shortCode, budget } = document.body.dataset;

/** The MSISDN of the handset as 255 and nine digits, or null while it is none. */
function msisdn() {
  const digits = at("msisdn").value.replace(/[\s+()-]/g, "");
  const read = /^(?:00255|255|0)?([67]\d{8})$/.exec(digits);
  at("msisdn-wrong").hidden = read !== null;
  return read === null ? null : `255${read[1]}`;
}

function tick() {
  const options = { hour: "2-digit", minute: "2-digit", hour12: false };
  at("clock").textContent = new Date().toLocaleTimeString("sw-TZ", {
    ...options,
    timeZone: "Africa/Dar_es_Salaam",
  });
}

const handset = new Handset({ callbacks, serviceCode, budget: Number(budget), msisdn });
const messages = new Messages({ callbacks, shortCode, msisdn });
at("msisdn").addEventListener("change", () => {
  handset.hangUp();
  messages.changed();
});
tick();
setInterval(tick, 5000);
