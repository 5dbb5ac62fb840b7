//! Making calls and waits on the thread of the caller.

use std::future::IntoFuture;
use std::time::Duration;

use super::worker::block_on;
use super::{Call, Items, Pages, Wait};
use crate::client::Awaited;
use crate::error::Error;
use crate::operation::{Operation, Paginate, Presign};
use crate::presign::PresignedRequest;

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

impl<O: Presign> Call<'_, O> {
    /// Makes a URL that carries out the operation for whoever holds it, for `expires_in` from now.
    ///
    /// Nothing is sent; only credentials may be fetched. The holder must send exactly the method and the
    /// [`signed_headers`](PresignedRequest::signed_headers) of the result.
    ///
    /// # Errors
    ///
    /// As the async call's `presign`.
    pub fn presign(self, expires_in: Duration) -> Result<PresignedRequest, Error> {
        block_on(self.with_mode::<Awaited>().presign(expires_in))
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
