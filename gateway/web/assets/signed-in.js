// @ts-check
/** The page at which a sign-in in a window of its own ends: tells the app's tabs, and closes the window where it may. */

const channel = new BroadcastChannel("lexgate");
channel.postMessage({ type: "signed-in" });
channel.close();
// Without effect where the window was not opened by a script: the page says what to do.
window.close();

export {};
