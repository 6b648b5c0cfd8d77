// @ts-check
/** Texts of one view, in both languages, loaded with it. */

export const de = {
  title: "Ihre Sitzungen",
  lead: "Hier sind Sie angemeldet. Beenden Sie, was Sie nicht kennen oder nicht mehr brauchen.",
  list: "Sitzungen",
  current: "Diese Sitzung",
  unknownPlace: "Ort unbekannt",
  /** @param {string} address as much of it as is kept */
  address: (address) => `IP-Adresse ${address}`,
  since: "Angemeldet seit",
  seen: "Zuletzt aktiv",
  ends: "Endet spätestens",
  now: "gerade eben",
  end: "Beenden",
  signOut: "Abmelden",
  /** @param {string} device */
  endOf: (device) => `Sitzung beenden: ${device}`,
  /** @param {string} device */
  ending: (device) => `Wird beendet: ${device} …`,
  /** @param {string} device */
  ended: (device) => `Beendet: ${device}. Dort ist niemand mehr angemeldet.`,
  /** @param {string} device */
  gone: (device) => `${device}: Diese Sitzung war schon beendet.`,
  others: "Alle anderen beenden",
  /** @param {number} n */
  othersEnded: (n) => (n === 1 ? "1 andere Sitzung wurde beendet." : `${n} andere Sitzungen wurden beendet.`),
  everywhere: "Überall abmelden",
  only: "Nur diese",
  onlyText: "Sie sind sonst nirgends angemeldet.",
  askSignOut: {
    title: "Hier abmelden?",
    text: "Dies ist die Sitzung, in der Sie gerade arbeiten. Alle Tabs dieses Browsers werden abgemeldet.",
    yes: "Abmelden",
  },
  /** @param {number} n */
  askOthers: (n) => ({
    title: n === 1 ? "1 andere Sitzung beenden?" : `${n} andere Sitzungen beenden?`,
    text: "Wer dort arbeitet, wird sofort abgemeldet. Diese Sitzung bleibt.",
    yes: n === 1 ? "1 Sitzung beenden" : `${n} Sitzungen beenden`,
  }),
  /** @param {number} n */
  askEverywhere: (n) => ({
    title: "Überall abmelden?",
    text: n === 1 ? "Auch diese Sitzung endet, und Sie verlassen diese Seite."
      : `Alle ${n} Sitzungen enden, auch diese, und Sie verlassen diese Seite.`,
    yes: "Überall abmelden",
  }),
};

/** @type {typeof de} */
export const en = {
  title: "Your sessions",
  lead: "This is where you are signed in. End what you do not know or no longer need.",
  list: "Sessions",
  current: "This session",
  unknownPlace: "Place unknown",
  address: (address) => `IP address ${address}`,
  since: "Signed in since",
  seen: "Last active",
  ends: "Ends at the latest",
  now: "just now",
  end: "End",
  signOut: "Sign out",
  endOf: (device) => `End session: ${device}`,
  ending: (device) => `Ending: ${device} …`,
  ended: (device) => `Ended: ${device}. Nobody is signed in there any more.`,
  gone: (device) => `${device}: this session had already ended.`,
  others: "End all others",
  othersEnded: (n) => (n === 1 ? "1 other session was ended." : `${n} other sessions were ended.`),
  everywhere: "Sign out everywhere",
  only: "Only this one",
  onlyText: "You are signed in nowhere else.",
  askSignOut: {
    title: "Sign out here?",
    text: "This is the session that you are working in. All tabs of this browser are signed out.",
    yes: "Sign out",
  },
  askOthers: (n) => ({
    title: n === 1 ? "End 1 other session?" : `End ${n} other sessions?`,
    text: "Whoever works there is signed out at once. This session stays.",
    yes: n === 1 ? "End 1 session" : `End ${n} sessions`,
  }),
  askEverywhere: (n) => ({
    title: "Sign out everywhere?",
    text: n === 1 ? "This session ends as well, and you leave this page."
      : `All ${n} sessions end, this one as well, and you leave this page.`,
    yes: "Sign out everywhere",
  }),
};
