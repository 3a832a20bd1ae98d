//! The portal over HTTP: real Postgres, real chain, stand-in ESIA.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod documents;
mod issuing;
mod login;
mod pages;
mod several;
mod stored;
mod world;
