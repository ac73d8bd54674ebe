// What a text costs on the air (3GPP TS 23.038): the page shows it, the gateway decides it.

const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENSION = new Set("\f^{}\\[~]|€");

/** Septets of a text, or null when GSM-7 cannot carry it. */
export function septets(text) {
  let count = 0;
  for (const char of text) {
    if (BASIC.has(char)) count += 1;
    else if (EXTENSION.has(char)) count += 2;
    else return null;
  }
  return count;
}

/** Units used, units of that many parts, and the number of parts of an SMS. */
export function cost(text) {
  const counted = septets(text);
  const [units, alone, each] = counted === null ? [text.length, 70, 67] : [counted, 160, 153];
  const parts = units <= alone ? 1 : Math.ceil(units / each);
  return { units, room: parts === 1 ? alone : parts * each, parts, ucs2: counted === null };
}
