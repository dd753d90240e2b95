import { useEffect, useRef } from "preact/hooks";
import { Track, type RemoteTrackPublication } from "livekit-client";
import { watchRoom } from "./session";

/** Sound plays what everybody else publishes, whatever is on the stage. */
export function Sound() {
  const room = watchRoom();
  const publications: RemoteTrackPublication[] = [];
  for (const p of room.remoteParticipants.values()) {
    for (const publication of p.audioTrackPublications.values()) {
      if (publication.track?.kind === Track.Kind.Audio) publications.push(publication);
    }
  }
  return (
    <>
      {publications.map((publication) => (
        <Voice key={publication.trackSid} publication={publication} />
      ))}
    </>
  );
}

function Voice({ publication }: { publication: RemoteTrackPublication }) {
  const audio = useRef<HTMLAudioElement>(null);
  const track = publication.track;
  useEffect(() => {
    const element = audio.current;
    if (!track || !element) return;
    track.attach(element);
    return () => void track.detach(element);
  }, [track]);
  return <audio ref={audio} autoplay />;
}
