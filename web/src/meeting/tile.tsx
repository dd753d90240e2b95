import { useEffect, useRef } from "preact/hooks";
import type { Participant, TrackPublication } from "livekit-client";
import { t } from "../i18n";
import { Icon } from "./icons";
import { initials, isMuted, kindOf } from "./people";
import { cameraOf, mayMoveCameras, watchRoom } from "./session";
import { Steering } from "../steering";

/** Picture plays one publication; the element is detached when the publication changes. */
function Picture({ publication, mirror, fit }: { publication: TrackPublication; mirror: boolean; fit: "cover" | "contain" }) {
  const video = useRef<HTMLVideoElement>(null);
  const track = publication.track;
  useEffect(() => {
    const element = video.current;
    if (!track || !element) return;
    track.attach(element);
    return () => void track.detach(element);
  }, [track]);
  return <video ref={video} autoplay playsInline muted class={`${fit}${mirror ? " mirror" : ""}`} />;
}

export interface TileProps {
  participant: Participant;
  publication?: TrackPublication | undefined;
  screen?: boolean;
}

export function Tile({ participant: p, publication, screen = false }: TileProps) {
  watchRoom();
  const kind = kindOf(p);
  const visible = publication?.track && !publication.isMuted;
  const name = p.name || p.identity;
  return (
    <article class={`tile${p.isSpeaking && !screen ? " speaking" : ""}`} data-testid="tile" data-kind={kind} data-name={name}>
      {visible ? (
        <Picture publication={publication} mirror={p.isLocal && !screen} fit={screen ? "contain" : kind === "terminal" ? "contain" : "cover"} />
      ) : (
        <div class={`avatar ${kind}`}>{kind === "browser" ? initials(name) : <Icon name={kind} />}</div>
      )}
      {kind === "terminal" && !screen && mayMoveCameras() && <Steering of={p.identity} camera={cameraOf(p.identity)} />}
      <footer>
        {kind !== "browser" && <Icon name={kind} label={t(kind)} />}
        <span class="name">
          {name}
          {p.isLocal && ` (${t("you")})`}
          {screen && ` · ${t("presenting")}`}
        </span>
        {!screen && isMuted(p) && <Icon name="microphoneOff" label={t("muted")} />}
      </footer>
    </article>
  );
}
