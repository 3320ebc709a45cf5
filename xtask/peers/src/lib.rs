//! Other implementations of Olm and Megolm behind the traits of [`mx_demo::party`].

#[cfg(feature = "libolm")]
pub mod libolm;
pub mod vodozemac;
