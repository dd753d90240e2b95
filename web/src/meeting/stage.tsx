import { useEffect, useRef, useState } from "preact/hooks";
import type { Participant } from "livekit-client";
import { t } from "../i18n";
import { cameraOf, columns, presenterAmong, screenOf, spotlit } from "./people";
import { dominant, watchRoom } from "./session";
import { Tile, type TileProps } from "./tile";

export type View = "grid" | "speaker";

function people(): Participant[] {
  const room = watchRoom();
  return [...room.remoteParticipants.values(), room.localParticipant];
}

/** useSize follows the size of an element. */
function useSize() {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 1280, height: 720 });
  useEffect(() => {
    if (!ref.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setSize(entry.contentRect));
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return { ref, size };
}

export function Stage({ view }: { view: View }) {
  const everybody = people();
  const presenter = presenterAmong(everybody.filter((p) => screenOf(p)?.track));
  const alone = everybody.length === 1;
  if (presenter) {
    return <Speaker main={{ participant: presenter, publication: screenOf(presenter), screen: true }} strip={everybody} />;
  }
  const shown = spotlit(everybody);
  if ((view === "speaker" || shown) && !alone) {
    const speaker = shown ?? everybody.find((p) => p.identity === dominant.value && !p.isLocal) ?? everybody[0]!;
    return <Speaker main={{ participant: speaker, publication: cameraOf(speaker) }} strip={everybody.filter((p) => p !== speaker)} />;
  }
  return <Grid everybody={everybody} alone={alone} />;
}

function Grid({ everybody, alone }: { everybody: Participant[]; alone: boolean }) {
  const { ref, size } = useSize();
  const across = columns(everybody.length, size.width, size.height);
  const down = Math.ceil(everybody.length / across);
  return (
    <div class="grid" ref={ref} style={{ gridTemplateColumns: `repeat(${across}, 1fr)`, gridTemplateRows: `repeat(${down}, 1fr)` }}>
      {everybody.map((p) => (
        <Tile key={p.identity} participant={p} publication={cameraOf(p)} />
      ))}
      {alone && <p class="alone">{t("alone")}</p>}
    </div>
  );
}

function Speaker({ main, strip }: { main: TileProps; strip: Participant[] }) {
  return (
    <div class="speaker-view">
      <Tile {...main} />
      <aside class="strip">
        {strip.map((p) => (
          <Tile key={p.identity} participant={p} publication={cameraOf(p)} />
        ))}
      </aside>
    </div>
  );
}
