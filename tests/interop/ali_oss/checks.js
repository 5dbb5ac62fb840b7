// What the checks share: a list of named checks, fresh buckets for them, and lines of JSON about how they ended.
'use strict';

const { randomBytes } = require('node:crypto');
const fs = require('node:fs/promises');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const OSS = require('ali-oss');

const {
  OSS_ENDPOINT = 'http://127.0.0.1:9000',
  OSS_REGION: REGION = 'cn-hangzhou',
  OSS_ACCOUNT_ID: ACCOUNT_ID = '1234567890123456',
  OSS_ACCESS_KEY_ID: ACCESS_KEY_ID = 'oss-emulator',
  OSS_ACCESS_KEY_SECRET: ACCESS_KEY_SECRET = 'oss-emulator-secret',
  OSS_SIGNATURE_VERSION: SIGNATURE_VERSION = 'v4',
} = process.env;

// The client signs no URLs for IP addresses.
const ENDPOINT = OSS_ENDPOINT.replace('127.0.0.1', 'localhost');

/** Finds every name at the loopback address, so that buckets in host names need no name server. */
function lookup(name, options, done) {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}

const agent = new http.Agent({ keepAlive: true, lookup });
const checks = [];

/** Adds a check of these operations of the service `oss`, separated by blanks. */
function check(name, operations, run) {
  checks.push({ name, operations: operations.split(' ').map((operation) => `oss/${operation}`), run });
}

function client(options = {}) {
  return new OSS({
    region: `oss-${REGION}`,
    endpoint: ENDPOINT,
    accessKeyId: ACCESS_KEY_ID,
    accessKeySecret: ACCESS_KEY_SECRET,
    authorizationV4: SIGNATURE_VERSION === 'v4',
    agent,
    ...options,
  });
}

function newName() {
  return `interop-${randomBytes(8).toString('hex')}`;
}

/** What a check is given: a client in a fresh bucket. */
async function fixture() {
  const bucket = newName();
  await client().putBucket(bucket);
  const store = client({ bucket });
  return { store, bucket };
}

/** Empties and deletes a bucket, unless it is protected. */
async function remove({ store, bucket }) {
  try {
    const { objects = [], deleteMarker = [] } = await store.getBucketVersions();
    for (const { name, versionId } of [...objects, ...deleteMarker]) await store.delete(name, { versionId });
    const { uploads } = await store.listUploads({ 'max-uploads': 1000 });
    for (const { name, uploadId } of uploads) await store.abortMultipartUpload(name, uploadId);
    await client().deleteBucket(bucket);
  } catch (error) {
    if (!error.code) throw error;
  }
}

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Runs the checks whose names contain one of the words, or all; the number of those that failed. */
async function run(words, offers) {
  tell({ offers });
  let failed = 0;
  for (const { name, operations, run: body } of checks) {
    if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
    const report = { check: name, operations, outcome: 'ok', detail: '' };
    try {
      const given = await fixture();
      await body(given.store, given.bucket);
      await remove(given);
    } catch (error) {
      report.outcome = error.status === 501 ? 'not implemented' : 'failed';
      const place = /ali_oss[\\/](?:\w+[\\/])*(\w+\.js:\d+)/.exec((error.stack || '').replace(/checks\.js/g, ''));
      report.detail = `${error.name}: ${String(error.message).replace(/\s+/g, ' ').slice(0, 500)} (${place ? place[1] : ''})`;
    }
    if (report.outcome === 'failed') failed += 1;
    tell(report);
  }
  return failed;
}

function same(found, wanted) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`found ${one}, wanted ${other}`);
}

function holds(condition, otherwise) {
  if (!condition) throw new Error(String(otherwise));
}

/** Waits for what has to be refused so, and returns the error. */
async function refused(status, code, promise) {
  let done;
  try {
    done = await promise;
  } catch (error) {
    if (error.status === undefined || error.status === 501) throw error;
    same([error.status, error.code], [status, code]);
    return error;
  }
  throw new Error(`the call succeeded, wanted ${status} ${code}: ${JSON.stringify(done && done.res && done.res.status)}`);
}

/** A request by a plain HTTP client: status, headers and body. */
function fetchUrl(method, url, { body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const request = http.request(url, { method, lookup, headers: { ...length, ...headers } }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Calls a function with the path of a file of this content, which is deleted afterwards. */
async function withFile(content, use) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'interop-'));
  try {
    const file = path.join(folder, 'content');
    await fs.writeFile(file, content);
    return await use(file);
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

module.exports = {
  ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, ENDPOINT, REGION, SIGNATURE_VERSION,
  check, client, fetchUrl, holds, newName, refused, run, same, withFile,
};
