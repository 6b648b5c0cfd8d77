// @ts-check
/** Sets the chosen appearance before anything is painted, so that nothing flashes; the rest is the app's. */
try {
  const theme = localStorage.getItem("lexgate.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's appearance it is.
}
