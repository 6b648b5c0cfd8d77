import { useEffect, useState } from "react";
import { onSession, session, type ActiveSession, type InactiveReason } from "/auth/client.js";

type Found = ActiveSession | InactiveReason | "unknown" | "out of reach";

/** Tells who is signed in, or why nobody is, whatever tab that came about in; an outage signs nobody out. */
export function useSession(): Found {
  const [found, setFound] = useState<Found>("unknown");
  useEffect(() => {
    const stop = onSession((news) => setFound(news.active ? news : news.reason));
    session().catch(() => setFound((before) => (before === "unknown" ? "out of reach" : before)));
    return stop;
  }, []);
  return found;
}
