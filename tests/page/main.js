// The page of the emulator in a real browser, step by step. One line for each check; the exit code is 1 when something failed.
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { chromium } = require("playwright-core");

const { picture } = require("./picture");
const { send } = require("./service");

/** Address of the page with the token in its query, as the emulator prints it. */
const link = new URL(process.env.PAGE_LINK);
const token = link.searchParams.get("token");
const screenshots = process.env.PAGE_SCREENSHOTS;
const SIZE = { width: 1200, height: 800 };

/** Keys that would do harm if anything took them for more than text. */
const HOSTILE = [
  "<img src=x onerror=\"window.harmed=1\">.txt",
  "\"><script>window.harmed=1</script>.html",
  "' onmouseover='window.harmed=1' x='",
  "javascript:window.harmed=1",
  "line\nbreak\ttab\u0001.txt",
  "invoice\u202efdp.exe",
  "x".repeat(1000),
  "50% & more?version=1#part",
  "{{constructor.constructor('window.harmed=1')()}}",
  "..\u200b/..\u200b/etc/passwd",
];

let page;
let passed = 0;
const noise = [];

async function check(name, work) {
  const started = Date.now();
  await work();
  passed += 1;
  console.log(`ok  ${name} (${Date.now() - started} ms)`);
}

async function shot(name, options = {}) {
  if (!screenshots) return;
  await page.evaluate(() => {
    document.activeElement.blur();
    document.getElementById("message").textContent = "";
  });
  await page.mouse.move(0, 0);
  await page.screenshot({ path: path.join(screenshots, `${name}.png`), ...options });
}

const field = (form, name) => page.locator(`#${form}-form [name="${name}"]`);
const row = (table, text) => page.locator(`#${table} tr`).filter({ hasText: text });
const said = (text) => page.locator("#message").filter({ hasText: text }).waitFor();
const complained = (text) => page.locator("#problem").filter({ hasText: text }).waitFor();
const view = (name) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
const confirm = (label) => page.locator("#confirm").getByRole("button", { name: label }).click();
const file = (name, mimeType, content) => ({ name, mimeType, buffer: Buffer.from(content) });
const here = (name) => page.locator("#crumbs [aria-current]").filter({ hasText: new RegExp(`^${name}$`) }).waitFor();
const crumb = (name) => page.locator("#crumbs").getByRole("link", { name, exact: true }).click();

async function openBucket(name) {
  await view("Buckets");
  await page.locator("#bucket-rows").getByRole("link", { name, exact: true }).click();
  await page.locator("#objects").waitFor();
}

async function openObject(label) {
  await row("object-rows", label).getByRole("button").first().click();
  await page.locator("#object[open]").waitFor();
}

async function watch(context) {
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => noise.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    noise.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => {
    // Refusals that the checks provoke are told by the browser as well.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) noise.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(link.origin)) noise.push(`a request to ${request.url()}`);
  });
}

async function signIn() {
  await check("a visitor without a cookie has to sign in", async () => {
    await page.goto(`${link.origin}/_ui/`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.locator("#views").isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  });
  await check("a wrong token is refused", async () => {
    await page.locator("#token").fill("0".repeat(64));
    await page.keyboard.press("Enter");
    await complained("This is not the token.");
  });
  await check("the token signs in, and is not left in the page", async () => {
    await page.locator("#token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Buckets" }).waitFor();
    assert.ok(!(await page.content()).includes(token));
    assert.equal(await page.evaluate(() => document.cookie), "");
    assert.equal(await page.locator("#token").inputValue(), "");
  });
  await check("the printed link signs in, and the address loses the token", async () => {
    await page.context().clearCookies();
    await page.goto(link.href);
    await page.getByRole("heading", { name: "Buckets" }).waitFor();
    assert.equal(page.url(), `${link.origin}/_ui/`);
  });
}

async function buckets() {
  await check("buckets are created", async () => {
    assert.ok(await page.getByText("There is no bucket yet.").isVisible());
    for (const [name, acl, versions] of [
      ["holiday-pictures", "private", true],
      ["build-artifacts", "private", false],
      ["website", "public-read", false],
      ["hostile", "private", false],
    ]) {
      await field("bucket", "bucket").fill(name);
      await field("bucket", "acl").selectOption(acl);
      await field("bucket", "versioning").setChecked(versions);
      await page.getByRole("button", { name: "Create" }).click();
      await said(`The bucket ${name} was created.`);
    }
    const created = await row("bucket-rows", "website").innerText();
    assert.match(created, /website\s+0\s+0 B\s+public-read\s+off/);
    assert.match(await row("bucket-rows", "holiday-pictures").innerText(), /private\s+enabled/);
    assert.equal((await send("GET", "website")).status, 200);
  });
  await check("what the service refuses is told with its code", async () => {
    await field("bucket", "bucket").fill("Not-A-Name");
    await page.getByRole("button", { name: "Create" }).click();
    await complained("InvalidBucketName");
    await field("bucket", "bucket").fill("website");
    await page.getByRole("button", { name: "Create" }).click();
    await complained("BucketAlreadyExists");
    await field("bucket", "bucket").fill("");
  });
}

async function uploads() {
  await check("files are uploaded by the button", async () => {
    await openBucket("holiday-pictures");
    await page.getByText("Nothing is here.").waitFor();
    await page.locator("#files").setInputFiles([
      file("packing list.txt", "text/plain", "Tent\nTorch\nGood shoes\n"),
      file("evening.png", "image/png", picture(640, 360)),
      file("route.html", "text/html", "<h1>Route</h1><script>window.harmed=1</script>"),
      file("map.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' onload='window.harmed=1'/>"),
    ]);
    await said("4 files were uploaded.");
    assert.equal(await page.locator("#object-rows tr").count(), 4);
    const stored = await send("GET", "holiday-pictures", "packing list.txt");
    assert.equal(stored.text, "Tent\nTorch\nGood shoes\n");
    assert.deepEqual((await send("GET", "holiday-pictures", "evening.png")).bytes, picture(640, 360));
  });
  await check("files are uploaded by dropping them", async () => {
    const files = await page.evaluateHandle(() => {
      const carried = new DataTransfer();
      carried.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
      return carried;
    });
    await page.dispatchEvent("#drop", "dragenter", { dataTransfer: files });
    assert.ok(await page.locator("#drop.over").isVisible());
    await page.dispatchEvent("#drop", "drop", { dataTransfer: files });
    await said("dropped.txt was uploaded.");
    assert.equal((await send("GET", "holiday-pictures", "dropped.txt")).text, "dropped");
    assert.equal(await page.locator("#drop.over").count(), 0);
  });
  await check("a large upload tells how far it is", async () => {
    const network = await page.context().newCDPSession(page);
    await network.send("Network.enable");
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 4 * 1024 * 1024 };
    await network.send("Network.emulateNetworkConditions", slow);
    await openBucket("build-artifacts");
    await page.locator("#files").setInputFiles([file("release.tar", "application/x-tar", Buffer.alloc(4 * 1024 * 1024, 255))]);
    await page.waitForFunction(() => {
      const bar = document.querySelector("#uploads progress");
      return bar && bar.value > 0 && bar.value < 1;
    });
    await said("release.tar was uploaded.");
    await network.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
    assert.match(await row("object-rows", "release.tar").innerText(), /4\.0 MiB/);
    assert.equal(await page.locator("#uploads li").count(), 0);
  });
}

async function browsing() {
  await check("keys with slashes are folders", async () => {
    for (const key of ["2025/winter/ski.jpg", "2026/summer/beach.jpg", "2026/summer/sea.jpg", "2026/summer//odd"]) {
      await send("PUT", "holiday-pictures", key, { body: `not really ${key}`, type: "image/jpeg" });
    }
    await openBucket("holiday-pictures");
    await shot("objects");
    await page.locator("#object-rows").getByRole("link", { name: "2026/" }).click();
    await page.locator("#object-rows").getByRole("link", { name: "summer/" }).click();
    await row("object-rows", "beach.jpg").waitFor();
    assert.equal(await page.locator("#object-rows tr").count(), 3);
    await here("summer");
    await crumb("2026");
    await here("2026");
    await page.goBack();
    await row("object-rows", "sea.jpg").waitFor();
    await crumb("holiday-pictures");
    await row("object-rows", "evening.png").waitFor();
  });
  await check("a beginning narrows the list", async () => {
    await page.getByLabel("Begins with").fill("pack");
    await page.getByRole("button", { name: "Find" }).click();
    await page.waitForFunction(() => document.querySelectorAll("#object-rows tr").length === 1);
    await page.getByLabel("Begins with").fill("");
    await page.keyboard.press("Enter");
    await row("object-rows", "evening.png").waitFor();
  });
  await check("long listings come in pages", async () => {
    for (let number = 0; number < 130; number += 1) {
      await send("PUT", "website", `assets/${String(number).padStart(3, "0")}.js`, { body: "x" });
    }
    await openBucket("website");
    await page.locator("#object-rows").getByRole("link", { name: "assets/" }).click();
    await row("object-rows", "099.js").waitFor();
    assert.equal(await page.locator("#object-rows tr").count(), 100);
    await page.getByRole("button", { name: "Show more" }).click();
    await row("object-rows", "129.js").waitFor();
    assert.equal(await page.locator("#object-rows tr").count(), 130);
    assert.equal(await page.getByRole("button", { name: "Show more" }).isVisible(), false);
  });
}

async function previews() {
  await check("an image is shown", async () => {
    await openBucket("holiday-pictures");
    await openObject("evening.png");
    await page.waitForFunction(() => document.querySelector("#object img")?.naturalWidth === 640);
    const facts = await page.locator("#object dl").innerText();
    assert.match(facts, /image\/png/);
    assert.match(facts, /CRC-64\s+\d+/);
    await shot("preview");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#object[open]").count(), 0);
  });
  await check("text is shown, and markup as text", async () => {
    await openObject("packing list.txt");
    assert.equal(await page.locator("#object pre").innerText(), "Tent\nTorch\nGood shoes\n");
    await page.getByRole("button", { name: "Close" }).click();
    for (const [name, beginning] of [["route.html", "<h1>Route"], ["map.svg", "<svg xmlns"]]) {
      await openObject(name);
      assert.ok((await page.locator("#object pre").innerText()).startsWith(beginning));
      await page.keyboard.press("Escape");
    }
  });
  await check("an object that is opened by itself runs nothing", async () => {
    const other = await page.context().newPage();
    const source = `${link.origin}/_admin/content?bucket=holiday-pictures&key=route.html&as=preview`;
    await other.goto(source);
    assert.equal(await other.evaluate(() => document.querySelectorAll("h1").length), 0);
    assert.match(await other.evaluate(() => document.body.innerText), /<script>/);
    await other.close();
  });
  await check("what cannot be shown can be downloaded", async () => {
    await openBucket("build-artifacts");
    await openObject("release.tar");
    await page.locator("#object").getByText("Only text and images").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#object").getByRole("link", { name: "Download" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "release.tar");
    const saved = require("node:fs").readFileSync(await download.path());
    assert.deepEqual([saved.length, saved[0], saved.at(-1)], [4 * 1024 * 1024, 255, 255]);
    await page.keyboard.press("Escape");
  });
}

async function hostileNames() {
  await check("names are text, whatever they contain", async () => {
    for (const key of HOSTILE) {
      const put = await send("PUT", "hostile", key, { body: `content ${HOSTILE.indexOf(key)}`, type: "text/html" });
      assert.equal(put.status, 200, `${JSON.stringify(key)}: ${put.text}`);
    }
    await openBucket("hostile");
    const scripts = await page.locator("script").count();
    const keys = HOSTILE.filter((key) => !key.includes("/"));
    for (const key of keys) {
      // Whatever is not seen is written out.
      const unseen = /[\u0000-\u001f\u200b-\u200f\u202a-\u202e]/g;
      const label = key.replace(unseen, (c) => `‹U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
      const found = page.locator("#object-rows").getByRole("button", { name: label, exact: true });
      await found.click();
      await page.locator("#object[open]").waitFor();
      assert.equal(await page.locator("#object-title").textContent(), label);
      assert.equal(await page.locator("#object pre").textContent(), `content ${HOSTILE.indexOf(key)}`);
      await page.keyboard.press("Escape");
    }
    assert.equal(await page.locator("script").count(), scripts);
    assert.equal(await page.locator("#object-rows img, #object-rows script, #object-rows [onmouseover]").count(), 0);
  });
  await check("hostile names can be uploaded, walked into and deleted", async () => {
    await page.locator("#files").setInputFiles([file("<b onclick=window.harmed=1>&amp;.txt", "text/plain", "mine")]);
    await said("was uploaded.");
    assert.equal((await send("GET", "hostile", "<b onclick=window.harmed=1>&amp;.txt")).text, "mine");
    await page.locator("#object-rows").getByRole("link", { name: "..‹U+200B›/" }).click();
    await page.locator("#object-rows").getByRole("link", { name: "..‹U+200B›/" }).click();
    await page.locator("#object-rows").getByRole("link", { name: "etc/" }).click();
    await row("object-rows", "passwd").waitFor();
    await crumb("hostile");
    for (const key of HOSTILE.filter((name) => name.includes("harmed") && !name.includes("/"))) {
      await page.locator("#object-rows").getByRole("button", { name: `Delete ${key}`, exact: true }).click();
      assert.ok((await page.locator("#confirm-text").textContent()).startsWith(key));
      await confirm("Delete");
      await said("was deleted.");
      assert.equal((await send("HEAD", "hostile", key)).status, 404);
    }
  });
  await check("an error that repeats a name is text as well", async () => {
    await page.goto(`${link.origin}/_ui/#/bucket/${encodeURIComponent("<img src=x onerror=window.harmed=1>")}`);
    await complained("NoSuchBucket");
    assert.equal(await page.locator("main img").count(), 0);
    await view("Buckets");
  });
}

async function versions() {
  await check("older versions are listed, viewed and deleted", async () => {
    await openBucket("holiday-pictures");
    await page.locator("#files").setInputFiles([file("packing list.txt", "text/plain", "Tent\nTorch\nSun cream\n")]);
    await said("was uploaded.");
    await openObject("packing list.txt");
    const list = page.locator("#object-versions tbody tr");
    assert.equal(await list.count(), 2);
    await list.nth(1).getByRole("button", { name: "View" }).click();
    await page.locator("#object pre").filter({ hasText: "Good shoes" }).waitFor();
    await shot("versions");
    await list.nth(1).getByRole("button", { name: "Delete" }).click();
    await confirm("Delete");
    await page.locator("#object pre").filter({ hasText: "Sun cream" }).waitFor();
    assert.equal(await list.count(), 1);
    await page.keyboard.press("Escape");
  });
  await check("deleting asks first, and a marker can be taken away", async () => {
    const remove = () => row("object-rows", "packing list.txt").getByRole("button", { name: "Delete" }).click();
    await remove();
    assert.equal(await page.evaluate(() => document.activeElement.id), "confirm-no");
    await confirm("Cancel");
    assert.equal((await send("HEAD", "holiday-pictures", "packing list.txt")).status, 200);
    await remove();
    await page.keyboard.press("Escape");
    assert.equal((await send("HEAD", "holiday-pictures", "packing list.txt")).status, 200);
    await remove();
    await confirm("Delete");
    await said("its versions are kept");
    assert.equal((await send("GET", "holiday-pictures", "packing list.txt")).code, "NoSuchKey");
    await row("object-rows", "packing list.txt").waitFor({ state: "detached" });
    await page.getByRole("checkbox", { name: "all versions" }).check();
    const marker = row("object-rows", "packing list.txt").filter({ hasText: "deleted" });
    await marker.getByRole("button", { name: "Delete" }).click();
    await confirm("Delete");
    await said("was deleted.");
    assert.equal((await send("GET", "holiday-pictures", "packing list.txt")).text, "Tent\nTorch\nSun cream\n");
    await page.getByRole("checkbox", { name: "all versions" }).uncheck();
    await row("object-rows", "packing list.txt").waitFor();
  });
  await check("a bucket that is not empty is not deleted, an empty one is", async () => {
    await view("Buckets");
    await row("bucket-rows", "hostile").getByRole("button", { name: "Delete" }).click();
    await confirm("Delete");
    await complained("BucketNotEmpty");
    await field("bucket", "bucket").fill("short-lived");
    await page.getByRole("button", { name: "Create" }).click();
    await said("short-lived was created.");
    await row("bucket-rows", "short-lived").getByRole("button", { name: "Delete" }).click();
    await confirm("Delete");
    await said("short-lived was deleted.");
    assert.equal((await send("GET", "short-lived")).code, "NoSuchBucket");
    await row("bucket-rows", "holiday-pictures").getByRole("button", { name: "Suspend" }).click();
    await said("suspended");
    await row("bucket-rows", "holiday-pictures").getByRole("button", { name: "Keep" }).click();
    await said("enabled");
    await shot("buckets");
  });
}

async function faults() {
  const get = () => send("GET", "holiday-pictures", "dropped.txt");
  await check("a fault is switched on, and requests fail", async () => {
    await view("Faults");
    await page.getByText("No fault is switched on.").waitFor();
    await field("fault", "kind").selectOption("status");
    await field("fault", "argument").fill("503:ServiceBusy");
    await field("fault", "operation").fill("GetObject");
    await field("fault", "pattern").fill("drop*");
    await field("fault", "times").fill("always");
    await page.getByRole("button", { name: "Switch on" }).click();
    await said("was switched on.");
    await row("fault-rows", "status:503:ServiceBusy").waitFor();
    const failed = await get();
    assert.deepEqual([failed.status, failed.code], [503, "ServiceBusy"]);
    assert.equal((await send("GET", "holiday-pictures", "evening.png")).status, 200);
  });
  await check("the list counts its hits by itself", async () => {
    await page.waitForFunction(() => document.querySelector("#fault-rows tr")?.children[5].textContent === "1");
    await field("fault", "kind").selectOption("latency");
    await field("fault", "bucket").fill("website");
    await field("fault", "operation").fill("");
    await field("fault", "pattern").fill("assets/*");
    await field("fault", "times").fill("25");
    await field("fault", "probability").fill("0.1");
    await page.getByRole("button", { name: "Switch on" }).click();
    await row("fault-rows", "latency:200ms:50ms").waitFor();
    await shot("faults");
  });
  await check("a wrong fault is refused", async () => {
    await field("fault", "kind").selectOption("status");
    await field("fault", "argument").fill("often");
    await page.getByRole("button", { name: "Switch on" }).click();
    await complained("BadRequest");
  });
  await check("a failed request is listed with its fault", async () => {
    await view("Requests");
    const failed = page.locator("#request-rows tr").filter({ hasText: "ServiceBusy" }).first();
    await failed.waitFor();
    const text = await failed.innerText();
    for (const part of ["GetObject", "holiday-pictures/dropped.txt", "503", "status:503:ServiceBusy"]) assert.ok(text.includes(part), text);
    await shot("requests");
  });
  await check("switched off, requests succeed", async () => {
    await view("Faults");
    await row("fault-rows", "status:503").getByRole("button", { name: "Remove" }).click();
    await said("was switched off.");
    assert.equal((await get()).text, "dropped");
    await page.getByRole("button", { name: "Remove all" }).click();
    await page.getByText("No fault is switched on.").waitFor();
  });
}

async function requests() {
  await check("a request shows the string to sign that was verified", async () => {
    const sent = await send("PUT", "holiday-pictures", "signed here.txt", { body: "x", type: "text/plain" });
    await view("Requests");
    const line = row("request-rows", "signed here.txt").first();
    await line.getByRole("button", { name: "Details" }).click();
    assert.equal(await page.locator("#request-rows pre.signed").textContent(), sent.signed);
    const details = await page.locator("#request-rows tr.details:visible").innerText();
    assert.match(details, /authorization: OSS .*:\*\*\*/);
    await shot("string-to-sign");
  });
  await check("new requests appear by themselves and leave details open", async () => {
    await send("PUT", "holiday-pictures", "later.txt", { body: "x" });
    await row("request-rows", "later.txt").first().waitFor();
    assert.ok(await page.locator("#request-rows pre.signed").isVisible());
    assert.equal((await page.locator("#request-rows tr").first().innerText()).includes("later.txt"), true);
  });
  await check("requests are narrowed and forgotten", async () => {
    await page.getByLabel("Only with").fill("later");
    assert.equal(await page.locator("#request-rows tr:visible").count(), 1);
    await page.getByLabel("Only with").fill("");
    await page.getByRole("button", { name: "Forget all" }).click();
    await page.getByText("No request was seen.").waitFor();
  });
}

async function clock() {
  const ask = () => send("GET", "website");
  await check("the clock goes forward, and signatures are too old", async () => {
    await view("Clock");
    await page.getByLabel("Go forward by").fill("2");
    await page.getByRole("button", { name: "Go", exact: true }).click();
    await said("The clock went forward.");
    await page.locator("#clock-state").filter({ hasText: "ahead of" }).waitFor();
    assert.equal((await ask()).code, "RequestTimeTooSkewed");
  });
  await check("the clock stands, is set, and goes back", async () => {
    await page.getByRole("button", { name: "Stop the clock" }).click();
    await said("stands still");
    await page.getByLabel("Show (UTC)").fill("2030-01-31T08:05:09");
    await page.getByRole("button", { name: "Set" }).click();
    await page.locator("#clock-now").filter({ hasText: "2030-01-31 08:05:09 UTC" }).waitFor();
    await page.locator("#time").filter({ hasText: "2030-01-31" }).waitFor();
    await shot("clock");
    await page.getByRole("button", { name: "Back to the system's time" }).click();
    await said("goes with the system's");
    assert.equal((await ask()).status, 200);
  });
}

async function usable() {
  await check("everything has a name, on every view", async () => {
    for (const name of ["Buckets", "Requests", "Faults", "Clock"]) {
      await view(name);
      await page.waitForTimeout(100);
      const nameless = await page.evaluate(() => {
        const seen = (control) => control.checkVisibility();
        const fields = [...document.querySelectorAll("input, select")].filter(seen).filter((field) => !field.labels.length);
        const buttons = [...document.querySelectorAll("button, a")].filter(seen)
          .filter((button) => !(button.getAttribute("aria-label") || button.textContent.trim()));
        return [...fields, ...buttons].map((control) => control.outerHTML);
      });
      assert.deepEqual(nameless, [], name);
    }
  });
  await check("the keyboard reaches everything", async () => {
    await page.goto(`${link.origin}/_ui/#/bucket/holiday-pictures`);
    await row("object-rows", "evening.png").waitFor();
    await page.evaluate(() => document.activeElement.blur());
    const reached = new Set();
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id));
    }
    for (const wanted of ["Skip to the content", "Requests", "Sign out", "files", "find", "all-versions", "evening.png", "Delete"]) {
      assert.ok(reached.has(wanted), `${wanted} in ${[...reached].join(", ")}`);
    }
  });
  await check("it fits a narrow window and a dark one", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    await page.setViewportSize(SIZE);
    await page.emulateMedia({ colorScheme: "dark" });
    const [ground, text] = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color].map((color) => color.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0));
    });
    assert.ok(ground < 150 && text > 600, `${ground} and ${text}`);
    await openObject("evening.png");
    await page.waitForFunction(() => document.querySelector("#object img")?.naturalWidth === 640);
    await shot("dark");
    await page.keyboard.press("Escape");
    await page.emulateMedia({ colorScheme: "light" });
  });
}

async function signOut() {
  await check("signing out ends it", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    const status = await page.evaluate(async () => (await fetch("/_admin/buckets")).status);
    assert.equal(status, 401);
  });
  await check("nothing that was shown ran, and nothing came from elsewhere", async () => {
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    assert.deepEqual(noise, []);
  });
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
  console.log(`    ${path.basename(process.env.CHROMIUM)} ${browser.version()}`);
  try {
    await watch(await browser.newContext({ viewport: SIZE, reducedMotion: "reduce" }));
    for (const part of [signIn, buckets, uploads, browsing, previews, hostileNames, versions, faults, requests, clock, usable, signOut]) {
      await part();
    }
    console.log(`${passed} checks passed`);
  } catch (error) {
    console.log(`FAILED after ${passed} checks: ${error.stack}`);
    for (const line of noise) console.log(`    ${line}`);
    if (page && process.env.PAGE_FAILURE) {
      await page.screenshot({ path: process.env.PAGE_FAILURE }).catch(() => {});
      console.log(`    the page as it was: ${process.env.PAGE_FAILURE}`);
    }
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

main();
