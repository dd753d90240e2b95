import { useEffect, useRef, useState } from "preact/hooks";
import { t, type TextKey } from "./i18n";

/** Motion is how a camera is to move: -1, 0 or 1 each; none of them stops it. */
export type Motion = { pan?: number; tilt?: number; zoom?: number; focus?: number };

/** Order is a motion, or a preset to go to, or to store the position under. */
export type Order = Motion | { preset: number; store?: boolean };

/** Abilities are what a terminal says its camera can do. */
export type Abilities = { pan: boolean; tilt: boolean; zoom: boolean; focus: boolean; presets: number };

/** Camera is a terminal's, wherever it is reached. */
export interface Camera {
  /** abilities is null while the terminal has not said that it has a camera that can be moved. */
  abilities: () => Promise<Abilities | null>;
  order: (order: Order) => Promise<void>;
}

/** A motion goes on for a second and a half at the gateway: while a key is held it is asked for again. */
const repeat = 500;
/** A terminal says what its camera can do some time after the call is up: first and longest wait between questions. */
const [firstAsk, lastAsk] = [1500, 60_000];

const keys: [id: string, sign: string, text: TextKey, motion: Motion][] = [
  ["left", "◀", "cameraLeft", { pan: -1 }],
  ["up", "▲", "cameraUp", { tilt: 1 }],
  ["down", "▼", "cameraDown", { tilt: -1 }],
  ["right", "▶", "cameraRight", { pan: 1 }],
  ["in", "+", "cameraIn", { zoom: 1 }],
  ["out", "−", "cameraOut", { zoom: -1 }],
  ["focus-in", "◉", "cameraFocusIn", { focus: 1 }],
  ["focus-out", "○", "cameraFocusOut", { focus: -1 }],
];

/** Steering are the keys for what a terminal's camera can do. of tells cameras apart. */
export function Steering({ of, camera }: { of: string; camera: Camera }) {
  const can = useAbilities(of, camera);
  const held = useHeld(of, camera);
  if (!can) return null;
  const able = keys.filter(([, , , motion]) => (Object.keys(motion) as (keyof Motion)[]).every((axis) => can[axis]));
  return (
    <div class="steering" data-testid="steering">
      {able.map(([id, sign, text, motion]) => (
        <button
          key={id}
          type="button"
          data-testid={`camera-${id}`}
          title={t(text)}
          aria-label={t(text)}
          onPointerDown={() => held.start(motion)}
          onPointerUp={held.stop}
          onPointerLeave={held.stop}
          onPointerCancel={held.stop}
        >
          {sign}
        </button>
      ))}
      {can.presets > 0 && <Presets count={can.presets} camera={camera} />}
    </div>
  );
}

/** useAbilities asks until the terminal has said what its camera can do. */
function useAbilities(of: string, camera: Camera): Abilities | null {
  const [can, setCan] = useState<Abilities | null>(null);
  useEffect(() => {
    let timer = 0;
    let over = false;
    const ask = async (wait: number) => {
      const said = await camera.abilities().catch(() => null);
      if (over) return;
      setCan(said);
      if (!said) timer = window.setTimeout(() => void ask(Math.min(2 * wait, lastAsk)), wait);
    };
    setCan(null);
    void ask(firstAsk);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [of]);
  return can;
}

/** useHeld keeps a camera moving while a key is held. */
function useHeld(of: string, camera: Camera) {
  const timer = useRef<number | null>(null);
  const stop = () => {
    if (timer.current === null) return;
    clearInterval(timer.current);
    timer.current = null;
    void camera.order({});
  };
  const start = (motion: Motion) => {
    stop();
    void camera.order(motion);
    timer.current = window.setInterval(() => void camera.order(motion), repeat);
  };
  useEffect(() => stop, [of]);
  return { start, stop };
}

/** Presets goes to the positions that a camera keeps, and stores them (H.281 numbers them from 0). */
function Presets({ count, camera }: { count: number; camera: Camera }) {
  const [number, setNumber] = useState(0);
  return (
    <>
      <select data-testid="camera-preset" title={t("cameraPreset")} aria-label={t("cameraPreset")} value={number} onChange={(e) => setNumber(Number(e.currentTarget.value))}>
        {Array.from({ length: count }, (_, n) => (
          <option key={n} value={n}>
            {n}
          </option>
        ))}
      </select>
      <button type="button" data-testid="camera-recall" title={t("cameraRecall")} aria-label={t("cameraRecall")} onClick={() => void camera.order({ preset: number })}>
        ↵
      </button>
      <button type="button" data-testid="camera-store" title={t("cameraStore")} aria-label={t("cameraStore")} onClick={() => void camera.order({ preset: number, store: true })}>
        ⤓
      </button>
    </>
  );
}
