import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { type Abilities, type Camera, Steering } from "../steering";
import { allCalls, ask, type Call, type Medium, type Status } from "./api";

/** The lists are read anew so often, in milliseconds. */
const every = 2000;

const layouts = ["", "auto", "single", "speaker", "grid", "2x2", "3x3", "4x4", "5x5", "lecture"];

export function Calls() {
  const [calls, setCalls] = useState<Call[]>([]);
  const [status, setStatus] = useState<Status | null>(null);
  const look = async () => {
    const [list, now] = await Promise.all([allCalls(), ask<Status>("GET", "/status")]);
    setCalls(list);
    setStatus(now);
  };
  useEffect(() => {
    void look();
    const timer = window.setInterval(() => void look(), every);
    return () => clearInterval(timer);
  }, []);
  return (
    <section class="console">
      {status && (
        <p data-testid="status">
          {t("callsNow")}: {status.calls} · {t("meetingsNow")}: {status.meetings} · SFU {status.sfu} · {t("videoWorker")}: {status.video}
        </p>
      )}
      {calls.length === 0 && <p>{t("noCalls")}</p>}
      {calls.map((c) => (
        <Row key={c.id} call={c} changed={look} />
      ))}
    </section>
  );
}

function Row({ call, changed }: { call: Call; changed: () => Promise<void> }) {
  const [steering, setSteering] = useState(false);
  const path = `/calls/${encodeURIComponent(call.id)}`;
  const act = async (method: string, what: string, body?: unknown) => {
    await ask(method, path + what, body);
    await changed();
  };
  const camera: Camera = {
    abilities: () => ask<Abilities>("GET", `${path}/camera`),
    order: async (order) => void (await ask("POST", `${path}/camera`, order)),
  };
  return (
    <article class="call" data-testid="call" data-state={call.state}>
      <div>
        <h2>{call.remote.name || call.remote.alias || call.remote.address}</h2>
        <p>
          {call.meeting || "–"} · {call.protocol.toUpperCase()} · {call.state} · {call.encryption} · {call.remote.product}
        </p>
        <ul>
          {call.media.map((m) => (
            <li key={m.kind + m.direction} class={bad(m) ? "bad" : ""}>
              {summary(m)}
            </li>
          ))}
        </ul>
        {steering && <Steering of={call.id} camera={camera} />}
      </div>
      <div class="acts">
        <button type="button" data-testid="mute" onClick={() => void act("POST", call.muted ? "/unmute" : "/mute")}>
          {t(call.muted ? "unmute" : "mute")}
        </button>
        <button type="button" data-testid="steer" aria-pressed={steering} onClick={() => setSteering(!steering)}>
          {t("steerCamera")}
        </button>
        <select
          aria-label={t("layout")}
          value={call.layout ?? ""}
          onChange={(e) => void act("POST", "/layout", e.currentTarget.value ? { layout: e.currentTarget.value } : {})}
        >
          {layouts.map((l) => (
            <option key={l} value={l}>
              {l || t("layout")}
            </option>
          ))}
        </select>
        <button type="button" class="end" data-testid="hang-up" onClick={() => void act("DELETE", "")}>
          {t("hangUp")}
        </button>
      </div>
    </article>
  );
}

/** share is how much of what was sent was lost, in percent. */
function share(m: Medium): number {
  return m.packets + m.lost > 0 ? (100 * m.lost) / (m.packets + m.lost) : 0;
}

function bad(m: Medium): boolean {
  return share(m) > 2 || m.jitter_ms > 60 || !!m.notice;
}

function summary(m: Medium): string {
  const size = m.width ? ` ${m.width}x${m.height}` : "";
  const arrow = m.direction === "recv" ? "←" : "→";
  return `${arrow} ${m.kind} ${m.codec}${size} ${Math.round(m.kbps)} kbit/s, ${t("lostPart")} ${share(m).toFixed(1)} %, ${m.jitter_ms.toFixed(0)} ms${m.notice ? ` – ${m.notice}` : ""}`;
}
