import { defineConfig } from "vite";

// Three pages, no server of their own: the gateway embeds what is built here and
// serves index.html at / and meeting.html at /m/{alias} and console.html at /console. dist itself stays,
// with its .keep, so that the Go package compiles before the first build.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2022",
    chunkSizeWarningLimit: 700,
    rollupOptions: { input: { index: "index.html", meeting: "meeting.html", console: "console.html" } },
  },
});
