import { signal } from "@preact/signals";

// The API as the console needs it. The key is kept as long as the tab lives.

export interface Medium {
  kind: "audio" | "video" | "content";
  direction: "recv" | "send";
  codec: string;
  width?: number;
  height?: number;
  lost: number;
  packets: number;
  jitter_ms: number;
  kbps: number;
  mode?: string;
  notice?: string;
}

export interface Call {
  id: string;
  meeting: string;
  protocol: string;
  state: string;
  muted: boolean;
  layout?: string;
  encryption: string;
  remote: { name: string; alias: string; address: string; product: string };
  started_at: string;
  media: Medium[];
}

export interface Status {
  calls: number;
  meetings: number;
  sfu: string;
  video: string;
}

const place = "roomgate-key";

export const key = signal(sessionStorage.getItem(place) ?? "");
/** refused: the key is not valid, or may not do what was asked. */
export const refused = signal(false);

export function signIn(value: string) {
  key.value = value.trim();
  refused.value = false;
  sessionStorage.setItem(place, key.value);
}

export function signOut() {
  key.value = "";
  sessionStorage.removeItem(place);
}

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T | null> {
  const answer = await fetch(`/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${key.value}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status === 401 || answer.status === 403) {
    refused.value = true;
    if (answer.status === 401) signOut();
    return null;
  }
  if (!answer.ok || answer.status === 204) return null;
  return (await answer.json()) as T;
}

/** allCalls reads page after page. */
export async function allCalls(): Promise<Call[]> {
  const calls: Call[] = [];
  for (let cursor = ""; ; ) {
    const page = await ask<{ calls: Call[]; next_cursor?: string }>("GET", `/calls?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    if (!page) return calls;
    calls.push(...page.calls);
    if (!page.next_cursor) return calls;
    cursor = page.next_cursor;
  }
}
