// Plays the aggregator: posts what Africa's Talking would post, to the same callbacks.

const NETWORK = "99999"; // their sandbox

/** Posts a form; gives the answer's status, text and milliseconds. Status 0: nobody answered. */
async function post(url, fields) {
  const began = performance.now();
  try {
    const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
    const text = await answer.text();
    const step = answer.headers.get("at-ussd-hop-metadata") ?? "";
    return { status: answer.status, text, step, ms: Math.round(performance.now() - began) };
  } catch {
    return { status: 0, text: "", step: "", ms: Math.round(performance.now() - began) };
  }
}

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (octet) =>
    octet.toString(16).padStart(2, "0"),
  ).join("");
}

/** One dialogue: every input is posted with all that was keyed before it, joined with `*`. */
export class Dialogue {
  constructor(callbacks, msisdn, serviceCode, keyed) {
    this.id = `ATUid_${random()}`;
    this.keyed = keyed;
    this.callbacks = callbacks;
    this.fields = {
      sessionId: this.id,
      phoneNumber: `+${msisdn}`,
      networkCode: NETWORK,
      serviceCode,
    };
  }

  get text() {
    return this.keyed.join("*");
  }

  key(input) {
    this.keyed.push(input);
    return this.ask();
  }

  async ask() {
    const answer = await post(`${this.callbacks}/ussd`, { ...this.fields, text: this.text });
    const prefix = /^(CON|END) ([^]*)$/.exec(answer.text);
    const understood = answer.status === 200 && prefix !== null;
    return { ...answer, understood, ends: prefix?.[1] === "END", text: prefix?.[2] ?? "" };
  }

  end(status) {
    const fields = { ...this.fields, date: stamp(), status, input: this.text };
    return post(`${this.callbacks}/ussd-end`, fields);
  }
}

/** An SMS from the handset; resolves to whether the gateway took it. */
export async function writeSms(callbacks, msisdn, shortCode, text) {
  const answer = await post(`${callbacks}/sms`, {
    date: stamp(),
    from: `+${msisdn}`,
    id: random(),
    linkId: random(),
    text,
    to: shortCode,
    networkCode: NETWORK,
  });
  return answer.status;
}

function stamp() {
  return new Date().toISOString().slice(0, 19).replace("T", " ");
}
