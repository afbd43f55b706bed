//! What an event consists of and where its parameters are read from, for every driver.
#![no_std]
