// Objects: bodies, headers, ranges, conditions, copies, links, tags, ACL, deletes, versions.
'use strict';

const { createHash, randomBytes } = require('node:crypto');
const fs = require('node:fs');
const { Readable } = require('node:stream');

const { check, client, holds, refused, same, withFile } = require('./checks');

const UNUSUAL = 'folder/ümlaut 文件 + space & ~.bin';
const NO_ETAG = '"00000000000000000000000000000000"';
const BEFORE = 'Wed, 21 Oct 2015 07:28:00 GMT';

async function content(store, name, options) {
  return (await store.get(name, options)).content.toString();
}

check('object goes up and comes back', 'PutObject GetObject', async (store) => {
  const body = randomBytes(300_000);
  const sent = await store.put(UNUSUAL, body, { meta: { purpose: 'interop' }, mime: 'application/x-interop' });
  same(sent.res.status, 200);
  const got = await store.get(UNUSUAL);
  same(got.content.equals(body), true);
  same(got.res.headers['content-type'], 'application/x-interop');
  same(got.res.headers['x-oss-meta-purpose'], 'interop');
  same(got.res.headers.etag, `"${createHash('md5').update(body).digest('hex').toUpperCase()}"`);
  same(got.res.headers['x-oss-hash-crc64ecma'], sent.res.headers['x-oss-hash-crc64ecma']);
});

check('empty objects', 'PutObject GetObject', async (store) => {
  await store.put('k', Buffer.alloc(0));
  const { res } = await store.head('k');
  same(res.headers['content-length'], '0');
});

check('streams go up', 'PutObject', async (store) => {
  await store.putStream('k', Readable.from([Buffer.from('one '), Buffer.from('two')]));
  same(await content(store, 'k'), 'one two');
  await store.putStream('k', Readable.from([Buffer.from('sized')]), { contentLength: 5 });
  same(await content(store, 'k'), 'sized');
});

check('streams come back', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('streamed'));
  const { stream } = await store.getStream('k');
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  same(Buffer.concat(pieces).toString(), 'streamed');
});

check('files go up and come back', 'PutObject GetObject', async (store) => {
  await withFile('in a file', async (file) => {
    await store.put('k', file);
    await store.get('k', `${file}.back`);
    same(fs.readFileSync(`${file}.back`, 'utf8'), 'in a file');
  });
});

check('headers are kept', 'PutObject HeadObject', async (store) => {
  await store.put('k', Buffer.from('x'), {
    headers: { 'Cache-Control': 'no-cache', 'Content-Disposition': 'inline', Expires: 'Wed, 21 Oct 2065 07:28:00 GMT' },
    meta: { one: '1' },
  });
  const { meta, status, res } = await store.head('k');
  same([meta, status], [{ one: '1' }, 200]);
  same([res.headers['cache-control'], res.headers['content-disposition']], ['no-cache', 'inline']);
});

check('storage classes', 'PutObject HeadObject', async (store) => {
  for (const name of ['Standard', 'IA', 'Archive', 'ColdArchive']) {
    await store.put(name, Buffer.from('x'), { headers: { 'x-oss-storage-class': name } });
    same((await store.head(name)).res.headers['x-oss-storage-class'], name);
  }
});

check('forbidden overwrite', 'PutObject', async (store) => {
  await store.put('k', Buffer.from('first'));
  const headers = { 'x-oss-forbid-overwrite': 'true' };
  await refused(409, 'FileAlreadyExists', store.put('k', Buffer.from('second'), { headers }));
  same(await content(store, 'k'), 'first');
});

check('digests are checked', 'PutObject', async (store) => {
  const digest = createHash('md5').update('right').digest('base64');
  await store.put('k', Buffer.from('right'), { headers: { 'Content-MD5': digest } });
  await refused(400, 'InvalidDigest', store.put('k', Buffer.from('wrong'), { headers: { 'Content-MD5': digest } }));
});

check('server side encryption is told', 'PutObject HeadObject', async (store) => {
  await store.put('k', Buffer.from('x'), { headers: { 'x-oss-server-side-encryption': 'AES256' } });
  same((await store.head('k')).res.headers['x-oss-server-side-encryption'], 'AES256');
});

check('missing objects', 'GetObject HeadObject', async (store) => {
  const error = await refused(404, 'NoSuchKey', store.get('absent'));
  same([error.name, error.requestId.length], ['NoSuchKeyError', 24]);
  await refused(404, 'NoSuchKey', store.head('absent'));
});

check('missing buckets', 'GetObject', async (store, bucket) => {
  await refused(404, 'NoSuchBucket', client({ bucket: `${bucket}-absent` }).get('k'));
});

check('short descriptions', 'GetObjectMeta', async (store) => {
  const sent = await store.put('k', Buffer.from('hello'));
  const { status, res } = await store.getObjectMeta('k');
  same([status, res.headers['content-length'], res.headers.etag], [200, '5', sent.res.headers.etag]);
});

check('ranges', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('0123456789'));
  for (const [range, body] of [['bytes=2-5', '2345'], ['bytes=-3', '789'], ['bytes=7-', '789']]) {
    const got = await store.get('k', { headers: { Range: range } });
    same([got.res.status, got.content.toString()], [206, body]);
  }
  same(await content(store, 'k', { headers: { Range: 'bytes=50-60' } }), '0123456789');
});

check('standard ranges are strict', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('0123456789'));
  const headers = { Range: 'bytes=50-60', 'x-oss-range-behavior': 'standard' };
  await refused(416, 'InvalidRange', store.get('k', { headers }));
});

check('a match is demanded', 'GetObject', async (store) => {
  const { res } = await store.put('k', Buffer.from('x'));
  same(await content(store, 'k', { headers: { 'If-Match': res.headers.etag } }), 'x');
  await refused(412, 'PreconditionFailed', store.get('k', { headers: { 'If-Match': NO_ETAG } }));
});

check('changes are demanded', 'GetObject HeadObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  await refused(412, 'PreconditionFailed', store.get('k', { headers: { 'If-Unmodified-Since': BEFORE } }));
  const { res } = await store.head('k');
  const unchanged = await store.head('k', { headers: { 'If-Modified-Since': res.headers['last-modified'] } });
  same([unchanged.status, unchanged.meta], [304, null]);
});

check('answers take headers from the query', 'GetObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  const { res } = await store.get('k', { subres: { 'response-content-type': 'a/b' } });
  same(res.headers['content-type'], 'a/b');
});

check('copies', 'CopyObject', async (store) => {
  await store.put('from ü', Buffer.from('copy me'), { meta: { kept: 'yes' } });
  const done = await store.copy('to', 'from ü');
  holds(done.data.etag && done.data.lastModified, 'no ETag or time');
  const got = await store.get('to');
  same([got.content.toString(), got.res.headers['x-oss-meta-kept']], ['copy me', 'yes']);
});

check('copies from other buckets', 'CopyObject', async (store, bucket) => {
  await store.put('k', Buffer.from('x'));
  const name = `${bucket}-2`;
  await client().putBucket(name);
  const other = client({ bucket: name });
  await other.copy('to', 'k', bucket);
  same(await content(other, 'to'), 'x');
  await other.delete('to');
  await client().deleteBucket(name);
});

check('metadata is replaced', 'CopyObject HeadObject', async (store) => {
  await store.put('k', Buffer.from('x'), { meta: { a: '1' } });
  await store.putMeta('k', { b: '2' });
  same((await store.head('k')).meta, { b: '2' });
});

check('copies of what is missing', 'CopyObject', async (store) => {
  await refused(404, 'NoSuchKey', store.copy('to', 'absent'));
});

check('copies on conditions', 'CopyObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  const headers = { 'If-Match': NO_ETAG };
  await refused(412, 'PreconditionFailed', store.copy('to', 'k', { headers }));
});

check('appends', 'AppendObject', async (store) => {
  same((await store.append('log', Buffer.from('one '))).nextAppendPosition, '4');
  const done = await store.append('log', Buffer.from('two'), { position: '4' });
  same(done.nextAppendPosition, '7');
  same(await content(store, 'log'), 'one two');
  await refused(409, 'PositionNotEqualToLength', store.append('log', Buffer.from('late'), { position: '4' }));
});

check('only appendable objects are appended', 'AppendObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  await refused(409, 'ObjectNotAppendable', store.append('k', Buffer.from('y'), { position: '1' }));
});

check('symbolic links', 'PutSymlink GetSymlink', async (store) => {
  await store.put('target ü', Buffer.from('behind'));
  await store.putSymlink('link', 'target ü', { storageClass: 'IA', meta: { is: 'link' } });
  same((await store.getSymlink('link')).targetName, 'target ü');
  same(await content(store, 'link'), 'behind');
});

check('what is no link', 'GetSymlink', async (store) => {
  await store.put('k', Buffer.from('x'));
  await refused(400, 'NotSymlink', store.getSymlink('k'));
});

check('object acls', 'PutObjectAcl GetObjectAcl', async (store) => {
  await store.put('k', Buffer.from('x'));
  same((await store.getACL('k')).acl, 'default');
  for (const acl of ['private', 'public-read', 'public-read-write']) {
    await store.putACL('k', acl);
    same((await store.getACL('k')).acl, acl);
  }
});

check('object tags', 'PutObjectTagging GetObjectTagging DeleteObjectTagging', async (store) => {
  await store.put('k', Buffer.from('x'), { headers: { 'x-oss-tagging': 'a=1' } });
  same((await store.getObjectTagging('k')).tag, { a: '1' });
  await store.putObjectTagging('k', { b: '2', c: 'x y' });
  same((await store.getObjectTagging('k')).tag, { b: '2', c: 'x y' });
  await store.deleteObjectTagging('k');
  same((await store.getObjectTagging('k')).tag, {});
});

check('one is deleted', 'DeleteObject', async (store) => {
  await store.put('k', Buffer.from('x'));
  same((await store.delete('k')).res.status, 204);
  same((await store.delete('k')).res.status, 204);
  await refused(404, 'NoSuchKey', store.head('k'));
});

check('many are deleted', 'DeleteMultipleObjects', async (store) => {
  const names = ['a', 'b & <c>', 'ü'];
  for (const name of names) await store.put(name, Buffer.from('x'));
  const { deleted } = await store.deleteMulti(names);
  same(deleted.map(({ Key }) => Key).sort(), [...names].sort());
  same((await store.listV2()).objects, []);
});

check('many are deleted quietly', 'DeleteMultipleObjects', async (store) => {
  await store.put('a', Buffer.from('x'));
  const { deleted } = await store.deleteMulti(['a'], { quiet: true });
  same(deleted.length, 0);
});

check('archived objects are restored', 'RestoreObject', async (store) => {
  await store.put('k', Buffer.from('x'), { headers: { 'x-oss-storage-class': 'Archive' } });
  await refused(403, 'InvalidObjectState', store.get('k'));
  same((await store.restore('k')).res.status, 202);
  holds((await store.head('k')).res.headers['x-oss-restore'].includes('ongoing-request'), 'no restore state');
});

check('cold archives are restored', 'RestoreObject', async (store) => {
  await store.put('k', Buffer.from('x'), { headers: { 'x-oss-storage-class': 'ColdArchive' } });
  same((await store.restore('k', { type: 'ColdArchive', JobParameters: 'Bulk', Days: 2 })).res.status, 202);
});

check('images are described', 'GetObject', async (store) => {
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  await store.put('a.png', Buffer.from(pixel, 'base64'));
  const found = JSON.parse(await content(store, 'a.png', { process: 'image/info' }));
  same([found.ImageWidth.value, found.Format.value], ['1', 'png']);
});

check('processed images are saved', 'ProcessObject', async (store) => {
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  await store.put('a.png', Buffer.from(pixel, 'base64'));
  const { status, res } = await store.processObjectSave('a.png', 'b.png', 'image/resize,w_2');
  // The client has no error for this operation.
  if (status === 501) throw Object.assign(new Error(res.data), { status });
  same(status, 200);
  same((await store.head('b.png')).status, 200);
});

async function versioned(store, bucket) {
  await store.putBucketVersioning(bucket, 'Enabled');
}

check('versioning is switched', 'PutBucketVersioning GetBucketVersioning', async (store, bucket) => {
  for (const status of ['Enabled', 'Suspended']) {
    await store.putBucketVersioning(bucket, status);
    same((await store.getBucketVersioning(bucket)).versionStatus, status);
  }
});

check('versions are kept', 'PutObject GetObject DeleteObject ListObjectVersions', async (store, bucket) => {
  await versioned(store, bucket);
  const first = (await store.put('k', Buffer.from('1'))).res.headers['x-oss-version-id'];
  await store.put('k', Buffer.from('2'));
  await store.delete('k');
  await refused(404, 'NoSuchKey', store.get('k'));
  same(await content(store, 'k', { versionId: first }), '1');
  const { objects, deleteMarker } = await store.getBucketVersions();
  same([objects.length, deleteMarker.length, objects[1].versionId], [2, 1, first]);
  await store.delete('k', { versionId: first });
  await refused(404, 'NoSuchVersion', store.get('k', { versionId: first }));
});

check('versions have tags and acl of their own', 'PutObjectTagging GetObjectTagging PutObjectAcl GetObjectAcl', async (store, bucket) => {
  await versioned(store, bucket);
  const versionId = (await store.put('k', Buffer.from('1'))).res.headers['x-oss-version-id'];
  await store.put('k', Buffer.from('2'));
  await store.putObjectTagging('k', { of: 'first' }, { versionId });
  same((await store.getObjectTagging('k', { versionId })).tag, { of: 'first' });
  same((await store.getObjectTagging('k')).tag, {});
  await store.putACL('k', 'public-read', { versionId });
  same([(await store.getACL('k', { versionId })).acl, (await store.getACL('k')).acl], ['public-read', 'default']);
});

check('old versions are copied', 'CopyObject', async (store, bucket) => {
  await versioned(store, bucket);
  const versionId = (await store.put('k', Buffer.from('1'))).res.headers['x-oss-version-id'];
  await store.put('k', Buffer.from('2'));
  await store.copy('to', 'k', { versionId });
  same(await content(store, 'to'), '1');
});

check('many versions are deleted', 'DeleteMultipleObjects ListObjectVersions', async (store, bucket) => {
  await versioned(store, bucket);
  const versionId = (await store.put('k', Buffer.from('1'))).res.headers['x-oss-version-id'];
  await store.put('k', Buffer.from('2'));
  await store.deleteMulti([{ key: 'k', versionId }]);
  same((await store.getBucketVersions()).objects.length, 1);
});
