import { useEffect, useRef } from "preact/hooks";
import { t, type TextKey } from "./i18n";

/** Motion is how a camera is to move: -1, 0 or 1 each; none of them stops it. */
export type Motion = { pan?: number; tilt?: number; zoom?: number };

/** A motion goes on for a second and a half at the gateway: while a key is held it is asked for again. */
const repeat = 500;

const keys: [id: string, sign: string, text: TextKey, motion: Motion][] = [
  ["left", "◀", "cameraLeft", { pan: -1 }],
  ["up", "▲", "cameraUp", { tilt: 1 }],
  ["down", "▼", "cameraDown", { tilt: -1 }],
  ["right", "▶", "cameraRight", { pan: 1 }],
  ["in", "+", "cameraIn", { zoom: 1 }],
  ["out", "−", "cameraOut", { zoom: -1 }],
];

/** Steering are the keys that move a terminal's camera while they are held down. of tells cameras apart. */
export function Steering({ of, move }: { of: string; move: (motion: Motion) => Promise<void> }) {
  const timer = useRef<number | null>(null);
  const stop = () => {
    if (timer.current === null) return;
    clearInterval(timer.current);
    timer.current = null;
    void move({});
  };
  const start = (motion: Motion) => {
    stop();
    void move(motion);
    timer.current = window.setInterval(() => void move(motion), repeat);
  };
  useEffect(() => stop, [of]);
  return (
    <div class="steering" data-testid="steering">
      {keys.map(([id, sign, text, motion]) => (
        <button
          key={id}
          type="button"
          data-testid={`camera-${id}`}
          title={t(text)}
          aria-label={t(text)}
          onPointerDown={() => start(motion)}
          onPointerUp={stop}
          onPointerLeave={stop}
          onPointerCancel={stop}
        >
          {sign}
        </button>
      ))}
    </div>
  );
}
