import { login, logout, type ActiveSession } from "/auth/client.js";
import { Contacts } from "./Contacts";
import { useSession } from "./useSession";

const TEXTS: Record<string, string> = {
  none: "Your contacts from lexoffice, and no token in this browser.",
  idle: "You were signed out because nothing happened for a while.",
  expired: "Your session has reached its end.",
  grant_ended: "lexoffice has ended the connection.",
  signed_out: "You have signed out.",
  signed_out_elsewhere: "You have signed out elsewhere.",
  "out of reach": "The gateway cannot be reached just now. This page goes on when it can.",
};

export function App() {
  const session = useSession();
  if (session === "unknown") return <main aria-busy="true" />;
  if (typeof session === "string") return <Welcome text={TEXTS[session] ?? "You are signed out."} />;
  return <SignedIn key={session.subject} session={session} />;
}

function Welcome({ text }: { text: string }) {
  return (
    <main className="welcome">
      <h1>Contacts</h1>
      <p>{text}</p>
      <button onClick={() => void login({ popup: true })}>Sign in with lexoffice</button>
    </main>
  );
}

function SignedIn({ session }: { session: ActiveSession }) {
  return (
    <>
      <header>
        <b>{session.claims.organization ?? "lexoffice"}</b>
        <span data-testid="user">{session.claims.name ?? session.subject}</span>
        <button className="plain" onClick={() => void logout()}>
          Sign out
        </button>
      </header>
      <Contacts />
    </>
  );
}
