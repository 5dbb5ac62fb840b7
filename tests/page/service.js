// A client of the emulator's service, signed with V1 by its own code, so that the page is judged against something else.
"use strict";

const crypto = require("node:crypto");

const endpoint = process.env.OSS_ENDPOINT;
const id = process.env.OSS_ACCESS_KEY_ID;
const secret = process.env.OSS_ACCESS_KEY_SECRET;

/** Every byte but the unreserved ones and the slash is escaped. */
const escaped = (key) =>
  [...new TextEncoder().encode(key)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9._~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

/** Sends a signed request. The answer has the text that was signed. */
async function send(method, bucket, key = "", { body, type = "" } = {}) {
  const date = new Date().toUTCString();
  const signed = `${method}\n\n${type}\n${date}\n/${bucket}/${key}`;
  const signature = crypto.createHmac("sha1", secret).update(signed).digest("base64");
  const headers = { date, authorization: `OSS ${id}:${signature}`, connection: "close" };
  if (type) headers["content-type"] = type;
  const answer = await raw(method, `/${bucket}/${escaped(key)}`, headers, body);
  return { ...answer, signed };
}

/** A path as it is: fetch would take `..` out of it, and would add a content type. */
function raw(method, path, headers, body) {
  const { hostname, port } = new URL(endpoint);
  const content = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  if (method === "PUT") headers["content-length"] = content.length;
  return new Promise((resolve, reject) => {
    const request = require("node:http").request({ hostname, port, method, path, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const code = /<Code>([^<]*)<\/Code>/.exec(bytes.toString("utf8"));
        resolve({ status: answer.statusCode, bytes, text: bytes.toString("utf8"), code: code && code[1] });
      });
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(content);
  });
}

module.exports = { send };
