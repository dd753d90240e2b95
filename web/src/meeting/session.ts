import { signal } from "@preact/signals";
import {
  type AudioCaptureOptions,
  ConnectionState,
  DisconnectReason,
  Room,
  RoomEvent,
  Track,
  VideoPreset,
  VideoPresets,
} from "livekit-client";
import type { Abilities, Camera } from "../steering";
import { remember, type Choices } from "./choices";
import { followChat } from "./lines";

/** Where the visitor stands: choosing devices, in the meeting, or out again. */
export type Stage = "lobby" | "joining" | "meeting" | "over";
export type Ending = "left" | "removed" | "ended" | "lost";
export type Failure = "noMeeting" | "wrongPin" | "locked" | "denied" | "over" | "failed" | null;
/** What a visitor waits for who is not let in yet. */
export type Wait = Waits | null;
type Waits = "waitHost" | "waitAdmit" | "waitTime";

export const stage = signal<Stage>("lobby");
export const ending = signal<Ending>("left");
export const failure = signal<Failure>(null);
export const pinNeeded = signal(false);
export const wait = signal<Wait>(null);
export const reconnecting = signal(false);
/** revision rises whenever anything about the room changed. */
const revision = signal(0);
export const dominant = signal("");
/** shareStopped: the meeting stopped our share, because somebody else presents or we may not. */
export const shareStopped = signal(false);

/** alias is the meeting's; another one after a move. */
export let alias = decodeURIComponent(location.pathname.split("/")[2] ?? "");

/**
 * Terminals get H.264 as it is, without transcoding: so it is published in
 * sizes, levels and rates that room systems know, and keeps its size.
 */
function newRoom(): Room {
  return new Room({
    adaptiveStream: true,
    dynacast: true,
    videoCaptureDefaults: { resolution: { width: 1280, height: 720, frameRate: 30 } },
    publishDefaults: {
      videoCodec: "h264",
      backupCodec: false,
      videoEncoding: { maxBitrate: 1_500_000, maxFramerate: 30 },
      videoSimulcastLayers: [new VideoPreset(640, 360, 450_000, 25)],
      screenShareEncoding: { maxBitrate: 1_500_000, maxFramerate: 10 },
      screenShareSimulcastLayers: [],
      degradationPreference: "maintain-resolution",
      red: false,
      dtx: true,
    },
  });
}

export let room = newRoom();

/**
 * watchRoom is the room, for components: one that calls it is drawn anew
 * whenever anything about the room changed. Each that shows any of it must, for
 * signals keep a component from following its parent when its props are the same.
 */
export function watchRoom(): Room {
  revision.value;
  return room;
}

function changed() {
  revision.value++;
}

const watched = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
] as const;

/** stoppedHere tells a share that the visitor ended from one that the meeting did. */
let stoppedHere = false;

function followShare(r: Room) {
  r.on(RoomEvent.LocalTrackPublished, (publication) => {
    if (publication.source !== Track.Source.ScreenShare) return;
    stoppedHere = false;
    shareStopped.value = false;
    // Ended by the browser's own button; a track that we stop has no such event.
    publication.track?.mediaStreamTrack.addEventListener("ended", () => (stoppedHere = true));
  });
  r.on(RoomEvent.LocalTrackUnpublished, (publication) => {
    if (publication.source === Track.Source.ScreenShare && !stoppedHere) shareStopped.value = true;
  });
}

function follow(r: Room) {
  for (const event of watched) r.on(event, changed);
  followShare(r);
  followChat(r);
  r.on(RoomEvent.ActiveSpeakersChanged, (speakers) => {
    const other = speakers.find((p) => !p.isLocal);
    if (other) dominant.value = other.identity;
    changed();
  });
  r.on(RoomEvent.ConnectionStateChanged, (state) => {
    reconnecting.value =
      state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting;
    changed();
  });
  r.on(RoomEvent.DataReceived, (payload, from, _kind, topic) => {
    if (from === undefined && topic === "roomgate.move") void move(payload); // the meeting server has no name
  });
  r.on(RoomEvent.Disconnected, (reason) => {
    if (moving) return;
    ending.value =
      reason === DisconnectReason.PARTICIPANT_REMOVED ? "removed"
      : reason === DisconnectReason.ROOM_DELETED ? "ended"
      : reason === DisconnectReason.CLIENT_INITIATED ? "left"
      : "lost";
    if (stage.value !== "lobby") stage.value = "over";
  });
}

/** pass is the ticket that the visitor came in with. */
let pass = "";

/** hostCall asks the gateway to do something to the meeting, as its host. */
export function hostCall(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`/api/v1/meetings/${encodeURIComponent(alias)}${path}`, {
    method,
    headers: { "Roomgate-Ticket": pass, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

interface Ticket {
  url: string;
  token: string;
  muted?: boolean;
}

/** address is where the meeting server was found. */
let address = "";
/** chosen are the visitor's devices. */
let chosen: Choices | null = null;
/** moving: one room is left for another. */
let moving = false;

/** identityOf is whose a ticket is. */
function identityOf(token: string): string {
  try {
    const body = token.split(".")[1] ?? "";
    return (JSON.parse(atob(body.replace(/-/g, "+").replace(/_/g, "/"))) as { sub?: string }).sub ?? "";
  } catch {
    return "";
  }
}

/** move goes to another meeting, by a host's or an operator's word. */
async function move(payload: Uint8Array) {
  let to: { meeting?: string; token?: string; muted?: boolean };
  try {
    to = JSON.parse(new TextDecoder().decode(payload)) as typeof to;
  } catch {
    return;
  }
  const me = room.localParticipant;
  // Only the gateway makes tickets for the identity that we have.
  if (moving || !chosen || !to.meeting || !to.token || identityOf(to.token) !== me.identity) return;
  const choices = { ...chosen, microphone: me.isMicrophoneEnabled, camera: me.isCameraEnabled };
  moving = true;
  stage.value = "joining";
  try {
    await room.disconnect();
    alias = to.meeting;
    history.replaceState(null, "", `/m/${encodeURIComponent(alias)}`);
    document.title = `${alias} · roomgate`;
    pass = to.token;
    await enter({ url: address, token: to.token, muted: to.muted }, choices);
  } catch (error) {
    console.error(error);
    failure.value = "failed";
    stage.value = "lobby";
  } finally {
    moving = false;
  }
}

/** knock is how the gateway knows a visitor again who waits. */
const knock = crypto.getRandomValues(new Uint32Array(4)).join("-");
/** attempt counts what the visitor asked for: a later wish ends the wait of an earlier one. */
let attempt = 0;
/** pause is how long a visitor waits before asking again, in milliseconds. */
const pause = 3000;

async function ticket(name: string, pin: string): Promise<Ticket | Failure | Waits> {
  const answer = await fetch(`/api/v1/meetings/${encodeURIComponent(alias)}/tokens`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name, role: "guest", knock, ...(pin ? { pin } : {}) }),
  });
  if (answer.ok) return (await answer.json()) as Ticket;
  switch (answer.status) {
    case 404:
      return "noMeeting";
    case 401:
      return "wrongPin";
    case 403:
      return refusals[((await answer.json()) as { type?: string }).type ?? ""] ?? "wrongPin";
    case 429:
      return wait.value ?? "failed";
    default:
      return "failed";
  }
}

const refusals: Record<string, Failure | Waits> = {
  "urn:roomgate:problem:locked": "locked",
  "urn:roomgate:problem:denied": "denied",
  "urn:roomgate:problem:wait:host": "waitHost",
  "urn:roomgate:problem:wait:admission": "waitAdmit",
  "urn:roomgate:problem:wait:time": "waitTime",
  "urn:roomgate:problem:over": "over",
};

/** patientTicket asks for a ticket until there is an answer, or the visitor wishes something else. */
async function patientTicket(name: string, pin: string): Promise<Ticket | Failure | "outdated"> {
  const mine = ++attempt;
  for (;;) {
    const got = await ticket(name, pin);
    if (mine !== attempt) return "outdated";
    if (got !== "waitHost" && got !== "waitAdmit" && got !== "waitTime") return got;
    wait.value = got;
    if (got !== "waitTime") pinNeeded.value = true; // of a host
    stage.value = "lobby";
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (mine !== attempt) return "outdated";
  }
}

/** join enters the meeting with what the visitor chose. */
export async function join(choices: Choices, pin: string): Promise<void> {
  stage.value = "joining";
  failure.value = null;
  try {
    const got = await patientTicket(choices.name, pin);
    if (got === "outdated") return;
    wait.value = null;
    if (got === null || typeof got === "string") {
      if (got === "wrongPin" && !pinNeeded.value) {
        pinNeeded.value = true; // the first refusal only says that a PIN is asked for
        stage.value = "lobby";
        return;
      }
      failure.value = got ?? "failed";
      stage.value = "lobby";
      return;
    }
    remember(choices);
    stage.value = "joining";
    pass = got.token;
    await enter(got, choices);
  } catch (error) {
    console.error(error);
    wait.value = null;
    failure.value = "failed";
    stage.value = "lobby";
  }
}

async function enter(got: Ticket, choices: Choices) {
  room = newRoom();
  follow(room);
  (window as unknown as { roomgate: unknown }).roomgate = { room }; // for support: roomgate.room in the browser's console
  address = got.url;
  chosen = choices;
  await room.connect(got.url, got.token);
  stage.value = "meeting";
  changed();
  await publish(got.muted ? { ...choices, microphone: false } : choices);
}

function microphoneOptions(choices: Choices): AudioCaptureOptions {
  const processed = !choices.originalSound;
  return {
    echoCancellation: processed,
    noiseSuppression: processed,
    autoGainControl: processed,
    ...(choices.microphoneId ? { deviceId: choices.microphoneId } : {}),
  };
}

async function publish(choices: Choices) {
  const me = room.localParticipant;
  // One device that is missing or refused must not keep the other out.
  await Promise.allSettled([
    choices.microphone && me.setMicrophoneEnabled(true, microphoneOptions(choices)),
    choices.camera &&
      me.setCameraEnabled(true, {
        resolution: VideoPresets.h720.resolution,
        ...(choices.cameraId ? { deviceId: choices.cameraId } : {}),
      }),
  ]);
  changed();
}

export async function leave() {
  await room.disconnect();
}

export async function toggleMicrophone() {
  await room.localParticipant.setMicrophoneEnabled(!room.localParticipant.isMicrophoneEnabled);
  changed();
}

export async function toggleCamera() {
  await room.localParticipant.setCameraEnabled(!room.localParticipant.isCameraEnabled);
  changed();
}

/** mayMoveCameras: the visitor is a host. */
export function mayMoveCameras(): boolean {
  return room.localParticipant.attributes["roomgate.role"] === "host";
}

/** cameraOf is a terminal's camera. */
export function cameraOf(identity: string): Camera {
  const path = `/participants/${encodeURIComponent(identity)}/camera`;
  return {
    abilities: async () => {
      const answer = await hostCall("GET", path);
      return answer.ok ? ((await answer.json()) as Abilities) : null;
    },
    order: async (order) => void (await hostCall("POST", path, order)),
  };
}

export async function toggleShare() {
  const on = !room.localParticipant.isScreenShareEnabled;
  stoppedHere = !on;
  try {
    await room.localParticipant.setScreenShareEnabled(
      on,
      { audio: true, contentHint: "text", resolution: { width: 1280, height: 720, frameRate: 10 } },
      { videoCodec: "h264", simulcast: false },
    );
  } catch {
    // the visitor closed the browser's chooser
  }
  changed();
}
