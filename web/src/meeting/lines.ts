import { signal } from "@preact/signals";
import type { Room } from "livekit-client";

/** topic is that of the chat of LiveKit's clients; the gateway shows it on screens of terminals. */
const topic = "lk.chat";
/** longest is what the gateway takes, in bytes; most is how many lines are kept. */
const longest = 2048;
const most = 500;

export interface Line {
  id: string;
  identity: string;
  name: string;
  text: string;
  at: Date;
  mine: boolean;
}

export const lines = signal<Line[]>([]);
/** unread counts what came while the chat was closed. */
export const unread = signal(0);

let open = false;

/** attend tells that the chat is being read, or not any more. */
export function attend(on: boolean) {
  open = on;
  if (on) unread.value = 0;
}

/** withLine adds a line to those that are kept. */
export function withLine(kept: Line[], line: Line): Line[] {
  return [...kept, line].slice(-most);
}

/** fit is what of a text can be sent: not longer than the gateway takes, and no half letters. */
export function fit(text: string): string {
  const bytes = new TextEncoder().encode(text.trim());
  if (bytes.length <= longest) return text.trim();
  let end = longest;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--; // a letter goes on there
  return new TextDecoder().decode(bytes.slice(0, end));
}

/** followChat reads what is written in a room, from now on. */
export function followChat(room: Room) {
  lines.value = [];
  unread.value = 0;
  room.registerTextStreamHandler(topic, (reader, from) => {
    void reader.readAll().then((text) => {
      const who = room.remoteParticipants.get(from.identity);
      if (!who || !text) return; // of nobody who is shown
      const at = new Date(reader.info.timestamp);
      lines.value = withLine(lines.value, { id: reader.info.id, identity: from.identity, name: who.name || who.identity, text, at, mine: false });
      if (!open) unread.value++;
    }, console.error); // it was broken off
  });
}

/** say writes to all; false: it did not get there. */
export async function say(room: Room, text: string): Promise<boolean> {
  const me = room.localParticipant;
  const short = fit(text);
  if (!short) return true;
  try {
    const info = await me.sendText(short, { topic });
    lines.value = withLine(lines.value, { id: info.id, identity: me.identity, name: me.name || me.identity, text: short, at: new Date(), mine: true });
    return true;
  } catch (error) {
    console.error(error);
    return false;
  }
}
