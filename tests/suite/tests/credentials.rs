//! Every source of credentials against the emulator: it gives, is kept, renewed in time, and may fail for a while.
//!
//! The emulator and the clients go by one clock, which the tests move; nothing sleeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_emulator::{Builder, EcsMetadata, Emulator, Fault, OidcIssuer, OidcProvider};
use oss_sdk::credentials::{
    CredentialsChain, CredentialsProvider, EcsRoleCredentials, OidcRoleCredentials, ProcessCredentials,
    ProfileCredentials, RamRoleCredentials, StaticCredentials, UriCredentials,
};
use oss_sdk::transport::{ReqwestTransport, Transport, TransportFuture, TransportOptions, TransportRequest};
use oss_sdk::{
    Client, ClientBuilder, Config, Credentials, ErrorKind, FixedClock, GetBucketAclRequest, GetObjectRequest,
    PutBucketRequest, PutObjectRequest, Timestamp,
};
use oss_suite::clock::{Counted, SharedClock};
use oss_suite::fixture::{BUCKET, builder};

const ROLE: &str = "acs:ram::1234567890123456:role/reader";

/// Shortest life of a session.
const LIFE: u64 = 900;

/// An emulator with a bucket, and the clock that it shares with its clients.
struct World {
    emulator: Emulator,
    clock: SharedClock,
}

impl World {
    async fn start(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = SharedClock::fixed();
        let emulator = settings(Emulator::builder().clock(clock.0.clone()))
            .start()
            .await
            .unwrap();
        let world = Self { emulator, clock };
        let owner = world.builder().build().unwrap();
        owner.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
        world
    }

    /// Settings of a client that asks once, so that what it meets is what it tells.
    fn builder(&self) -> ClientBuilder<Client> {
        builder(&self.emulator).clock(self.clock.clone()).retry_attempts(1)
    }

    fn key(&self) -> StaticCredentials {
        let emulator = &self.emulator;
        StaticCredentials::new(Credentials::new(emulator.access_key_id(), emulator.access_key_secret())).unwrap()
    }

    fn role(&self) -> RamRoleCredentials {
        RamRoleCredentials::new(ROLE, self.key())
            .duration(Duration::from_secs(LIFE))
            .sts_endpoint(self.emulator.endpoint())
    }

    fn now(&self) -> SystemTime {
        self.clock.0.now()
    }

    /// Id of the key that the last request for an ACL was signed with.
    fn last_key(&self) -> String {
        let requests = self.emulator.requests().of("GetBucketAcl");
        let authorization = requests.last().unwrap().header("authorization").unwrap().to_owned();
        let (_, credential) = authorization.split_once("Credential=").unwrap();
        credential.split('/').next().unwrap().to_owned()
    }
}

async fn call(client: &Client) -> Result<(), oss_sdk::Error> {
    client.get_bucket_acl(GetBucketAclRequest::new(BUCKET)).await.map(drop)
}

/// Takes a source whose credentials live for [`LIFE`] through their life. `issue` makes new ones where the source does not,
/// `fail` has it fail or work again.
async fn lives(
    world: &World,
    provider: impl CredentialsProvider + 'static,
    issue: impl Fn(SystemTime),
    fail: impl Fn(bool),
) {
    issue(world.now());
    let provider = Arc::new(Counted::new(provider));
    let client = world
        .builder()
        .credentials_provider(Arc::clone(&provider))
        .build()
        .unwrap();
    // Obtained once, and kept.
    for _ in 0..3 {
        call(&client).await.unwrap();
    }
    assert_eq!(provider.asked(), 1);

    // Renewed before their end, with the old ones meanwhile.
    world.clock.advance(LIFE - 60);
    issue(world.now());
    call(&client).await.unwrap();
    provider.wait_answered(2).await;
    world.clock.advance(120);
    call(&client).await.unwrap();
    assert_eq!(provider.asked(), 2, "the first ones are over, the second are used");

    // A source that fails is not noticed while they live.
    fail(true);
    world.clock.advance(LIFE - 180);
    call(&client).await.unwrap();
    provider.wait_answered(3).await;
    call(&client).await.unwrap();
    // It is when they are over.
    world.clock.advance(120);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    assert!(!format!("{error} {error:?}").contains(world.emulator.access_key_secret()));

    // And when it works again, so does the client.
    fail(false);
    issue(world.now());
    call(&client).await.unwrap();
    assert_eq!(provider.asked(), 5);
}

fn sts_fails<'a>(world: &'a World, operation: &'static str) -> impl Fn(bool) + 'a {
    move |fails| {
        world.emulator.faults().clear();
        if fails {
            let fault = Fault::error(503, "ServiceUnavailable").operation(operation);
            world.emulator.faults().add(fault.times(u64::MAX));
        }
    }
}

#[tokio::test]
async fn a_ram_role_is_assumed_again_in_time() {
    let world = World::start(|builder| builder).await;
    lives(&world, world.role(), |_| {}, sts_fails(&world, "AssumeRole")).await;
}

#[tokio::test]
async fn an_oidc_role_is_assumed_again_in_time_with_the_token_of_the_moment() {
    let issuer = OidcIssuer::generate("https://issuer.test");
    let provider = OidcProvider::new("test", "https://issuer.test")
        .client_id("sts.aliyuncs.com")
        .jwks(issuer.jwks());
    let world = World::start(|builder| builder.oidc_provider(provider)).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let arn = format!("acs:ram::{}:oidc-provider/test", world.emulator.account_id());
    let role = format!("acs:ram::{}:role/pod", world.emulator.account_id());
    let source = OidcRoleCredentials::new(role, arn, &file)
        .duration(Duration::from_secs(LIFE))
        .sts_endpoint(world.emulator.endpoint());
    // Each token is good for one renewal only.
    let issue = |now| {
        let token = issuer.token("pod", "sts.aliyuncs.com", now, Duration::from_secs(300));
        std::fs::write(&file, token).unwrap();
    };
    lives(&world, source, issue, sts_fails(&world, "AssumeRoleWithOIDC")).await;
}

fn metadata() -> EcsMetadata {
    EcsMetadata::new("reader")
        .lifetime(Duration::from_secs(LIFE))
        .rotate_after(Duration::from_secs(LIFE / 2))
}

fn instance(world: &World) -> EcsRoleCredentials {
    EcsRoleCredentials::new().endpoint(world.emulator.ecs_metadata_endpoint().unwrap())
}

#[tokio::test]
async fn an_instance_has_its_role_by_plain_and_by_hardened_metadata() {
    for hardened in [false, true] {
        let settings = if hardened { metadata().hardened() } else { metadata() };
        let world = World::start(|builder| builder.ecs_metadata(settings)).await;
        let fail = |fails: bool| world.emulator.fail_ecs_metadata(fails.then_some(503));
        lives(&world, instance(&world).disable_imdsv1(hardened), |_| {}, fail).await;
        lives(&world, instance(&world).role_name("reader"), |_| {}, fail).await;
    }
}

#[tokio::test]
async fn an_instance_without_that_role_says_so() {
    let world = World::start(|builder| builder.ecs_metadata(metadata())).await;
    let source = instance(&world).role_name("other");
    let client = world.builder().credentials_provider(source).build().unwrap();
    let error = call(&client).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("status 404"), "{cause}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn what_is_beside_the_program_is_never_asked_through_a_proxy() {
    let world = World::start(|builder| builder.ecs_metadata(metadata())).await;
    let uri = UriCredentials::new(world.emulator.credentials_uri().unwrap());
    let sources: [Arc<dyn CredentialsProvider>; 2] = [Arc::new(instance(&world)), Arc::new(uri)];
    for source in sources {
        // Nothing listens there: whatever goes through it fails.
        let client = world.builder().proxy("http://127.0.0.1:1");
        let client = client.credentials_provider(source).build().unwrap();
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "the credentials were there: {error}");
        let url = client
            .get_object(GetObjectRequest::new(BUCKET, "key"))
            .presign(Duration::from_secs(60))
            .await
            .unwrap();
        assert!(url.url.contains("x-oss-security-token="));
    }
}

#[tokio::test]
async fn a_credentials_uri_is_asked_again_in_time() {
    let world = World::start(|builder| builder.ecs_metadata(metadata())).await;
    let source = UriCredentials::new(world.emulator.credentials_uri().unwrap());
    let fail = |fails: bool| world.emulator.fail_ecs_metadata(fails.then_some(500));
    lives(&world, source, |_| {}, fail).await;
}

/// The emulator's key with an end, as a program or file would give it.
fn write_key(world: &World, file: &Path, now: SystemTime) {
    let end = Timestamp::from(now + Duration::from_secs(LIFE));
    let document = format!(
        r#"{{"AccessKeyId":"{}","AccessKeySecret":"{}","Expiration":"{end}"}}"#,
        world.emulator.access_key_id(),
        world.emulator.access_key_secret()
    );
    std::fs::write(file, document).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_is_run_again_in_time() {
    let world = World::start(|builder| builder).await;
    let directory = tempfile::tempdir().unwrap();
    let (file, broken) = (directory.path().join("key"), directory.path().join("broken"));
    let source = ProcessCredentials::new(format!("test ! -e '{}' && cat '{}'", broken.display(), file.display()));
    let fail = |fails| {
        if fails {
            std::fs::write(&broken, "").unwrap();
        } else {
            std::fs::remove_file(&broken).unwrap();
        }
    };
    lives(&world, source, |now| write_key(&world, &file, now), fail).await;
}

#[tokio::test]
async fn a_profile_that_assumes_a_role_renews_it() {
    let world = World::start(|builder| builder).await;
    let directory = tempfile::tempdir().unwrap();
    let (id, secret) = (world.emulator.access_key_id(), world.emulator.access_key_secret());
    let json = format!(
        r#"{{"current":"role","profiles":[
            {{"name":"base","mode":"AK","access_key_id":"{id}","access_key_secret":"{secret}"}},
            {{"name":"role","mode":"ChainableRamRoleArn","source_profile":"base","ram_role_arn":"{ROLE}",
              "ram_session_name":"suite","expired_seconds":{LIFE}}}]}}"#
    );
    let ini = format!(
        "[default]\ntype = ram_role_arn\naccess_key_id = {id}\naccess_key_secret = {secret}\nrole_arn = {ROLE}\n\
         role_session_name = suite\nrole_session_expiration = {LIFE}\n"
    );
    for (source, text) in [(ProfileCredentials::cli(), json), (ProfileCredentials::ini(), ini)] {
        let file = directory.path().join("profiles");
        std::fs::write(&file, text).unwrap();
        let source = source.file(&file).sts_endpoint(world.emulator.endpoint());
        lives(&world, source, |_| {}, sts_fails(&world, "AssumeRole")).await;
    }
}

#[tokio::test]
async fn a_chain_fails_over_to_the_next_source_and_stays_there() {
    let world = World::start(|builder| builder.ecs_metadata(metadata())).await;
    // Nobody listens there: this is no instance.
    let nowhere = EcsRoleCredentials::new().endpoint("http://127.0.0.1:1");
    let uri = UriCredentials::new(world.emulator.credentials_uri().unwrap());
    let chain = CredentialsChain::new().link("instance", nowhere).link("uri", uri);
    let fail = |fails: bool| world.emulator.fail_ecs_metadata(fails.then_some(500));
    lives(&world, chain, |_| {}, fail).await;
}

/// A transport with a bounded number of requests at a time, so that a thousand callers do not need a thousand
/// connections.
#[derive(Debug)]
struct Narrow(ReqwestTransport, tokio::sync::Semaphore);

impl Narrow {
    fn new() -> Self {
        Self(
            ReqwestTransport::new(TransportOptions::default()).unwrap(),
            tokio::sync::Semaphore::new(100),
        )
    }
}

impl Transport for Narrow {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async {
            let _permit = self.1.acquire().await.unwrap();
            self.0.send(request).await
        })
    }
}

/// A thousand calls at once.
async fn crowd(client: &Client) {
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_at_the_expiry_cause_one_refresh() {
    let world = World::start(|builder| builder).await;
    let client = world.builder().transport(Narrow::new());
    let client = client.credentials_provider(world.role()).build().unwrap();
    let assumed = || world.emulator.requests().count("AssumeRole");
    // Before the first ones are there.
    crowd(&client).await;
    assert_eq!(assumed(), 1);
    // When they are over.
    world.clock.advance(LIFE);
    crowd(&client).await;
    assert_eq!(assumed(), 2);
    // When it is time to renew them.
    world.clock.advance(LIFE - 60);
    crowd(&client).await;
    assert_eq!(assumed(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_refusals_of_one_key_cause_one_refresh() {
    let world = World::start(|builder| builder).await;
    // A clock of its own that lags, so that the client holds for good what is over already.
    let lagging = Arc::new(FixedClock::new(Timestamp::from(world.now())));
    let client = builder(&world.emulator)
        .clock(Lagging(Arc::clone(&lagging)))
        .transport(Narrow::new());
    let client = client.credentials_provider(world.role()).build().unwrap();
    call(&client).await.unwrap();
    lagging.advance(Duration::from_secs(600));
    world.clock.advance(LIFE + 5);
    crowd(&client).await;
    let requests = world.emulator.requests();
    assert_eq!(requests.count("AssumeRole"), 2);
    let refused = requests
        .of("GetBucketAcl")
        .into_iter()
        .filter(|request| request.status == 403);
    assert!(refused.count() >= 1, "the old key was refused");
}

#[derive(Debug)]
struct Lagging(Arc<FixedClock>);

impl oss_sdk::Clock for Lagging {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

#[tokio::test]
async fn a_refresh_that_fails_for_half_a_minute_is_not_noticed() {
    let world = World::start(|builder| builder).await;
    let provider = Arc::new(Counted::new(world.role()));
    let client = world
        .builder()
        .credentials_provider(Arc::clone(&provider))
        .build()
        .unwrap();
    call(&client).await.unwrap();
    let first = world.last_key();
    world.clock.advance(LIFE - 60);
    let fail = sts_fails(&world, "AssumeRole");
    fail(true);
    for _ in 0..30 {
        call(&client).await.unwrap();
        provider.wait_answered(provider.asked()).await;
        world.clock.advance(1);
    }
    assert_eq!(world.last_key(), first);
    let failed = provider.answered() - 1;
    assert!((2..=3).contains(&failed), "every 10 to 20 seconds: {failed}");
    fail(false);
    world.clock.advance(20);
    call(&client).await.unwrap();
    provider.wait_answered(failed + 2).await;
    call(&client).await.unwrap();
    assert_ne!(world.last_key(), first);
    world.clock.advance(300);
    call(&client).await.unwrap();
    assert_eq!(provider.asked(), failed + 2);
}

#[tokio::test]
async fn a_link_gets_credentials_that_last_as_long_as_it_does() {
    let world = World::start(|builder| builder).await;
    let client = world.builder().credentials_provider(world.role()).build().unwrap();
    client
        .put_object(PutObjectRequest::new(BUCKET, "key").body("x"))
        .await
        .unwrap();
    let sign = |seconds| {
        let call = client.get_object(GetObjectRequest::new(BUCKET, "key"));
        call.presign(Duration::from_secs(seconds))
    };
    world.clock.advance(LIFE - 120);
    assert!(!sign(60).await.unwrap().is_capped);
    let link = sign(600).await.unwrap();
    assert!(
        !link.is_capped,
        "two minutes of the old key are left, so there is another"
    );
    assert!(world.emulator.requests().count("AssumeRole") >= 2);
    assert!(sign(3600).await.unwrap().is_capped, "no key of this role lasts so long");
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_a_final_error() {
    let world = World::start(|builder| builder.role(oss_emulator::Role::new("other"))).await;
    let client = builder(&world.emulator).clock(world.clock.clone());
    let client = client.credentials_provider(world.role()).build().unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Credentials, 0), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("STS refused AssumeRole: `"), "{cause}");
    assert_eq!(world.emulator.requests().count("AssumeRole"), 1);
}

/// Makes one call with what the environment says, and tells who it was.
#[tokio::test]
#[ignore = "`the_default_chain_goes_by_the_environment` runs it in a process of its own"]
async fn in_a_process_of_its_own() {
    let client = Client::new(Config::from_env().unwrap().default_credentials()).unwrap();
    match call(&client).await {
        Ok(()) => println!("outcome: done"),
        Err(error) => println!("outcome: {error}: {}", std::error::Error::source(&error).unwrap()),
    }
}

// The emulator has to go on while this waits for the process.
#[tokio::test(flavor = "multi_thread")]
async fn the_default_chain_goes_by_the_environment() {
    const ALL: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let users = |builder: Builder| {
        let user = |builder: Builder, name: &str| builder.ram_user(name, name, "secret", [ALL]);
        ["env-key", "cli-key", "ini-key"]
            .into_iter()
            .fold(builder.ecs_metadata("reader"), user)
    };
    let emulator = users(Emulator::builder()).start().await.unwrap();
    let owner = builder(&emulator).build().unwrap();
    owner.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    // The name of the key of the request that the process made, or its error.
    let run = |more: Vec<(&'static str, String)>| {
        emulator.requests().clear();
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "in_a_process_of_its_own", "--nocapture"])
            .env_clear()
            .env("HOME", home.path())
            .env("OSS_REGION", emulator.region())
            .env("OSS_ENDPOINT", emulator.endpoint())
            .env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
            .envs(more)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, outcome) = text.split_once("outcome: ").unwrap();
        match outcome.lines().next() {
            Some("done") => {
                let request = emulator.requests().of("GetBucketAcl").pop().unwrap();
                let authorization = request.header("authorization").unwrap().to_owned();
                let (_, credential) = authorization.split_once("Credential=").unwrap();
                credential.split('/').next().unwrap().to_owned()
            }
            error => error.unwrap().to_owned(),
        }
    };
    let uri = || vec![("ALIBABA_CLOUD_CREDENTIALS_URI", emulator.credentials_uri().unwrap())];
    // Nothing is set up, then one source after the other from the last to the first.
    let nothing = run(vec![]);
    for link in [
        "environment:",
        "OIDC role:",
        "command line profile:",
        "profile file:",
        "credentials URI:",
    ] {
        assert!(nothing.contains(link), "{nothing}");
    }
    let supplied = run(uri());
    assert!(supplied.starts_with("STS."), "{supplied}");
    let ini = "[default]\ntype = access_key\naccess_key_id = ini-key\naccess_key_secret = secret\n";
    write(".alibabacloud/credentials", ini);
    assert_eq!(run(uri()), "ini-key");
    let cli = r#"{"current":"me","profiles":[
        {"name":"me","mode":"AK","access_key_id":"cli-key","access_key_secret":"secret"}]}"#;
    write(".aliyun/config.json", cli);
    assert_eq!(run(uri()), "cli-key");
    let disabled = ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true".to_owned());
    assert_eq!(run(vec![disabled]), "ini-key");
    let key = |secret: &str| {
        vec![
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "env-key".to_owned()),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret.to_owned()),
        ]
    };
    assert_eq!(run(key("secret")), "env-key");
    // What is set up and broken is not passed over.
    let broken = run(key(""));
    assert!(
        broken.contains("`ALIBABA_CLOUD_ACCESS_KEY_SECRET` is not set or empty"),
        "{broken}"
    );
    write(".aliyun/config.json", "{");
    let broken = run(uri());
    assert!(broken.contains("command line profile: the file `"), "{broken}");
}
