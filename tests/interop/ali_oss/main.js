// Runs ali-oss, the official Node.js client, against the OSS server that the environment names.
//
// OSS_SIGNATURE_VERSION chooses between v4 and v1. Arguments choose checks by parts of their names.
'use strict';

const OSS = require('ali-oss');

const { run } = require('./checks');

require('./buckets');
require('./objects');
require('./transfers');

// Methods that are called otherwise than their operations.
const NAMES = {
  abortMultipartUpload: 'AbortMultipartUpload',
  append: 'AppendObject',
  copy: 'CopyObject',
  delete: 'DeleteObject',
  deleteMulti: 'DeleteMultipleObjects',
  get: 'GetObject',
  getACL: 'GetObjectAcl',
  getBucketVersions: 'ListObjectVersions',
  head: 'HeadObject',
  initMultipartUpload: 'InitiateMultipartUpload',
  list: 'ListObjects',
  listUploads: 'ListMultipartUploads',
  listV2: 'ListObjectsV2',
  processObjectSave: 'ProcessObject',
  put: 'PutObject',
  putACL: 'PutObjectAcl',
  restore: 'RestoreObject',
};

function offers() {
  const names = [];
  for (let owner = OSS.prototype; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    names.push(...Object.getOwnPropertyNames(owner));
  }
  const chosen = names.filter((name) => /^[a-z]/.test(name) && name !== 'constructor');
  return [...new Set(chosen.map((name) => `oss/${NAMES[name] || name}`))].sort();
}

run(process.argv.slice(2), offers()).then((failed) => process.exit(failed === 0 ? 0 : 1));
