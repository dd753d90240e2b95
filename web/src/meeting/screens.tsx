import { useEffect, useRef, useState } from "preact/hooks";
import type { Participant } from "livekit-client";
import { t } from "../i18n";
import { Icon } from "./icons";
import { boxes, type Layout, layouts, type Shown } from "./layouts";
import { initials, kindOf } from "./people";
import { Panel } from "./roster";
import { hostCall, watchRoom } from "./session";

/** everySoOften is how often the panel asks what is shown, in milliseconds: other hosts, and operators, choose too. */
const everySoOften = 2000;

/** Screens lets a host choose what room terminals are shown, and who takes the place of the speaker. */
export function Screens({ onClose }: { onClose(): void }) {
  const room = watchRoom();
  const { shown, failed, choose } = useShown();
  const everybody: Participant[] = [room.localParticipant, ...room.remoteParticipants.values()];
  const terminals = everybody.some((p) => kindOf(p) === "terminal");
  return (
    <Panel title={t("screens")} onClose={onClose}>
      <p class="hint">{t(terminals ? "screensHint" : "noScreens")}</p>
      {shown && (
        <div class="screens" data-testid="screens-panel">
          <Choice shown={shown} enabled={terminals} choose={choose} />
          <Place shown={shown} enabled={terminals} everybody={everybody} choose={choose} />
        </div>
      )}
      {failed && (
        <p class="notice bad" role="alert">
          {t("layoutFailed")}
        </p>
      )}
    </Panel>
  );
}

type Choose = (layout: Layout | "", pinned: string) => void;

/** useShown follows what is shown, and changes it. */
function useShown() {
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState(false);
  const turn = useRef(0); // an answer to a question of before a choice is outdated
  useEffect(() => {
    let over = false;
    async function look() {
      const mine = turn.current;
      const answer = await hostCall("GET", "/layout").catch(() => null);
      if (!answer?.ok) return;
      const now = (await answer.json()) as Shown;
      if (!over && mine === turn.current) setShown(now);
    }
    void look();
    const timer = setInterval(() => void look(), everySoOften);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  const choose: Choose = async (layout, pinned) => {
    const mine = ++turn.current;
    const before = shown;
    if (before) setShown({ ...before, layout: layout || before.default, pinned });
    const answer = await hostCall("POST", "/layout", { ...(layout ? { layout } : {}), ...(pinned ? { pinned } : {}) }).catch(() => null);
    if (mine !== turn.current) return; // another choice came
    turn.current++;
    setFailed(!answer?.ok);
    if (!answer?.ok) setShown(before);
  };
  return { shown, failed, choose };
}

/** nameOf is a layout in the visitor's language. */
function nameOf(layout: Layout): string {
  const text = layouts.find(([l]) => l === layout)?.[1];
  return text ? t(text) : layout.replace("x", " × ");
}

function Choice({ shown, enabled, choose }: { shown: Shown; enabled: boolean; choose: Choose }) {
  return (
    <fieldset disabled={!enabled}>
      <legend>{t("layout")}</legend>
      <div class="layouts" role="radiogroup" aria-label={t("layout")}>
        {layouts.map(([layout]) => (
          <button
            key={layout}
            type="button"
            role="radio"
            aria-checked={shown.layout === layout}
            class={shown.layout === layout ? "chosen" : ""}
            data-testid={`layout-${layout}`}
            onClick={() => choose(layout, shown.pinned)}
          >
            <Miniature layout={layout} />
            <span>{nameOf(layout)}</span>
          </button>
        ))}
      </div>
      {shown.layout !== shown.default && (
        <button type="button" class="link" data-testid="layout-default" onClick={() => choose("", shown.pinned)}>
          {t("layoutDefault")}: {nameOf(shown.default)}
        </button>
      )}
    </fieldset>
  );
}

/** Miniature is a picture of a layout, of 16:9. */
function Miniature({ layout }: { layout: Layout }) {
  const [width, height, gap] = [64, 36, 1.5];
  return (
    <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {boxes(layout).map(([x, y, w, h], i) => (
        <rect key={i} class={i === 0 ? "first" : ""} x={x * width + gap / 2} y={y * height + gap / 2} width={w * width - gap} height={h * height - gap} rx="1.500" />
      ))}
      {layout === "lecture" && <path d="M32 9a5 5 0 1 1 0 10a5 5 0 1 1 0-10zM21 31a11 9 0 0 1 22 0z" />}
      {layout === "auto" && <path d="M24 9l2.500 6.500 6.500 2.500-6.500 2.500-2.500 6.500-2.500-6.500-6.500-2.500 6.500-2.500z" />}
    </svg>
  );
}

interface PlaceProps {
  shown: Shown;
  enabled: boolean;
  everybody: Participant[];
  choose: Choose;
}

/** Place chooses who takes the place of the speaker: in a lecture, who gives it. */
function Place({ shown, enabled, everybody, choose }: PlaceProps) {
  const title = t(shown.layout === "lecture" ? "lecturer" : "pinnedPlace");
  const row = (identity: string, name: string, avatar: preact.ComponentChildren, kind: string) => (
    <li key={identity}>
      <button
        type="button"
        role="radio"
        aria-checked={shown.pinned === identity}
        class={shown.pinned === identity ? "chosen" : ""}
        data-testid="pin-place"
        data-identity={identity}
        data-name={name}
        onClick={() => choose(shown.layout === shown.default ? "" : shown.layout, identity)}
      >
        <span class={`avatar small ${kind}`}>{avatar}</span>
        <span class="name">{name}</span>
      </button>
    </li>
  );
  return (
    <fieldset disabled={!enabled}>
      <legend>{title}</legend>
      <ul class="pinning" role="radiogroup" aria-label={title}>
        {row("", t("whoSpeaks"), <Icon name="microphone" />, "")}
        {everybody.map((p) => {
          const kind = kindOf(p);
          const name = p.name || p.identity;
          return row(p.identity, p.isLocal ? `${name} (${t("you")})` : name, kind === "browser" ? initials(name) : <Icon name={kind} />, kind);
        })}
      </ul>
    </fieldset>
  );
}
