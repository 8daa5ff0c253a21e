import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Writes src/gql again when a file with a query is saved: the types come from there, and the text that is sent. */
function codegen(): Plugin {
  let running: Promise<void> = Promise.resolve();
  const run = () =>
    new Promise<void>((resolve) => {
      execFile("npm", ["run", "codegen"], (error, output) => {
        if (error) console.error(output);
        resolve();
      });
    });
  return {
    name: "codegen",
    configureServer(server) {
      server.watcher.on("all", (event, file) => {
        const isSource = /\.tsx?$/.test(file) && !file.includes("/src/gql/");
        if (event === "unlink" || !isSource || !readFileSync(file, "utf8").includes("graphql(`")) return;
        running = running.then(run);
      });
    },
  };
}

// The origin of these pages is in WAYMARK_ALLOWED_ORIGINS of the server, so the port must not change by itself.
export default defineConfig({
  plugins: [react(), codegen()],
  server: { host: "127.0.0.1", port: 5173, strictPort: true },
  preview: { host: "127.0.0.1", port: 4173, strictPort: true },
});
