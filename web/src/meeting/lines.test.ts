import { expect, test } from "vitest";
import { attend, fit, followChat, lines, say, unread, withLine, type Line } from "./lines";

const line = (n: number): Line => ({ id: `${n}`, identity: "web-1", name: "Lan", text: "a", at: new Date(0), mine: false });

test("what is sent is no longer than the gateway takes, and ends with a whole letter", () => {
  expect(fit("  xin chào ")).toBe("xin chào");
  const long = fit("a" + "ệ".repeat(1000));
  expect(new TextEncoder().encode(long).length).toBe(2047); // 1 and 682 of three bytes
  expect(long.endsWith("ệ")).toBe(true);
});

test("old lines go", () => {
  let kept: Line[] = [];
  for (let i = 0; i < 510; i++) kept = withLine(kept, line(i));
  expect(kept.length).toBe(500);
  expect(kept[0]!.id).toBe("10");
});

test("lines of those who are there are kept, and counted while nobody reads", async () => {
  type Handler = (reader: unknown, from: { identity: string }) => void;
  let handler: Handler | undefined;
  const sent: string[] = [];
  let works = true;
  const room = {
    remoteParticipants: new Map([["web-1", { identity: "web-1", name: "Lan" }]]),
    localParticipant: {
      identity: "web-2",
      name: "Minh",
      sendText: (text: string, options: { topic: string }) => {
        sent.push(`${options.topic} ${text}`);
        return works ? Promise.resolve({ id: "mine" }) : Promise.reject(new Error("no"));
      },
    },
    registerTextStreamHandler: (topic: string, h: Handler) => {
      expect(topic).toBe("lk.chat");
      handler = h;
    },
  } as unknown as Parameters<typeof followChat>[0];
  followChat(room);
  const tell = async (id: string, identity: string) => {
    handler!({ info: { id, timestamp: 0 }, readAll: () => Promise.resolve("chào") }, { identity });
    await Promise.resolve();
    await Promise.resolve();
  };
  await tell("1", "web-1");
  await tell("2", "nobody");
  expect(lines.value.map((l) => `${l.name}: ${l.text}`)).toEqual(["Lan: chào"]);
  expect(unread.value).toBe(1);
  attend(true);
  expect(unread.value).toBe(0);
  await tell("3", "web-1");
  expect(unread.value).toBe(0);

  expect(await say(room, " tôi nghe ")).toBe(true);
  expect(sent).toEqual(["lk.chat tôi nghe"]);
  expect(lines.value.at(-1)).toMatchObject({ name: "Minh", mine: true });
  works = false;
  expect(await say(room, "mất")).toBe(false);
  expect(lines.value.length).toBe(3);
});
