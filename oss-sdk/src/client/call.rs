//! One call of an operation: what refines it, and the future that it becomes.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::Core;
use crate::body::{Progress, ProgressHook};
use crate::error::Error;
use crate::limiter::Bandwidth;
use crate::limits::{CancelFuture, either};
use crate::operation::{Encoder, Operation, OperationInput, OperationOutput, Paginate, Presign, Reply};
use crate::paginate::{Items, Pages};
use crate::pipeline;
use crate::presign::{Expires, PresignedRequest};
use crate::retry::RetryPolicy;

mod transfer;

/// A call that is ready to be made: `.await` makes it.
///
/// Each method refines it and returns it. Dropping the call, or the future that it became, gives the operation up; a
/// request that is on its way may still be carried out by the service.
///
/// ```no_run
/// # async fn example(client: &oss_sdk::Client, op: impl oss_sdk::Operation) -> Result<(), oss_sdk::Error> {
/// use std::time::Duration;
///
/// let result = client.invoke(op).timeout(Duration::from_secs(10)).retry_attempts(5).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is made"]
pub struct Call<'c, O, M = Awaited> {
    core: &'c Arc<Core>,
    operation: O,
    options: CallOptions,
    mode: PhantomData<fn() -> M>,
}

/// How the calls of async clients are made: by `.await`.
///
/// Those of the clients in `oss_sdk::blocking` are made by a method.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Awaited;

/// What a caller may say about one call.
#[derive(Default)]
pub(crate) struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<CancelFuture>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) retry_attempts: Option<u32>,
    pub(crate) retry: Option<Arc<dyn RetryPolicy>>,
    pub(crate) upload_limit: Option<Bandwidth>,
    pub(crate) download_limit: Option<Bandwidth>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) query: Vec<(String, Option<String>)>,
    pub(crate) endpoint: Option<String>,
    /// A domain that is bound to the bucket, in place of an endpoint.
    pub(crate) cname: Option<String>,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) progress: Option<ProgressHook>,
}

impl CallOptions {
    /// The options that every page of a listing takes over. Cancelling is up to the listing as a whole.
    pub(crate) fn for_page(&self) -> Self {
        CallOptions {
            timeout: self.timeout,
            deadline: self.deadline,
            cancel: None,
            attempt_timeout: self.attempt_timeout,
            idle_timeout: self.idle_timeout,
            retry_attempts: self.retry_attempts,
            retry: self.retry.clone(),
            upload_limit: self.upload_limit,
            download_limit: self.download_limit,
            headers: self.headers.clone(),
            query: self.query.clone(),
            endpoint: self.endpoint.clone(),
            cname: self.cname.clone(),
            signed_headers: self.signed_headers.clone(),
            progress: None,
        }
    }

    /// Puts the caller's headers and parameters over those of the operation.
    pub(crate) fn apply(&mut self, input: &mut OperationInput) {
        for (name, value) in self.headers.drain(..) {
            input.set_header(&name, &name, &value);
        }
        for (name, value) in self.query.drain(..) {
            input.set_query(Cow::Owned(name), value);
        }
    }
}

impl<'c, O, M> Call<'c, O, M> {
    pub(crate) fn new(core: &'c Arc<Core>, operation: O) -> Self {
        Call {
            core,
            operation,
            options: CallOptions::default(),
            mode: PhantomData,
        }
    }

    /// The operation, to be called in another way.
    pub(crate) fn into_operation(self) -> (&'c Arc<Core>, O) {
        (self.core, self.operation)
    }

    /// The same call, made in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_mode<N>(self) -> Call<'c, O, N> {
        Call {
            core: self.core,
            operation: self.operation,
            options: self.options,
            mode: PhantomData,
        }
    }

    /// Limits the whole call, retries and the reading of a streamed answer included. Counted from the moment when it
    /// is awaited. With several limits the earliest ends the call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Ends the call at a moment, as [`timeout`](Call::timeout) does after a time. Of several the earliest counts.
    pub fn deadline(mut self, deadline: std::time::Instant) -> Self {
        let deadline = Instant::from_std(deadline);
        self.options.deadline = Some(self.options.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        self
    }

    /// Ends the call when a signal is given: a [`CancellationToken`](crate::CancellationToken), which many calls can
    /// share, or any future. The call, and the reading of a streamed answer, fails with
    /// [`ErrorKind::Canceled`](crate::ErrorKind::Canceled). For a listing it holds for all pages together. Of several
    /// signals the first ends it.
    pub fn cancel_on<S>(mut self, signal: S) -> Self
    where
        S: IntoFuture<Output = ()>,
        S::IntoFuture: Send + 'static,
    {
        self.options.cancel = Some(either(self.options.cancel.take(), Box::pin(signal.into_future())));
        self
    }

    /// Sets how often the request is sent at most, the first time included; 0 counts as 1.
    pub fn retry_attempts(mut self, attempts: u32) -> Self {
        self.options.retry_attempts = Some(attempts);
        self
    }

    /// Sets a header, in place of what the request or the client would send.
    ///
    /// A name or value that HTTP cannot carry fails the call before anything is sent, and so does a header that belongs to
    /// the connection or to the signature: `Host`, `Connection`, `Keep-Alive`, `TE`, `Trailer`, `Transfer-Encoding`,
    /// `Upgrade`, `Proxy-*`, `Date`, `Authorization`, `x-oss-date`, `x-oss-security-token`. `Content-Length` must be
    /// that of the payload.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a query parameter, in place of what the request would send. The value is given unencoded.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.query.push((name.into(), Some(value.into())));
        self
    }

    /// Sets a query parameter without a value.
    pub fn query_flag(mut self, name: impl Into<String>) -> Self {
        self.options.query.push((name.into(), None));
        self
    }

    /// Sends this call to another endpoint, such as `https://oss-cn-beijing.aliyuncs.com`. The client's addressing
    /// style and signature region stay.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.options.endpoint = Some(endpoint.into());
        self
    }

    /// Sends this call to a domain that is bound to the bucket, such as `https://img.example.com`, whatever the client's
    /// addressing style is. It wins over [`endpoint`](Call::endpoint).
    pub fn cname(mut self, domain: impl Into<String>) -> Self {
        self.options.cname = Some(domain.into());
        self
    }

    /// Has signature V4 cover a header that it would leave out, as the setting
    /// [`additional_signed_header`](crate::Config::additional_signed_header) does for all calls. `host` pins a link to its
    /// host. V1 knows no such headers: the call fails.
    pub fn additional_signed_header(mut self, name: impl Into<String>) -> Self {
        self.options.signed_headers.push(name.into());
        self
    }

    /// Reports the bytes of a payload as they pass: those of an upload while it is sent, otherwise those of a streamed
    /// answer while it is read.
    ///
    /// The function is called on the task that transfers, for every piece, so it should be quick. After a retry it is
    /// called again only when the payload gets further than before.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.options.progress = Some(ProgressHook::new(report));
        self
    }
}

/// The request as the pipeline takes it.
pub(crate) fn encode<O: Operation>(operation: &O) -> OperationInput {
    let mut encoder = Encoder::new(O::spec());
    operation.encode(&mut encoder);
    encoder.finish()
}

impl<O: Operation> IntoFuture for Call<'_, O> {
    type Output = Result<O::Output, Error>;
    type IntoFuture = CallFuture<O::Output>;

    fn into_future(self) -> Self::IntoFuture {
        start(self.core, &self.operation, self.options)
    }
}

impl IntoFuture for Call<'_, OperationInput> {
    type Output = Result<OperationOutput, Error>;
    type IntoFuture = CallFuture<OperationOutput>;

    fn into_future(self) -> Self::IntoFuture {
        let operation = self.operation.name.clone();
        CallFuture {
            reply: pipeline::execute(Arc::clone(self.core), self.operation, self.options),
            decode: |reply| Ok(reply.into_output()),
            operation,
        }
    }
}

impl Call<'_, OperationInput> {
    /// Makes a URL that carries out the operation for whoever holds it, as [`Call::presign`] does for typed ones.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn presign(self, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        crate::presign::presign(self.core, self.operation, self.options, expires.into()).await
    }
}

impl<O: Presign> Call<'_, O> {
    /// Makes a URL that carries out the operation for whoever holds it, for a [`Duration`] from now or up to a
    /// [`Timestamp`](crate::Timestamp).
    ///
    /// Nothing is sent; only credentials may be fetched. The holder must send exactly the method and the
    /// [`signed_headers`](PresignedRequest::signed_headers) of the result. The call's payload plays no part; its limits of
    /// time, cancelling and retries hold for fetching credentials.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a time that has passed, or is more than 7 days
    /// away with signature V4; [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) when there are none, also for anonymous
    /// clients.
    pub async fn presign(self, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        let input = encode(&self.operation);
        crate::presign::presign(self.core, input, self.options, expires.into()).await
    }
}

impl<O: Paginate> Call<'_, O> {
    /// The answer page by page, each requested when the one before was taken.
    ///
    /// Refinements of the call hold for every page; its [`cancel_on`](Call::cancel_on) for all of them together.
    pub fn paginate(self) -> Pages<O> {
        Pages::new(Arc::clone(self.core), self.operation, self.options)
    }

    /// What the pages list, one by one.
    pub fn items(self) -> Items<O> {
        Items::new(self.paginate())
    }
}

impl<O: fmt::Debug, M> fmt::Debug for Call<'_, O, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// A call under way. Dropping it cancels the call.
#[must_use = "a future does nothing until it is awaited"]
pub struct CallFuture<T> {
    reply: Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>,
    decode: fn(Reply) -> Result<T, Error>,
    operation: Cow<'static, str>,
}

impl<T> Future for CallFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.reply.as_mut().poll(cx).map(|reply| {
            reply
                .and_then(this.decode)
                .map_err(|error| error.with_operation(this.operation.clone()))
        })
    }
}

impl<T> fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// Makes the call of an operation that is already in hand, for pages.
pub(crate) fn start<O: Operation>(core: &Arc<Core>, operation: &O, options: CallOptions) -> CallFuture<O::Output> {
    CallFuture {
        reply: pipeline::execute(Arc::clone(core), encode(operation), options),
        decode: O::decode,
        operation: Cow::Borrowed(O::spec().name),
    }
}
