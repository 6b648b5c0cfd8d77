import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The gateway serves the client, always of its own version: it is no part of the bundle, nor of the dev server. */
const gatewayClient: Plugin = {
  name: "gateway-client",
  enforce: "pre",
  resolveId: (id) => (id.startsWith("/auth/") ? { id, external: true } : null),
  load: (id) => (id.startsWith("/auth/") ? "// Open the app by the gateway's address: it has this file." : null),
};

export default defineConfig({ plugins: [gatewayClient, react()], server: { strictPort: true } });
