//! A day of an emulator: everything that the clock brings about, watched one second before and one second after its instant.
//!
//! [`Day::look`] asks for all of it as a client would, and [`lines`] says what the answers have to be at any time. Whatever
//! happens early, late, or because something else did, is a difference between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oss_emulator::{Clock, EcsMetadata, Emulator};
use tempfile::TempDir;

use crate::client::{Client, Request, Response, hmac_sha1_base64, noon};
use crate::identity::{arn, holder, nonce, signed};
use crate::live::stamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// From the beginning, 2023-12-17T16:20:57Z, to the next midnight in UTC.
const MIDNIGHT: u64 = 7 * HOUR + 39 * MINUTE + 3;
/// When the emulator is restarted, if it has a directory.
const RESTART: u64 = 13 * HOUR;
/// How long before the beginning the first things are made.
const PRELUDE: u64 = 70 * HOUR;
const ECS_LIFETIME: u64 = 6 * HOUR;
const ECS_ROTATION: u64 = 5 * HOUR;
const SESSIONS: [(&str, u64); 3] = [
    ("session of 900 s", 900),
    ("session of an hour", HOUR),
    ("session of 12 hours", 12 * HOUR),
];
const DOMAIN: &str = "files.example.com";

const RULES: &str = "<LifecycleConfiguration>\
    <Rule><ID>days</ID><Prefix>days/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>\
    <Rule><ID>date</ID><Prefix>date/</Prefix><Status>Enabled</Status>\
      <Expiration><Date>2023-12-18T00:00:00.000Z</Date></Expiration></Rule>\
    <Rule><ID>created</ID><Prefix>created/</Prefix><Status>Enabled</Status>\
      <Expiration><CreatedBeforeDate>2023-12-18T00:00:00.000Z</CreatedBeforeDate></Expiration></Rule>\
    <Rule><ID>colder</ID><Prefix>colder/</Prefix><Status>Enabled</Status>\
      <Transition><Days>1</Days><StorageClass>IA</StorageClass></Transition></Rule>\
    <Rule><ID>parts</ID><Prefix>parts/</Prefix><Status>Enabled</Status>\
      <AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule>\
    <Rule><ID>off</ID><Prefix>off/</Prefix><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>\
    </LifecycleConfiguration>";
const VERSION_RULES: &str = "<LifecycleConfiguration><Rule><ID>old</ID><Prefix></Prefix><Status>Enabled</Status>\
    <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>\
    <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>\
    </Rule></LifecycleConfiguration>";

/// What one answer says from an instant on, in seconds since the beginning.
type Line = (&'static str, Vec<(u64, String)>);

fn line(name: &'static str, states: &[(u64, &str)]) -> Line {
    let states = states.iter().map(|(from, state)| (*from, (*state).to_owned()));
    (name, states.collect())
}

/// What is to be seen, at any time of the day.
fn lines(restarts: bool) -> Vec<Line> {
    let gone = "404 NoSuchKey";
    let denied = "403 AccessDenied";
    let mut lines = vec![
        line("expires after a day", &[(0, "200"), (MIDNIGHT, gone)]),
        line("expires after a day, written today", &[(0, "200")]),
        line("expires on a date", &[(0, "200"), (MIDNIGHT, gone)]),
        line("expires when older than a date", &[(0, "200"), (MIDNIGHT, gone)]),
        line("a rule that is off", &[(0, "200")]),
        line("moves to IA", &[(0, "Standard"), (MIDNIGHT, "IA")]),
        line("upload", &[(0, "200"), (MIDNIGHT, "404 NoSuchUpload")]),
        line("current version", &[(0, "200")]),
        line("noncurrent version", &[(0, "200"), (MIDNIGHT, "404 NoSuchVersion")]),
        line("versions below a delete marker", &[(0, "1"), (MIDNIGHT, "0")]),
        line("delete marker", &[(0, "1"), (MIDNIGHT, "0")]),
        line(
            "archive, restored yesterday",
            &[(0, "200"), (HOUR + MINUTE, "403 InvalidObjectState")],
        ),
        line("cold archive", &[(0, "403 InvalidObjectState"), (5 * HOUR, "200")]),
        line("presigned V1", &[(0, "200"), (30 * MINUTE, denied)]),
        line("presigned V4", &[(0, "200"), (2 * HOUR, denied)]),
        line("CNAME token", &[(0, "200"), (2 * HOUR, "404 CnameTokenNotFound")]),
        line(
            "retention policy of yesterday",
            &[(0, "InProgress"), (4 * HOUR, "404 NoSuchWORMConfiguration")],
        ),
        line(
            "overwriting what it retains",
            &[(0, "409 FileImmutable"), (4 * HOUR, "200")],
        ),
        line(
            "retention policy of today",
            &[(0, "InProgress"), (DAY, "404 NoSuchWORMConfiguration")],
        ),
        line("locked retention policy", &[(0, "Locked")]),
        line("access point", &[(0, "creating"), (5, "enable")]),
        line(
            "redundancy transition",
            &[(0, "Queueing"), (MINUTE, "Processing"), (HOUR + MINUTE, "Finished")],
        ),
        line(
            "first key of the instance",
            &[(0, "200"), (ECS_LIFETIME, "403 SecurityTokenExpired")],
        ),
        ("keys of the instance", keys_of_instance(restarts)),
    ];
    lines.extend(SESSIONS.map(|(name, seconds)| line(name, &[(0, "200"), (seconds, "403 SecurityTokenExpired")])));
    lines
}

/// How many different keys the instance was given. New ones are made when somebody asks after their time, which is a second
/// later here; and after a restart, which has no memory of those before.
fn keys_of_instance(restarts: bool) -> Vec<(u64, String)> {
    let (mut keys, mut from) = (vec![(0, "1".to_owned())], 0);
    loop {
        let due = from + ECS_ROTATION;
        let is_restarted = restarts && from < RESTART && due > RESTART;
        let instant = if is_restarted { RESTART } else { due };
        if instant > DAY {
            return keys;
        }
        keys.push((instant, (keys.len() + 1).to_string()));
        from = if is_restarted { RESTART } else { due + 1 };
    }
}

struct Day {
    clock: Clock,
    directory: Option<TempDir>,
    emulator: Emulator,
    upload: String,
    version: String,
    task: String,
    sessions: Vec<Client>,
    urls: [Request; 2],
    /// Keys that the instance was given.
    keys: Vec<String>,
    first: Option<Client>,
}

async fn open(clock: &Clock, directory: Option<&TempDir>) -> Emulator {
    let metadata = EcsMetadata::new("worker")
        .lifetime(Duration::from_secs(ECS_LIFETIME))
        .rotate_after(Duration::from_secs(ECS_ROTATION));
    let builder = Emulator::builder().clock(clock.clone()).ecs_metadata(metadata);
    let builder = match directory {
        Some(directory) => builder.data_dir(directory.path()),
        None => builder,
    };
    builder.start().await.unwrap()
}

fn shown(answer: &Response) -> String {
    match answer.error() {
        (status @ 200..300, _) => status.to_string(),
        (status, code) => format!("{status} {code}"),
    }
}

/// The text of an element, or the refusal.
fn element(answer: &Response, name: &str) -> String {
    answer.element(name).unwrap_or_else(|| shown(answer))
}

impl Day {
    async fn begin(directory: Option<TempDir>) -> Self {
        let clock = Clock::fixed(noon() - Duration::from_secs(PRELUDE));
        let emulator = open(&clock, directory.as_ref()).await;
        let nothing = Request::get("/");
        let mut day = Self {
            clock,
            directory,
            emulator,
            upload: String::new(),
            version: String::new(),
            task: String::new(),
            sessions: Vec::new(),
            urls: [nothing.clone(), nothing],
            keys: Vec::new(),
            first: None,
        };
        for bucket in ["day", "versions", "yesterday", "today", "locked"] {
            day.done(Request::put(&format!("/{bucket}"))).await;
        }
        let cname =
            format!("<BucketCnameConfiguration><Cname><Domain>{DOMAIN}</Domain></Cname></BucketCnameConfiguration>");
        day.done(Request::post("/day?cname&comp=token").body(cname)).await;
        day.advance(PRELUDE - DAY);
        day.eve().await;
        day.morning().await;
        day
    }

    /// What is made on the day before.
    async fn eve(&mut self) {
        self.done(Request::put("/day?lifecycle").body(RULES)).await;
        for key in ["days/a", "date/a", "created/a", "off/a", "colder/a"] {
            self.put("day", key, "Standard").await;
        }
        let begun = self.done(Request::post("/day/parts/a?uploads")).await;
        self.upload = begun.element("UploadId").unwrap();
        let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        self.done(Request::put("/versions?versioning").body(versioning)).await;
        self.done(Request::put("/versions?lifecycle").body(VERSION_RULES)).await;
        let first = self.put("versions", "kept", "Standard").await;
        self.version = first.header("x-oss-version-id").unwrap().to_owned();
        self.put("versions", "kept", "Standard").await;
        self.put("versions", "deleted", "Standard").await;
        self.done(Request::delete("/versions/deleted")).await;
        self.put("day", "archive", "Archive").await;
        self.put("yesterday", "k", "Standard").await;
        self.advance(HOUR);
        self.done(restore("archive")).await;
        self.advance(3 * HOUR);
        self.done(Request::post("/yesterday?worm").body(retention())).await;
        self.advance(20 * HOUR);
    }

    /// What is made when the day begins.
    async fn morning(&mut self) {
        self.put("day", "days/today", "Standard").await;
        self.put("day", "cold", "ColdArchive").await;
        self.put("day", "k", "Standard").await;
        self.done(restore("cold")).await;
        self.done(Request::post("/today?worm").body(retention())).await;
        let begun = self.done(Request::post("/locked?worm").body(retention())).await;
        let id = begun.header("x-oss-worm-id").unwrap();
        self.done(Request::post("/locked").query("wormId", id)).await;
        let point = "<CreateAccessPointConfiguration><AccessPointName>door</AccessPointName>\
            <NetworkOrigin>internet</NetworkOrigin></CreateAccessPointConfiguration>";
        self.done(Request::put("/day?accessPoint").body(point)).await;
        let transition = Request::post("/day?redundancyTransition&x-oss-target-redundancy-type=ZRS");
        self.task = self.done(transition).await.element("TaskId").unwrap();
        let client = self.client();
        for (_, seconds) in SESSIONS {
            let (role, seconds) = (arn("worker"), seconds.to_string());
            let parameters = [
                ("RoleArn", role.as_str()),
                ("RoleSessionName", "day"),
                ("DurationSeconds", &seconds),
            ];
            let request = signed(&client, "POST", "2023-12-17T16:20:57Z", &nonce(), &parameters);
            let answer = client.send_as_is(request).await;
            self.sessions.push(holder(&client, &answer));
        }
        let expires = (1_702_830_057 + 30 * MINUTE).to_string();
        let signature = hmac_sha1_base64(&client.secret, &format!("GET\n\n\n{expires}\n/day/k"));
        let v1 = Request::get("/day/k")
            .query("OSSAccessKeyId", &client.id)
            .query("Expires", &expires)
            .query("Signature", &signature);
        self.urls = [v1, client.presign(Request::get("/day/k"), 2 * HOUR)];
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn client(&self) -> Client {
        Client {
            stamp: stamp(self.clock.now()),
            ..Client::of(&self.emulator)
        }
    }

    /// The same server and time, another key.
    fn with_key_of(&self, other: &Client) -> Client {
        Client {
            id: other.id.clone(),
            secret: other.secret.clone(),
            token: other.token.clone(),
            ..self.client()
        }
    }

    async fn send(&self, request: Request) -> Response {
        self.client().send(request).await
    }

    async fn done(&self, request: Request) -> Response {
        let answer = self.send(request.clone()).await;
        assert!(answer.status < 300, "{request:?}: {}", answer.text());
        answer
    }

    async fn put(&self, bucket: &str, key: &str, class: &str) -> Response {
        let request = Request::put(&format!("/{bucket}/{key}")).header("x-oss-storage-class", class);
        self.done(request.body("content")).await
    }

    /// The credentials that the metadata service hands out now.
    async fn ask_instance(&mut self) -> Client {
        let address = self.emulator.ecs_metadata_endpoint().unwrap().replace("http://", "");
        let metadata = Client {
            host: address.clone(),
            address,
            ..self.client()
        };
        let path = Request::get("/latest/meta-data/ram/security-credentials/worker");
        let document = metadata.send_as_is(path).await.json();
        let text = |name: &str| document[name].as_str().unwrap().to_owned();
        let id = text("AccessKeyId");
        if !self.keys.contains(&id) {
            self.keys.push(id.clone());
        }
        Client {
            id,
            secret: text("AccessKeySecret"),
            token: Some(text("SecurityToken")),
            ..self.client()
        }
    }

    /// Lets the lifecycle rules do all they have to by now.
    async fn run_rules(&self) {
        while self.emulator.run_lifecycle().await.unwrap() != oss_emulator::LifecycleReport::default() {}
    }

    /// Everything there is to see now.
    async fn look(&mut self) -> BTreeMap<&'static str, String> {
        self.run_rules().await;
        let mut seen = BTreeMap::new();
        for (name, target) in [
            ("expires after a day", "/day/days/a"),
            ("expires after a day, written today", "/day/days/today"),
            ("expires on a date", "/day/date/a"),
            ("expires when older than a date", "/day/created/a"),
            ("a rule that is off", "/day/off/a"),
            ("current version", "/versions/kept"),
            ("archive, restored yesterday", "/day/archive"),
            ("cold archive", "/day/cold"),
        ] {
            seen.insert(name, shown(&self.send(Request::get(target)).await));
        }
        let moved = self.send(Request::new("HEAD", "/day/colder/a")).await;
        let class = moved.header("x-oss-storage-class").unwrap_or_default();
        seen.insert("moves to IA", class.to_owned());
        let parts = Request::get("/day/parts/a").query("uploadId", &self.upload);
        seen.insert("upload", shown(&self.send(parts).await));
        let version = Request::get("/versions/kept").query("versionId", &self.version);
        seen.insert("noncurrent version", shown(&self.send(version).await));
        let versions = self.send(Request::get("/versions?versions&prefix=deleted")).await;
        seen.insert(
            "versions below a delete marker",
            versions.elements("Version").len().to_string(),
        );
        seen.insert("delete marker", versions.elements("DeleteMarker").len().to_string());
        let client = self.client();
        for (name, url) in ["presigned V1", "presigned V4"].into_iter().zip(&self.urls) {
            seen.insert(name, shown(&client.send_as_is(url.clone()).await));
        }
        let token = Request::get("/day?comp=token").query("cname", DOMAIN);
        seen.insert("CNAME token", shown(&self.send(token).await));
        for (name, bucket) in [
            ("retention policy of yesterday", "yesterday"),
            ("retention policy of today", "today"),
            ("locked retention policy", "locked"),
        ] {
            let answer = self.send(Request::get(&format!("/{bucket}?worm"))).await;
            seen.insert(name, element(&answer, "State"));
        }
        let overwritten = self.send(Request::put("/yesterday/k").body("new")).await;
        seen.insert("overwriting what it retains", shown(&overwritten));
        let point = Request::get("/day?accessPoint").header("x-oss-access-point-name", "door");
        seen.insert("access point", element(&self.send(point).await, "Status"));
        let task = Request::get("/day?redundancyTransition").query("x-oss-redundancy-transition-taskid", &self.task);
        seen.insert("redundancy transition", element(&self.send(task).await, "Status"));
        let keys: Vec<Client> = self.sessions.iter().map(|key| self.with_key_of(key)).collect();
        for ((name, _), key) in SESSIONS.into_iter().zip(keys) {
            seen.insert(name, shown(&key.send(Request::get("/day/k")).await));
        }
        let handed = self.ask_instance().await;
        assert_eq!(
            handed.send(Request::get("/day/k")).await.status,
            200,
            "a key just handed out"
        );
        seen.insert("keys of the instance", self.keys.len().to_string());
        let first = self.first.get_or_insert(handed).clone();
        let first = self.with_key_of(&first).send(Request::get("/day/k")).await;
        seen.insert("first key of the instance", shown(&first));
        seen
    }

    /// Stops the emulator and starts it again with what its directory has.
    async fn restart(self) -> Self {
        let emulator = self.emulator;
        emulator.shutdown().await;
        let emulator = open(&self.clock, self.directory.as_ref()).await;
        Self { emulator, ..self }
    }
}

fn restore(key: &str) -> Request {
    Request::post(&format!("/day/{key}?restore")).body("<RestoreRequest><Days>1</Days></RestoreRequest>")
}

fn retention() -> &'static str {
    "<InitiateWormConfiguration><RetentionPeriodInDays>30</RetentionPeriodInDays></InitiateWormConfiguration>"
}

async fn live_through(directory: Option<TempDir>) {
    let restarts = directory.is_some();
    let lines = lines(restarts);
    let instants: BTreeSet<u64> = lines
        .iter()
        .flat_map(|(_, states)| states.iter().map(|(from, _)| *from))
        .collect();
    let around = instants.iter().flat_map(|at| [at.saturating_sub(1), at + 1]);
    let mut steps: BTreeSet<u64> = around.chain([0]).collect();
    if restarts {
        steps.insert(RESTART);
    }
    let mut day = Day::begin(directory).await;
    let (mut now, mut differences) = (0, Vec::new());
    for step in steps {
        day.advance(step - now);
        now = step;
        if restarts && now == RESTART {
            day = day.restart().await;
        }
        let seen = day.look().await;
        assert_eq!(seen.len(), lines.len(), "all that is seen has a line");
        for (name, states) in &lines {
            let expected = states.iter().rev().find(|(from, _)| *from <= now);
            let (expected, seen) = (expected.map(|(_, state)| state), seen.get(name));
            if seen != expected {
                differences.push(format!("{now:>6} s: {name}: {seen:?} instead of {expected:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // What is over cannot be taken up again.
    let binding =
        format!("<BucketCnameConfiguration><Cname><Domain>{DOMAIN}</Domain></Cname></BucketCnameConfiguration>");
    let bound = day.send(Request::post("/day?cname&comp=add").body(binding)).await;
    assert_eq!(shown(&bound), "403 NeedVerifyDomainOwnership");
    day.emulator.shutdown().await;
}

#[tokio::test]
async fn a_day_in_memory() {
    live_through(None).await;
}

#[tokio::test]
async fn a_day_in_a_directory_with_a_restart() {
    live_through(Some(tempfile::tempdir().unwrap())).await;
}
