// Buckets and their settings.
'use strict';

const {
  ACCOUNT_ID, ENDPOINT, REGION, check, client, fetchUrl, holds, newName, refused, same,
} = require('./checks');

check('bucket is created, described and deleted', 'PutBucket GetBucketInfo GetBucketLocation DeleteBucket', async () => {
  const name = newName();
  const store = client();
  await store.putBucket(name, { acl: 'public-read', storageClass: 'IA', dataRedundancyType: 'ZRS' });
  const { bucket } = await store.getBucketInfo(name);
  same([bucket.Name, bucket.StorageClass, bucket.DataRedundancyType], [name, 'IA', 'ZRS']);
  same([bucket.AccessControlList.Grant, bucket.Owner.ID], ['public-read', ACCOUNT_ID]);
  same((await store.getBucketLocation(name)).location, `oss-${REGION}`);
  await store.deleteBucket(name);
  await refused(404, 'NoSuchBucket', store.getBucketInfo(name));
});

check('buckets with objects stay', 'DeleteBucket', async (store, bucket) => {
  await store.put('k', Buffer.from('x'));
  await refused(409, 'BucketNotEmpty', store.deleteBucket(bucket));
});

check('statistics count', 'GetBucketStat', async (store, bucket) => {
  await store.put('k', Buffer.from('12345'));
  const { stat } = await store.getBucketStat(bucket);
  same([stat.Storage, stat.ObjectCount], ['5', '1']);
});

check('bucket acls', 'PutBucketAcl GetBucketAcl', async (store, bucket) => {
  for (const acl of ['public-read', 'public-read-write', 'private']) {
    await store.putBucketACL(bucket, acl);
    same((await store.getBucketACL(bucket)).acl, acl);
  }
});

check('cors', 'PutBucketCors GetBucketCors DeleteBucketCors', async (store, bucket) => {
  const rule = { allowedOrigin: '*', allowedMethod: ['GET', 'PUT'], allowedHeader: 'x-oss-*', exposeHeader: 'ETag', maxAgeSeconds: '60' };
  await store.putBucketCORS(bucket, [rule]);
  same(Object.entries((await store.getBucketCORS(bucket)).rules[0]).sort(), Object.entries(rule).sort());
  await store.deleteBucketCORS(bucket);
  await refused(404, 'NoSuchCORSConfiguration', store.getBucketCORS(bucket));
});

check('answers to browsers have cors headers', 'PutBucketCors GetObject OptionObject', async (store, bucket) => {
  await store.put('k', Buffer.from('x'), { headers: { 'x-oss-object-acl': 'public-read' } });
  await store.putBucketCORS(bucket, [{ allowedOrigin: 'https://*.example.com', allowedMethod: 'GET' }]);
  const url = `${ENDPOINT}/${bucket}/k`;
  const Origin = 'https://www.example.com';
  same((await fetchUrl('GET', url, { headers: { Origin } })).headers['access-control-allow-origin'], Origin);
  const asked = await fetchUrl('OPTIONS', url, { headers: { Origin, 'Access-Control-Request-Method': 'GET' } });
  same([asked.status, asked.headers['access-control-allow-methods']], [200, 'GET']);
  const other = await fetchUrl('OPTIONS', url, { headers: { Origin, 'Access-Control-Request-Method': 'DELETE' } });
  same(other.status, 403);
});

check('referer', 'PutBucketReferer GetBucketReferer', async (store, bucket) => {
  const referers = ['http://www.example.com', 'http://*.example.net'];
  await store.putBucketReferer(bucket, false, referers);
  const found = await store.getBucketReferer(bucket);
  same([found.allowEmpty, found.referers], [false, referers]);
});

check('logging', 'PutBucketLogging GetBucketLogging DeleteBucketLogging', async (store, bucket) => {
  await store.putBucketLogging(bucket, 'logs/');
  const found = await store.getBucketLogging(bucket);
  same([found.enable, found.prefix], [true, 'logs/']);
  await store.deleteBucketLogging(bucket);
  same((await store.getBucketLogging(bucket)).enable, false);
});

check('lifecycle', 'PutBucketLifecycle GetBucketLifecycle DeleteBucketLifecycle', async (store, bucket) => {
  await store.putBucketLifecycle(bucket, [{
    id: 'rule', prefix: 'logs/', status: 'Enabled', expiration: { days: 30 },
    transition: { days: 10, storageClass: 'IA' }, tag: [{ key: 'a', value: '1' }],
  }]);
  const [rule] = (await store.getBucketLifecycle(bucket)).rules;
  same([rule.id, rule.prefix, rule.status, rule.expiration.days], ['rule', 'logs/', 'Enabled', '30']);
  same([rule.transition.storageClass, [].concat(rule.tag)[0].key], ['IA', 'a']);
  await store.deleteBucketLifecycle(bucket);
  await refused(404, 'NoSuchLifecycle', store.getBucketLifecycle(bucket));
});

check('lifecycle of versions', 'PutBucketLifecycle GetBucketLifecycle', async (store, bucket) => {
  await store.putBucketLifecycle(bucket, [{
    id: 'rule', prefix: '', status: 'Enabled', expiration: { expiredObjectDeleteMarker: 'true' },
    noncurrentVersionExpiration: { noncurrentDays: 7 },
  }]);
  const [rule] = (await store.getBucketLifecycle(bucket)).rules;
  same([rule.noncurrentVersionExpiration.noncurrentDays, rule.expiration.expiredObjectDeleteMarker], ['7', 'true']);
});

check('unfinished uploads expire', 'PutBucketLifecycle GetBucketLifecycle', async (store, bucket) => {
  await store.putBucketLifecycle(bucket, [{
    id: 'rule', prefix: 'up/', status: 'Disabled', abortMultipartUpload: { days: 3 },
  }]);
  const [rule] = (await store.getBucketLifecycle(bucket)).rules;
  same([rule.abortMultipartUpload.days, rule.status], ['3', 'Disabled']);
});

check('website', 'PutBucketWebsite GetBucketWebsite DeleteBucketWebsite', async (store, bucket) => {
  await store.putBucketWebsite(bucket, {
    index: 'index.html', error: 'error.html', supportSubDir: 'true', type: '1',
    routingRules: [{
      RuleNumber: '1', Condition: { KeyPrefixEquals: 'old/', HttpErrorCodeReturnedEquals: '404' },
      Redirect: { RedirectType: 'External', Protocol: 'https', HostName: 'example.com', HttpRedirectCode: '302' },
    }],
  });
  const found = await store.getBucketWebsite(bucket);
  same([found.index, found.error, found.supportSubDir, found.type], ['index.html', 'error.html', 'true', '1']);
  same(found.routingRules[0].Redirect.HostName, 'example.com');
  await store.deleteBucketWebsite(bucket);
  await refused(404, 'NoSuchWebsiteConfiguration', store.getBucketWebsite(bucket));
});

check('encryption', 'PutBucketEncryption GetBucketEncryption DeleteBucketEncryption', async (store, bucket) => {
  await store.putBucketEncryption(bucket, { SSEAlgorithm: 'AES256' });
  same((await store.getBucketEncryption(bucket)).encryption.SSEAlgorithm, 'AES256');
  await store.deleteBucketEncryption(bucket);
  await refused(404, 'NoSuchServerSideEncryptionRule', store.getBucketEncryption(bucket));
});

check('tags', 'PutBucketTags GetBucketTags DeleteBucketTags', async (store, bucket) => {
  await store.putBucketTags(bucket, { a: '1', b: '2' });
  same((await store.getBucketTags(bucket)).tag, { a: '1', b: '2' });
  await store.deleteBucketTags(bucket);
  same((await store.getBucketTags(bucket)).tag, {});
});

check('policies', 'PutBucketPolicy GetBucketPolicy DeleteBucketPolicy', async (store, bucket) => {
  const policy = {
    Version: '1',
    Statement: [{
      Action: ['oss:GetObject'], Effect: 'Allow', Principal: ['*'], Resource: [`acs:oss:*:${ACCOUNT_ID}:${bucket}/*`],
    }],
  };
  await store.putBucketPolicy(bucket, policy);
  same((await store.getBucketPolicy(bucket)).policy, policy);
  await store.put('k', Buffer.from('x'));
  same((await fetchUrl('GET', `${ENDPOINT}/${bucket}/k`)).status, 200);
  await store.deleteBucketPolicy(bucket);
  same((await store.getBucketPolicy(bucket)).policy, null);
});

check('request payment', 'PutBucketRequestPayment GetBucketRequestPayment', async (store, bucket) => {
  same((await store.getBucketRequestPayment(bucket)).payer, 'BucketOwner');
  await store.putBucketRequestPayment(bucket, 'Requester');
  same((await store.getBucketRequestPayment(bucket)).payer, 'Requester');
});

function inventoryOf(bucket, id) {
  return {
    id, isEnabled: true, prefix: 'data/', frequency: 'Daily', includedObjectVersions: 'All',
    OSSBucketDestination: { format: 'CSV', accountId: ACCOUNT_ID, rolename: 'interop', bucket, prefix: 'reports' },
    optionalFields: { field: ['Size', 'ETag'] },
  };
}

check('inventory', 'PutBucketInventory GetBucketInventory ListBucketInventory DeleteBucketInventory', async (store, bucket) => {
  for (const id of ['one', 'two']) await store.putBucketInventory(bucket, inventoryOf(bucket, id));
  const { inventory } = await store.getBucketInventory(bucket, 'one');
  same([inventory.id, inventory.isEnabled, inventory.prefix, inventory.frequency], ['one', true, 'data/', 'Daily']);
  same(inventory.OSSBucketDestination.bucket, bucket);
  const { inventoryList } = await store.listBucketInventory(bucket);
  same(inventoryList.map(({ id }) => id), ['one', 'two']);
  await store.deleteBucketInventory(bucket, 'one');
  await refused(404, 'NoSuchInventory', store.getBucketInventory(bucket, 'one'));
});

check('bucket worm begins and is aborted', 'InitiateBucketWorm GetBucketWorm AbortBucketWorm', async (store, bucket) => {
  const { wormId } = await store.initiateBucketWorm(bucket, '1');
  const found = await store.getBucketWorm(bucket);
  same([found.wormId, found.state, found.days], [wormId, 'InProgress', '1']);
  await store.abortBucketWorm(bucket);
  await refused(404, 'NoSuchWORMConfiguration', store.getBucketWorm(bucket));
});

check('bucket worm is locked and extended', 'CompleteBucketWorm ExtendBucketWorm', async (store, bucket) => {
  const { wormId } = await store.initiateBucketWorm(bucket, '1');
  await store.put('k', Buffer.from('x'));
  await store.completeBucketWorm(bucket, wormId);
  await refused(409, 'FileImmutable', store.delete('k'));
  await store.extendBucketWorm(bucket, wormId, '3');
  const found = await store.getBucketWorm(bucket);
  same([found.state, found.days], ['Locked', '3']);
});

check('wrong settings are refused', 'PutBucketCors PutBucketLifecycle', async (store, bucket) => {
  const error = await store.putBucketCORS(bucket, [{ allowedOrigin: '*', allowedMethod: 'FLY' }]).then(() => null, (found) => found);
  same(error && error.status, 400);
});

check('settings of missing buckets', 'GetBucketCors GetBucketLifecycle GetBucketWebsite GetBucketReferer GetBucketLogging', async (store, bucket) => {
  const absent = `${bucket}-absent`;
  for (const call of ['getBucketCORS', 'getBucketLifecycle', 'getBucketWebsite', 'getBucketReferer', 'getBucketLogging']) {
    await refused(404, 'NoSuchBucket', store[call](absent));
  }
});

check('buckets are used by name', 'PutObject ListObjects', async (store, bucket) => {
  const other = client();
  other.useBucket(bucket);
  await other.put('k', Buffer.from('x'));
  same((await other.list()).objects.map(({ name }) => name), ['k']);
  holds(other.generateObjectUrl('k').endsWith('/k'), other.generateObjectUrl('k'));
});
