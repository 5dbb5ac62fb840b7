// The page of the management listener. It has no state of its own: everything it shows comes from /_admin, and everything that
// comes from there is put into the document as text, never as markup.
"use strict";

// ---- the document -------------------------------------------------------------------------------------------------------------

const at = (id) => document.getElementById(id);

/** An element. Properties are set as attributes, except listeners (`onclick`) and the few that only work as properties. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "max") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

const button = (label, onclick, properties = {}) =>
  element("button", { type: "button", class: "small", onclick, ...properties }, label);

const cell = (content, kind) => element("td", { class: kind }, content);

// Characters that are not seen, or that turn the text around them, would make one key look like another.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u;

/** A name as it is, with what cannot be seen written out. */
function shown(text) {
  const parts = [];
  let plain = "";
  for (const character of text) {
    if (UNSEEN.test(character)) {
      const number = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      if (plain) parts.push(plain);
      plain = "";
      parts.push(element("span", { class: "control code", title: `the character U+${number}` }, `‹U+${number}›`));
    } else {
      plain += character;
    }
  }
  if (plain) parts.push(plain);
  return element("bdi", {}, parts);
}

/** The same as plain text, for titles and labels. */
const plainly = (text) => shown(text).textContent;

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1024;
    unit += 1;
  } while (value >= 1023.95 && unit < units.length - 1);
  return `${value.toFixed(1)} ${units[unit]}`;
}

const when = (time) => (time ? time.replace("T", " ").replace(/(\.\d+)?Z$/, "") : "");
const took = (micros) => (micros < 1000 ? `${micros} µs` : micros < 1e6 ? `${(micros / 1000).toFixed(1)} ms` : `${(micros / 1e6).toFixed(2)} s`);

let silence;
function tell(text) {
  calm();
  at("message").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { at("message").textContent = ""; }, 6000);
}

function complain(error) {
  if (error instanceof SignedOut) return;
  at("message").textContent = "";
  // What is said already is not said again, every other second.
  if (at("problem").textContent !== error.message) at("problem").textContent = error.message;
}

/** What was said before has been read. */
function calm() {
  at("message").textContent = "";
  at("problem").textContent = "";
}

/** Runs something and shows why it failed. */
async function attempt(work) {
  try {
    calm();
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** Asks before something that cannot be undone. */
function confirmed(title, text, action) {
  const dialog = at("confirm");
  at("confirm-title").textContent = title;
  at("confirm-text").textContent = text;
  at("confirm-yes").textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  at("confirm-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
at("confirm-yes").addEventListener("click", () => at("confirm").close("yes"));
at("confirm-no").addEventListener("click", () => at("confirm").close(""));

// ---- the listener -------------------------------------------------------------------------------------------------------------

class SignedOut extends Error {}

function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given).toString();
  return `/_admin/${path}${query ? `?${query}` : ""}`;
}

async function failure(answer) {
  if (answer.status === 401) {
    show("login");
    return new SignedOut("Sign in first.");
  }
  const told = await answer.json().catch(() => ({}));
  return new Error(told.error ? `${told.error.code}: ${told.error.message}` : `The emulator answered ${answer.status}.`);
}

async function ask(method, path, parameters, content) {
  const options = { method };
  if (content !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(content);
  }
  let answer;
  try {
    answer = await fetch(address(path, parameters), options);
  } catch {
    throw new Error("The emulator does not answer.");
  }
  if (!answer.ok) throw await failure(answer);
  return answer.json();
}

const read = (path, parameters) => ask("GET", path, parameters);

// ---- views --------------------------------------------------------------------------------------------------------------------

const VIEWS = ["login", "buckets", "objects", "requests", "faults", "clock"];
/** How often views refresh themselves, in milliseconds. */
const REFRESH = 2000;
let view = "";

function show(name) {
  view = name;
  for (const other of VIEWS) at(other).hidden = other !== name;
  const inside = name !== "login";
  for (const id of ["views", "leave", "time"]) at(id).hidden = !inside;
  for (const link of at("views").children) {
    const is = link.hash === `#/${name === "objects" ? "buckets" : name}`;
    if (is) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!inside) {
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    at("token").focus();
  }
}

const place = (bucket, prefix = "") =>
  `#/bucket/${encodeURIComponent(bucket)}${prefix ? `/${encodeURIComponent(prefix)}` : ""}`;

/** Goes where the address says. */
async function follow() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  let parts;
  try {
    parts = rest.map(decodeURIComponent);
  } catch {
    parts = [];
  }
  if (at("object").open) at("object").close();
  const before = view;
  await attempt(async () => {
    if (name === "bucket" && parts[0]) {
      Object.assign(here, { bucket: parts[0], prefix: parts[1] || "" });
      at("find").value = "";
      show("objects");
      await listObjects();
    } else if (name === "requests" || name === "faults" || name === "clock") {
      show(name);
      await ({ requests: listRequests, faults: listFaults, clock: readClock })[name]();
    } else {
      show("buckets");
      await listBuckets();
    }
  });
  if (before && before !== view && view !== "login") at("main").focus({ preventScroll: true });
}

function tick() {
  if (document.hidden || !view || view === "login") return;
  const quietly = (work) => work().catch((error) => complain(error));
  if (view === "requests" && at("request-refresh").checked) quietly(listRequests);
  if (view === "faults") quietly(listFaults);
  quietly(readClock);
}

// ---- signing in ---------------------------------------------------------------------------------------------------------------

at("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const token = at("token").value;
    const answer = await fetch("/_ui/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.status === 401) throw new Error("This is not the token.");
    if (!answer.ok) throw await failure(answer);
    at("token").value = "";
    await begin();
  });
});

at("leave").addEventListener("click", () =>
  attempt(async () => {
    await fetch("/_ui/logout", { method: "POST" });
    show("login");
  }));

// ---- buckets ------------------------------------------------------------------------------------------------------------------

async function listBuckets() {
  const { buckets } = await read("buckets");
  at("no-buckets").hidden = buckets.length > 0;
  at("bucket-rows").replaceChildren(...buckets.map(bucketRow));
}

function bucketRow(bucket) {
  const versioned = bucket.versioning === "Enabled";
  const state = bucket.versioning === "Unversioned" ? "off" : bucket.versioning.toLowerCase();
  const isOpen = bucket.acl !== "private";
  return element("tr", {},
    cell(element("a", { href: place(bucket.name) }, bucket.name), "name"),
    cell(bucket.objects.toLocaleString("en"), "number"),
    cell(size(bucket.bytes), "number"),
    cell(element("span", { class: `tag ${isOpen ? "warn" : ""}` }, bucket.acl)),
    cell(element("span", { class: `tag ${versioned ? "good" : ""}` }, state)),
    cell(when(bucket.created), "when"),
    cell([
      button(versioned ? "Suspend versions" : "Keep versions", () => attempt(async () => {
        await ask("PATCH", "bucket", { bucket: bucket.name }, { versioning: versioned ? "Suspended" : "Enabled" });
        await listBuckets();
        tell(`Versioning of ${bucket.name} is ${versioned ? "suspended" : "enabled"}.`);
      }), { "aria-label": `${versioned ? "Suspend" : "Keep"} versions of ${bucket.name}` }),
      button("Delete", () => attempt(async () => {
        if (!await confirmed("Delete the bucket?", `${bucket.name} and its settings will be gone. It has to be empty.`, "Delete")) return;
        await ask("DELETE", "bucket", { bucket: bucket.name });
        await listBuckets();
        tell(`The bucket ${bucket.name} was deleted.`);
      }), { class: "small danger", "aria-label": `Delete the bucket ${bucket.name}` }),
    ], "actions"));
}

at("bucket-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const { bucket, acl, versioning } = form.elements;
  attempt(async () => {
    const name = bucket.value;
    await ask("POST", "bucket", { bucket: name }, { acl: acl.value, versioning: versioning.checked ? "Enabled" : undefined });
    form.reset();
    await listBuckets();
    tell(`The bucket ${name} was created.`);
  });
});

// ---- objects ------------------------------------------------------------------------------------------------------------------

/** Where the view of objects stands. */
const here = { bucket: "", prefix: "", next: null, find: "", all: false, asked: 0 };

async function listObjects(more = false) {
  const { bucket, prefix } = here;
  if (!more) {
    // Further pages are of the same list, whatever the form says by then.
    here.find = at("find").value;
    here.all = at("all-versions").checked;
    crumbs();
  }
  const { find, all } = here;
  here.asked += 1;
  const asked = here.asked;
  const page = await read(all ? "versions" : "objects", {
    bucket,
    prefix: prefix + find,
    delimiter: "/",
    ...(more ? here.next : {}),
  });
  // Whoever went on meanwhile, or asked for another list, does not want these rows.
  if (bucket !== here.bucket || prefix !== here.prefix || asked !== here.asked) return;
  here.next = page.next;
  const rows = [
    ...page.prefixes.map((group) => [group, folderRow(group)]),
    ...(page.objects || page.versions).map((entry) => [entry.key, objectRow(entry, all)]),
  ];
  const body = at("object-rows");
  if (more) body.append(...rows.map(([, row]) => row));
  else body.replaceChildren(...rows.map(([, row]) => row));
  at("no-objects").hidden = body.children.length > 0;
  at("more").hidden = !page.next;
}

function crumbs() {
  const items = [element("a", { href: "#/buckets" }, "Buckets")];
  const names = here.prefix.split("/").slice(0, -1);
  const current = (text) => element("span", { "aria-current": "page", title: plainly(text) }, shown(text));
  items.push(names.length ? element("a", { href: place(here.bucket) }, here.bucket) : current(here.bucket));
  let prefix = "";
  names.forEach((name, index) => {
    prefix += `${name}/`;
    const label = name || "(nothing)";
    items.push(index === names.length - 1
      ? current(label)
      : element("a", { href: place(here.bucket, prefix), title: plainly(name) }, shown(label)));
  });
  at("crumbs").replaceChildren(...items.map((item) => element("li", {}, item)));
}

/** A key without what the breadcrumbs say already. */
const local = (key) => (key.startsWith(here.prefix) && key.length > here.prefix.length ? key.slice(here.prefix.length) : key);

const named = (text) => element("span", { class: "more", title: plainly(text) }, shown(text));

function folderRow(group) {
  return element("tr", {},
    cell(element("a", { href: place(here.bucket, group) }, named(local(group))), "name"),
    cell("", "number"), cell(""), cell(""), cell(""));
}

function objectRow(entry, all) {
  const { bucket } = here;
  const { key } = entry;
  const version = all ? entry.version_id : undefined;
  const label = plainly(local(key));
  const marker = entry.delete_marker;
  const open = () => openObject(bucket, key, version);
  const name = marker
    ? named(local(key))
    : button(named(local(key)), open, { class: "link" });
  return element("tr", {},
    element("td", { class: marker ? "name gone" : "name" }, name, " ",
      all && element("span", { class: "tag code", title: "version" }, entry.version_id),
      all && entry.latest && element("span", { class: "tag good" }, "latest")),
    cell(marker ? "deleted" : size(entry.size), "number"),
    cell(when(entry.last_modified), "when"),
    cell(entry.storage_class ? element("span", { class: "tag" }, entry.storage_class) : ""),
    cell([
      !marker && download(bucket, key, version, label),
      button("Delete", () => removeObject(bucket, key, version), { class: "small danger", "aria-label": `Delete ${label}` }),
    ], "actions"));
}

const content = (bucket, key, version, as) => address("content", { bucket, key, version, as });

const download = (bucket, key, version, label) =>
  element("a", { class: "button small", href: content(bucket, key, version), download: "", "aria-label": `Download ${label}` }, "Download");

/** Asks, deletes, and says whether something was deleted. */
async function removeObject(bucket, key, version) {
  const done = await attempt(async () => {
    const what = version ? `The version ${version} of ${plainly(key)}` : plainly(key);
    const text = version ? `${what} will be gone for good.` : `${what} will be deleted. With versioning, older versions stay.`;
    if (!await confirmed(version ? "Delete the version?" : "Delete the object?", text, "Delete")) return false;
    const gone = await ask("DELETE", "object", { bucket, key, version });
    await listObjects();
    tell(gone.delete_marker && !version ? `${plainly(key)} was deleted; its versions are kept.` : `${what} was deleted.`);
    return true;
  });
  return done === true;
}

at("find-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => listObjects());
});
at("find").addEventListener("search", () => attempt(() => listObjects()));
at("all-versions").addEventListener("change", () => attempt(() => listObjects()));
at("more").addEventListener("click", () => attempt(() => listObjects(true)));

// ---- uploads ------------------------------------------------------------------------------------------------------------------

/** Sends one file as it is read; XMLHttpRequest, since only it tells how far an upload is. */
function send(bucket, key, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address("object", { bucket, key }));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", async () => {
      const answer = new Response(request.responseText, { status: request.status });
      if (answer.ok) resolve();
      else reject(await failure(answer));
    });
    request.addEventListener("error", () => reject(new Error("The upload broke off.")));
    request.send(file);
  });
}

async function upload(files) {
  const { bucket, prefix } = here;
  let done = 0;
  calm();
  for (const file of files) {
    const key = prefix + (file.webkitRelativePath || file.name);
    const bar = element("progress", { max: 1, value: 0, "aria-label": `Upload of ${plainly(key)}` });
    const state = element("span", {}, size(file.size));
    const line = element("li", {}, element("span", { title: plainly(key) }, shown(key)), bar, state);
    at("uploads").append(line);
    try {
      await send(bucket, key, file, (part) => {
        bar.value = part;
        state.textContent = `${Math.floor(part * 100)} %`;
      });
      done += 1;
      line.remove();
    } catch (error) {
      state.textContent = "failed";
      complain(new Error(`${plainly(key)}: ${error.message}`));
      line.append(button("Remove from the list", () => line.remove()));
    }
  }
  if (view === "objects" && here.bucket === bucket) await listObjects().catch(complain);
  if (done && !at("problem").textContent) tell(done === 1 ? `${plainly(files[0].name)} was uploaded.` : `${done} files were uploaded.`);
}

at("files").addEventListener("change", (event) => {
  const files = [...event.currentTarget.files];
  event.currentTarget.value = "";
  upload(files);
});

// Files may be dropped anywhere on the page; a browser would leave the page for them otherwise.
let over = 0;
const highlight = () => at("drop").classList.toggle("over", over > 0 && view === "objects");
const carriesFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
document.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { over += 1; highlight(); } });
document.addEventListener("dragleave", (event) => { if (carriesFiles(event)) { over = Math.max(0, over - 1); highlight(); } });
document.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  over = 0;
  highlight();
  // Folders come without a size and without a type, and cannot be read as files.
  const files = [...event.dataTransfer.items].filter((item) => item.kind === "file" && !item.webkitGetAsEntry?.()?.isDirectory);
  if (view === "objects" && files.length) upload(files.map((item) => item.getAsFile()));
});

// ---- one object ---------------------------------------------------------------------------------------------------------------

/** Most characters of a text that the listener sends. */
const PREVIEW = 64 * 1024;

async function openObject(bucket, key, version) {
  await attempt(async () => {
    const object = await read("object", { bucket, key, version });
    at("object-title").replaceChildren(shown(key));
    at("object-body").replaceChildren(
      element("div", { class: "row" },
        download(bucket, key, version, plainly(key)),
        button("Delete", async () => {
          if (await removeObject(bucket, key, version)) at("object").close();
        }, { class: "small danger" })),
      facts(object),
      element("h3", {}, "Preview"), await preview(bucket, key, version, object),
      element("h3", {}, "Versions"), await versions(bucket, key));
    if (!at("object").open) at("object").showModal();
  });
}

function facts(object) {
  const lines = [
    ["Size", object.size < 1024 ? size(object.size) : `${size(object.size)} (${object.size.toLocaleString("en")} bytes)`],
    ["Type", object.type],
    ["Modified", `${when(object.last_modified)} UTC`],
    ["ETag", object.etag],
    ["CRC-64", object.crc64],
    ["Storage class", object.storage_class],
    ["ACL", object.acl],
    ["Version", object.version_id],
    ["Points to", object.symlink_target],
    ["Sealed", object.sealed],
    ...Object.entries(object.headers),
    ...Object.entries(object.metadata).map(([name, value]) => [`x-oss-meta-${name}`, value]),
    ...Object.entries(object.encryption),
    ["Tags", object.tags.map((tag) => `${tag.key}=${tag.value}`).join(", ")],
  ];
  const given = lines.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, given.map(([name, value]) => [element("dt", {}, plainly(name)), element("dd", {}, shown(String(value)))]));
}

async function preview(bucket, key, version, object) {
  if (!object.preview) return element("p", { class: "hint" }, "Only text and images of usual formats can be shown.");
  const source = content(bucket, key, version, "preview");
  if (object.preview === "image") return element("img", { class: "picture", src: source, alt: `Preview of ${plainly(key)}` });
  if (object.size === 0) return element("p", { class: "hint" }, "The object is empty.");
  const answer = await fetch(source);
  if (!answer.ok) return element("p", { class: "hint" }, (await failure(answer)).message);
  const isCut = object.size > PREVIEW;
  const text = (await answer.text()).replace(isCut ? /\ufffd$/ : /^$/, "");
  return element("div", {},
    isCut && element("p", { class: "hint" }, "The first 64 KiB:"),
    element("pre", { tabindex: "0", "aria-label": "Content" }, text));
}

async function versions(bucket, key) {
  const list = element("tbody");
  const more = button("Show more", () => attempt(() => load()), { hidden: true });
  let next = {};
  const load = async () => {
    const page = await read("versions", { bucket, key, ...next });
    next = page.next;
    more.hidden = !next;
    list.append(...page.versions.map((entry) => versionRow(bucket, key, entry)));
  };
  await load();
  const heads = ["Version", "Modified", "Size", ""].map((head) => element("th", { scope: "col" }, head || element("span", { class: "hidden" }, "Actions")));
  return element("div", { id: "object-versions" },
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, heads)), list)), more);
}

function versionRow(bucket, key, entry) {
  const id = entry.version_id;
  return element("tr", {},
    cell([element("span", { class: "code" }, id), " ", entry.latest && element("span", { class: "tag good" }, "latest")], "name"),
    cell(when(entry.last_modified), "when"),
    cell(entry.delete_marker ? "deleted" : size(entry.size), "number"),
    cell([
      !entry.delete_marker && button("View", () => openObject(bucket, key, id), { "aria-label": `View the version ${id}` }),
      button("Delete", async () => {
        if (!await removeObject(bucket, key, id)) return;
        // What is left of the key, if anything is.
        const left = await read("versions", { bucket, key });
        const first = left.versions.find((other) => !other.delete_marker);
        if (first) await openObject(bucket, key, first.latest ? undefined : first.version_id);
        else at("object").close();
      }, { class: "small danger", "aria-label": `Delete the version ${id}` }),
    ], "actions"));
}

at("object-close").addEventListener("click", () => at("object").close());
// A click beside the drawer closes it.
at("object").addEventListener("click", (event) => { if (event.target === at("object")) at("object").close(); });

// ---- requests -----------------------------------------------------------------------------------------------------------------

/** Rows of requests by their ids, so that a refresh leaves what is open open. */
let requestRows = new Map();

async function listRequests() {
  const { requests } = await read("requests", { limit: 200 });
  const rows = new Map();
  for (const request of requests) {
    rows.set(request.request_id, requestRows.get(request.request_id) || requestRow(request));
  }
  const body = at("request-rows");
  const added = [...rows].filter(([id]) => !requestRows.has(id)).map(([, row]) => row);
  for (const [id, row] of requestRows) if (!rows.has(id)) row.elements.forEach((part) => part.remove());
  // Newest first, and new ones are the newest.
  body.prepend(...added.flatMap((row) => row.elements));
  requestRows = rows;
  at("no-requests").hidden = rows.size > 0;
  filterRequests();
}

function requestRow(request) {
  const details = element("tr", { class: "details", hidden: true });
  const id = `request-${request.request_id}`;
  details.id = id;
  const toggle = button("Details", () => {
    const isOpen = toggle.getAttribute("aria-expanded") === "true";
    toggle.setAttribute("aria-expanded", String(!isOpen));
    if (!isOpen && !details.firstChild) details.append(requestDetails(request));
    details.hidden = isOpen;
  }, { "aria-expanded": "false", "aria-controls": id });
  const where = request.bucket ? request.bucket + (request.key ? `/${request.key}` : "") : "";
  const kind = request.status === 0 || request.status >= 500 ? "bad" : request.status >= 400 ? "warn" : "good";
  const head = element("tr", {},
    cell(element("time", { datetime: request.time }, request.time.replace(/^.*T/, "").replace("Z", "")), "when code"),
    cell(request.operation || request.method),
    cell(where && named(where), "name"),
    cell(element("span", { class: `tag ${kind}` }, request.status === 0 ? "no answer" : String(request.status))),
    cell(request.code || "", "code"),
    cell(took(request.duration_us), "number"),
    cell(request.fault ? element("span", { class: "tag warn code" }, request.fault) : ""),
    cell(toggle, "actions"));
  const text = [request.operation, request.method, where, request.status, request.code, request.fault, request.request_id];
  return { elements: [head, details], text: text.join(" ").toLowerCase(), head, details, toggle };
}

function requestDetails(request) {
  const headers = request.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  const signed = request.string_to_sign;
  return element("td", { colspan: 8 },
    element("dl", {},
      element("dt", {}, "Request id"), element("dd", { class: "code" }, request.request_id),
      element("dt", {}, "By"), element("dd", {}, request.principal ? shown(request.principal) : "nobody who was recognised"),
      element("dt", {}, "Time"), element("dd", {}, request.time),
      element("dt", {}, "Body"), element("dd", {}, size(request.bytes_in))),
    element("h3", {}, "Request"),
    element("pre", { tabindex: "0", "aria-label": "Request" }, `${request.method} ${request.target}\n${headers}`),
    element("h3", {}, "String to sign, verified"),
    signed
      ? [element("pre", { tabindex: "0", class: "signed", "aria-label": "String to sign" }, signed),
        button("Copy", () => attempt(async () => { await navigator.clipboard.writeText(signed); tell("Copied."); }))]
      : element("p", { class: "hint" }, "No signature was found right: the request was anonymous, refused, or broken off before."));
}

function filterRequests() {
  const wanted = at("request-filter").value.trim().toLowerCase();
  for (const row of requestRows.values()) {
    const fits = row.text.includes(wanted);
    row.head.hidden = !fits;
    row.details.hidden = !fits || row.toggle.getAttribute("aria-expanded") !== "true";
  }
}

at("request-filter").addEventListener("input", filterRequests);
at("request-clear").addEventListener("click", () => attempt(async () => {
  await ask("DELETE", "requests");
  await listRequests();
}));

// ---- faults -------------------------------------------------------------------------------------------------------------------

/** Actions: what they are called, an argument to begin with, and what they do. */
const ACTIONS = [
  ["status", "503:ServiceBusy", "Answers an error and does nothing: status, code and, if wanted, seconds for Retry-After."],
  ["latency", "200ms:50ms", "Waits before the request is handled, and up to the second time longer by chance."],
  ["throttle", "65536", "So many bytes of the bodies in a second."],
  ["stall", "", "Never answers."],
  ["stall-body", "4", "Falls silent after so many bytes of the answer."],
  ["reset-before", "", "The connection ends before the request is handled."],
  ["reset-within", "10", "The connection ends after so many bytes of the request's body."],
  ["reset-after", "", "The connection ends after the request was done, without an answer."],
  ["truncate", "4", "The connection ends after so many bytes of the answer."],
  ["shorten", "4", "The answer has so many bytes and looks whole."],
  ["corrupt", "4", "This byte of the answer is inverted."],
  ["wrong-crc", "", "The checksum of the answer is wrong."],
  ["clock", "-3600", "The request is judged as if the clock were so many seconds ahead."],
];

function chooseAction() {
  const [, argument, hint] = ACTIONS.find(([kind]) => kind === at("fault-kind").value);
  at("fault-argument").value = argument;
  at("fault-argument").required = argument !== "";
  at("fault-argument-label").hidden = argument === "";
  at("fault-hint").textContent = hint;
}
at("fault-kind").append(...ACTIONS.map(([kind]) => element("option", { value: kind }, kind)));
at("fault-kind").addEventListener("change", chooseAction);
chooseAction();

async function listFaults() {
  const { faults } = await read("faults");
  at("no-faults").hidden = faults.length > 0;
  const rows = at("fault-rows");
  const text = JSON.stringify(faults);
  // Rows are made again only when something changed, so that whoever is on a button stays there.
  if (rows.dataset.shown === text) return;
  rows.dataset.shown = text;
  rows.replaceChildren(...faults.map(faultRow));
}

function faultRow(fault) {
  const narrowed = ["operation", "method", "bucket", "key", "prefix", "pattern"].filter((name) => fault[name]);
  const which = narrowed.flatMap((name, index) => [index ? ", " : "", `${name} `, element("span", { class: "code" }, shown(fault[name]))]);
  return element("tr", {},
    cell(String(fault.id), "number"),
    cell(element("span", { class: "tag warn code" }, fault.action)),
    cell([which.length ? which : "any", fault.skip ? `, after ${fault.skip} others` : ""], "name"),
    cell(String(fault.times), "number"),
    cell(String(fault.probability), "number"),
    cell(String(fault.hits), "number"),
    cell(button("Remove", () => attempt(async () => {
      await ask("DELETE", "faults", { id: fault.id });
      await listFaults();
      tell(`The fault ${fault.id} was switched off.`);
    }), { "aria-label": `Remove the fault ${fault.id}` }), "actions"));
}

at("fault-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = event.currentTarget.elements;
  attempt(async () => {
    const argument = fields.argument.value.trim();
    const fault = { action: fields.kind.value + (argument && fields.argument.required ? `:${argument}` : "") };
    for (const name of ["operation", "bucket", "pattern"]) if (fields[name].value) fault[name] = fields[name].value;
    fault.times = fields.times.value === "always" ? "always" : Number(fields.times.value);
    fault.skip = Number(fields.skip.value);
    fault.probability = Number(fields.probability.value);
    const { id } = await ask("POST", "faults", {}, fault);
    await listFaults();
    tell(`The fault ${id} was switched on.`);
  });
});

at("fault-clear").addEventListener("click", () => attempt(async () => {
  await ask("DELETE", "faults");
  await listFaults();
  tell("All faults were switched off.");
}));

// ---- the clock ----------------------------------------------------------------------------------------------------------------

function showClock(clock) {
  const now = when(clock.now);
  const isMoved = clock.frozen || clock.offset_seconds !== 0;
  at("time").textContent = `${now} UTC${clock.frozen ? " (stopped)" : ""}`;
  at("time").classList.toggle("moved", isMoved);
  at("clock-now").textContent = `${now} UTC`;
  const distance = clock.offset_seconds === 0 ? "" : `${Math.abs(clock.offset_seconds).toLocaleString("en")} seconds ${clock.offset_seconds > 0 ? "ahead of" : "behind"} `;
  at("clock-state").textContent = clock.frozen
    ? `The clock stands still${distance ? `, ${distance}where it was stopped` : ""}.`
    : `The clock goes ${distance ? `${distance}the system's` : "with the system's"}.`;
  at("clock-freeze").textContent = clock.frozen ? "Let it go on" : "Stop the clock";
  at("clock-freeze").dataset.frozen = clock.frozen;
}

async function readClock() {
  showClock(await read("clock"));
}

const changeClock = (change, text) => attempt(async () => {
  showClock(await ask("POST", "clock", {}, change));
  tell(text);
});

at("clock-advance").addEventListener("submit", (event) => {
  event.preventDefault();
  const { amount, unit } = event.currentTarget.elements;
  changeClock({ advance_seconds: Math.round(Number(amount.value) * Number(unit.value)) }, "The clock went forward.");
});
at("clock-set").addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = event.currentTarget.elements.time;
  changeClock({ set: `${value.length === 16 ? `${value}:00` : value.slice(0, 19)}Z` }, "The clock was set.");
});
at("clock-freeze").addEventListener("click", (event) => {
  const isFrozen = event.currentTarget.dataset.frozen === "true";
  changeClock({ freeze: !isFrozen }, isFrozen ? "The clock goes on." : "The clock stands still.");
});
at("clock-reset").addEventListener("click", () =>
  changeClock({ freeze: false, offset_seconds: 0 }, "The clock goes with the system's."));

// ---- the beginning ------------------------------------------------------------------------------------------------------------

async function begin() {
  await readClock();
  await follow();
}

addEventListener("hashchange", follow);
setInterval(tick, REFRESH);
attempt(begin);
