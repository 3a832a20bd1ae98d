//! How often a network or an account may send, kept in memory alone and forgotten with the process.
//!
//! No address is kept, not even in memory: only a number at a place that a random key of this process chooses. Two networks
//! that share a place share an allowance.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::config::Rate;

/// Places; a few hundred busy networks hardly ever share one.
const PLACES: usize = 1 << 16;

/// An allowance for each of many senders (the generic cell rate algorithm).
pub(crate) struct Limiter {
    /// Microseconds since the start at which the sender's allowance is whole again.
    whole_at: Box<[AtomicU64]>,
    secret: RandomState,
    rate: Option<Rate>,
    start: Instant,
}

impl Limiter {
    /// Without a rate everything is allowed.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let places = if rate.is_some() { PLACES } else { 1 };
        Self {
            whole_at: (0..places).map(|_| AtomicU64::new(0)).collect(),
            secret: RandomState::new(),
            rate,
            start: Instant::now(),
        }
    }

    /// Takes `count` from the sender's allowance; if it does not suffice, says how long to wait and takes nothing.
    pub(crate) fn take(&self, sender: impl Hash, count: u32) -> Result<(), Duration> {
        self.take_at(sender, count, self.start.elapsed())
    }

    fn take_at(&self, sender: impl Hash, count: u32, now: Duration) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let each = 1e6 / rate.per_second.max(1e-6);
        let now = now.as_micros() as u64;
        let cost = (each * f64::from(count)) as u64;
        // One request may be larger than the allowance: it then needs all of it.
        let allowance = (each * f64::from(rate.burst.max(count))) as u64;
        let place = &self.whole_at[self.secret.hash_one(sender) as usize % self.whole_at.len()];
        let mut old = place.load(Ordering::Relaxed);
        loop {
            let new = old.max(now) + cost;
            if new > now + allowance {
                return Err(Duration::from_micros(new - now - allowance));
            }
            match place.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => old = other,
            }
        }
    }
}

/// The network of an address: 24 bits of IPv4, 48 of IPv6. `None` for this machine itself, which is not limited.
pub(crate) fn network(address: IpAddr) -> Option<[u8; 7]> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some([4, a, b, c, 0, 0, 0])
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, ..] = address.octets();
            Some([6, a, b, c, d, e, f])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_used_up_and_comes_back() {
        let limiter = Limiter::new(Some(Rate { per_second: 2.0, burst: 3 }));
        let at = |millis| limiter.take_at("one", 1, Duration::from_millis(millis));
        assert!(at(0).is_ok() && at(0).is_ok() && at(0).is_ok());
        assert_eq!(at(0), Err(Duration::from_millis(500)));
        assert_eq!(at(400), Err(Duration::from_millis(100)));
        assert!(at(500).is_ok());
        assert!(at(500).is_err());
        assert!(
            limiter.take_at("one", 100, Duration::from_secs(60)).is_ok(),
            "a large request needs a whole allowance"
        );
        assert!(limiter.take_at("one", 1, Duration::from_secs(61)).is_err());
        assert!(Limiter::new(None).take("one", u32::MAX).is_ok());
    }

    #[test]
    fn neighbours_are_one_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_eq!(of("2001:db8:1::1"), of("2001:db8:1:ffff::2"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
        assert_eq!((of("127.0.0.1"), of("::1")), (None, None));
    }
}
