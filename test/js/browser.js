// Browser is the headless Chromium that tests drive.

import {existsSync} from "node:fs"
import {mkdtemp, readFile, rm} from "node:fs/promises"
import {tmpdir} from "node:os"
import {join, normalize} from "node:path"
import {fileURLToPath} from "node:url"

import {chromium} from "playwright-core"

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
const HERE = fileURLToPath(new URL(".", import.meta.url))

export const executablePath = () => [process.env.CHROMIUM, "/usr/bin/chromium"].find(path => path && existsSync(path))

// launch starts Chromium with a profile of its own, and perhaps more flags; close ends it and removes
// the profile.
export async function launch(options = {}, flags = []) {
  const profile = await mkdtemp(join(tmpdir(), "roost-chromium-"))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executablePath(), headless: true, args: [...FLAGS, ...flags], ...options,
  })
  return {
    context,
    close: async () => { await context.close(); await rm(profile, {recursive: true, force: true, maxRetries: 3}) },
  }
}

// serveHarness lets a page import this folder's modules from /harness/ of its own host.
export async function serveHarness(page) {
  await page.route("**/harness/**", async route => {
    const path = normalize(new URL(route.request().url()).pathname.replace("/harness/", ""))
    await route.fulfill({body: await readFile(join(HERE, path)), contentType: "text/javascript"})
  })
}
