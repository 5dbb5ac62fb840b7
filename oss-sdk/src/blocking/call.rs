//! Making calls and waits on the thread of the caller.

use std::future::IntoFuture;

use super::worker::block_on;
use super::{Call, Items, Pages, Wait};
use crate::client::Awaited;
use crate::error::Error;
use crate::operation::{Operation, OperationInput, OperationOutput, Paginate, Presign};
use crate::presign::{Expires, PresignedRequest};

impl<O: Operation> Call<'_, O> {
    /// Makes the call and returns its result when it is done. A payload in the result is still to be read; see
    /// [`ResponseBody::into_blocking`](crate::ResponseBody::into_blocking).
    ///
    /// # Errors
    ///
    /// As the async call; [`ErrorKind::Io`](crate::ErrorKind::Io) when the thread of the connections cannot be started,
    /// or would be the one to wait.
    pub fn send(self) -> Result<O::Output, Error> {
        block_on(self.with_mode::<Awaited>().into_future())
    }
}

impl Call<'_, OperationInput> {
    /// Makes the call and returns the answer; its payload is not read, and its connection is not free for others, until
    /// [`OperationOutput::body`] is read or dropped.
    ///
    /// # Errors
    ///
    /// As for any call; an answer that is not a success becomes [`ErrorKind::Service`](crate::ErrorKind::Service).
    pub fn send(self) -> Result<OperationOutput, Error> {
        block_on(self.with_mode::<Awaited>().into_future())
    }

    /// Makes a URL that carries out the operation for whoever holds it, as [`Call::presign`] does for typed ones.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn presign(self, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        block_on(self.with_mode::<Awaited>().presign(expires))
    }
}

impl<O: Presign> Call<'_, O> {
    /// Makes a URL that carries out the operation for whoever holds it, for a [`Duration`](std::time::Duration) from now
    /// or up to a [`Timestamp`](crate::Timestamp).
    ///
    /// Nothing is sent; only credentials may be fetched. The holder must send exactly the method and the
    /// [`signed_headers`](PresignedRequest::signed_headers) of the result.
    ///
    /// # Errors
    ///
    /// As the async call's `presign`.
    pub fn presign(self, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        block_on(self.with_mode::<Awaited>().presign(expires))
    }
}

impl<O: Paginate> Call<'_, O> {
    /// The answer page by page, each requested when it is asked for. Refinements of the call hold for every page, as
    /// they do for an async listing.
    pub fn paginate(self) -> Pages<O> {
        Pages::new(self.with_mode::<Awaited>().paginate())
    }

    /// What the pages list, one by one.
    pub fn items(self) -> Items<O> {
        Items::new(self.with_mode::<Awaited>().items())
    }
}

impl<O: Operation> Wait<'_, O> {
    /// Calls again and again, and returns when it has happened.
    ///
    /// # Errors
    ///
    /// As the async wait, and as [`Call::send`].
    pub fn wait(self) -> Result<(), Error> {
        block_on(self.run())
    }
}
