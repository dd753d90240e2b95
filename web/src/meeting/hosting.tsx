import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./icons";
import { hostCall, watchRoom } from "./session";

interface Guest {
  id: string;
  name: string;
  kind: "browser" | "terminal" | "phone";
  for: "admission" | "host";
}

/** everySoOften is how often a host's page asks who waits, in milliseconds. */
const everySoOften = 2000;

/** Hosting shows a host who waits to be let in, and the lock of the meeting. */
export function Hosting() {
  const me = watchRoom().localParticipant;
  const host = me.attributes["roomgate.role"] === "host";
  const [guests, setGuests] = useState<Guest[]>([]);
  const [locked, setLocked] = useState(false);
  useEffect(() => {
    if (!host) return;
    let over = false;
    async function look() {
      const answer = await hostCall("GET", "/lobby").catch(() => null);
      if (over || !answer?.ok) return;
      setGuests(((await answer.json()) as { waiting: Guest[] }).waiting);
    }
    void look();
    const timer = setInterval(() => void look(), everySoOften);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [host]);
  if (!host) return null;
  const decide = async (guest: Guest, verb: "admit" | "deny") => {
    const answer = await hostCall("POST", `/lobby/${encodeURIComponent(guest.id)}/${verb}`);
    if (answer.ok || answer.status === 404) setGuests((all) => all.filter((g) => g.id !== guest.id));
  };
  const turnKey = async () => {
    if ((await hostCall("POST", locked ? "/unlock" : "/lock")).ok) setLocked(!locked);
  };
  return (
    <div class="hosting" data-testid="hosting">
      <button type="button" class="plain" data-testid="lock" aria-pressed={locked} onClick={() => void turnKey()}>
        <Icon name="lock" /> {t(locked ? "unlockMeeting" : "lockMeeting")}
      </button>
      {guests.length > 0 && (
        <ul class="knocking" role="status" data-testid="waiting">
          {guests.map((g) => (
            <li key={g.id} data-kind={g.kind}>
              <span>
                {g.name} · {t(g.kind)} · {t("waits")}
              </span>
              {g.for === "admission" && (
                <>
                  <button type="button" class="primary" data-testid="admit" onClick={() => void decide(g, "admit")}>
                    {t("admit")}
                  </button>
                  <button type="button" data-testid="deny" onClick={() => void decide(g, "deny")}>
                    {t("deny")}
                  </button>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
