import { useState } from "preact/hooks";
import { t, type TextKey } from "../i18n";
import { Chat } from "./chat";
import { Hosting } from "./hosting";
import { Icon, type IconName } from "./icons";
import { unread } from "./lines";
import { Roster } from "./roster";
import { Screens } from "./screens";
import { presenterAmong } from "./people";
import { alias, leave, reconnecting, shareStopped, toggleCamera, toggleMicrophone, toggleShare, watchRoom } from "./session";
import { Settings } from "./settings";
import { Sound } from "./sound";
import { Stage, type View } from "./stage";

type Side = "roster" | "chat" | "settings" | "screens" | null;

export function Meeting() {
  const room = watchRoom();
  const [view, setView] = useState<View>("grid");
  const [side, setSide] = useState<Side>(null);
  const show = (s: Side) => setSide((now) => (now === s ? null : s));
  const me = room.localParticipant;
  const presenter = presenterAmong([...room.remoteParticipants.values(), me]);
  const host = me.attributes["roomgate.role"] === "host";
  const count = room.remoteParticipants.size + 1;
  return (
    <main class="meeting" data-testid="meeting">
      <header class="bar">
        <span class="brand">
          <img src="/icon.svg" alt="" width="24" height="24" /> {alias}
        </span>
        {location.protocol === "https:" && (
          <span class="badge">
            <Icon name="lock" /> {t("encrypted")}
          </span>
        )}
        {presenter && (
          <span class="badge" data-testid="presenter">
            <Icon name="share" /> {presenter.name || presenter.identity} {t("presenting")}
          </span>
        )}
        {shareStopped.value && (
          <span class="badge bad" role="status" data-testid="share-stopped">
            {t("shareTaken")}
          </span>
        )}
        {reconnecting.value && <span class="badge bad" role="status">{t("reconnecting")}</span>}
        <Hosting />
      </header>
      <div class="middle">
        <Stage view={view} />
        {side === "roster" && <Roster onClose={() => setSide(null)} />}
        {side === "screens" && host && <Screens onClose={() => setSide(null)} />}
        {side === "chat" && <Chat onClose={() => setSide(null)} />}
        {side === "settings" && <Settings onClose={() => setSide(null)} />}
      </div>
      <nav class="controls">
        <Control id="mic" on={me.isMicrophoneEnabled} icon="microphone" off="microphoneOff" onText="mute" offText="unmute" onClick={toggleMicrophone} />
        <Control id="cam" on={me.isCameraEnabled} icon="camera" off="cameraOff" onText="stopCamera" offText="startCamera" onClick={toggleCamera} />
        <Control id="share" on={!me.isScreenShareEnabled} icon="share" off="share" onText="share" offText="stopShare" onClick={toggleShare} />
        <Control id="view" on icon={view === "grid" ? "speakerView" : "grid"} off="grid" onText={view === "grid" ? "speakerView" : "grid"} offText="grid" onClick={() => setView(view === "grid" ? "speaker" : "grid")} />
        <Control id="people" on icon="people" off="people" onText="roster" offText="roster" badge={count} onClick={() => show("roster")} />
        {host && <Control id="screens" on icon="terminal" off="terminal" onText="screens" offText="screens" onClick={() => show("screens")} />}
        <Control id="chat" on icon="chat" off="chat" onText="chat" offText="chat" badge={unread.value || undefined} onClick={() => show("chat")} />
        <Control id="devices" on icon="settings" off="settings" onText="settings" offText="settings" onClick={() => show("settings")} />
        <button type="button" class="control leave" data-testid="leave" onClick={() => void leave()}>
          <Icon name="leave" />
          <span>{t("leave")}</span>
        </button>
      </nav>
      <Sound />
    </main>
  );
}

interface ControlProps {
  id: string;
  on: boolean;
  icon: IconName;
  off: IconName;
  onText: TextKey;
  offText: TextKey;
  badge?: number | undefined;
  onClick(): unknown;
}

function Control({ id, on, icon, off, onText, offText, badge, onClick }: ControlProps) {
  const text = t(on ? onText : offText);
  return (
    <button type="button" class={on ? "control" : "control off"} data-testid={id} title={text} onClick={() => void onClick()}>
      <Icon name={on ? icon : off} />
      <span>{text}</span>
      {badge !== undefined && <b>{badge}</b>}
    </button>
  );
}
