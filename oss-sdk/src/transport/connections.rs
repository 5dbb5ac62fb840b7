//! How many connections to one host may be in use at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Activity;

/// Hosts that are remembered before unused ones are forgotten; each bucket has one of its own.
const MANY: usize = 64;

/// The places at each host.
#[derive(Debug)]
pub(super) struct Connections {
    limit: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// One connection in use; free when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    /// `limit` places at each host, at least one.
    pub(super) fn new(limit: usize) -> Self {
        Connections {
            limit: limit.clamp(1, Semaphore::MAX_PERMITS),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a place at the host of a URL. Those who wait get one in their order.
    pub(super) async fn place(&self, url: &str, activity: Option<&Activity>) -> Option<Place> {
        let places = self.places(origin(url));
        let permit = match Arc::clone(&places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                // It is not the network that is waited for.
                if let Some(activity) = activity {
                    activity.pause();
                }
                let permit = places.acquire_owned().await.ok()?;
                if let Some(activity) = activity {
                    activity.touch();
                }
                permit
            }
        };
        Some(Place { _permit: permit })
    }

    fn places(&self, origin: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = hosts.get(origin) {
            return Arc::clone(places);
        }
        if hosts.len() >= MANY && hosts.len().is_power_of_two() {
            // Nobody holds or awaits a place there. `strong_count` only shrinks meanwhile: new holders need the lock.
            hosts.retain(|_, places| Arc::strong_count(places) > 1 || places.available_permits() < self.limit);
        }
        let places = Arc::new(Semaphore::new(self.limit));
        hosts.insert(origin.to_owned(), Arc::clone(&places));
        places
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_host_has_its_own_places_and_they_come_back() {
        let connections = Connections::new(2);
        let first = connections.place("http://a:1/x", None).await;
        let _second = connections.place("http://a:1?y", None).await;
        let _other = connections.place("http://b:1/x", None).await;
        let mut third = std::pin::pin!(connections.place("http://a:1", None));
        let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(third.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        drop(first);
        assert!(third.await.is_some());
    }

    #[tokio::test]
    async fn hosts_without_connections_are_forgotten() {
        let connections = Connections::new(1);
        let kept = connections.place("http://kept/", None).await;
        for number in 0..1000 {
            connections.place(&format!("http://{number}/"), None).await;
        }
        let hosts = connections.hosts.lock().unwrap().len();
        assert!(hosts <= MANY + 1, "{hosts}");
        assert!(connections.hosts.lock().unwrap().contains_key("http://kept"));
        drop(kept);
    }
}
