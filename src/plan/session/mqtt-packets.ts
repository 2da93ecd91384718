/** The two MQTT 3.1.1 packets that depend on what the user wants, as Base64 (OASIS MQTT 3.1.1 sections 3.1 and 3.8). */

const CONNECT = 0x10;
const SUBSCRIBE = 0x82;
const CLEAN_SESSION = 0x02;
const HAS_USERNAME = 0x80;
const HAS_PASSWORD = 0x40;
const PROTOCOL_LEVEL = 4;

/** With an empty client id, for which the broker makes one up: clients with one id push each other out. */
export function mqttConnect(keepAliveS: number, login: string | null, password: string | null): string {
  const flags = CLEAN_SESSION | (login === null ? 0 : HAS_USERNAME) | (password === null ? 0 : HAS_PASSWORD);
  const words = ['', login, password].filter((one) => one !== null).map(prefixed);
  return packet(CONNECT, [prefixed('MQTT'), Buffer.from([PROTOCOL_LEVEL, flags]), number16(keepAliveS), ...words]);
}

/** With packet id 1 and quality of service 0. */
export function mqttSubscribe(topic: string): string {
  return packet(SUBSCRIBE, [number16(1), prefixed(topic), Buffer.from([0])]);
}

function packet(kind: number, parts: readonly Buffer[]): string {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([kind]), remainingLength(body.length), body]).toString('base64');
}

/** Seven bits a byte, the low ones first (section 2.2.3). */
function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** A text with its length in front (section 1.5.3). */
function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([number16(bytes.length), bytes]);
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
