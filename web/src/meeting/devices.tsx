import { useEffect, useState } from "preact/hooks";
import { Room } from "livekit-client";
import { t } from "../i18n";

/** useDevices lists the devices of a kind, and again when one is plugged in. */
export function useDevices(kind: MediaDeviceKind, allowed: boolean): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    if (!navigator.mediaDevices) return;
    const list = () => void Room.getLocalDevices(kind, false).then(setDevices, () => setDevices([]));
    list();
    navigator.mediaDevices.addEventListener("devicechange", list);
    return () => navigator.mediaDevices.removeEventListener("devicechange", list);
  }, [kind, allowed]);
  return devices;
}

interface PickerProps {
  label: string;
  devices: MediaDeviceInfo[];
  chosen: string;
  onChoose(id: string): void;
}

export function DevicePicker({ label, devices, chosen, onChoose }: PickerProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={chosen} disabled={devices.length === 0} onChange={(e) => onChoose(e.currentTarget.value)}>
        {devices.length === 0 && <option value="">{t("noDevice")}</option>}
        {devices.map((d, i) => (
          <option key={d.deviceId} value={d.deviceId}>
            {d.label || `${label} ${i + 1}`}
          </option>
        ))}
      </select>
    </label>
  );
}
