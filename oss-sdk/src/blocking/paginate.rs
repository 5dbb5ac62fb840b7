//! Listings as iterators.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;

use super::worker::block_on;
use crate::error::Error;
use crate::operation::Paginate;
use crate::paginate;

/// Pages of a listing; an [`Iterator`], or [`try_next`](Pages::try_next) in a loop.
///
/// Each page is one request, made when it is asked for. As an iterator it ends after an error; `try_next` asks for the
/// same page again.
#[must_use = "a listing does nothing until a page is asked for"]
pub struct Pages<O: Paginate> {
    pages: paginate::Pages<O>,
}

impl<O: Paginate> Pages<O> {
    pub(super) fn new(pages: paginate::Pages<O>) -> Self {
        Pages { pages }
    }

    /// The next page, `None` after the last.
    ///
    /// # Errors
    ///
    /// As the operation itself, and [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the service promises another
    /// page but does not say where it begins.
    pub fn try_next(&mut self) -> Result<Option<O::Output>, Error> {
        block_on(self.pages.try_next())
    }

    /// The request of the next page. Its tokens can be kept, to go on from there another time.
    pub fn next_request(&self) -> &O {
        self.pages.next_request()
    }
}

impl<O: Paginate + Unpin> Iterator for Pages<O> {
    type Item = Result<O::Output, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&mut self.pages)
    }
}

impl<O: Paginate> fmt::Debug for Pages<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.fmt(f)
    }
}

/// Items of a listing; an [`Iterator`], or [`try_next`](Items::try_next) in a loop.
///
/// Pages are requested as they are needed; one page is held at a time.
#[must_use = "a listing does nothing until an item is asked for"]
pub struct Items<O: Paginate> {
    items: paginate::Items<O>,
}

impl<O: Paginate> Items<O> {
    pub(super) fn new(items: paginate::Items<O>) -> Self {
        Items { items }
    }

    /// The next item, `None` after the last.
    ///
    /// # Errors
    ///
    /// As the operation itself. The next call asks for the failed page again.
    pub fn try_next(&mut self) -> Result<Option<O::Item>, Error> {
        block_on(self.items.try_next())
    }
}

impl<O> Iterator for Items<O>
where
    O: Paginate + Unpin,
    O::Item: Unpin,
{
    type Item = Result<O::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // Without a visit to the worker's runtime for what has come already.
        match self.items.buffered() {
            Some(item) => Some(Ok(item)),
            None => next(&mut self.items),
        }
    }
}

impl<O: Paginate> fmt::Debug for Items<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

fn next<T>(stream: &mut (impl Stream<Item = Result<T, Error>> + Unpin)) -> Option<Result<T, Error>> {
    let next = poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx));
    block_on(async { next.await.transpose() }).transpose()
}
