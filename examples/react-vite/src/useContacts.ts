import { useEffect, useState } from "react";
import { events, fetch, type LexofficeEvent } from "/auth/client.js";

export interface Contact {
  id: string;
  company?: { name: string };
  person?: { firstName?: string; lastName: string };
  roles: { customer?: { number: number }; vendor?: { number: number } };
}

interface Known {
  contacts: Contact[] | undefined;
  /** What changed at lexoffice since the page was opened, the last first. */
  changes: LexofficeEvent[];
  isLive: boolean;
  problem: string | undefined;
}

const URL = "/api/v1/contacts?page=0&size=100";
const KEPT = 5;

/** Reads the contacts, and reads them again when lexoffice says that one changed, or may have. */
export function useContacts(): Known {
  const [known, setKnown] = useState<Known>({ contacts: undefined, changes: [], isLive: false, problem: undefined });
  useEffect(() => {
    const leaving = new AbortController();
    const note = (news: Partial<Known>) => leaving.signal.aborted || setKnown((before) => ({ ...before, ...news }));
    const read = async (init?: RequestInit) => {
      try {
        const response = await fetch(URL, { ...init, signal: leaving.signal });
        if (!response.ok) throw new Error(`lexoffice answered ${response.status}`);
        note({ contacts: (await response.json()).content, problem: undefined });
      } catch (error) {
        note({ problem: error instanceof Error ? error.message : String(error) });
      }
    };
    const stop = events({
      changed: (event) => {
        setKnown((before) => ({ ...before, changes: [event, ...before.changes].slice(0, KEPT) }));
        if (event.type.startsWith("contact.")) void read({ cache: "no-cache" });
      },
      missed: () => void read({ cache: "no-cache" }),
      live: (isLive) => note({ isLive }),
    });
    void read();
    return () => {
      leaving.abort();
      stop();
    };
  }, []);
  return known;
}

export function nameOf({ company, person }: Contact): string {
  return company?.name ?? [person?.firstName, person?.lastName].filter(Boolean).join(" ");
}

export function rolesOf({ roles }: Contact): string {
  return [roles.customer && "customer", roles.vendor && "vendor"].filter(Boolean).join(", ");
}
