import { useEffect, useState } from "react";
import { onSessionEnded, session, type ActiveSession, type InactiveReason } from "/auth/client.js";

type Found = ActiveSession | InactiveReason | "unknown" | "out of reach";

/** Tells who is signed in, or why nobody is; a gateway that cannot say has signed nobody out. */
export function useSession(): Found {
  const [found, setFound] = useState<Found>("unknown");
  useEffect(() => {
    const stop = onSessionEnded(({ reason }) => setFound(reason));
    session().then(
      (answer) => setFound(answer.active ? answer : answer.reason),
      () => setFound("out of reach"),
    );
    return stop;
  }, []);
  return found;
}
