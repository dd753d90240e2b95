import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Languages } from "../languages";
import { recall, type Choices } from "./choices";
import { DevicePicker, useDevices } from "./devices";
import { Icon } from "./icons";
import { initials } from "./people";
import { alias, failure, join, pinNeeded, stage, wait } from "./session";

/** usePreview opens the camera for the picture beside the form, and closes it when the visitor joins. */
function usePreview(choices: Choices) {
  const video = useRef<HTMLVideoElement>(null);
  const [refused, setRefused] = useState(false);
  const [allowed, setAllowed] = useState(false);
  useEffect(() => {
    if (!choices.camera || !navigator.mediaDevices) return;
    let stream: MediaStream | undefined;
    let over = false;
    navigator.mediaDevices
      .getUserMedia({
        video: { width: 1280, height: 720, ...(choices.cameraId ? { deviceId: choices.cameraId } : {}) },
        audio: !allowed && choices.microphone, // asks for both at once; the sound is not used here
      })
      .then((s) => {
        stream = s;
        if (over) return stop();
        for (const track of s.getAudioTracks()) track.stop();
        if (video.current) video.current.srcObject = s;
        setRefused(false);
        setAllowed(true);
      })
      .catch(() => !over && setRefused(true));
    function stop() {
      stream?.getTracks().forEach((track) => track.stop());
    }
    return () => {
      over = true;
      stop();
    };
  }, [choices.camera, choices.cameraId]);
  return { video, refused, allowed };
}

export function Lobby() {
  const [choices, setChoices] = useState(recall);
  const [pin, setPin] = useState("");
  const { video, refused, allowed } = usePreview(choices);
  const microphones = useDevices("audioinput", allowed);
  const cameras = useDevices("videoinput", allowed);
  const change = (part: Partial<Choices>) => setChoices((c) => ({ ...c, ...part }));
  const joining = stage.value === "joining";

  return (
    <main class="lobby">
      <header class="bar">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width="28" height="28" /> roomgate
        </a>
        <Languages />
      </header>
      <section class="card">
        <div class="preview">
          {choices.camera && !refused ? (
            <video ref={video} autoplay playsInline muted class="mirror" />
          ) : (
            <div class="avatar large">{initials(choices.name) || "?"}</div>
          )}
          <div class="preview-controls">
            <Toggle on={choices.microphone} icon="microphone" off="microphoneOff" label={t("microphone")} onClick={() => change({ microphone: !choices.microphone })} />
            <Toggle on={choices.camera} icon="camera" off="cameraOff" label={t("camera")} onClick={() => change({ camera: !choices.camera })} />
          </div>
        </div>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void join({ ...choices, name: choices.name.trim() }, pin);
          }}
        >
          <h1>{alias}</h1>
          <label class="field">
            <span>{t("yourName")}</span>
            <input data-testid="name" required maxLength={64} autofocus placeholder={t("namePlaceholder")} value={choices.name} onInput={(e) => change({ name: e.currentTarget.value })} />
          </label>
          {pinNeeded.value && (
            <label class="field">
              <span>{t("pin")}</span>
              <input data-testid="pin" inputMode="numeric" autocomplete="off" value={pin} onInput={(e) => setPin(e.currentTarget.value)} />
            </label>
          )}
          <DevicePicker label={t("microphone")} devices={microphones} chosen={choices.microphoneId} onChoose={(microphoneId) => change({ microphoneId })} />
          <DevicePicker label={t("camera")} devices={cameras} chosen={choices.cameraId} onChoose={(cameraId) => change({ cameraId })} />
          <label class="check">
            <input type="checkbox" data-testid="original-sound" checked={choices.originalSound} onChange={(e) => change({ originalSound: e.currentTarget.checked })} />
            {t("originalSound")}
          </label>
          {!navigator.mediaDevices && <p class="notice">{t("insecure")}</p>}
          {refused && <p class="notice">{t("deviceRefused")}</p>}
          {wait.value && <p class="notice" role="status" data-testid="waits">{t(wait.value)}</p>}
          {failure.value && <p class="notice bad" role="alert">{t(failure.value)}</p>}
          <button class="primary" type="submit" data-testid="join" disabled={joining}>
            {joining ? t("joining") : t("join")}
          </button>
        </form>
      </section>
    </main>
  );
}

interface ToggleProps {
  on: boolean;
  icon: "microphone" | "camera";
  off: "microphoneOff" | "cameraOff";
  label: string;
  onClick(): void;
}

function Toggle({ on, icon, off, label, onClick }: ToggleProps) {
  return (
    <button type="button" class={on ? "round" : "round off"} aria-pressed={on} title={label} data-testid={`lobby-${icon}`} onClick={onClick}>
      <Icon name={on ? icon : off} label={label} />
    </button>
  );
}
