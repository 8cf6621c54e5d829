//! Endings that were once found wrong, each with its own test.
