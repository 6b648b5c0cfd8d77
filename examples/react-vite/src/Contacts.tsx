import { useState } from "react";
import { nameOf, rolesOf, useContacts } from "./useContacts";

export function Contacts() {
  const { contacts, changes, isLive, problem } = useContacts();
  const [wanted, setWanted] = useState("");
  const shown = contacts?.filter((contact) => nameOf(contact).toLowerCase().includes(wanted.toLowerCase()));
  return (
    <main aria-busy={!contacts && !problem}>
      <h1>Contacts</h1>
      <p className="state" role="status">
        {problem ?? (isLive ? "Live: what changes at lexoffice shows here." : "Connecting …")}
      </p>
      <input
        type="search"
        placeholder="Filter by name"
        aria-label="Filter by name"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      <ul data-testid="contacts">
        {shown?.map((contact) => (
          <li key={contact.id}>
            {nameOf(contact)} <small>{rolesOf(contact)}</small>
          </li>
        ))}
      </ul>
      {changes.length > 0 && (
        <aside>
          <h2>Just now at lexoffice</h2>
          <ul data-testid="changes">
            {changes.map(({ type, resourceId, date }) => (
              <li key={`${type} ${resourceId} ${date}`}>{type}</li>
            ))}
          </ul>
        </aside>
      )}
    </main>
  );
}
