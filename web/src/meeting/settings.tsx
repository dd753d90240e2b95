import { t } from "../i18n";
import { Languages } from "../languages";
import { DevicePicker, useDevices } from "./devices";
import { Panel } from "./roster";
import { room } from "./session";

export function Settings({ onClose }: { onClose(): void }) {
  return (
    <Panel title={t("settings")} onClose={onClose}>
      <ActiveDevice kind="audioinput" label={t("microphone")} />
      <ActiveDevice kind="videoinput" label={t("camera")} />
      <ActiveDevice kind="audiooutput" label={t("speaker")} />
      <Languages />
    </Panel>
  );
}

function ActiveDevice({ kind, label }: { kind: MediaDeviceKind; label: string }) {
  const devices = useDevices(kind, true);
  return (
    <DevicePicker
      label={label}
      devices={devices}
      chosen={room.getActiveDevice(kind) ?? ""}
      onChoose={(id) => void room.switchActiveDevice(kind, id)}
    />
  );
}
