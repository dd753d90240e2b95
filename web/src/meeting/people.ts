import { type Participant, Track, type TrackPublication } from "livekit-client";

export type Kind = "terminal" | "phone" | "browser";

/** kindOf tells room terminals and phones from browsers: the gateway says so in an attribute. */
export function kindOf(p: { attributes: Readonly<Record<string, string>> }): Kind {
  const kind = p.attributes["roomgate.kind"];
  return kind === "terminal" || kind === "phone" ? kind : "browser";
}

export function cameraOf(p: Participant): TrackPublication | undefined {
  return p.getTrackPublication(Track.Source.Camera);
}

export function screenOf(p: Participant): TrackPublication | undefined {
  return p.getTrackPublication(Track.Source.ScreenShare);
}

/** presenterAmong is who shares a screen, somebody else before oneself: a take-over shows before one's own share has ended. */
export function presenterAmong<P extends Participant>(everybody: P[]): P | undefined {
  const sharing = everybody.filter((p) => screenOf(p) && !screenOf(p)?.isMuted);
  return sharing.find((p) => !p.isLocal) ?? sharing[0];
}

/** spotlit is whom everybody is to see large, by a host's or an operator's word. */
export function spotlit<P extends { attributes: Readonly<Record<string, string>> }>(everybody: P[]): P | undefined {
  return everybody.find((p) => p.attributes["roomgate.spotlight"]);
}

export function isMuted(p: Participant): boolean {
  const mic = p.getTrackPublication(Track.Source.Microphone);
  return !mic || mic.isMuted;
}

/** initials are for tiles without a picture: the last two words of a Vietnamese or Western name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  return words
    .slice(-2)
    .map((w) => [...w][0]?.toLocaleUpperCase("vi") ?? "")
    .join("");
}

/** columns is how many tiles stand side by side so that n of 16:9 fill a frame of the given shape best. */
export function columns(n: number, width: number, height: number): number {
  let best = 1;
  let bestArea = 0;
  for (let c = 1; c <= n; c++) {
    const rows = Math.ceil(n / c);
    const w = Math.min(width / c, ((height / rows) * 16) / 9);
    if (w >= bestArea) {
      bestArea = w;
      best = c;
    }
  }
  return best;
}
