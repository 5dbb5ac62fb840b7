// Listings, multipart uploads, signed URLs, forms, temporary credentials, and who may do what.
'use strict';

const { randomBytes } = require('node:crypto');

const OSS = require('ali-oss');

const {
  ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, ENDPOINT, REGION, SIGNATURE_VERSION,
  check, client, fetchUrl, holds, newName, refused, same, withFile,
} = require('./checks');

const PART = 100 * 1024;
const KEYS = [...Array(12).keys()].map((number) => `logs/${String(number).padStart(3, '0')}.txt`).concat('a+b c', 'z%2Fz');

async function fill(store, names = KEYS) {
  for (const name of names) await store.put(name, Buffer.from('x'));
}

check('first listings', 'ListObjects', async (store) => {
  await fill(store);
  const found = [];
  let marker;
  do {
    const page = await store.list({ 'max-keys': 5, ...(marker && { marker }) });
    found.push(...page.objects.map(({ name }) => name));
    marker = page.nextMarker;
  } while (marker);
  same(found, [...KEYS].sort());
});

check('first listings group', 'ListObjects', async (store) => {
  await fill(store);
  const { prefixes, objects } = await store.list({ delimiter: '/' });
  same([prefixes, objects.map(({ name }) => name)], [['logs/'], ['a+b c', 'z%2Fz']]);
  same([objects[0].size, objects[0].storageClass, objects[0].type], [1, 'Standard', 'Normal']);
  holds(objects[0].owner.id, 'no owner');
});

check('second listings', 'ListObjectsV2', async (store) => {
  await fill(store);
  const found = [];
  let continuationToken;
  do {
    const page = await store.listV2({ 'max-keys': 5, continuationToken });
    found.push(...page.objects.map(({ name }) => name));
    continuationToken = page.nextContinuationToken;
  } while (continuationToken);
  same(found, [...KEYS].sort());
});

check('second listings start after', 'ListObjectsV2', async (store) => {
  await fill(store);
  const { objects, keyCount } = await store.listV2({ 'start-after': 'logs/010.txt', 'fetch-owner': 'true' });
  same([objects.map(({ name }) => name), keyCount], [['logs/011.txt', 'z%2Fz'], 2]);
  holds(objects[0].owner.id, 'no owner');
});

check('encoded listings', 'ListObjects', async (store) => {
  await fill(store, ['a&b<c>', 'ü']);
  const { objects } = await store.list({ 'encoding-type': 'url' });
  same(objects.map(({ name }) => decodeURIComponent(name)), ['a&b<c>', 'ü']);
});

check('wrong listings', 'ListObjects', async (store) => {
  await refused(400, 'InvalidArgument', store.list({ 'max-keys': 1001 }));
});

check('buckets page', 'ListBuckets', async () => {
  const prefix = newName();
  const names = [1, 2, 3].map((number) => `${prefix}-${number}`);
  for (const name of names) await client().putBucket(name);
  const { buckets, isTruncated, nextMarker } = await client().listBuckets({ prefix, 'max-keys': 2 });
  same([buckets.map(({ name }) => name), isTruncated, nextMarker], [names.slice(0, 2), true, names[1]]);
  const rest = await client().listBuckets({ prefix, marker: nextMarker });
  same(rest.buckets.map(({ name }) => name), [names[2]]);
  for (const name of names) await client().deleteBucket(name);
});

check('versions page', 'ListObjectVersions', async (store, bucket) => {
  await store.putBucketVersioning(bucket, 'Enabled');
  for (const name of ['a', 'a', 'b']) await store.put(name, Buffer.from('x'));
  const { objects, isTruncated, nextKeyMarker, nextVersionIdMarker } = await store.getBucketVersions({ 'max-keys': 2 });
  same([objects.map(({ name }) => name), isTruncated], [['a', 'a'], true]);
  const rest = await store.getBucketVersions({ keyMarker: nextKeyMarker, versionIdMarker: nextVersionIdMarker });
  same(rest.objects.map(({ name }) => name), ['b']);
});

check('uploads in parts', 'InitiateMultipartUpload UploadPart CompleteMultipartUpload', async (store) => {
  const body = randomBytes(350_000);
  const told = [];
  const done = await store.multipartUpload('k', body, {
    partSize: PART, parallel: 2, meta: { kind: 'big' }, progress: (share) => told.push(share),
  });
  holds(done.etag.replaceAll('"', '').endsWith('-4'), done.etag);
  same(told.at(-1), 1);
  const got = await store.get('k');
  same([got.content.equals(body), got.res.headers['x-oss-meta-kind']], [true, 'big']);
});

check('uploads of files in parts', 'InitiateMultipartUpload UploadPart CompleteMultipartUpload', async (store) => {
  const body = randomBytes(250_000);
  await withFile(body, (file) => store.multipartUpload('k', file, { partSize: PART }));
  same((await store.get('k')).content.equals(body), true);
});

check('uploads of small files', 'PutObject', async (store) => {
  await store.multipartUpload('k', Buffer.from('small'));
  same((await store.head('k')).res.headers['x-oss-object-type'], 'Normal');
});

check('uploads are resumed', 'UploadPart CompleteMultipartUpload', async (store) => {
  const body = randomBytes(350_000);
  await withFile(body, async (file) => {
    let kept;
    const stop = (share, checkpoint) => {
      kept = JSON.parse(JSON.stringify(checkpoint));
      if (share > 0.4) store.cancel();
    };
    let broken;
    try {
      await store.multipartUpload('k', file, { partSize: PART, parallel: 1, progress: stop });
    } catch (error) {
      broken = error;
    }
    same(broken && broken.name, 'cancel');
    const { uploads } = await store.listUploads({ 'max-uploads': 10 });
    same(uploads.map(({ uploadId }) => uploadId), [kept.uploadId]);
    store.resetCancelFlag();
    await store.multipartUpload('k', file, { partSize: PART, checkpoint: { ...kept, file } });
    same((await store.get('k')).content.equals(body), true);
  });
});

check('parts one by one', 'InitiateMultipartUpload UploadPart ListParts CompleteMultipartUpload', async (store) => {
  const body = randomBytes(PART + 10);
  await withFile(body, async (file) => {
    const { uploadId } = await store.initMultipartUpload('k');
    const first = await store.uploadPart('k', uploadId, 1, file, 0, PART);
    const second = await store.uploadPart('k', uploadId, 2, file, PART, body.length);
    const { parts } = await store.listParts('k', uploadId, { 'max-parts': 10 });
    same(parts.map(({ Size }) => Number(Size)), [PART, 10]);
    const done = [first, second].map(({ etag }, at) => ({ number: at + 1, etag }));
    await store.completeMultipartUpload('k', uploadId, done);
    same((await store.get('k')).content.equals(body), true);
  });
});

check('aborted uploads are gone', 'AbortMultipartUpload ListMultipartUploads', async (store) => {
  const ids = [];
  for (const name of ['a', 'b']) ids.push((await store.initMultipartUpload(name)).uploadId);
  const { uploads } = await store.listUploads({ 'max-uploads': 10, prefix: 'b' });
  same(uploads.map(({ uploadId }) => uploadId), [ids[1]]);
  await store.abortMultipartUpload('a', ids[0]);
  await refused(404, 'NoSuchUpload', store.abortMultipartUpload('a', ids[0]));
});

check('wrong lists of parts', 'CompleteMultipartUpload', async (store) => {
  const { uploadId } = await store.initMultipartUpload('k');
  const wrong = [{ number: 1, etag: `"${'0'.repeat(32)}"` }];
  await refused(400, 'InvalidPart', store.completeMultipartUpload('k', uploadId, wrong));
});

check('parts are copied', 'UploadPartCopy', async (store, bucket) => {
  await store.put('source', randomBytes(250_000));
  await store.multipartUploadCopy('to', { sourceKey: 'source', sourceBucketName: bucket }, { partSize: PART });
  const [one, other] = [await store.get('source'), await store.get('to')];
  same(one.content.equals(other.content), true);
});

check('signed urls', 'PutObject GetObject', async (store) => {
  const name = 'pre signed/+ü.txt';
  const headers = { 'Content-Type': 'text/plain' };
  const put = await sign(store, 'PUT', name, headers);
  same((await fetchUrl('PUT', put, { body: 'by url', headers })).status, 200);
  const answer = await fetchUrl('GET', await sign(store, 'GET', name));
  same([answer.status, answer.body.toString(), answer.headers['content-type']], [200, 'by url', 'text/plain']);
});

/** A URL by the version of signature that is under test. */
function sign(store, method, name, headers = {}, expires = 60) {
  return SIGNATURE_VERSION === 'v4'
    ? store.signatureUrlV4(method, expires, { headers }, name)
    : store.asyncSignatureUrl(name, { method, expires, ...headers });
}

check('signed urls with parameters', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  const url = SIGNATURE_VERSION === 'v4'
    ? await store.signatureUrlV4('GET', 60, { queries: { 'response-content-type': 'a/b' } }, 'k')
    : store.signatureUrl('k', { expires: 60, response: { 'content-type': 'a/b' } });
  const answer = await fetchUrl('GET', url);
  same([answer.status, answer.headers['content-type']], [200, 'a/b']);
});

check('changed urls are refused', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  const url = await sign(store, 'GET', 'k');
  const answer = await fetchUrl('GET', url.replace('/k?', '/other?'));
  same([answer.status, answer.body.includes('SignatureDoesNotMatch')], [403, true]);
  same((await fetchUrl('PUT', url, { body: 'x' })).status, 403);
});

check('signed urls expire', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  const url = await sign(store, 'GET', 'k', {}, 1);
  await new Promise((resolve) => { setTimeout(resolve, 2_500); });
  const answer = await fetchUrl('GET', url);
  same([answer.status, answer.body.includes('AccessDenied')], [403, true]);
});

check('wrong secrets are refused', 'PutObject', async (store, bucket) => {
  const wrong = client({ bucket, accessKeySecret: 'wrong' });
  await refused(403, 'SignatureDoesNotMatch', wrong.put('k', Buffer.from('x')));
});

check('unknown keys are refused', 'ListBuckets', async () => {
  await refused(403, 'InvalidAccessKeyId', client({ accessKeyId: 'nobody' }).listBuckets());
});

check('strangers need an acl', 'GetObject PutObjectAcl', async (store, bucket) => {
  await store.put('k', Buffer.from('x'));
  const url = `${ENDPOINT}/${bucket}/k`;
  same((await fetchUrl('GET', url)).status, 403);
  await store.putACL('k', 'public-read');
  same((await fetchUrl('GET', url)).body.toString(), 'x');
});

async function assumeRole(policy) {
  const sts = new OSS.STS({ accessKeyId: ACCESS_KEY_ID, accessKeySecret: ACCESS_KEY_SECRET, endpoint: ENDPOINT });
  const { credentials } = await sts.assumeRole(`acs:ram::${ACCOUNT_ID}:role/interop`, policy, 3600, 'interop');
  return {
    accessKeyId: credentials.AccessKeyId, accessKeySecret: credentials.AccessKeySecret, stsToken: credentials.SecurityToken,
  };
}

check('temporary credentials', 'PutObject GetObject', async (store, bucket) => {
  const session = client({ bucket, ...(await assumeRole()) });
  await session.put('k', Buffer.from('x'));
  same((await session.get('k')).content.toString(), 'x');
  same((await fetchUrl('GET', await sign(session, 'GET', 'k'))).body.toString(), 'x');
});

check('temporary credentials with less rights', 'PutObject GetObject', async (store, bucket) => {
  await store.put('k', Buffer.from('x'));
  const reader = client({
    bucket,
    ...(await assumeRole({
      Version: '1', Statement: [{ Effect: 'Allow', Action: ['oss:GetObject'], Resource: [`acs:oss:*:*:${bucket}/*`] }],
    })),
  });
  same((await reader.get('k')).content.toString(), 'x');
  await refused(403, 'AccessDenied', reader.put('k', Buffer.from('y')));
});

check('credentials are renewed', 'PutObject', async (store, bucket) => {
  let renewed = 0;
  const session = client({
    bucket, ...(await assumeRole()), refreshSTSTokenInterval: 0,
    refreshSTSToken: async () => {
      renewed += 1;
      return assumeRole();
    },
  });
  await session.put('k', Buffer.from('x'));
  await session.put('k', Buffer.from('y'));
  holds(renewed > 0, 'not renewed');
});

function form(fields, content) {
  const boundary = randomBytes(16).toString('hex');
  const named = Object.entries(fields).map(([name, value]) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${content}\r\n`;
  return {
    body: `${named.join('')}${file}--${boundary}--\r\n`,
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  };
}

check('forms are posted', 'PutObject', async (store, bucket) => {
  const now = new Date();
  const expiration = new Date(now.getTime() + 3_600_000).toISOString();
  const conditions = [{ bucket }, ['starts-with', '$key', 'forms/']];
  let fields;
  if (SIGNATURE_VERSION === 'v4') {
    const time = `${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
    const credential = `${ACCESS_KEY_ID}/${time.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`;
    const named = { 'x-oss-signature-version': 'OSS4-HMAC-SHA256', 'x-oss-credential': credential, 'x-oss-date': time };
    const policy = { expiration, conditions: [...conditions, ...Object.entries(named).map(([name, value]) => ({ [name]: value }))] };
    fields = {
      ...named, policy: Buffer.from(JSON.stringify(policy)).toString('base64'),
      'x-oss-signature': store.signPostObjectPolicyV4(policy, now),
    };
  } else {
    fields = store.calculatePostSignature({ expiration, conditions });
  }
  const answer = await fetchUrl('POST', `${ENDPOINT}/${bucket}`, {
    ...form({ key: 'forms/a', ...fields }, 'by a form'),
  });
  same([answer.status, answer.body.toString().slice(0, 300)], [204, '']);
  same((await store.get('forms/a')).content.toString(), 'by a form');
  const elsewhere = await fetchUrl('POST', `${ENDPOINT}/${bucket}`, form({ key: 'elsewhere', ...fields }, 'x'));
  same(elsewhere.status, 403);
});
