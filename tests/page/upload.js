// A form of the SDK in a real browser: the page of the example `browser_upload` sends files straight to the service. One line
// for each check; the exit code is 1 when something failed.
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { chromium } = require("playwright-core");

const { picture } = require("./picture");
const { send } = require("./service");

const address = process.env.UPLOAD_PAGE;
const bucket = process.env.UPLOAD_BUCKET;

let passed = 0;

async function check(name, work) {
  const started = Date.now();
  await work();
  passed += 1;
  console.log(`ok  ${name} (${Date.now() - started} ms)`);
}

/** Chooses a file, presses the button, and returns what the page says then. */
async function upload(page, name, mimeType, content) {
  await page.locator("input[type=file]").setInputFiles({ name, mimeType, buffer: Buffer.from(content) });
  await page.getByRole("button", { name: "Upload" }).click();
  const status = page.getByRole("status").filter({ hasText: /^(uploaded|refused|failed)/ });
  await status.waitFor();
  return status.textContent();
}

async function checks(page) {
  await page.goto(address);
  const prefix = await page.locator("[name=x-oss-meta-visitor]").inputValue();
  await check("a file arrives as it is", async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251));
    assert.equal(await upload(page, "bytes ü&<1>.txt", "text/plain", content), `uploaded as visitor-${prefix}/bytes ü&<1>.txt`);
    const stored = await send("GET", bucket, `visitor-${prefix}/bytes ü&<1>.txt`);
    assert.equal(stored.status, 200);
    assert.ok(content.equals(stored.bytes));
  });
  await check("a picture arrives too, by the same form", async () => {
    const image = picture(64, 40);
    assert.equal(await upload(page, "evening.png", "image/png", image), `uploaded as visitor-${prefix}/evening.png`);
    const stored = await send("GET", bucket, `visitor-${prefix}/evening.png`);
    assert.ok(Buffer.from(image).equals(stored.bytes));
  });
  await check("a file that is too large is refused", async () => {
    assert.equal(await upload(page, "large.txt", "text/plain", Buffer.alloc(1024 * 1024 + 1)), "refused: EntityTooLarge");
    assert.equal((await send("GET", bucket, `visitor-${prefix}/large.txt`)).status, 404);
  });
  await check("an empty file is refused", async () => {
    assert.equal(await upload(page, "empty.txt", "text/plain", ""), "refused: EntityTooSmall");
  });
  await check("a type that the policy does not name is refused", async () => {
    assert.equal(await upload(page, "page.html", "text/html", "<p>"), "refused: AccessDenied");
  });
  await check("a changed field is refused", async () => {
    for (const [name, value] of [["key", "elsewhere/${filename}"], ["x-oss-object-acl", "public-read"], ["x-oss-meta-visitor", "0"]]) {
      await page.goto(address);
      await page.evaluate(([name, value]) => (document.querySelector("form").elements[name].value = value), [name, value]);
      assert.equal(await upload(page, "a.txt", "text/plain", "a"), "refused: AccessDenied");
    }
  });
  await check("the browser sends the form by itself, without the script", async () => {
    await page.goto(address);
    const visitor = await page.locator("[name=x-oss-meta-visitor]").inputValue();
    await page.locator("input[type=file]").setInputFiles({ name: "plain.txt", mimeType: "text/plain", buffer: Buffer.from("plain") });
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "POST"),
      page.evaluate(() => HTMLFormElement.prototype.submit.call(document.querySelector("form"))),
    ]);
    assert.equal(answer.status(), 201);
    assert.equal((await send("GET", bucket, `visitor-${visitor}/plain.txt`)).text, "plain");
  });
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
  console.log(`    ${path.basename(process.env.CHROMIUM)} ${browser.version()}`);
  try {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    await checks(page);
    console.log(`${passed} checks passed`);
  } catch (error) {
    console.log(`FAILED after ${passed} checks: ${error.stack}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

main();
