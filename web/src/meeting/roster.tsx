import type { Participant } from "livekit-client";
import { t } from "../i18n";
import { Icon } from "./icons";
import { initials, isMuted, kindOf } from "./people";
import { watchRoom } from "./session";

export function Roster({ onClose }: { onClose(): void }) {
  const room = watchRoom();
  const everybody: Participant[] = [room.localParticipant, ...room.remoteParticipants.values()];
  return (
    <Panel title={`${t("roster")} (${everybody.length})`} onClose={onClose}>
      <ul class="roster" data-testid="roster">
        {everybody.map((p) => {
          const kind = kindOf(p);
          const name = p.name || p.identity;
          return (
            <li key={p.identity} data-kind={kind} class={p.isSpeaking ? "speaking" : ""}>
              <span class={`avatar small ${kind}`}>{kind === "browser" ? initials(name) : <Icon name={kind} />}</span>
              <span class="who">
                <span class="name">
                  {name}
                  {p.isLocal && ` (${t("you")})`}
                </span>
                <span class="kind">{t(kind)}</span>
              </span>
              <Icon name={isMuted(p) ? "microphoneOff" : "microphone"} label={isMuted(p) ? t("muted") : t("microphone")} />
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

export function Panel({ title, onClose, children }: { title: string; onClose(): void; children: preact.ComponentChildren }) {
  return (
    <aside class="panel">
      <header>
        <h2>{title}</h2>
        <button type="button" class="plain" title={t("close")} onClick={onClose}>
          <Icon name="close" label={t("close")} />
        </button>
      </header>
      {children}
    </aside>
  );
}
