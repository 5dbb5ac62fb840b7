// Starts an emulator, talks to it and stops it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export async function startEmulator(program = "oss-emulator") {
  const child = spawn(program, ["--port", "0", "--access-key", "test:test-secret"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), ended]);
  if (typeof line !== "string" || !line.startsWith("listening on ")) {
    throw new Error("the emulator does not start");
  }
  return {
    endpoint: line.slice("listening on ".length).trim(),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

// Not when a test imports the function.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const emulator = await startEmulator(process.argv[2]);
  const answer = await fetch(`${emulator.endpoint}/healthz`);
  console.log(emulator.endpoint, answer.status);
  await emulator.stop();
}
