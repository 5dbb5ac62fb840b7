//! Listings page by page and item by item, as streams.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::client::{CallFuture, CallOptions, Core, start_call};
use crate::error::{Error, ErrorKind};
use crate::limits::{Limits, Shutdown};
use crate::operation::{NextPage, Paginate};

/// Pages of a listing; a [`Stream`], or [`try_next`](Pages::try_next) in a loop.
///
/// Each page is one request, made when it is asked for. After an error the listing can go on: the next call asks for
/// the same page again. As a stream it ends after an error.
#[must_use = "a listing does nothing until a page is asked for"]
pub struct Pages<O: Paginate> {
    core: Arc<Core>,
    operation: O,
    options: CallOptions,
    /// The cancellation, which holds for all pages together.
    limits: Limits,
    under_way: Option<CallFuture<O::Output>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    More,
    /// The last page promised another one that cannot be asked for.
    Lost,
    /// The stream has ended with an error.
    Failed,
    Done,
}

impl<O: Paginate> Pages<O> {
    pub(crate) fn new(core: Arc<Core>, operation: O, mut options: CallOptions) -> Self {
        let cancel = options.cancel.take();
        Pages {
            // A listing that was shut down goes on when the client does: a page is a call of its own.
            limits: Limits::new(&Shutdown::default(), None, cancel),
            core,
            operation,
            options,
            under_way: None,
            state: State::More,
        }
    }

    /// The next page, `None` after the last.
    ///
    /// # Errors
    ///
    /// As the operation itself, and [`ErrorKind::Decode`] when the service promises another page but does not say where
    /// it begins.
    pub async fn try_next(&mut self) -> Result<Option<O::Output>, Error> {
        std::future::poll_fn(|cx| self.poll_page(cx)).await.transpose()
    }

    /// The request of the next page. Its tokens can be kept, to go on from there another time.
    pub fn next_request(&self) -> &O {
        &self.operation
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<O::Output, Error>>> {
        match self.state {
            State::Done => return Poll::Ready(None),
            State::Lost => {
                self.state = State::Done;
                let message = "the listing goes on, but the service does not say where its next page begins";
                let error = Error::new(ErrorKind::Decode, message).with_operation(O::spec().name);
                return Poll::Ready(Some(Err(error)));
            }
            State::More | State::Failed => {}
        }
        if let Err(error) = self.limits.check(cx) {
            self.under_way = None;
            return Poll::Ready(Some(Err(error.with_operation(O::spec().name))));
        }
        let call = self
            .under_way
            .get_or_insert_with(|| start_call(&self.core, &self.operation, self.options.for_page()));
        let page = match Pin::new(call).poll(cx) {
            Poll::Ready(page) => page,
            Poll::Pending => Err(ready!(self.limits.poll(cx)).with_operation(O::spec().name)),
        };
        self.under_way = None;
        Poll::Ready(Some(page.inspect(|page| {
            self.state = match self.operation.next_page(page) {
                NextPage::More => self.state,
                NextPage::Last => State::Done,
                NextPage::Lost => State::Lost,
            };
        })))
    }
}

impl<O: Paginate + Unpin> Stream for Pages<O> {
    type Item = Result<O::Output, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.state == State::Failed {
            return Poll::Ready(None);
        }
        let page = ready!(this.poll_page(cx));
        if matches!(page, Some(Err(_))) {
            this.state = State::Failed;
        }
        Poll::Ready(page)
    }
}

impl<O: Paginate> fmt::Debug for Pages<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("done", &(self.state == State::Done))
            .finish_non_exhaustive()
    }
}

/// Items of a listing; a [`Stream`], or [`try_next`](Items::try_next) in a loop.
///
/// Pages are requested as they are needed; one page is held at a time.
#[must_use = "a listing does nothing until an item is asked for"]
pub struct Items<O: Paginate> {
    pages: Pages<O>,
    page: VecDeque<O::Item>,
}

impl<O: Paginate> Items<O> {
    pub(crate) fn new(pages: Pages<O>) -> Self {
        Items {
            pages,
            page: VecDeque::new(),
        }
    }

    /// The next item, if it has come already.
    #[cfg(feature = "blocking")]
    pub(crate) fn buffered(&mut self) -> Option<O::Item> {
        self.page.pop_front()
    }

    /// The next item, `None` after the last.
    ///
    /// # Errors
    ///
    /// As the operation itself. The next call asks for the failed page again.
    pub async fn try_next(&mut self) -> Result<Option<O::Item>, Error> {
        loop {
            if let Some(item) = self.page.pop_front() {
                return Ok(Some(item));
            }
            match self.pages.try_next().await? {
                Some(page) => self.page = O::items(page).into(),
                None => return Ok(None),
            }
        }
    }
}

impl<O> Stream for Items<O>
where
    O: Paginate + Unpin,
    O::Item: Unpin,
{
    type Item = Result<O::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => this.page = O::items(page).into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<O: Paginate> fmt::Debug for Items<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("buffered", &self.page.len())
            .finish_non_exhaustive()
    }
}
